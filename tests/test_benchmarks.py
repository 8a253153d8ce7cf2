"""The benchmarks run, list themselves and say what they promise to say; nothing here asserts a speed."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib
import shutil
from typing import Any

import pytest

from benchmarks import BENCHMARKS, full
from benchmarks.__main__ import main
from benchmarks.full_line import full_line
from benchmarks.full_tables import tables
from benchmarks.measuring import Disagreement, agreement, rates, ratio

MACHINE = {"cores", "load_average", "python", "numba"}


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The JSON object that a benchmark prints."""
    assert main([*argv, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def says_ratios(found: dict[str, Any], names: set[str]) -> None:
    """A benchmark gives just these ratios, each within its own range."""
    assert set(found["ranges"]) == names
    for name in names:
        low, high = found["ranges"][name]
        assert 0 < low <= found[name] <= high


def test_they_list_themselves_with_a_line_each(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BENCHMARKS)
    assert all(len(line.split()) > 3 for line in lines)


def test_every_listed_benchmark_exists():
    here = pathlib.Path(__file__).parents[1] / "benchmarks"
    assert all((here / f"{name}.py").exists() for name in BENCHMARKS)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["queu"], 'no benchmark is called "queu"; did you mean "queue"?'),
        (["zzz"], 'no benchmark is called "zzz"; there are queue, full, command'),
        (["queue", "--rounds", "2"], "--rounds 2 is too few for a median; give 5 or more"),
        (["queue", "--replications", "2"], "--replications is for the command benchmark, and at least 1"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_hint(capsys, argv, says):
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {says}\n")


@pytest.mark.usefixtures("warm_kernel")
def test_queue_says_what_it_promises(capsys):
    found = answer(capsys, "queue", "--quick")
    ratios = {"vs_simpy", "vs_simpy_128", "per_team_growth"}
    programs = {"kernel", "simpy"}
    if shutil.which("cc"):
        ratios |= {"vs_c", "vs_c_128", "vs_c_keyed", "vs_c_keyed_128"}
        programs |= {"c", "c_keyed"}
    assert found["benchmark"] == "queue"
    assert found["rounds"] >= 5
    says_ratios(found, ratios)
    assert set(found["incidents_per_s"]) == {f"{name}_{teams}" for name in programs for teams in (32, 128)}
    assert set(found["machine"]) >= MACHINE
    assert 0.55 < found["utilisation"]["32"] < 0.75


@pytest.mark.usefixtures("warm_kernel")
def test_full_says_what_it_promises(capsys):
    found = answer(capsys, "full", "--quick")
    programs = {"simpy", "c"} if shutil.which("cc") else {"simpy"}
    ratios = {"growth_with_horizon", "journal_cost"}
    ratios |= {f"vs_{name}{rate}" for name in programs for rate in ("", "_20", "_800")}
    says_ratios(found, ratios)
    assert found["benchmark"] == "full"
    assert found["incidents_per_s"] == found["incidents_per_s_by_program"]["kernel_100"]
    assert set(found["incidents_per_s_by_program"]) == {"journal", "brief", "lasting"} | {
        f"{name}_{per_day}" for name in programs | {"kernel"} for per_day in (20, 100, 800)
    }
    for per_day, setting in found["settings"].items():
        assert setting["incidents_a_day"] == pytest.approx(float(per_day), rel=0.4)
        assert 0 < setting["kernel_share"] < 1
        assert 0 < setting["teams_out"] < 0.6
    assert {f"raised_share_20_{name}" for name in programs} <= set(found["agreement"])
    assert set(found["machine"]) >= MACHINE


@pytest.fixture(scope="module")
def quiet_field(warm_kernel: None) -> full.Field:
    """The whole model at 20 incidents a day, with histories of SimPy to compare with."""
    field = full.Field(20, dataclasses.replace(full.QUICK, simpy={20: 25}))
    field.simpy()
    return field


def test_programs_that_simulate_the_same_agree(quiet_field):
    assert quiet_field.compared()


@pytest.mark.parametrize("program", ["simpy", "c"])
@pytest.mark.parametrize(
    ("table", "times"),
    [
        ("breeds_mean", 0.0),
        ("drop", 0.0),
        ("reports_p", 0.0),
        ("gap_h", 4.0),
        ("standard_h", 0.5),
        ("attribution", 0.8),
        ("night_slowness", 1.5),
        ("decay", 2.0),
    ],
)
def test_a_program_that_differs_in_one_thing_is_found_out(quiet_field, program, table, times):
    said = tables(quiet_field.short)
    other = dataclasses.replace(said, **{table: getattr(said, table) * times})
    field = copy.copy(quiet_field)
    if program == "c":
        field.in_c = full_line(other)
        if field.in_c is None:
            pytest.skip("there is no C compiler")
    else:
        field.lists, field.simpy_means = other.as_lists(), []
        field.simpy()
    with pytest.raises(Disagreement, match=f" in {program}, "):
        field.compared()


@pytest.mark.slow
@pytest.mark.usefixtures("warm_kernel")
def test_command_says_what_it_promises(capsys):
    found = answer(capsys, "command", "--quick")
    parts = set(found["seconds"])
    assert parts >= {
        "imports",
        "load_and_check",
        "stage",
        "start_workers",
        "simulating",
        "writing",
        "rest",
    }
    assert parts == set(found["share"])
    assert sum(found["share"].values()) == pytest.approx(1.0, abs=0.01)
    assert found["total_seconds"] > 0
    assert found["kernel_load_seconds"] >= 0
    assert found["peak_memory_mib"] > 50
    assert found["incidents"] > 1000
    assert set(found["machine"]) >= MACHINE


def test_programs_take_turns_and_none_is_always_first():
    order: list[str] = []
    work = {name: lambda name=name: order.append(name) or sum(range(20_000)) for name in "abc"}
    found = rates(work, rounds=3)
    assert "".join(order) == "abcbcacab"
    assert all(len(values) == 3 for values in found.values())


def test_a_ratio_is_taken_round_by_round():
    assert ratio([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}


def test_models_that_differ_are_not_compared():
    same = [1.0, 1.1, 0.9, 1.05, 0.95]
    assert agreement("the wait", same, same[::-1], "simpy")["standard_errors_apart"] == 0
    with pytest.raises(
        Disagreement, match=r"the wait is 1 in the line clock and 2 in simpy, -20\.0 standard errors apart"
    ):
        agreement("the wait", same, [value + 1 for value in same], "simpy")
