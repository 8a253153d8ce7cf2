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


def test_soldiers_without_a_task_and_more_than_anybody_proposed(tmp_path: pathlib.Path) -> None:
    assert warnings(tmp_path, {"force": {"contingents": {"all": {"strength": 20000}}}}) == [
        "force: 20,000 soldiers are 200 per km of line; the largest published proposal has 155",
        "posture: 11,531 of 11,999 effective soldiers have no task in this laydown\n"
        "    hint: want more posts, patrols or teams; more soldiers alone change nothing",
    ]
