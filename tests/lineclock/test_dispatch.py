"""Who is sent, who waits and who is called back: short plays on a straight line where every hour can be
reckoned by hand.

Everything is reported the moment it happens. Teams drive at 10 km/h by day and night, set out at once, and stay a fixed time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import merged
from oracles import keyed

from sim.campaign.engine import Campaign, History, simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import (
    COUNTS,
    FINDINGS,
    JOURNAL_HOURS,
    JOURNAL_WHOLE,
    OUTCOMES,
    TRIP_ENDS,
    TRIP_HOURS,
    TRIP_WHOLE,
)

PLAY: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a play",
    "horizon": "4 days",
    "line": {"length": "100 km"},
    "bases": {"west": {"chainage": "20 km", "depth": "0 km"}, "east": {"chainage": "80 km", "depth": "0 km"}},
    "travel": {"road_speed": "10 km/h", "night_factor": 1.0, "detour": 1.0},
    "force": {"contingents": {"alpha": {"strength": 1000, "support_share": 0.0, "absent_share": 0.0}}},
    "posture": {"everywhere": {"teams": {"count": 2}}},
    "watch": {"reports": {"probability": 1.0, "delay": "0 h"}},
    "response": {"reaction": "0 h", "reach": "20 h", "give_up_after": "1000 h"},
    "violations": {},
}


def at(km: float, start_h: float, **more: Any) -> dict[str, Any]:
    """A type whose incidents lie at one place; `at_hours` then lets it happen once, at *start_h*."""
    spot = {"chainage": f"{km} km", "share": 1.0, "spread": "1 m"}
    return {
        "rate": "1 per day",
        "hot_spots": {"spot": spot},
        "on_scene": "3 h",
        "standard": "500 h",
        "_at": start_h,
    } | more


Lines = list[str]
Row = dict[str, Any]


def rows_of(history: History) -> list[Row]:
    """The journal's incidents by the names of their columns, in the order in which they ended."""
    columns = (*JOURNAL_WHOLE, *JOURNAL_HOURS)
    whole, hours = history.journal.whole.tolist(), history.journal.hours.tolist()
    return [dict(zip(columns, w + h, strict=True)) for w, h in zip(whole, hours, strict=True)]


def trips_of(history: History) -> list[Row]:
    """The journal's trips by the names of their columns, in the order in which they ended."""
    columns = (*TRIP_WHOLE, *TRIP_HOURS)
    whole, hours = history.journal.trip_whole.tolist(), history.journal.trip_hours.tolist()
    return [dict(zip(columns, w + h, strict=True)) for w, h in zip(whole, hours, strict=True)]


def count_of(history: History, name: str) -> int:
    return int(history.tally.counts[COUNTS.index(name)])


@pytest.fixture
def play(theatre_of: Callable[..., Theatre]) -> Callable[..., tuple[Lines, History]]:
    """Plays a scenario in which each type happens once, at its hour -> one line for each incident, by name."""

    def at_hours(over: dict[str, Any], types: dict[str, dict[str, Any]]) -> tuple[Lines, History]:
        hours = {name: kind["_at"] for name, kind in types.items()}
        clean = {name: {k: v for k, v in kind.items() if k != "_at"} for name, kind in types.items()}
        theatre = theatre_of(merged(PLAY, merged(over, {"violations": clean})))
        for p, start_h in enumerate(hours.values()):
            _happens_once(theatre, p, start_h)
        history = simulate(theatre, 1, 0, keeps_journal=True)
        lines = []
        for row in sorted(rows_of(history), key=lambda row: row["kind"]):
            at = row["station"]
            base = "nobody" if at < 0 else theatre.ground.base_names[theatre.station_base[at]]
            arrived = f" at {row['arrived_h']:.2f}" if np.isfinite(row["arrived_h"]) else ""
            lines.append(f"{list(hours)[row['kind']]}: {OUTCOMES[row['outcome']]}, {base}{arrived}")
        return lines, history

    return at_hours


def _happens_once(theatre: Theatre, stream: int, start_h: float) -> None:
    """Bend a stream's intensity so that its first candidate falls on an hour and its second beyond the
    horizon.
    """
    plan = theatre.plan
    code = int(plan.stream_code[stream])
    first = -np.log(keyed(1, 0, code, -1, 0)[0])
    second = first - np.log(keyed(1, 0, code, 0, 0)[0])
    piece = int(np.searchsorted(plan.piece_start_h, start_h, side="right")) - 1
    plan.mean_gap_h[stream] = np.inf
    plan.mean_gap_h[stream, piece] = (start_h - plan.piece_start_h[piece]) / first
    plan.cumulative[stream, : piece + 1] = 0.0
    plan.cumulative[stream, piece + 1 :] = (first + second) / 2


def test_the_nearest_team_goes(play):
    lines, _ = play({}, {"a": at(29.5, 5.0), "b": at(70.5, 5.0)})
    assert lines == ["a: in_time, west at 5.95", "b: in_time, east at 5.95"]


def test_the_next_nearest_goes_when_the_nearest_is_out(play):
    lines, _ = play({}, {"a": at(25.5, 5.0), "b": at(30.5, 5.5)})
    assert lines == ["a: in_time, west at 5.55", "b: in_time, east at 10.45"]


def test_a_returning_team_counts_as_free_but_gets_home_first(play):
    """West is done at 8.55 and home at 9.10; b at 9.00 is 1.05 h from there: it arrives at 10.15, long before
    east.
    """
    lines, _ = play({}, {"a": at(25.5, 5.0), "b": at(30.5, 9.0)})
    assert lines == ["a: in_time, west at 5.55", "b: in_time, west at 10.15"]


def test_the_gravest_is_served_first_then_the_oldest(play):
    """One team, out until 8.95 and home at 9.90; four wait. Each job at the base's own cell takes 3 h and
    next to no way.
    """
    one = {"posture": {"everywhere": {"teams": {"count": 1}}}}
    types = {
        "a": at(29.5, 5.0),
        "young": at(20.5, 7.0),
        "old": at(20.5, 6.0),
        "grave": at(20.5, 8.0, severity=3),
        "middling": at(20.5, 8.5, severity=2),
    }
    lines, _ = play(one, types)
    order = sorted((line.rsplit(" ", 1)[1], line.split(":")[0]) for line in lines)
    assert [name for _, name in sorted((float(h), n) for h, n in order)] == [
        "a",
        "grave",
        "middling",
        "old",
        "young",
    ]
    assert lines[3] == "grave: in_time, west at 9.95"


def test_whoever_has_waited_too_long_is_given_up(play):
    """The team is free at 8.95; b has waited 2 h by 7.50 and is closed then, c is served."""
    over = {"posture": {"everywhere": {"teams": {"count": 1}}}, "response": {"give_up_after": "2 h"}}
    lines, history = play(over, {"a": at(29.5, 5.0), "b": at(20.5, 5.5), "c": at(20.5, 8.0)})
    assert lines == ["a: in_time, west at 5.95", "b: gave_up, nobody", "c: in_time, west at 9.95"]
    ended = {row["kind"]: row["ended_h"] for row in rows_of(history)}
    assert ended[1] == pytest.approx(7.5)


def test_whoever_is_given_up_ends_no_sooner_than_the_last_team_leaves(play):
    """a wants two teams and gets the one there is, from 5.95 to 8.95. It has waited too long for the other by 7.00,
    but not until 8.95 is nobody there any more.
    """
    over = {"posture": {"everywhere": {"teams": {"count": 1}}}, "response": {"give_up_after": "2 h"}}
    lines, history = play(over, {"a": at(29.5, 5.0, teams=2)})
    assert lines == ["a: in_time, west at 5.95"]
    assert rows_of(history)[0]["ended_h"] == pytest.approx(8.95)


def test_what_lies_beyond_every_reach_is_said_to_be(play):
    lines, _ = play({"response": {"reach": "30 min"}}, {"a": at(50.5, 5.0), "b": at(22.5, 5.0)})
    assert lines == ["a: too_far, nobody", "b: in_time, west at 5.25"]


def test_a_standard_is_measured_from_the_beginning(play):
    lines, _ = play({}, {"a": at(29.5, 5.0, standard="57 min"), "b": at(70.5, 5.0, standard="57.1 min")})
    assert lines == ["a: late, west at 5.95", "b: in_time, east at 5.95"]


def test_two_teams_are_sent_where_two_are_wanted(play):
    lines, history = play({}, {"a": at(29.5, 5.0, teams=2)})
    assert lines == ["a: in_time, west at 5.95"]
    row = rows_of(history)[0]
    assert row["teams_sent"] == 2
    assert row["ended_h"] == pytest.approx(5.0 + 5.05 + 3.0)  # east came at 10.05 and left last


SECTORS = {
    "sectors": {"near": {"from": "0 km"}, "far": {"from": "50 km"}},
    "posture": {"everywhere": {"teams": {"count": 1}}},
}


def test_own_sector_first_sends_the_farther_team_of_the_sector(play):
    """At 45.5 km west is nearer (2.55 h); a base of the far sector at 55 km is nearer still (0.95 h)."""
    bases = {"bases": {"east": {"chainage": "55 km"}}}
    nearest = merged(SECTORS, bases)
    own = merged(nearest, {"response": {"policy": "own_sector_first"}})
    assert play(nearest, {"a": at(45.5, 5.0)})[0] == ["a: in_time, east at 5.95"]
    assert play(own, {"a": at(45.5, 5.0)})[0] == ["a: in_time, west at 7.55"]
    # With its own team out, the neighbour's helps.
    assert play(own, {"b": at(25.5, 4.0), "a": at(45.5, 5.0)})[0][1] == "a: in_time, east at 5.95"


def test_a_reserve_is_kept_for_the_grave(play):
    over = {
        "posture": {"everywhere": {"teams": {"count": 2}}},
        "response": {"policy": "hold_reserve", "reserve": 1, "reserve_severity": 3},
    }
    lines, _ = play(over, {"a": at(25.5, 5.0), "small": at(25.5, 5.5), "grave": at(25.5, 6.0, severity=3)})
    assert [lines[0], lines[2]] == ["a: in_time, west at 5.55", "grave: in_time, east at 11.45"]
    # West is home at 9.10 but alone: it is the reserve until east is done at 14.45.
    assert float(lines[1].rsplit(" ", 1)[1]) > 14.45


def test_when_the_reserve_may_go_again_the_nearest_goes(play):
    """As above: east is done at 14.45, 54.5 km from its base; west has been idle at its own since 9.10 and is
    half an hour away.
    """
    over = {
        "posture": {"everywhere": {"teams": {"count": 2}}},
        "response": {"policy": "hold_reserve", "reserve": 1, "reserve_severity": 3},
    }
    lines, _ = play(over, {"a": at(25.5, 5.0), "small": at(25.5, 5.5), "grave": at(25.5, 6.0, severity=3)})
    assert lines[1] == "small: in_time, west at 15.00"


def test_a_graver_incident_calls_back_a_team_on_its_way(play):
    """West sets out at 5.00 for a, 2.95 h away.

    At 6.00 it is called back: 1 h back, then 0.25 h on to the grave one; a waits for its end at 10.25.
    """
    over = {"posture": {"everywhere": {"teams": {"count": 1}}}, "response": {"preempt": True}}
    lines, history = play(over, {"a": at(49.5, 5.0), "grave": at(22.5, 6.0, severity=3)})
    assert lines == ["a: in_time, west at 13.45", "grave: in_time, west at 7.25"]
    assert count_of(history, "recalled") == 1
    trips = [
        (TRIP_ENDS[t["end"]], t["number"], f"{t['ordered_h']:.2f} {t['ended_h']:.2f}")
        for t in trips_of(history)
    ]
    assert trips == [("recalled", 0, "5.00 6.00"), ("done", 1, "6.00 10.25"), ("done", 0, "10.25 16.45")]


def test_nobody_is_called_back_from_the_spot_or_from_a_graver_one(play):
    over = {"posture": {"everywhere": {"teams": {"count": 1}}}, "response": {"preempt": True}}
    on_the_spot, _ = play(over, {"a": at(20.5, 5.0), "grave": at(22.5, 6.0, severity=3)})
    assert on_the_spot == ["a: in_time, west at 5.05", "grave: in_time, west at 8.35"]
    as_grave, _ = play(over, {"a": at(49.5, 5.0, severity=3), "b": at(22.5, 6.0, severity=3)})
    assert as_grave[0] == "a: in_time, west at 7.95"


def test_a_team_called_back_on_its_way_home_is_not_home_at_once(play):
    """West is done with a at 10.95, 29.5 km out, and home at 13.90. Ordered at 11.00 to b, called to the grave one at 11.50.

    It cannot be at the grave one, 0.25 h beyond its base, before 13.90 + 0.25.
    """
    over = {"posture": {"everywhere": {"teams": {"count": 1}}}, "response": {"preempt": True}}
    lines, _ = play(over, {"a": at(49.5, 5.0), "b": at(30.5, 11.0), "grave": at(22.5, 11.5, severity=3)})
    assert lines[0] == "a: in_time, west at 7.95"
    assert lines[2] == "grave: in_time, west at 14.15"


def test_what_lost_its_team_is_offered_to_those_who_are_free(play):
    """The armed team in the west is called back to what needs arms; the unarmed one in the east is free all
    along and may take the other.
    """
    over = {
        "sectors": {"near": {"from": "0 km"}, "far": {"from": "50 km"}},
        "posture": {"everywhere": {"teams": {"count": 1}}},
        "force": {
            "contingents": {
                "alpha": {"strength": 500, "sectors": ["near"]},
                "bravo": {
                    "strength": 500,
                    "sectors": ["far"],
                    "armed": False,
                    "support_share": 0.0,
                    "absent_share": 0.0,
                },
            }
        },
        "response": {"preempt": True},
    }
    lines, _ = play(over, {"a": at(48.5, 5.0), "grave": at(22.5, 6.0, severity=3, needs_arms=True)})
    assert lines == ["a: in_time, east at 9.15", "grave: in_time, west at 7.25"]


def test_a_nation_that_shuns_the_night_sets_out_at_dawn(play):
    """1 January at 48.7 degrees: the sun rises at about 7.87 h."""
    over = {"force": {"contingents": {"alpha": {"caveats": {"no_night": True}}}}}
    lines, _ = play(over, {"a": at(29.5, 5.0), "b": at(70.5, 12.0)})
    hour = float(lines[0].rsplit(" ", 1)[1])
    assert 8.6 < hour < 9.0
    assert lines[1] == "b: in_time, east at 12.95"


def test_the_night_slows_by_its_factor(play):
    lines, _ = play({"travel": {"night_factor": 0.5}}, {"a": at(29.5, 5.0), "b": at(70.5, 12.0)})
    assert lines == ["a: in_time, west at 6.90", "b: in_time, east at 12.95"]


def test_a_team_that_is_given_up_finishes_what_it_does(play):
    """The contingent leaves at 6.00; its team has set out at 5.00 and does its work. What comes later finds
    nobody.
    """
    over = {"force": {"contingents": {"alpha": {"commitment": "6 h"}}}}
    lines, _ = play(over, {"a": at(29.5, 5.0), "b": at(29.5, 8.0)})
    assert lines == ["a: in_time, west at 5.95", "b: nobody_there, nobody"]


def test_who_comes_takes_what_has_waited(play):
    """Nobody is there until 9.00: what asks before is out of reach; what waits for a busy team is taken by
    the newcomer.
    """
    over = {
        "posture": {"everywhere": {"teams": {"count": 2}}},
        "force": {
            "contingents": {
                "alpha": {"strength": 36},
                "bravo": {
                    "strength": 36,
                    "support_share": 0.0,
                    "absent_share": 0.0,
                    "arrival": {"first": "9 h"},
                },
            }
        },
        "manning": {"prices": {"headquarters": 0.0}},
    }
    lines, _ = play(over, {"a": at(49.5, 5.0), "b": at(70.5, 6.0)})
    assert lines == ["a: in_time, west at 7.95", "b: in_time, east at 9.95"]


def test_seasons_change_the_way(play):
    """Mud from 1 February halves the speed; the scenario starts on 31 January."""
    over = {"start": "2026-01-31", "seasons": {"mud": {"months": [2], "road_factor": 0.5}}}
    lines, _ = play(over, {"a": at(29.5, 12.0), "b": at(70.5, 36.0)})
    assert lines == ["a: in_time, west at 12.95", "b: in_time, east at 37.90"]


NATIONS = {
    "sectors": {"near": {"from": "0 km"}, "far": {"from": "50 km"}},
    "posture": {"everywhere": {"teams": {"count": 1}}},
    "force": {
        "contingents": {"alpha": {"strength": 1000, "armed": False, "caveats": {"own_sectors_only": False}}}
    },
}


def test_the_journal_says_why_nobody_came(play):
    """What needs arms finds none armed; what lies too far finds none near; without a force there is nobody."""
    types = {
        "a": at(29.5, 5.0),
        "armed": at(29.5, 6.0, needs_arms=True),
        "remote": at(50.5, 5.0, needs_arms=True),
    }
    lines, _ = play(merged(NATIONS, {"response": {"reach": "2 h"}}), types)
    assert lines == ["a: in_time, west at 5.95", "armed: caveat, nobody", "remote: too_far, nobody"]
    lines, _ = play(merged(NATIONS, {"force": {"scale": 0.0}}), {"a": at(29.5, 5.0)})
    assert lines == ["a: nobody_there, nobody"]


def test_a_sector_whose_level_closes_it_denies_all_teams(play):
    """a takes the near sector to its second level, which no team may enter; who is there already stays."""
    levels = {"calm": {}, "shut": {"enter_at": 1, "closed": True}, "war": {"enter_at": 100}}
    over = merged(NATIONS, {"escalation": {"half_life": "1000 h", "levels": levels}})
    lines, history = play(over, {"a": at(29.5, 5.0), "b": at(29.5, 6.0), "far": at(70.5, 7.0)})
    assert lines == ["a: in_time, west at 5.95", "b: denied, nobody", "far: in_time, east at 7.95"]
    assert [row["level"] for row in sorted(rows_of(history), key=lambda row: row["kind"])] == [0, 1, 0]


@pytest.mark.parametrize(
    ("law", "chance", "finding"),
    [("10 h", 1.0, "attributed"), ("30 min", 1.0, "evidence_gone"), ("10 h", 0.0, "inconclusive")],
)
def test_the_journal_says_what_the_first_team_found(play, law, chance, finding):
    _, history = play({}, {"a": at(29.5, 5.0, evidence=law, attribution=chance)})
    assert FINDINGS[rows_of(history)[0]["finding"]] == finding


def test_a_team_stands_in_at_a_base_that_has_sent_its_last(play):
    """West has two teams, east one. East's goes to a at 5.00; one of west's sets out for east, 6 h away, and at 12.00
    is there for b, half an hour on. East's own is done at 20.00, and home long before.
    """
    over = {"posture": {"everywhere": {"teams": {"count": 3}}}, "response": {"move_up": True}}
    types = {"a": at(80.5, 5.0, on_scene="15 h"), "b": at(85.5, 12.0), "c": at(85.5, 40.0)}
    lines, history = play(over, types)
    assert lines == ["a: in_time, east at 5.05", "b: in_time, east at 12.55", "c: in_time, east at 40.55"]
    assert count_of(history, "stood_in") >= 1
    by_number = {t["number"]: t["team"] for t in trips_of(history)}
    assert by_number[0] == by_number[2] != by_number[1]  # b went to west's
    without = play(merged(over, {"response": {"move_up": False}}), types)[0]
    assert without[1] == "b: in_time, west at 18.55"


WHOLE = {"support_share": 0.0, "absent_share": 0.0}
ONE_LEAVES = {
    "posture": {"everywhere": {"teams": {"count": 4}}},
    "manning": {"prices": {"headquarters": 0.0}},
    "response": {"move_up": True},
    "force": {
        "contingents": {
            "alpha": {"strength": 36},
            "bravo": {"strength": 72, "armed": False, **WHOLE},
            "charlie": {"strength": 36, "armed": False, "commitment": "20 h", **WHOLE},
        }
    },
}
"""West has two teams of bravo and charlie, east one and alpha's; at 20.00 charlie leaves, and then east has none of theirs."""


def test_who_stands_in_goes_home_when_there_is_nobody_left_to_stand_in_for(play):
    """East's two are out for long; one of west's stands in there from 12.05, is home again at 26.00, and takes d when
    west's other is out.
    """
    types = {
        "a": at(85.5, 5.0, on_scene="60 h"),
        "b": at(85.5, 6.0, on_scene="60 h"),
        "c": at(25.5, 30.0, on_scene="60 h"),
        "d": at(25.5, 31.0),
    }
    lines, history = play(ONE_LEAVES, types)
    assert count_of(history, "stood_in") == 1
    assert lines[2:] == ["c: in_time, west at 30.55", "d: in_time, west at 31.55"]


def test_a_trip_is_ordered_when_it_was_ordered_whoever_leaves_meanwhile(play):
    """East's second team goes off duty at 20.00 and finishes what it does until 66.55."""
    types = {"a": at(85.5, 5.0, on_scene="60 h"), "b": at(85.5, 6.0, on_scene="60 h")}
    _, history = play(ONE_LEAVES, types)
    assert [trip["ordered_h"] for trip in trips_of(history)] == [pytest.approx(5.0), pytest.approx(6.0)]
    assert history.tally.team_busy_h.sum() == pytest.approx(60.55 + 14.0)


def test_a_play_can_fail(play):
    """The broken twin: with a night that slows, the hours are others."""
    lines, _ = play({"travel": {"night_factor": 0.5}}, {"a": at(29.5, 5.0)})
    assert lines != ["a: in_time, west at 5.95"]


def test_the_campaign_hands_the_line_clock_what_is_manned(theatre_of):
    """Teams on duty are as many as are manned, spread evenly over the bases, at every moment."""
    theatre = theatre_of(merged(PLAY, {"posture": {"everywhere": {"teams": {"count": 5}}}}))
    campaign = Campaign(theatre, 1, 0)
    campaign.run()
    assert campaign._laydown.on_duty.sum() == campaign.roster.manned[0, 3] == 5
    assert sorted(campaign._laydown.station_duty.tolist()) == [2, 3]
