"""Commands as a user meets them: answers, exit codes, nothing half-written."""

from __future__ import annotations

import json
import pathlib

import pyarrow.parquet as pq
import pytest
from cli_runner import say

from sim.cli import main

SMALL = """\
bufferzone: 1
name: Small
horizon: 60 days
line: {length: 100 km}
force:
  contingents:
    first: {strength: 900, unit_size: 300, arrival: {first: 1 day, last: 20 days}}
posture:
  everywhere: {posts: {every: 10 km}, teams: {count: 4}, patrols: {every: 10 km}}
violations:
  small_arms: {rate: 10 per day}
"""


@pytest.fixture
def small(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_run_writes_a_whole_folder_and_answers_on_one_screen(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = say(capsys, "run", "small.yaml", "-n", "3", "--jobs", "1", "--quiet", "--no-report")
    assert said.code == 0
    assert said.err == ""
    assert len(said.out.splitlines()) <= 24
    assert said.out.splitlines()[0] == "Small: 3 replications, seed 1"
    assert said.out.rstrip().endswith("runs/small")
    names = {p.name for p in pathlib.Path("runs/small").iterdir()}
    tables = {
        f"{t}.parquet"
        for t in ("replications", "series", "types", "sectors", "cells", "strip", "periods", "responses")
    }
    assert names == tables | {"summary.json", "manifest.json", "scenario.resolved.yaml"}
    assert [p.name for p in pathlib.Path("runs").iterdir()] == ["small"]


def test_a_second_run_takes_a_new_name(small: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for expected in ("runs/small", "runs/small-2"):
        said = say(capsys, "run", "small.yaml", "-n", "1", "--jobs", "1", "-q", "--no-report")
        assert said.out.rstrip().endswith(expected)


def test_an_existing_folder_is_not_overwritten(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pathlib.Path("mine").mkdir()
    said = say(capsys, "run", "small.yaml", "-n", "1", "--out", "mine", "-q", "--no-report")
    assert (said.code, said.out) == (1, "")
    assert said.err == "mine is already there\n    hint: give another --out, or --force to overwrite it\n"
    assert list(pathlib.Path("mine").iterdir()) == []
    assert (
        say(
            capsys, "run", "small.yaml", "-n", "1", "-j", "1", "--out", "mine", "-q", "--no-report", "--force"
        ).code
        == 0
    )
    assert pathlib.Path("mine/summary.json").is_file()


def test_one_replication_alone_is_the_row_of_many(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, "run", "small.yaml", "-n", "6", "-j", "1", "--out", "many", "-q", "--no-report")
    say(capsys, "run", "small.yaml", "--replication", "4", "-j", "1", "--out", "one", "-q", "--no-report")
    many = pq.read_table("many/replications.parquet").to_pylist()
    one = pq.read_table("one/replications.parquet").to_pylist()
    assert one == [many[4]]
    assert one != [many[3]]


def test_json_is_the_summary_with_its_folder(small: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, "run", "small.yaml", "-n", "2", "-j", "1", "-q", "--no-report", "--json")
    answer = json.loads(said.out)
    assert answer.pop("folder") == "runs/small"
    assert answer == json.loads(pathlib.Path("runs/small/summary.json").read_text(encoding="utf-8"))
    assert set(answer["metrics"]["coverage.sighted_share"]) == {
        "mean",
        "ci_low",
        "ci_high",
        "p05",
        "p50",
        "p95",
        "unit",
    }


def test_a_missed_target_exits_with_4_and_keeps_the_run(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ("run", "small.yaml", "-n", "1", "-j", "1", "-q", "--no-report")
    said = say(capsys, *argv, "--require", "coverage.sighted_share >= 200%")
    assert said.code == 4
    assert said.err.startswith("target coverage.sighted_share >= 2 not met: the mean is 0.")
    assert pathlib.Path("runs/small/summary.json").is_file()
    assert say(capsys, *argv, "--require", "coverage.sighted_share >= 0.01").code == 0


def test_an_unknown_metric_is_refused_before_anything_runs(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = say(capsys, "run", "small.yaml", "--require", "coverage.sigted_share >= 0.5")
    assert said.code == 1
    assert (
        said.err
        == 'there is no metric "coverage.sigted_share"\n    hint: did you mean "coverage.sighted_share"?\n'
    )
    assert not pathlib.Path("runs").exists()


def test_wrong_input_exits_with_1_and_writes_nothing(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_text(SMALL.replace("10 per day", "10 per dy"), encoding="utf-8")
    said = say(capsys, "run", "small.yaml", "-q")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        'small.yaml:11:22: violations.small_arms.rate: no unit "dy"\n    hint: did you mean "10 per day"?\n'
    )
    assert [p.name for p in pathlib.Path().iterdir()] == ["small.yaml"]


def test_wrong_usage_exits_with_2(small: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, "run", "small.yaml", "--replication", "1", "-n", "2").code == 2
    assert say(capsys, "run").code == 2
    said = say(capsys, "rum", "small.yaml")
    assert said.code == 2
    assert "No such command 'rum'" in said.err


def test_a_setting_changes_the_answer_and_is_kept_in_the_manifest(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, "run", "small.yaml", "-n", "1", "-j", "1", "-q", "--no-report", "--set", "force.scale=0.5")
    manifest = json.loads(pathlib.Path("runs/small/manifest.json").read_text(encoding="utf-8"))
    assert manifest["overrides"] == ["force.scale: (not written) -> 0.5"] or manifest["overrides"][
        0
    ].startswith("force.scale")
    assert pq.read_table("runs/small/replications.parquet").column("force.pledged").to_pylist() == [450.0]


def test_check_says_every_problem_of_every_file(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = small.with_name("bad.yaml")
    bad.write_text(SMALL.replace("100 km", "100").replace("posts:", "post:"), encoding="utf-8")
    said = say(capsys, "check", "small.yaml", "bad.yaml")
    assert said.code == 1
    assert said.out.startswith("small.yaml: sound. 100.0 km in 1 sector,")
    told = [line for line in said.err.splitlines() if not line.startswith((" ", "warning: "))]
    places = [line.split(": ")[0] for line in told]
    assert places == ["bad.yaml:4:16", "bad.yaml:9:16"]


def test_explain_marks_defaults_and_gives_sources(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = say(capsys, "explain", "small.yaml")
    assert said.code == 0
    assert "   contingents.first.strength: 900" in said.out
    assert " * off_road_speed: 20 km/h" in said.out
    assert said.out.endswith("\n* default, or from the library; everything else is written in the scenario\n")
    rows = json.loads(say(capsys, "explain", "small.yaml", "--json").out)
    assert {"path", "value", "written", "place", "source", "says"} == set(rows[0])


def test_the_resolved_scenario_is_a_scenario_that_says_the_same(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = say(capsys, "explain", "small.yaml", "--yaml").out
    pathlib.Path("resolved.yaml").write_text(text, encoding="utf-8")
    assert say(capsys, "explain", "resolved.yaml", "--yaml").out == text


def test_estimate_answers_for_programs_too(small: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "troops to task" in say(capsys, "estimate", "small.yaml").out
    answer = json.loads(say(capsys, "estimate", "small.yaml", "--json").out)
    assert answer["pledged"] == 900
    assert answer["troops_to_task"][-1]["label"] == "pool"


def test_report_refuses_what_is_no_run(small: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, "report", "nowhere")
    assert said.code == 1
    assert (
        said.err == "nowhere is not a folder\n    hint: give the folder that `bufferzone run` has written\n"
    )


def test_our_own_fault_exits_with_3_and_names_a_log(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sim.cli.estimate as module

    def stumble(*_: object) -> None:
        raise RuntimeError("\udcff cannot be printed")

    monkeypatch.setattr(module, "stage", stumble)
    assert main(["estimate", "small.yaml"]) == 3
    said = capsys.readouterr().err
    log = pathlib.Path(said.strip().rpartition(" ")[2])
    assert "RuntimeError" in log.read_text(encoding="utf-8", errors="replace")
    log.unlink()


TENSE = (
    SMALL
    + """\
escalation:
  levels: {calm: {hazards: {war: {kind: exponential, mean: 90 days}}}, war: {}}
"""
)


def test_a_scenario_that_escalates_is_told_whether_it_stands(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_text(TENSE, encoding="utf-8")
    argv = ("run", "small.yaml", "-n", "20", "-j", "1", "-q", "--no-report")
    said = say(capsys, *argv, "--require", "escalation.days_in.war < 60")
    assert said.code == 0
    metric = json.loads(pathlib.Path("runs/small/summary.json").read_text(encoding="utf-8"))["metrics"][
        "escalation.collapse_probability"
    ]
    stands, low, high = (1 - metric[key] for key in ("mean", "ci_high", "ci_low"))
    assert (
        f"  ceasefire stands at the end   {stands:>9.1%}   ({low:.1%} to {high:.1%} with 95 % confidence)\n"
        in said.out
    )
    assert "  days of a sector in each level   calm " in said.out
    assert len(said.out.splitlines()) <= 24
    wrong = say(capsys, *argv, "--require", "escalation.days_in.wor < 60")
    assert wrong.err == (
        'there is no metric "escalation.days_in.wor"\n    hint: did you mean "escalation.days_in.war"?\n'
    )
    assert "knows nothing of\n  - escalation: every sector stays" in say(capsys, "estimate", "small.yaml").out


def test_the_journal_has_one_row_for_each_incident(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, "run", "small.yaml", "-n", "2", "-j", "1", "-q", "--no-report", "--journal")
    journal = pq.read_table("runs/small/journal.parquet")
    types = pq.read_table("runs/small/types.parquet")
    assert journal.num_rows == sum(types.column("happened").to_pylist())
    assert journal.column("start_h").to_pylist()[0] >= 0


def test_what_is_unlikely_is_said_by_check_estimate_and_run_alike(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_text(SMALL.replace("10 per day", "400 per day"), encoding="utf-8")
    expected = say(capsys, "check", "small.yaml").err
    assert "small.yaml:" in expected
    assert "of their time if the nearest always went\n    hint: when it is out others come" in expected
    assert say(capsys, "estimate", "small.yaml").err == expected
    assert say(capsys, "run", "small.yaml", "-n", "1", "-j", "1", "--no-report").err.startswith(expected)
    assert say(capsys, "run", "small.yaml", "-n", "1", "-j", "1", "--no-report", "-q").err == ""


def test_report_refuses_a_run_that_is_not_as_it_was_written(
    small: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, "run", "small.yaml", "-n", "1", "-j", "1", "-q", "--no-report", "--out", "r")
    run = pathlib.Path("r")
    strip = (run / "strip.parquet").read_bytes()
    (run / "strip.parquet").write_bytes(strip[:-20])
    said = say(capsys, "report", "r")
    assert said.code == 1
    assert said.err == "r/strip.parquet is not as the run wrote it\n    hint: run the scenario again\n"
    (run / "strip.parquet").unlink()
    assert say(capsys, "report", "r").err == "r lacks strip.parquet\n    hint: run the scenario again\n"
    hint = "    hint: give the folder that `bufferzone run` has written\n"
    (run / "manifest.json").write_text("{", encoding="utf-8")
    assert say(capsys, "report", "r").err == f"r/manifest.json cannot be read\n{hint}"
    (run / "manifest.json").unlink()
    assert say(capsys, "report", "r").err == f"r is not a run folder: it lacks manifest.json\n{hint}"
