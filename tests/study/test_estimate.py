"""The closed form counts what the first day brings, and says what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import merged, small

from sim.study.estimate import estimate, first_day_rates

ALIKE = {"retaliation": {"mean": 0.5}, "false_reports": "0 per day"}
PROVOKED = {"violations": {"shelling": ALIKE, "drone": ALIKE}}


def test_calls_grow_with_reprisals_and_shrink_with_the_truce(theatre_of: Callable[..., Any]) -> None:
    """Of one incident 1 / (1 - 0.5) come in all; a truce that begins at 0.4 leaves four tenths."""
    quiet = small(violations={"drone": {"false_reports": "0 per day"}})
    plain = estimate(theatre_of(quiet))
    provoked = estimate(theatre_of(merged(quiet, PROVOKED)))
    assert provoked.calls_per_day == pytest.approx(2 * plain.calls_per_day)
    assert provoked.team_load == pytest.approx(2 * (plain.team_load or 0))
    held = estimate(theatre_of(merged(quiet, {"truce": {"start": 0.4}})))
    assert held.calls_per_day == pytest.approx(0.4 * plain.calls_per_day)
    assert held.sighted_share == pytest.approx(plain.sighted_share)


def test_what_is_only_provoked_counts_and_the_lowest_level_tells_how_much(
    theatre_of: Callable[..., Any],
) -> None:
    """4 a day provoke 0.8 x 0.5 = 0.4 of a type that never comes by itself: 1.6 a day; its own go on at 0.5."""
    what = small(
        violations={
            "shelling": {"rate": "4 per day", "retaliation": {"mean": 0.8, "types": {"drone": 1.0}}},
            "drone": {"rate": "0 per day", "retaliation": {"mean": 1.0}},
        },
        escalation={"levels": {"calm": {"retaliation": 0.5}, "war": {}}},
    )
    assert first_day_rates(theatre_of(what)) * 24 == pytest.approx([4.0, 1.6 / 0.5])


def test_types_that_do_not_erode_keep_their_rate(theatre_of: Callable[..., Any]) -> None:
    what = small(truce={"start": 0.4}, violations={"drone": {"erodes": False}})
    assert first_day_rates(theatre_of(what)) * 24 == pytest.approx([4.0, 8.0])


def test_it_says_what_it_leaves_out(theatre_of: Callable[..., Any]) -> None:
    assert estimate(theatre_of(small())).leaves_out == ()
    much = {
        "violations": {"shelling": {"retaliation": {"mean": 0.2, "calming": 0.5}}},
        "truce": {"doubling": "6 days", "ceiling": 3.0},
        "events": {"talks": {"after": "5 days", "recommit": {"drop": 0.5}}},
        "injects": {"raid": {"type": "drone", "chainage": "3 km", "after": "2 days"}},
        "escalation": {"levels": {"calm": {}, "war": {"enter_at": 500}}},
    }
    assert estimate(theatre_of(merged(small(), much))).leaves_out == (
        "escalation: every sector stays in its lowest level",
        "the truce as it wears out: rates are those of the first day",
        "events",
        "calming: reprisals come as if no team prevented one",
        "injects",
    )
