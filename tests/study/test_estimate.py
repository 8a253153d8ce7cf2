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


KNOWN = {"against_force": True, "false_reports": "0 per day"}
"""Seen at once: arithmetic on such types is by hand."""


def test_deterrence_takes_the_unprovoked_and_what_they_would_have_provoked(
    theatre_of: Callable[..., Any],
) -> None:
    """4 a day provoke 2 drones, which nothing deters; all of the drone's own 3 are deterred: 4 + 2. Where half
    of the first are deterred, 2 + 1.
    """
    first = {**KNOWN, "rate": "4 per day", "retaliation": {"mean": 0.5, "types": {"drone": 1.0}}}
    second = {**KNOWN, "rate": "3 per day", "deterrence": 1.0}
    what = small(violations={"shelling": first, "drone": second})
    found = estimate(theatre_of(what))
    assert found.calls_per_day == pytest.approx(6.0)
    assert found.sighted_share == pytest.approx(1.0)
    half = estimate(theatre_of(merged(what, {"violations": {"shelling": {"deterrence": 0.5}}})))
    assert half.calls_per_day == pytest.approx(3.0)


def test_the_lowest_level_changes_what_it_says(theatre_of: Callable[..., Any]) -> None:
    """Patrols and orbits stay in, teams are half as fast; where it is closed nobody comes, nor without arms."""

    def calm(**level: Any) -> Any:
        over = {"escalation": {"levels": {"calm": level, "war": {}}}}
        return estimate(theatre_of(small(**over)))

    plain, blind = (
        estimate(theatre_of(small())),
        estimate(theatre_of(small(posture={"everywhere": {"patrols": None, "orbits": None}}))),
    )
    assert plain.nearest_drive_h is not None
    assert calm().line_watched_share == plain.line_watched_share
    assert calm().sighted_share == plain.sighted_share
    kept_in = calm(patrols=0.0, orbits=0.0)
    assert kept_in.sighted_share == pytest.approx(blind.sighted_share)
    assert kept_in.line_watched_share == pytest.approx(blind.line_watched_share)
    assert blind.sighted_share < plain.sighted_share  # type: ignore[operator]
    assert calm(speed=0.5).nearest_drive_h == pytest.approx(2 * plain.nearest_drive_h)
    assert (calm(closed=True).nearest_drive_h, calm(closed=True).team_load) == (None, None)
    unarmed = {"force": {"contingents": {"alpha": {"armed": False}}}}
    asks = {"escalation": {"levels": {"calm": {"needs_arms": True}, "war": {}}}}
    assert calm(needs_arms=True).nearest_drive_h == plain.nearest_drive_h
    assert estimate(theatre_of(merged(small(**asks), unarmed))).nearest_drive_h is None
    mixed = {"force": {"contingents": {"bravo": {"strength": 200, "armed": False}}}}
    assert (
        "who is armed: every team is taken to enter, though the lowest level asks for arms"
        in estimate(theatre_of(merged(small(**asks), mixed))).leaves_out
    )


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
        "the places and hours of reprisals: they are taken to be those of their type's background",
        "calming: reprisals come as if no team prevented one",
        "injects",
    )
