"""What occurs beside drawn incidents, as it is read: moments, listed incidents, records, levels."""

from __future__ import annotations

import datetime
import os
import pathlib

import numpy as np
import pytest
from conftest import small
from conftest import staged as played

from sim.campaign.theatre import Theatre, stage
from sim.errors import ScenarioError
from sim.lineclock.state import INJECT, TRACE
from sim.scenario.chance import Exponential, Fixed, Lognormal, Uniform, size_h
from sim.scenario.occurs import InjectPart
from sim.scenario.resolve import ScenarioFile, load

VALID = pathlib.Path(__file__).parents[1] / "cases" / "valid"

RECORD = """\
bufferzone: 1
name: a record
start: 2026-05-01
horizon: 30 days
line: {length: 100 km}
force: {contingents: {blue: {strength: 600}}}
violations: {shelling: {rate: 5 per day}}
trace: {file: record.csv}
"""


def staged(file: ScenarioFile) -> Theatre:
    return stage(file.scenario, file.document)


def recorded(folder: pathlib.Path, csv: str) -> Theatre:
    (folder / "record.csv").write_text(csv, encoding="utf-8")
    (folder / "scenario.yaml").write_text(RECORD, encoding="utf-8")
    return staged(load(folder / "scenario.yaml"))


def refusals(folder: pathlib.Path, csv: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as refused:
        recorded(folder, csv)
    return tuple(
        str(problem).partition("\n")[0].removeprefix(f"{folder}/") for problem in refused.value.problems
    )


# moments ------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "hours"), [({"at": "2026-03-01"}, 48.0), ({"at": "2026-02-27"}, 0.0), ({"after": "36 h"}, 36.0)]
)
def test_a_moment_is_counted_from_the_start(said: dict[str, str], hours: float) -> None:
    part = InjectPart.model_validate({"type": "shelling", "chainage": 0, **said})
    assert part.moment_h(datetime.date(2026, 2, 27)) == hours


def test_injects_are_spread_from_their_moment_on_and_end_with_the_horizon() -> None:
    plan = staged(load(VALID / "injects.yaml")).plan
    assert set(plan.listed_cause) == {INJECT}
    offensive = plan.listed_h[:-1][plan.listed_cell == 40]
    # 200 over 720 h from day 10.5; 468 h are left
    assert np.allclose(offensive, 252.0 + 3.6 * np.arange(130))
    assert offensive[-1] < 720.0
    assert plan.listed_h[0] == 0.0
    assert plan.listed_h[-1] == np.inf
    assert np.count_nonzero(plan.listed_h == 8 * 24.0) == 12
    # 100 km, the end of the line, is in its last cell
    assert plan.listed_cell[plan.listed_h[:-1] == 36.5] == [99]


# records ------------------------------------------------------------


def test_a_record_is_read_in_order_of_time_whatever_its_zone() -> None:
    plan = staged(load(VALID / "trace.yaml")).plan
    assert list(plan.listed_cause) == [TRACE] * 3
    assert np.allclose(plan.listed_h[:-1], [0.0, 13.5, 23.5 + 30 / 3600])
    assert list(plan.listed_cell) == [0, 40, 99]


def test_a_record_by_the_hour_may_stand_in_any_order() -> None:
    plan = staged(load(VALID / "trace_hours.yaml")).plan
    assert list(plan.listed_h[:-1]) == [0.0, 36.5]
    assert list(plan.listed_cell) == [10, 99]


def test_a_recorded_type_is_not_drawn_and_the_others_are() -> None:
    theatre = staged(load(VALID / "trace.yaml"))
    expected = dict(zip(theatre.stream_names, theatre.plan.cumulative[:, -1], strict=True))
    assert expected["incidents of shelling"] == 0.0
    assert expected["incidents of sniping"] > 30.0


def test_a_record_is_a_file_that_a_run_reads() -> None:
    file = load(VALID / "trace.yaml")
    assert file.data_files() == ((VALID / "data" / "record.csv").resolve(),)
    assert file.resolved()["trace"]["file"] == str((VALID / "data" / "record.csv").resolve())


def test_a_record_with_both_clocks_goes_by_the_hours_where_there_are_any(tmp_path: pathlib.Path) -> None:
    csv = "time,start_h,type,chainage_km\n2026-05-02,5,shelling,1\n2026-05-02,,shelling,1\n"
    assert list(recorded(tmp_path, csv).plan.listed_h[:-1]) == [5.0, 24.0]


def test_no_more_than_twenty_faults_of_a_record_are_told(tmp_path: pathlib.Path) -> None:
    told = refusals(tmp_path, "time,type,chainage_km\n" + "never,shelling,1\n" * 50)
    assert len(told) == 20
    assert told[0] == 'record.csv:2:1: trace.file: time is "never"'
    assert told[-1] == 'record.csv:21:1: trace.file: time is "never"'


def test_a_line_of_a_record_that_is_wrong_twice_is_told_twice(tmp_path: pathlib.Path) -> None:
    assert refusals(tmp_path, "start_h,type,chainage_km\n-1,sheling,900\n") == (
        "record.csv:2:1: trace.file: chainage_km is 900, but the line runs from 0 km to 100 km",
        "record.csv:2:1: trace.file: lies before the start, 2026-05-01",
        'record.csv:2:1: trace.file: there is no violation type "sheling"',
    )


# laws and levels ------------------------------------------------------------


def test_the_size_of_a_law_is_what_half_of_its_draws_or_their_mean_come_to() -> None:
    laws = [
        Fixed(value="2 h"),
        Exponential(kind="exponential", mean="2 h"),
        Lognormal(kind="lognormal", median="2 h", p90="9 h"),
        Uniform(kind="uniform", low=0, high="2 h"),
    ]
    assert [size_h(law) for law in laws] == [2.0] * 4


def test_levels_keep_the_order_in_which_they_are_written() -> None:
    ladder = staged(load(VALID / "escalation.yaml")).ladder
    assert ladder.names == ("calm", "tense", "standoff", "crisis", "collapse")
    assert list(ladder.enter_at) == [np.inf, 30.0, np.inf, 60.0, 500.0]
    assert list(ladder.leave_below) == [0.0, 15.0, 10.0, 60.0, 0.0]
    assert ladder.incidents.tolist() == [[1.0, 1.2, 1.0, 0.0, 10.0], [1.0, 1.2, 1.0, 6.0, 10.0]]
    assert [to for to, _ in ladder.hazards[3]] == [4, 2]


def test_a_trace_that_would_never_end_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    """A pipe that nobody writes into, and a device that never ends, are refused at once."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        with pytest.raises(ScenarioError, match="not a file with text in it"):
            played(tmp_path, small(trace={"file": str(tmp_path / name)}))
