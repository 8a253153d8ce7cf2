"""O8 by hand: injects at known times, so that every rise, fall and collapse of a level is known to the second."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from conftest import merged

from sim.campaign.engine import History
from sim.campaign.escalation import CAUSES_OF_TURNS

HALF_LIFE_H = 24.0
QUIET: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a line on which only what is listed happens",
    "horizon": "40 days",
    "line": {"length": "60 km"},
    "sectors": {"north": {"from": "0 km"}, "middle": {"from": "20 km"}, "south": {"from": "40 km"}},
    "force": {"contingents": {"alpha": {"strength": 0}}},
    "violations": {"shelling": {"rate": "0 per day", "severity": 2, "teams": 0}},
    "escalation": {
        "half_life": f"{HALF_LIFE_H} h",
        "levels": {
            "calm": {},
            "tense": {"enter_at": 4, "leave_below": 1},
            "crisis": {"enter_at": 7, "leave_below": 3},
            "war": {"enter_at": 100},
        },
        "collapse": {"sectors": 3},
    },
}
CHAINAGE = {"north": "10 km", "middle": "30 km", "south": "50 km"}

Plays = Callable[..., History]


def inject(
    after_h: float, count: int = 1, *, sector: str = "north", kind: str = "shelling"
) -> dict[str, Any]:
    return {"type": kind, "chainage": CHAINAGE[sector], "after": f"{after_h} h", "count": count}


def story(history: History) -> list[tuple[float, str, int, int, str]]:
    """(hours, sector, from, to, why) of every turn."""
    turns, names = history.turns, tuple(CHAINAGE)
    return [
        (pytest.approx(float(at_h), abs=1e-6), names[x], int(old), int(new), CAUSES_OF_TURNS[cause])
        for at_h, x, old, new, cause in zip(
            turns.at_h, turns.sector, turns.from_level, turns.to_level, turns.cause, strict=True
        )
    ]


def falls_after_h(tension: float, leave_below: float) -> float:
    """t with tension x 2^(-t / half-life) = leave_below."""
    return HALF_LIFE_H * math.log2(tension / leave_below)


UP, DOWN, HAZARD, LINE_WIDE = "tension rises", "tension falls", "hazard", "collapse of the line"


# Rise and fall ----------------------------------------------------------------------------------------------


def test_one_incident_too_few_changes_nothing(history_of: Plays):
    """Severity 2, then 2 more after half a day: 2 / sqrt(2) + 2 = 3.41 is not 4."""
    assert story(history_of(merged(QUIET, {"injects": {"a": inject(10), "b": inject(22)}}))) == []


def test_a_level_rises_with_the_incident_that_reaches_it_and_falls_when_tension_has(history_of: Plays):
    """2, 3.41, and 2 more at hour 34: 3.41 / sqrt(2) + 2 = 4.41 rises; it is down to 1 after 24 x log2(4.41) hours."""
    what = merged(QUIET, {"injects": {"a": inject(10), "b": inject(22), "c": inject(34)}})
    tension = (2 / math.sqrt(2) + 2) / math.sqrt(2) + 2
    told = story(history_of(what))
    assert told == [(34.0, "north", 0, 1, UP), (34 + falls_after_h(tension, 1.0), "north", 1, 0, DOWN)]
    # The broken twins: no hysteresis (it falls at the threshold by which it rose); tension that fell since it rose by no half-life.
    assert told != [(34.0, "north", 0, 1, UP), (34 + falls_after_h(tension, 4.0), "north", 1, 0, DOWN)]
    assert told != [(34.0, "north", 0, 1, UP), (34 + falls_after_h(6.0, 1.0), "north", 1, 0, DOWN)]


def test_incidents_on_the_way_down_put_the_fall_off(history_of: Plays):
    """Two at hour 10 make 4; ten hours later one more: the fall is counted from then."""
    tension = 4 * 2 ** (-10 / HALF_LIFE_H) + 2
    told = story(history_of(merged(QUIET, {"injects": {"a": inject(10, 2), "b": inject(20)}})))
    assert told == [(10.0, "north", 0, 1, UP), (20 + falls_after_h(tension, 1.0), "north", 1, 0, DOWN)]
    assert told != [(10.0, "north", 0, 1, UP), (10 + falls_after_h(4.0, 1.0), "north", 1, 0, DOWN)]


def test_a_sector_climbs_step_by_step_or_at_once_and_falls_step_by_step(history_of: Plays):
    """Five at one time: 4 is tense, 8 is crisis, 10 stays; down to 3 is tense, down to 1 is calm."""
    told = story(history_of(merged(QUIET, {"injects": {"a": inject(10, 5)}})))
    assert told == [
        (10.0, "north", 0, 1, UP),
        (10.0, "north", 1, 2, UP),
        (10 + falls_after_h(10.0, 3.0), "north", 2, 1, DOWN),
        (10 + falls_after_h(10.0, 1.0), "north", 1, 0, DOWN),
    ]
    violations = {"shelling": {"severity": 10}}
    told = story(history_of(merged(QUIET, {"violations": violations, "injects": {"a": inject(10)}})))
    assert told[0] == (10.0, "north", 0, 2, UP)
    assert len(told) == 3


def test_a_level_is_kept_for_its_least_stay(history_of: Plays):
    """Tension 4 at hour 10 is 1 after two days; a least stay of 100 h keeps the level to hour 110, one of 30 h does nothing."""
    for stay_h, falls_h in ((100.0, 110.0), (30.0, 58.0)):
        levels = {"tense": {"min_stay": f"{stay_h} h"}}
        what = merged(QUIET, {"injects": {"a": inject(10, 2)}, "escalation": {"levels": levels}})
        assert story(history_of(what)) == [(10.0, "north", 0, 1, UP), (falls_h, "north", 1, 0, DOWN)]


def test_levels_that_were_kept_fall_one_by_one(history_of: Plays):
    """Crisis kept to hour 210 while tension sinks below all: tense from then, kept for its own 20 h."""
    levels = {"crisis": {"min_stay": "200 h"}, "tense": {"min_stay": "20 h"}}
    what = merged(QUIET, {"injects": {"a": inject(10, 5)}, "escalation": {"levels": levels}})
    assert story(history_of(what))[2:] == [(210.0, "north", 2, 1, DOWN), (230.0, "north", 1, 0, DOWN)]


def test_a_level_without_a_way_down_is_never_left(history_of: Plays):
    levels = {"tense": {"leave_below": None}}
    what = merged(QUIET, {"injects": {"a": inject(10, 2)}, "escalation": {"levels": levels}})
    assert story(history_of(what)) == [(10.0, "north", 0, 1, UP)]


def test_sectors_have_a_tension_each(history_of: Plays):
    """Three sectors with one incident each stay calm; two of one rise alone."""
    injects = {name: inject(10, sector=name) for name in CHAINAGE} | {"more": inject(10, sector="south")}
    told = story(history_of(merged(QUIET, {"injects": injects})))
    assert told == [(10.0, "south", 0, 1, UP), (10 + falls_after_h(4.0, 1.0), "south", 1, 0, DOWN)]


def test_a_shock_raises_tension_where_it_says(history_of: Plays):
    """3 and an hour's shock of 5 in the north and south: 3 x 2^(-1 / 24) + 5 = 7.91 is crisis in the north, 5 is tense in the south."""
    events = {"rumour": {"after": "11 h", "tension": {"by": 5, "sectors": ["north", "south"]}}}
    what = merged(
        QUIET, {"violations": {"shelling": {"severity": 3}}, "injects": {"a": inject(10)}, "events": events}
    )
    tension = 3 * 2 ** (-1 / HALF_LIFE_H) + 5
    assert story(history_of(what)) == [
        (11.0, "north", 0, 2, "event"),
        (11.0, "south", 0, 1, "event"),
        (11 + falls_after_h(tension, 3.0), "north", 2, 1, DOWN),
        (11 + falls_after_h(5.0, 1.0), "south", 1, 0, DOWN),
        (11 + falls_after_h(tension, 1.0), "north", 1, 0, DOWN),
    ]


# Hazards ----------------------------------------------------------------------------------------------------


def test_a_hazard_brings_the_tension_of_the_level_that_it_leads_to(history_of: Plays):
    """After 100 h of calm all sectors are tense with a tension of 4, which is 1 after two days; and so on, every 148 h."""
    levels = {"calm": {"hazards": {"tense": "100 h"}}}
    told = story(history_of(merged(QUIET, {"escalation": {"levels": levels}})))
    north = [turn for turn in told if turn[1] == "north"]
    cycle = [(100.0, 0, 1, HAZARD), (148.0, 1, 0, DOWN)]
    assert [(at_h, *rest) for at_h, _, *rest in north] == [
        (148 * turn + at_h, *rest) for turn in range(7) for at_h, *rest in cycle if 148 * turn + at_h < 960
    ]
    assert len(told) == 3 * len(north)


def test_a_hazard_that_takes_a_sector_down_takes_its_tension_along(history_of: Plays):
    """Ten makes a crisis at hour 10; a day later it is calm with a tension of 1, so two more an hour after do not make 4 but 2.97."""
    levels = {"crisis": {"hazards": {"calm": "24 h"}}}
    what = merged(QUIET, {"injects": {"a": inject(10, 5), "b": inject(35)}, "escalation": {"levels": levels}})
    told = story(history_of(what))
    assert told == [(10.0, "north", 0, 1, UP), (10.0, "north", 1, 2, UP), (34.0, "north", 2, 0, HAZARD)]
    two_more = merged(what, {"injects": {"b": {"count": 2}}})
    tension = 2 ** (-1 / HALF_LIFE_H) + 4
    assert story(history_of(two_more)) == [
        *told,
        (35.0, "north", 0, 1, UP),
        (35 + falls_after_h(tension, 1.0), "north", 1, 0, DOWN),
    ]


def test_of_two_hazards_the_sooner_wins_and_tension_may_be_sooner_than_both(history_of: Plays):
    """Hazards of 100 h and 60 h: at hour 60 to crisis, with a tension of 7; an inject of 4 at hour 50 is tense before, for two days."""
    levels = {"calm": {"hazards": {"tense": "100 h", "crisis": "60 h"}}}
    what = merged(QUIET, {"escalation": {"levels": levels}})
    assert story(history_of(what))[0] == (60.0, "north", 0, 2, HAZARD)
    north = [
        turn
        for turn in story(history_of(merged(what, {"injects": {"a": inject(50, 2)}})))
        if turn[1] == "north"
    ]
    assert north[:3] == [
        (50.0, "north", 0, 1, UP),
        (98.0, "north", 1, 0, DOWN),
        (158.0, "north", 0, 2, HAZARD),  # its 60 h begin anew
    ]


# What goes unanswered ---------------------------------------------------------------------------------------

ASKS = merged(
    QUIET,
    {
        "violations": {"shelling": {"teams": 1, "standard": "2 h", "on_scene": "1 h"}},
        "injects": {"a": inject(10)},
        "escalation": {"unanswered_factor": 2.5},
    },
)
"""Severity 2 at hour 10; when nobody is there by hour 12, 2 x (2.5 - 1) = 3 are added: 2 x 2^(-2 / 24) + 3 = 4.89."""
ANSWERED = {
    "force": {"contingents": {"alpha": {"strength": 3000}}},
    "bases": {"camp": {"chainage": "10 km"}},
    "posture": {"everywhere": {"teams": {"count": 0}}, "sectors": {"north": {"teams": {"count": 2}}}},
    "watch": {"reports": {"probability": 1.0, "delay": "0 h"}},
    "travel": {"road_speed": "10000000 km/h", "night_factor": 1.0},
}


def test_what_goes_unanswered_adds_to_tension_when_its_time_is_over(history_of: Plays):
    tension = 2 * 2 ** (-2 / HALF_LIFE_H) + 3
    told = story(history_of(ASKS))
    assert told == [(12.0, "north", 0, 1, UP), (12 + falls_after_h(tension, 1.0), "north", 1, 0, DOWN)]
    # The broken twins: all of it at the beginning; the factor itself instead of what it adds.
    assert told != [(10.0, "north", 0, 1, UP), (10 + falls_after_h(5.0, 1.0), "north", 1, 0, DOWN)]
    assert told[1][0] != 12 + falls_after_h(tension + 2, 1.0)


@pytest.mark.parametrize(("reaction_h", "is_answered"), [(1.9, True), (2.1, False)])
def test_a_team_in_time_keeps_tension_down_and_a_late_one_does_not(
    history_of: Plays, reaction_h, is_answered
):
    what = merged(ASKS, ANSWERED | {"response": {"reaction": f"{reaction_h} h"}})
    history = history_of(what)
    assert history.journal.hours[0, 3] == pytest.approx(10 + reaction_h, abs=1e-3)
    told = story(history)
    assert [turn[2:] for turn in told] == ([] if is_answered else [(0, 1, UP), (1, 0, DOWN)])
    assert is_answered or told[0][0] == 12.0


def test_with_a_factor_of_one_nobody_need_come(history_of: Plays):
    assert story(history_of(merged(ASKS, {"escalation": {"unanswered_factor": 1}}))) == []


def test_what_asks_for_nobody_is_never_unanswered(history_of: Plays):
    assert story(history_of(merged(ASKS, {"violations": {"shelling": {"teams": 0}}}))) == []


# Collapse ---------------------------------------------------------------------------------------------------

FRAGILE = merged(
    QUIET,
    {
        "violations": {
            "shelling": {"severity": 100},
            "theft": {"rate": "48 per day", "severity": 1e-9, "teams": 0},
        },
        "escalation": {"collapse": {"sectors": 2, "lasting": "48 h"}},
    },
)
"""One shelling collapses its sector; the line holds until two of three have been so for two days."""


def test_the_line_collapses_when_two_sectors_have_for_two_days(history_of: Plays):
    """North at hour 10, south at hour 30.25: the line at hour 78.25, the middle with it, and nothing is counted after that."""
    history = history_of(merged(FRAGILE, {"injects": {"a": inject(10), "b": inject(30.25, sector="south")}}))
    assert story(history) == [
        (10.0, "north", 0, 3, UP),
        (30.25, "south", 0, 3, UP),
        (78.25, "middle", 0, 3, LINE_WIDE),
    ]
    assert history.collapsed
    assert history.stood_h == pytest.approx(78.25)
    starts_h = history.journal.hours[:, 0]
    assert 76 < starts_h.max() < 78.25
    assert len(starts_h) == history.tally.type_ledger[:, 0].sum()


def test_a_third_sector_does_not_start_the_two_days_anew(history_of: Plays):
    injects = {"a": inject(10), "b": inject(30, sector="south"), "c": inject(60, sector="middle")}
    history = history_of(merged(FRAGILE, {"injects": injects}))
    assert history.stood_h == pytest.approx(78.0)
    assert story(history)[-1] == (60.0, "middle", 0, 3, UP)


@pytest.mark.parametrize(
    ("injects", "change"),
    [
        ({"a": inject(10), "b": inject(40)}, {}),
        ({"a": inject(10), "b": inject(30, sector="south")}, {"collapse": {"sectors": 3, "lasting": "48 h"}}),
        (
            {"a": inject(10), "b": inject(30, sector="south")},
            {"collapse": {"sectors": 2, "lasting": "39 days"}},
        ),
    ],
    ids=["one sector, twice", "three sectors asked for", "longer than the horizon"],
)
def test_the_line_stands_where_the_rule_is_not_met(history_of: Plays, injects, change):
    """The broken twins of the rule: counting incidents, fewer sectors, no time to last."""
    history = history_of(merged(FRAGILE, {"injects": injects, "escalation": change}))
    assert not history.collapsed
    assert history.stood_h == pytest.approx(40 * 24.0)
    assert (history.journal.hours[:, 0] > 39 * 24.0).any()


def test_a_rule_without_delay_ends_the_line_with_the_sector(history_of: Plays):
    rule = {"collapse": {"sectors": 1, "lasting": "0 h"}}
    history = history_of(merged(FRAGILE, {"injects": {"a": inject(10)}, "escalation": rule}))
    assert history.stood_h == pytest.approx(10.0)
    assert [turn[1:] for turn in story(history)] == [
        ("north", 0, 3, UP),
        ("middle", 0, 3, LINE_WIDE),
        ("south", 0, 3, LINE_WIDE),
    ]


def test_nothing_turns_a_collapsed_sector_not_even_a_shock_of_the_same_moment(history_of: Plays):
    """North falls to war after 5 days, the line two days later; a shock comes every day, also on that one."""
    levels = {"calm": {"hazards": {"war": "5 days"}}, "hot": {"enter_at": 50, "leave_below": 40}, "war": {}}
    what = merged(QUIET, {"escalation": {"collapse": {"sectors": 1, "lasting": "2 days"}}})
    what["escalation"]["levels"] = levels
    what["events"] = {"shock": {"every": "1 day", "tension": {"by": 100, "sectors": ["north"]}}}
    told = story(history_of(what))
    last = {sector: to for _, sector, _, to, _ in told}
    assert last == {"north": 2, "middle": 2, "south": 2}
    assert all(old < 2 for _, _, old, _, _ in told)


def test_peace_that_a_hazard_brings_is_not_undone_by_the_next_incident(history_of: Plays):
    """A level that only tension enters, at 4, and only a hazard leaves: its tension of 4 then counts as 2 at most.

    A day later that is 1, and one incident of 2 makes 3; the full 4 would be 2, and 4 with it.
    """
    levels = {"tense": {"enter_at": 4, "leave_below": None, "hazards": {"calm": "1 h"}}}
    what = merged(QUIET, {"injects": {"a": inject(10, 2), "b": inject(35)}, "escalation": {"levels": levels}})
    assert story(history_of(what)) == [(10.0, "north", 0, 1, UP), (11.0, "north", 1, 0, HAZARD)]


def test_the_last_straw_was_seen_by_those_whom_it_hit(history_of: Plays):
    """An attack that breaks the ceasefire is known at once, and a team was ordered: the ledgers say so."""
    violations = {"attack": {"rate": "0 per day", "severity": 100, "against_force": True}}
    what = merged(QUIET, {"violations": violations, "injects": {"a": inject(10, kind="attack")}})
    what["escalation"]["collapse"] = {"sectors": 1}
    history = history_of(what)
    assert history.collapsed
    assert history.tally.type_ledger.sum(axis=0)[:2].tolist() == [1, 1]
    assert history.tally.sighted_by.sum() == 1
    assert history.journal.hours[0, 1] == 10.0


def test_the_order_of_hazards_says_nothing_and_another_one_moves_none(history_of: Plays):
    """Each hazard draws from its own stream: two listed the other way round, or a third beside them, change no first turn."""

    def first_turn(hazards: dict[str, Any]) -> tuple[float, str, int, int, str]:
        levels = {"calm": {"hazards": hazards}}
        return story(history_of(merged(QUIET, {"horizon": "3 years", "escalation": {"levels": levels}})))[0]

    tense, crisis = ({"kind": "exponential", "mean": mean} for mean in ("30 days", "40 days"))
    told = first_turn({"tense": tense, "crisis": crisis})
    assert first_turn({"crisis": crisis, "tense": tense}) == told
    assert first_turn({"tense": tense, "crisis": crisis, "war": "3 years"}) == told
    assert first_turn({"tense": crisis, "crisis": tense}) != told


def test_what_a_level_says_that_nothing_leads_to_moves_nothing(history_of: Plays):
    busy = merged(QUIET, {"violations": {"shelling": {"rate": "9 per day"}}})
    busy["escalation"]["levels"] = {"calm": {}, "war": {}}
    fierce = merged(busy, {"escalation": {"levels": {"war": {"incidents": 10}}}})
    assert (history_of(busy).journal.hours == history_of(fierce).journal.hours).all()
    led_to = merged(
        fierce, {"escalation": {"levels": {"war": {"enter_at": 1e6}}, "collapse": {"sectors": 3}}}
    )
    assert not (history_of(busy).journal.hours[0] == history_of(led_to).journal.hours[0]).all()


def test_no_aircraft_is_lost_once_the_ceasefire_is_over(history_of: Plays):
    drones = {
        "force": {"contingents": {"alpha": {"strength": 2000}}},
        "posture": {"everywhere": {"orbits": {"count": 2}}},
        "watch": {"orbits": {"loss": "0.2 per h"}},
    }
    what = merged(QUIET, drones)
    assert history_of(what).aircraft_lost > 3
    over = merged(what, {"violations": {"shelling": {"severity": 100}}, "injects": {"a": inject(0.01)}})
    over["escalation"]["collapse"] = {"sectors": 1}
    assert history_of(over).aircraft_lost == 0
