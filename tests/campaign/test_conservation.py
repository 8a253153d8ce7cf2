"""O14: nothing is lost and nothing is counted twice, whatever the scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import merged, scenarios, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.campaign.engine import History, simulate
from sim.campaign.escalation import BY_EVENT, LINE_WIDE
from sim.campaign.theatre import Theatre
from sim.lineclock.state import (
    ASKED,
    ATTENDED,
    ATTRIBUTED,
    ATTRIBUTED_FINDING,
    BACKGROUND,
    CAVEAT,
    CUT_OFF,
    DENIED,
    DONE,
    FALLS,
    FALSE_REPORT,
    GAVE_UP,
    HAPPENED,
    HAZARD,
    IN_TIME,
    IN_TIME_COUNT,
    INJECT,
    JOURNAL_WHOLE,
    LATE,
    LAYER_ATTACKED,
    LAYER_FALSE,
    N_ANSWERABLE,
    N_FALSE,
    N_PREVENTED,
    N_RECALLED,
    N_SENT,
    N_STOOD_IN,
    NOBODY_THERE,
    NOT_LOOKED,
    NOTED,
    OPEN,
    RECALLED,
    RETALIATION,
    RISES,
    SIGHTED,
    TOO_FAR,
    TRACE,
    UNSEEN,
)  # fmt: skip
from sim.scenario.quantities import HOURS_PER_DAY

TWO = {
    "sectors": {"north": {"from": "0 km"}, "south": {"from": "40 km"}},
    "force": {"contingents": {"alpha": {"strength": 2000}}},
}
MANY_TEAMS = {
    "violations": {
        "raid": {"rate": "4 per day", "severity": 5, "teams": 3},
        "siege": {"rate": "1 per day", "severity": 9, "teams": 8},
    }
}
BUSY = {
    "violations": {
        "shelling": {"rate": "60 per day"},
        "drone": {"rate": "40 per day", "false_reports": "5 per day"},
    }
}
NATIONS = {
    "force": {
        "contingents": {
            "bravo": {
                "strength": 400,
                "sectors": ["north"],
                "caveats": {"no_night": True, "own_sectors_only": True},
            },
            "charlie": {
                "strength": 500,
                "unit_size": 150,
                "armed": False,
                "caveats": {"no_types": ["drone"]},
            },
        }
    },
    "violations": {"shelling": {"needs_arms": True}},
}

REPRISALS = {
    "violations": {
        "shelling": {
            "retaliation": {
                "mean": 0.6,
                "calming": 0.8,
                "delay": "3 h",
                "types": {"shelling": 0.5, "drone": 0.5},
            }
        },
        "drone": {
            "retaliation": {"mean": 0.4, "delay": {"kind": "exponential", "mean": "8 h"}, "spread": "20 km"}
        },
    }
}
TRUCE = {
    "truce": {"start": 0.5, "doubling": "5 days", "ceiling": 4.0},
    "events": {"talks": {"every": "6 days", "recommit": {"drop": 0.9}}},
    "violations": {"drone": {"erodes": False}},
}
ATTACKS = {
    "violations": {
        "attack": {"rate": "3 per day", "severity": 4, "teams": 2, "against_force": True, "casualties": 1.5}
    }
}
INJECTS = {
    "injects": {
        "provocation": {
            "type": "shelling",
            "chainage": "30 km",
            "count": 40,
            "over": "3 days",
            "after": "18 days",
        },
        "at_the_end": {"type": "drone", "chainage": "60 km", "at": "2026-01-02"},
    }
}
BASES = {"base_layout": {"every": "15 km"}, "posture": {"everywhere": {"teams": {"count": 6}}}}
LADDER = {
    "escalation": {
        "half_life": "1 day",
        "levels": {
            "calm": {},
            "tense": {
                "enter_at": 30,
                "leave_below": 25,
                "min_stay": "5 h",
                "incidents": 0.7,
                "types": {"drone": 3.0},
                "speed": 0.5,
                "patrols": 0.5,
                "orbits": 0.0,
                "retaliation": 0.5,
            },
            "crisis": {"enter_at": 60, "leave_below": 40, "incidents": 1.5},
            "collapse": {},
        },
    }
}
HAZARDS = {
    "escalation": {
        "levels": {
            "calm": {"hazards": {"crisis": {"kind": "exponential", "mean": "9 days"}, "tense": "4 days"}},
            "crisis": {
                "hazards": {"tense": "2 days", "collapse": {"kind": "exponential", "mean": "60 days"}}
            },
        },
        "collapse": {"sectors": 2},
    }
}
COLLAPSE = {
    "escalation": {"levels": {"collapse": {"enter_at": 130}}, "collapse": {"sectors": 2, "lasting": "7 h"}},
    "events": {"outrage": {"after": "4.2 days", "tension": {"by": 200}}},
}
ONE_SECTOR = {
    "escalation": {"collapse": {"sectors": 1}},
    "events": {"outrage": {"tension": {"by": 200, "sectors": ["north"]}}},
}

WORLDS: dict[str, list[dict[str, Any]]] = {
    "as it is": [],
    "busy": [BUSY],
    "preempt": [BUSY, MANY_TEAMS, {"response": {"preempt": True}}],
    "hold_reserve": [TWO, BUSY, MANY_TEAMS, {"response": {"policy": "hold_reserve", "reserve": 1}}],
    "hold_reserve and preempt": [
        TWO,
        BUSY,
        MANY_TEAMS,
        {"response": {"policy": "hold_reserve", "reserve": 2, "preempt": True}},
    ],
    "own_sector_first": [TWO, BUSY, {"response": {"policy": "own_sector_first"}}],
    "several teams": [MANY_TEAMS],
    "no patience": [BUSY, MANY_TEAMS, {"response": {"give_up_after": "0 h"}}],
    "little patience": [BUSY, MANY_TEAMS, {"response": {"give_up_after": "30 min"}}],
    "endless patience": [BUSY, {"response": {"give_up_after": "10 years"}}],
    "short arms": [TWO, {"response": {"reach": "20 min"}}],
    "caveats": [TWO, BUSY, NATIONS],
    "only caveats": [TWO, BUSY, NATIONS, {"force": {"contingents": {"alpha": {"strength": 0}}}}],
    "a commitment ends": [
        BUSY,
        {
            "force": {
                "contingents": {
                    "alpha": {"commitment": "11 days", "arrival": {"first": "2 days", "last": "5 days"}}
                }
            }
        },
    ],
    "late": [
        {
            "force": {
                "contingents": {
                    "alpha": {
                        "arrival": {"first": "1 day", "delay": {"kind": "exponential", "mean": "5 days"}}
                    }
                }
            }
        }
    ],
    "seasons": [
        BUSY,
        {
            "start": "2026-02-20",
            "seasons": {
                "mud": {"months": [3], "road_factor": 0.3},
                "frost": {"months": [2], "road_factor": 0.8},
            },
        },
    ],
    "weather and reports": [{"watch": {"weather": {"poor_share": 0.4}, "reports": {"probability": 0.3}}}],
    "deterrence": [{"violations": {"shelling": {"deterrence": 0.8}}}],
    "one hour": [BUSY, {"horizon": "1 h"}],
    "a day and a half": [BUSY, {"horizon": "1.5 days"}],
    "a type that never happens": [{"violations": {"raid": {"rate": "0 per day"}}}],
    "nobody pledged": [
        {"force": {"contingents": {"alpha": {"strength": 0}}}, "watch": {"reports": {"probability": 1.0}}}
    ],
    "nobody comes": [{"force": {"scale": 0.0}}],
    "too few for a team": [{"force": {"contingents": {"alpha": {"strength": 30}}}}],
    "nothing is wanted": [{"posture": None}],
    "many at once": [
        {
            "watch": {"reports": {"probability": 1.0, "delay": "10 days"}},
            "violations": {"shelling": {"rate": "100 per day"}},
        }
    ],
    "months without": [
        {
            "violations": {
                "shelling": {"months": [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]}
            },
            "horizon": "70 days",
        }
    ],
    "the polar night": [BUSY, {"line": {"latitude": 80.0}, "watch": {"patrols": {"hours": "always"}}}],
    "the polar day": [BUSY, {"line": {"latitude": 80.0}, "start": "2026-06-15"}],
    "reprisals": [TWO, REPRISALS],
    "the truce wears out": [BUSY, TRUCE],
    "attacks": [TWO, ATTACKS],
    "injects": [BUSY, INJECTS],
    "move up": [TWO, BUSY, {"response": {"move_up": True}}, BASES],
    "move up and preempt": [TWO, BUSY, MANY_TEAMS, {"response": {"move_up": True, "preempt": True}}, BASES],
    "up and down": [TWO, LADDER],
    "a closed level": [TWO, LADDER, {"escalation": {"levels": {"tense": {"closed": True}}}}],
    "a level for the armed": [
        TWO,
        LADDER,
        {"force": {"contingents": {"alpha": {"armed": False}}}},
        {"escalation": {"levels": {"tense": {"needs_arms": True}}}},
    ],
    "hazards": [TWO, LADDER, HAZARDS],
    "collapse": [TWO, LADDER, COLLAPSE],
    "collapse of one sector": [TWO, LADDER, COLLAPSE, ONE_SECTOR],
    "everything": [
        TWO,
        BUSY,
        MANY_TEAMS,
        REPRISALS,
        TRUCE,
        ATTACKS,
        INJECTS,
        LADDER,
        HAZARDS,
        BASES,
        {"response": {"move_up": True, "preempt": True}},
    ],
}


def played(theatre_of: Any, changes: list[dict[str, Any]], seed: int = 3) -> tuple[Theatre, History]:
    what = small()
    for change in changes:
        what = merged(what, change)
    theatre = theatre_of(what)
    return theatre, simulate(theatre, seed, 0, keeps_journal=True)


def adds_up(theatre: Theatre, history: History) -> None:
    tally, whole, hours = history.tally, history.journal.whole, history.journal.hours
    number, _, kind, cause, cell, ended_in, layer, station, sent, finding, *_ = whole.T
    assert len(whole.T) == len(JOURNAL_WHOLE) == 14
    until_h = history.stood_h
    assert until_h == theatre.horizon_h or (history.collapsed and until_h < theatre.horizon_h)
    outcome, ledger = tally.type_outcome, tally.type_ledger
    sectors, cells = len(theatre.ground.sector_names), len(theatre.ground.cells)
    # One outcome for each incident, and ledgers that lie within one another, in every breakdown.
    assert (outcome.sum(axis=1) == ledger[:, HAPPENED]).all()
    for table in (tally.day, tally.cell, ledger):
        assert (table >= 0).all()
        assert (np.diff(table[:, [HAPPENED, SIGHTED, ATTENDED, IN_TIME_COUNT]], axis=1) <= 0).all()
        assert (table[:, ATTRIBUTED] <= table[:, ATTENDED]).all()
        assert (table.sum(axis=0) == ledger.sum(axis=0)).all()
    assert (
        tally.period.sum(axis=(0, 1)) == ledger[:, [HAPPENED, SIGHTED, IN_TIME_COUNT, ASKED]].sum(axis=0)
    ).all()
    in_window = np.zeros(tally.period.shape[1:], dtype=np.int64)
    np.add.at(in_window, theatre.plan.cell_window, tally.cell[:, [HAPPENED, SIGHTED, IN_TIME_COUNT, ASKED]])
    assert (tally.period.sum(axis=0) == in_window).all()
    assert (tally.sector_outcome.sum(axis=0) == outcome.sum(axis=0)).all()
    in_sector = np.zeros(sectors, dtype=np.int64)
    np.add.at(in_sector, theatre.ground.cell_sector, tally.cell[:, HAPPENED])
    assert (tally.sector_outcome.sum(axis=1) == in_sector).all()
    # An outcome says what was seen and who came.
    assert (ledger[:, ATTENDED] == outcome[:, [LATE, IN_TIME]].sum(axis=1)).all()
    assert (ledger[:, IN_TIME_COUNT] == outcome[:, IN_TIME]).all()
    nobody = [NOBODY_THERE, TOO_FAR, CAVEAT, DENIED]
    seen = outcome[:, [NOTED, *nobody, GAVE_UP, LATE, IN_TIME]].sum(axis=1)
    assert (seen <= ledger[:, SIGHTED]).all()
    assert (ledger[:, SIGHTED] <= seen + outcome[:, OPEN]).all()
    assert tally.sighted_by.sum() == tally.delay.sum() == ledger[:, SIGHTED].sum()
    assert tally.sighted_by[LAYER_FALSE] == 0
    assert tally.response.sum() == ledger[:, ATTENDED].sum()
    # Why it happened, and what was found out.
    assert (tally.type_cause[:, :FALSE_REPORT].sum(axis=1) == ledger[:, HAPPENED]).all()
    assert tally.type_cause[:, FALSE_REPORT].sum() == tally.counts[N_FALSE]
    assert (tally.type_finding.sum(axis=1) == ledger[:, HAPPENED]).all()
    assert (tally.type_finding[:, ATTRIBUTED_FINDING] == ledger[:, ATTRIBUTED]).all()
    assert (tally.type_finding[:, NOT_LOOKED] == ledger[:, HAPPENED] - ledger[:, ATTENDED]).all()
    # The journal says the same, row by row.
    assert (np.sort(number) == np.arange(len(whole))).all()
    real = cause != FALSE_REPORT
    assert ((layer == LAYER_FALSE) == ~real).all()
    counted = np.zeros_like(outcome)
    np.add.at(counted, (kind[real], ended_in[real]), 1)
    assert (counted == outcome).all()
    counted = np.zeros_like(tally.type_cause)
    np.add.at(counted, (kind, cause), 1)
    assert (counted == tally.type_cause).all()
    counted = np.zeros_like(tally.type_finding)
    np.add.at(counted, (kind[real], finding[real]), 1)
    assert (counted == tally.type_finding).all()
    assert (np.bincount(cell[real], minlength=cells) == tally.cell[:, HAPPENED]).all()
    assert (
        np.bincount((hours[real, 0] / HOURS_PER_DAY).astype(int), minlength=len(tally.day))
        == tally.day[:, HAPPENED]
    ).all()
    assert np.count_nonzero(np.isfinite(hours[real, 1])) == ledger[:, SIGHTED].sum()
    assert sent.sum() == tally.counts[N_SENT]
    # Times come in their order; what did not happen has none.
    start, sighted, ordered, arrived, ended = hours.T
    assert (np.diff(start[np.argsort(number)]) >= 0).all()
    assert (start >= 0).all()
    assert (start <= until_h).all() if history.collapsed else (start < until_h).all()
    assert (ended <= until_h).all()
    assert (ended >= start).all()
    assert (sighted >= start).all()
    assert (sighted == start)[layer == LAYER_ATTACKED].all()
    assert (ordered >= sighted)[np.isfinite(sighted)].all()
    assert (arrived >= ordered)[np.isfinite(ordered)].all()
    attended = np.isfinite(arrived)
    assert (np.isin(ended_in, (LATE, IN_TIME)) == attended).all()
    assert ((station >= 0) == attended).all()
    assert (np.isfinite(sighted) == (layer >= 0))[ended_in != OPEN].all()
    assert (np.isfinite(ordered) == (sent > 0)).all()
    assert tally.counts[N_ANSWERABLE] >= np.count_nonzero(np.isfinite(ordered))
    descend(history)
    trips_add_up(theatre, history)
    levels_chain(theatre, history)
    # Nobody is in two places at once.
    assert (tally.team_busy_h >= 0).all()
    assert (tally.team_busy_h <= until_h * (1 + 1e-12)).all()
    assert tally.team_busy_h.sum() <= history.team_duty_h * (1 + 1e-9)
    assert tally.team_jobs.sum() <= tally.counts[N_SENT] - tally.counts[N_RECALLED]
    assert tally.team_jobs.sum() >= tally.counts[N_SENT] - tally.counts[N_RECALLED] - len(tally.team_jobs)
    assert history.team_duty_h <= until_h * len(theatre.plan.team_station) * (1 + 1e-12)
    assert (history.watched_h <= until_h * (1 + 1e-12)).all()
    # Soldiers: what is manned is paid for, and no more than is wanted.
    force = history.force
    assert (np.diff(force.at_h) > 0).all()
    assert (force.manned <= theatre.wanted).all()
    assert (
        force.effective <= force.present.sum(axis=-1).reshape(len(force.at_h), -1).sum(axis=1) + 1e-9
    ).all()
    paid = force.manned.astype(float) @ theatre.prices
    assert (
        paid.sum(axis=1) <= force.effective + force.manned[:, :, 0].sum(axis=1) * theatre.prices[0] + 1e-6
    ).all()
    wanted = (theatre.wanted * theatre.prices).sum()
    # A headquarters works with whoever there is: it may be paid for in part.
    least, most = wanted - paid.sum(axis=1), wanted - np.minimum(paid.sum(axis=1), force.effective)
    assert (force.short >= least - 1e-9).all()
    assert (force.short <= most + 1e-9).all() or len(theatre.ground.sector_names) > 1
    if len(theatre.ground.sector_names) == 1:
        assert np.allclose(force.short, most)


def descend(history: History) -> None:
    """Who provoked whom: parents come first, and no more come of them than they were to have."""
    number, parent, _, cause, *_ = history.journal.whole.T
    children, start_h = history.journal.whole[:, 11], history.journal.hours[:, 0]
    of_number = np.argsort(number)
    provoked = parent >= 0
    assert (provoked == (cause == RETALIATION)).all()
    assert (parent < number).all()
    assert (start_h[of_number[parent[provoked]]] <= start_h[provoked]).all()
    born = np.bincount(parent[provoked], minlength=len(number))
    assert (born <= children[of_number]).all()
    prevented = history.tally.counts[N_PREVENTED]
    assert prevented >= 0
    assert born.sum() + prevented <= children.sum(), "the rest lie beyond the end"
    assert (children[cause == FALSE_REPORT] == 0).all()


def trips_add_up(theatre: Theatre, history: History) -> None:
    """Every order is one trip, to an incident that asked for it; a team makes one after the other."""
    tally, journal = history.tally, history.journal
    number, team, station, end = journal.trip_whole.T
    ordered_h, departed_h, arrived_h, ended_h = journal.trip_hours.T
    assert len(number) == tally.counts[N_SENT]
    assert np.count_nonzero(end == RECALLED) == tally.counts[N_RECALLED]
    assert np.count_nonzero(end == DONE) == tally.team_jobs.sum()
    rows = journal.whole[np.argsort(journal.whole[:, 0])]
    hours = journal.hours[np.argsort(journal.whole[:, 0])]
    assert (np.bincount(number, minlength=len(rows)) == rows[:, 8]).all()
    assert (np.isfinite(hours[number, 1]) & (hours[number, 1] <= ended_h)).all()
    came = (end == DONE) | (arrived_h < ended_h)
    assert (departed_h <= arrived_h).all()
    assert (arrived_h <= ended_h)[end == DONE].all()
    assert (arrived_h > ended_h)[end == RECALLED].all()
    assert (ended_h == history.stood_h)[end == CUT_OFF].all()
    first = np.full(len(rows), np.inf)
    np.minimum.at(first, number[came], arrived_h[came])
    assert (first == hours[:, 3]).all(), "the first on the spot is the one that counts"
    assert (
        theatre.plan.station_sector[theatre.plan.team_station[team]] == theatre.plan.station_sector[station]
    ).all()
    known = np.isfinite(ordered_h)
    order = np.lexsort((ordered_h[known], team[known]))
    same = np.diff(team[known][order]) == 0
    assert (ordered_h[known][order][1:] >= ended_h[known][order][:-1])[same].all()


def levels_chain(theatre: Theatre, history: History) -> None:
    """Every sector goes from level to level, from the lowest on, and never leaves the last."""
    turns, last = history.turns, theatre.ladder.last
    assert (np.diff(turns.at_h) >= 0).all()
    assert (turns.at_h <= history.stood_h).all()
    for x in range(len(theatre.ground.sector_names)):
        here = turns.sector == x
        before, after = turns.from_level[here], turns.to_level[here]
        assert (before == np.append(0, after[:-1])[: len(before)]).all()
        assert (before != after).all()
        assert (before < last).all()
        level = history.journal.whole[:, 10]
        mine = theatre.ground.cell_sector[history.journal.whole[:, 4]] == x
        start_h = history.journal.hours[mine, 0]
        # At the very moment of a turn: what raised the tension still began before it, its twins after it.
        first, last_of = (np.searchsorted(turns.at_h[here], start_h, side=side) for side in ("left", "right"))
        was = np.append(0, after)
        for now, since, until in zip(level[mine], first, last_of, strict=True):
            assert now in was[since : until + 1]
    assert (turns.to_level > turns.from_level)[turns.cause == RISES].all()
    assert (turns.to_level == turns.from_level - 1)[turns.cause == FALLS].all()
    if history.collapsed:
        end = np.zeros(len(theatre.ground.sector_names), dtype=int)
        end[turns.sector] = turns.to_level
        assert (end == last).all()


@pytest.mark.parametrize("changes", WORLDS.values(), ids=WORLDS.keys())
def test_everything_adds_up(theatre_of, changes):
    theatre, history = played(theatre_of, changes)
    adds_up(theatre, history)


@pytest.mark.parametrize("world", [w for w in WORLDS if w not in ("a commitment ends", "late")])
def test_no_team_works_longer_than_it_is_on_duty(theatre_of, world):
    """Where nobody leaves: a team whose place is given up on the way still finishes what it does."""
    _, history = played(theatre_of, WORLDS[world])
    assert history.tally.team_busy_h.sum() <= history.team_duty_h * (1 + 1e-12)


CHANGES = st.fixed_dictionaries(
    {
        "response": st.fixed_dictionaries({"preempt": st.booleans()}),
        "seasons": st.sampled_from([{}, {"mud": {"months": [1], "road_factor": 0.1}}]),
        "start": st.sampled_from(["2026-01-01", "2026-01-29", "2024-02-27"]),
        "force": st.fixed_dictionaries(
            {
                "contingents": st.fixed_dictionaries(
                    {
                        "alpha": st.fixed_dictionaries(
                            {
                                "commitment": st.sampled_from(["20 h", "70 h", "1 year"]),
                                "arrival": st.sampled_from(
                                    [{"first": "0 h"}, {"first": "5 h", "last": "60 h"}]
                                ),
                            }
                        )
                    }
                )
            }
        ),
    }
)


@given(what=scenarios(), changes=CHANGES, seed=st.integers(0, 2**64 - 1))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_adds_up_in_any_world(theatre_of, what, changes, seed):
    """With recalls, comings and goings, mud: whatever a scenario may ask for."""
    theatre = theatre_of(merged(what, changes))
    adds_up(theatre, simulate(theatre, seed, 0, keeps_journal=True))


def test_strength_follows_arrivals_and_departures(theatre_of):
    """800 soldiers in four units; they come on days 2, 3, 4 and 5, and each place is given up 11 days later."""
    _, history = played(theatre_of, WORLDS["a commitment ends"])
    present = history.force.present.reshape(len(history.force.at_h), -1).sum(axis=1)
    assert list(zip(history.force.at_h / HOURS_PER_DAY, present, strict=True)) == [
        (0, 0), (2, 200), (3, 400), (4, 600), (5, 800), (13, 600), (14, 400), (15, 200), (16, 0),
    ]  # fmt: skip


def test_worlds_have_something_in_them(theatre_of):
    """The scenarios above do what they are named for."""
    assert played(theatre_of, WORLDS["preempt"])[1].tally.counts[N_RECALLED] > 0
    assert played(theatre_of, WORLDS["no patience"])[1].tally.type_outcome[:, GAVE_UP].sum() > 0
    assert played(theatre_of, WORLDS["short arms"])[1].tally.type_outcome[:, TOO_FAR].sum() > 0
    assert played(theatre_of, WORLDS["nobody pledged"])[1].tally.type_outcome[:, NOBODY_THERE].sum() > 0
    assert played(theatre_of, WORLDS["only caveats"])[1].tally.type_outcome[:, CAVEAT].sum() > 0
    assert played(theatre_of, WORLDS["a closed level"])[1].tally.type_outcome[:, DENIED].sum() > 0
    assert played(theatre_of, WORLDS["a level for the armed"])[1].tally.type_outcome[:, DENIED].sum() > 0
    assert played(theatre_of, WORLDS["nobody comes"])[1].tally.type_outcome[:, UNSEEN].sum() > 0
    assert played(theatre_of, WORLDS["many at once"])[1].tally.type_outcome[:, OPEN].sum() > 256


def test_worlds_that_escalate_have_something_in_them(theatre_of):
    _, reprisals = played(theatre_of, WORLDS["reprisals"])
    assert reprisals.tally.counts[N_PREVENTED] > 0
    assert reprisals.tally.type_cause[:, RETALIATION].min() > 10
    assert played(theatre_of, WORLDS["injects"])[1].tally.type_cause[:, INJECT].sum() > 10
    assert played(theatre_of, WORLDS["attacks"])[1].tally.casualties.sum() > 0
    assert played(theatre_of, WORLDS["move up"])[1].tally.counts[N_STOOD_IN] > 0
    for world in ("up and down", "hazards"):
        _, history = played(theatre_of, WORLDS[world])
        assert {RISES, FALLS} <= set(history.turns.cause), world
        assert not history.collapsed, world
    assert HAZARD in played(theatre_of, WORLDS["hazards"])[1].turns.cause
    _, history = played(theatre_of, WORLDS["collapse"])
    assert history.collapsed
    assert BY_EVENT in history.turns.cause
    _, history = played(theatre_of, WORLDS["collapse of one sector"])
    assert history.collapsed
    assert LINE_WIDE in history.turns.cause


def test_a_recorded_trace_is_replayed_row_by_row(theatre_of, play_folder):
    """Forty recorded drones, and nothing of that type beside them; shelling is drawn."""
    rows = [f"drone,{i},{13.5 * i}" for i in range(40)]
    (play_folder / "trace.csv").write_text("\n".join(["type,chainage_km,start_h", *rows]), encoding="utf-8")
    theatre, history = played(theatre_of, [{"trace": {"file": "trace.csv"}}, REPRISALS])
    (play_folder / "trace.csv").unlink()
    adds_up(theatre, history)
    drone = list(theatre.scenario.violations).index("drone")
    traced = history.journal.whole[:, 3] == TRACE
    assert (history.journal.whole[traced, 2] == drone).all()
    lasts = 13.5 * np.arange(40) < theatre.horizon_h
    assert np.array_equal(np.sort(history.journal.hours[traced, 0]), 13.5 * np.arange(40)[lasts])
    assert history.tally.type_cause[drone, BACKGROUND] == 0
    assert (history.journal.whole[traced, 11] == 0).all(), "what was recorded holds its own reprisals"


def test_a_world_without_violations_can_be_played(theatre_of):
    theatre, history = played(theatre_of, [{"violations": None}])
    adds_up(theatre, history)
    assert len(history.journal.whole) == 0


def test_a_sector_without_a_base_has_no_teams(theatre_of):
    theatre, history = played(theatre_of, [TWO, {"bases": {"camp": {"chainage": "10 km"}}}])
    adds_up(theatre, history)


def test_an_aircraft_is_lost_by_the_flying_hour(theatre_of):
    """One orbit, four airframes, a loss every ten flying hours: 480 hours hardly pass without one."""
    _, history = played(theatre_of, [{"watch": {"orbits": {"loss": "0.1 per h"}}}])
    assert history.aircraft_lost > 0


def test_no_row_is_lost_when_the_journal_grows(theatre_of):
    """Over a thousand wait for their report while few have ended: the journal grows between two emptyings."""
    slow = {"watch": {"reports": {"probability": 0.9, "delay": "40 days"}}, "horizon": "30 days"}
    blind = {"posture": None, "violations": {"shelling": {"rate": "150 per day", "teams": 0}}}
    theatre, history = played(theatre_of, [slow, blind])
    adds_up(theatre, history)


def broken(history: History, how: str) -> None:
    match how:
        case "an incident has two outcomes":
            history.tally.type_outcome[0, UNSEEN] += 1
        case "attended but not sighted":
            history.tally.day[3, SIGHTED] = history.tally.day[3, ATTENDED] - 1
        case "a row is written twice":
            history.journal.whole[1] = history.journal.whole[0]
        case "a team is in two places":
            history.tally.team_busy_h[0] += 30 * HOURS_PER_DAY
        case "a response is not counted":
            history.tally.response[history.tally.response > 0] -= 1
        case "arrived before it was ordered":
            attended = np.flatnonzero(np.isfinite(history.journal.hours[:, 3]))
            history.journal.hours[attended[0], 3] = 0.0
        case "a cause is forgotten":
            history.tally.type_cause[0, BACKGROUND] -= 1
        case "a reprisal without a parent":
            of = np.flatnonzero(history.journal.whole[:, 1] >= 0)
            history.journal.whole[of[0], 1] = -1
        case "more children than it was to have":
            of = np.flatnonzero(history.journal.whole[:, 1] >= 0)
            history.journal.whole[:, 11][history.journal.whole[:, 0] == history.journal.whole[of[0], 1]] = 0
        case "a trip twice at a time":
            history.journal.trip_whole[:, 1] = history.journal.trip_whole[0, 1]
        case "a trip to nowhere":
            history.journal.trip_whole[0, 0] += 1
        case "a level is skipped":
            history.turns.from_level[1] += 1
        case "an incident in another level":
            history.journal.whole[0, 10] += 1
        case "soldiers out of nothing":
            history.force.manned[:] *= 100


@pytest.mark.parametrize(
    "how",
    [
        "an incident has two outcomes", "attended but not sighted", "a row is written twice", "a team is in two places",
        "a response is not counted", "arrived before it was ordered", "soldiers out of nothing",
        "a cause is forgotten", "a reprisal without a parent", "more children than it was to have",
        "a trip twice at a time", "a trip to nowhere", "a level is skipped", "an incident in another level",
    ],
)  # fmt: skip
def test_the_oracle_can_fail(theatre_of, how):
    theatre, history = played(theatre_of, [TWO, REPRISALS, LADDER])
    adds_up(theatre, history)
    broken(history, how)
    with pytest.raises(AssertionError):
        adds_up(theatre, history)
