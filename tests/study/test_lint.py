"""What is allowed but unlikely, each warning in full."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from conftest import merged

from sim.campaign.theatre import stage
from sim.scenario.resolve import load
from sim.study.lint import unlikely

CALM: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a calm line",
    "horizon": "60 days",
    "line": {"length": "100 km"},
    "force": {"contingents": {"all": {"strength": 800, "unit_size": 400}}},
    "posture": {"everywhere": {"posts": {"every": "10 km"}, "teams": {"count": 8}}},
    "violations": {"shots": {"rate": "5 per day"}},
}


def warnings(tmp_path: pathlib.Path, over: dict[str, Any]) -> list[str]:
    path = tmp_path / "play.yaml"
    path.write_text(yaml.safe_dump(merged(CALM, over), sort_keys=False), encoding="utf-8")
    file = load(path)
    return [
        str(w).partition("play.yaml:")[2].partition(": ")[2]
        for w in unlikely(stage(file.scenario, file.document), file)
    ]


def test_a_plausible_scenario_has_no_warnings(tmp_path: pathlib.Path) -> None:
    assert warnings(tmp_path, {}) == []


@pytest.mark.parametrize(("over", "expected"), [
    (
        {"force": {"contingents": {"late": {"strength": 300, "unit_size": 300, "arrival": {"first": "1 year"}}}}},
        "force.contingents.late.arrival: arrives after the horizon: it takes no part",
    ),
    (
        {"force": {"contingents": {"few": {"strength": 20}}}},
        "force.contingents.few.unit_size: a strength of 20 does not fill one unit of 600",
    ),
    (
        {"posture": {"everywhere": {"teams": None}}},
        "posture: violations ask for teams but no sector wants any\n    hint: give posture.everywhere.teams",
    ),
    (
        {"violations": {"shots": None}},
        "violations: nothing happens on this line: coverage can be computed, response cannot",
    ),
    (
        {"violations": {"shots": {"deterrence": 0.5}}},
        "violations.shots.deterrence: assumes that being watched deters; reports will say so",
    ),
    (
        {"violations": {"shots": {"retaliation": {"mean": 0.5, "calming": 0.4}}}},
        "violations.shots.retaliation.calming: assumes that a team on the spot prevents reprisals; reports will say so",
    ),
    (
        {"truce": {"doubling": "5 days"}},
        "truce.doubling: changes nothing: the truce begins at its ceiling of 1 and nobody recommits\n"
        "    hint: raise ceiling, lower start, or add an event that recommits",
    ),
    (
        {"truce": {"start": 0.5}, "violations": {"shots": {"erodes": False}}},
        "truce: changes nothing: no violation type follows it\n    hint: set erodes of a type to true",
    ),
    (
        {"events": {"talks": {"rate": "0 per day", "recommit": {"drop": 0.5}}}},
        "events.talks.rate: never comes\n    hint: raise its rate, or leave it out",
    ),
    (
        {"events": {"talks": {"every": "60 days", "recommit": {"drop": 0.5}}}},
        "events.talks.every: never comes: the horizon is 60 days\n    hint: choose a shorter time",
    ),
    (
        {"violations": {"shots": {"erodes": False}}, "events": {"talks": {"after": "3 days", "recommit": {"drop": 0.5}}}},
        "events.talks.recommit: changes nothing: no violation type follows the truce\n"
        "    hint: set erodes of a type to true",
    ),
    (
        {"events": {"talks": {"after": "3 days", "recommit": {"drop": 0.5}}}},
        "events.talks.recommit: rates never come back after it: the truce does not wear out\n"
        "    hint: add truce.doubling, unless this is meant",
    ),
    (
        {"truce": {"start": 0.5, "ceiling": 2}},
        "truce.ceiling: changes nothing: without doubling the truce stays at 0.5\n"
        "    hint: add doubling, or leave it out",
    ),
    (
        {"injects": {"barrage": {"type": "shots", "chainage": "5 km", "after": "55 days", "count": 40, "over": "20 days"}}},
        "injects.barrage.over: runs past the horizon: 30 of 40 incidents never happen\n"
        "    hint: choose a shorter time",
    ),
    (
        {"violations": {"shots": {"retaliation": {"mean": 0.95}}}},
        "violations: one incident leads to 20 in all: the spectral radius of what provokes what is 0.950\n"
        "    hint: lower retaliation.mean, unless this is meant",
    ),
    (
        {"escalation": {"levels": {"calm": {}, "end": {"enter_at": 99}}, "collapse": {"lasting": "70 days"}}},
        "escalation.collapse.lasting: the ceasefire can never collapse: the horizon is 60 days\n"
        "    hint: choose a shorter time",
    ),
    (
        {
            "violations": {"shots": {"retaliation": {"mean": 0.5}}},
            "escalation": {"levels": {"calm": {}, "hot": {"enter_at": 9, "retaliation": 2.5}, "end": {"enter_at": 99}}},
        },
        "escalation.levels.hot.retaliation: reprisals never end in this level: the spectral radius of what provokes "
        "what is 1.250, not below 1\n    hint: lower it, unless this is meant",
    ),
    (
        {"escalation": {"levels": {"calm": {}, "hot": {}, "end": {"enter_at": 99}}}},
        "escalation.levels.hot: no level leads to this one\n"
        "    hint: give enter_at, or a hazard of another level that leads to it",
    ),
    (
        {
            "sectors": {"near": {"from": "0 km"}, "far": {"from": "50 km"}},
            "bases": {"camp": {"chainage": "20 km", "sector": "near"}},
            "posture": {"everywhere": {"teams": {"count": 4}}},
        },
        "sectors.far: has no base, so none of the teams that it wants can be posted\n"
        "    hint: give a base with this sector",
    ),
    (
        {"force": {"contingents": {"all": {"strength": 90, "unit_size": 90}}}},
        "posture: the pledged force mans 12% of the laydown wanted",
    ),
])  # fmt: skip
def test_each_warning_in_full(tmp_path: pathlib.Path, over: dict[str, Any], expected: str) -> None:
    assert expected in warnings(tmp_path, over)


GROWS: dict[str, dict[str, Any]] = {
    "by a higher ceiling": {"truce": {"doubling": "5 days", "ceiling": 2}},
    "from a lower start": {"truce": {"doubling": "5 days", "start": 0.5}},
    "after a recommitment": {
        "truce": {"doubling": "5 days"},
        "events": {"talks": {"after": "9 days", "recommit": {"drop": 0.5}}},
    },
    "not at all, from a lower start": {"truce": {"start": 0.5}},
}


@pytest.mark.parametrize("how", GROWS)
def test_a_truce_that_changes_something_is_not_warned_of(tmp_path: pathlib.Path, how: str) -> None:
    assert warnings(tmp_path, GROWS[how]) == []


HARMLESS: dict[str, dict[str, Any]] = {
    "a barrage that ends with the horizon": {
        "injects": {
            "b": {"type": "shots", "chainage": "5 km", "after": "40 days", "count": 40, "over": "20 days"}
        }
    },
    "reprisals below nine in ten": {"violations": {"shots": {"retaliation": {"mean": 0.89}}}},
    "a collapse that fits": {
        "escalation": {"levels": {"calm": {}, "end": {"enter_at": 99}}, "collapse": {"lasting": "59 days"}}
    },
    "a ceiling where the truce starts": {"truce": {"start": 2, "ceiling": 2}},
    "a recommitment of a truce that wears out": {
        "truce": {"doubling": "5 days", "start": 0.5},
        "events": {"talks": {"after": "9 days", "recommit": {"drop": 0.5}}},
    },
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_stays_within_bounds_is_not_warned_of(tmp_path: pathlib.Path, what: str) -> None:
    assert warnings(tmp_path, HARMLESS[what]) == []


LATE = "begins 20 days after the start: its types do not happen in that time"
SHORT = "ends 20 days early: its types do not happen in that time"
RECORDS: dict[str, tuple[list[int], list[str]]] = {
    "all along": ([20, 700, 1400], []),
    "late": ([480, 1400], [LATE]),
    "short": ([20, 960], [SHORT]),
    "in the middle": ([480, 960], [LATE, SHORT]),
    "of another time": (
        [1500],
        ["has no row within the horizon, and types that occur in it are not drawn: they never happen"],
    ),
}


@pytest.mark.parametrize("record", RECORDS)
def test_where_a_record_is_silent_nothing_happens_and_that_is_said(
    tmp_path: pathlib.Path, record: str
) -> None:
    hours, facts = RECORDS[record]
    rows = "".join(f"shots,3,{h}\n" for h in hours)
    (tmp_path / "record.csv").write_text(f"type,chainage_km,start_h\n{rows}", encoding="utf-8")
    hint = "\n    hint: choose start and horizon to fit the record, or leave the trace out"
    assert warnings(tmp_path, {"trace": {"file": "record.csv"}}) == [
        f"trace.file: {fact}{hint}" for fact in facts
    ]


LEADS = {
    "by tension": {"hot": {"enter_at": 9}, "end": {}},
    "by a hazard": {"hot": {}, "end": {}},
    "by falling back": {"hot": {}, "hotter": {"enter_at": 9, "leave_below": 5}, "end": {}},
}


@pytest.mark.parametrize("way", LEADS)
def test_a_level_that_something_leads_to_is_not_warned_of(tmp_path: pathlib.Path, way: str) -> None:
    calm = {"hazards": {"hot": "9 days"}} if way == "by a hazard" else {}
    last = {"end": {"enter_at": 99}}
    assert warnings(tmp_path, {"escalation": {"levels": {"calm": calm, **LEADS[way], **last}}}) == []


def test_a_last_level_that_ends_the_run_may_explode(tmp_path: pathlib.Path) -> None:
    """Nothing is counted after a collapse; where it waits for a second sector, something is."""
    over: dict[str, Any] = {
        "violations": {"shots": {"retaliation": {"mean": 0.5}}},
        "sectors": {"near": {"from": "0 km"}, "far": {"from": "50 km"}},
        "escalation": {"levels": {"calm": {}, "end": {"enter_at": 9, "retaliation": 3.0}}},
    }
    assert warnings(tmp_path, over) == []
    slower = merged(over, {"escalation": {"collapse": {"sectors": 2}}})
    assert [w.partition(":")[0] for w in warnings(tmp_path, slower)] == ["escalation.levels.end.retaliation"]


def test_soldiers_without_a_task_and_more_than_anybody_proposed(tmp_path: pathlib.Path) -> None:
    assert warnings(tmp_path, {"force": {"contingents": {"all": {"strength": 20000}}}}) == [
        "force: 20,000 soldiers are 200 per km of line; the largest published proposal has 155",
        "posture: 11,531 of 11,999 effective soldiers have no task in this laydown\n"
        "    hint: want more posts, patrols or teams; more soldiers alone change nothing",
    ]
