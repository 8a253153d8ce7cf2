"""The benchmarks run, list themselves and say what they promise to say; nothing here asserts a speed."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import pytest

from benchmarks import BENCHMARKS
from benchmarks.__main__ import main
from benchmarks.measuring import Disagreement, agreement, rates, ratio

MACHINE = {"cores", "load_average", "python", "numba"}


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The JSON object that a benchmark prints."""
    assert main([*argv, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


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
        (["zzz"], 'no benchmark is called "zzz"; there are queue, command'),
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
        ratios |= {"vs_c", "vs_c_128"}
        programs |= {"c"}
    assert found["benchmark"] == "queue"
    assert found["rounds"] >= 5
    assert set(found["ranges"]) == ratios
    for name in ratios:
        low, high = found["ranges"][name]
        assert 0 < low <= found[name] <= high
    assert set(found["incidents_per_s"]) == {f"{name}_{teams}" for name in programs for teams in (32, 128)}
    assert set(found["machine"]) >= MACHINE
    assert 0.55 < found["utilisation"]["32"] < 0.75


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
