"""O14: nothing is lost and nothing is counted twice, whatever the scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import merged, scenarios, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.campaign.engine import History, simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import (
    ASKED,
    ATTENDED,
    ATTRIBUTED,
    GAVE_UP,
    HAPPENED,
    IN_TIME,
    IN_TIME_COUNT,
    LATE,
    LAYER_FALSE,
    N_ANSWERABLE,
    N_FALSE,
    N_RECALLED,
    N_SENT,
    NONE_IN_REACH,
    NOTED,
    OPEN,
    SIGHTED,
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
}


def played(theatre_of: Any, changes: list[dict[str, Any]], seed: int = 3) -> tuple[Theatre, History]:
    what = small()
    for change in changes:
        what = merged(what, change)
    theatre = theatre_of(what)
    return theatre, simulate(theatre, seed, 0, keeps_journal=True)


def adds_up(theatre: Theatre, history: History) -> None:
    tally, whole, hours = history.tally, history.journal.whole, history.journal.hours
    outcome, ledger = tally.type_outcome, tally.type_ledger
    kinds, sectors, cells = (
        len(theatre.scenario.violations),
        len(theatre.ground.sector_names),
        len(theatre.ground.cells),
    )
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
    assert (tally.period.sum(axis=0) == tally.cell[:, [HAPPENED, SIGHTED, IN_TIME_COUNT, ASKED]]).all()
    assert (tally.sector_outcome.sum(axis=0) == outcome.sum(axis=0)).all()
    in_sector = np.zeros(sectors, dtype=np.int64)
    np.add.at(in_sector, theatre.ground.cell_sector, tally.cell[:, HAPPENED])
    assert (tally.sector_outcome.sum(axis=1) == in_sector).all()
    # An outcome says what was seen and who came.
    assert (ledger[:, ATTENDED] == outcome[:, [LATE, IN_TIME]].sum(axis=1)).all()
    assert (ledger[:, IN_TIME_COUNT] == outcome[:, IN_TIME]).all()
    seen = outcome[:, [NOTED, NONE_IN_REACH, GAVE_UP, LATE, IN_TIME]].sum(axis=1)
    assert (seen <= ledger[:, SIGHTED]).all()
    assert (ledger[:, SIGHTED] <= seen + outcome[:, OPEN]).all()
    assert tally.sighted_by.sum() == tally.delay.sum() == ledger[:, SIGHTED].sum()
    assert tally.sighted_by[LAYER_FALSE] == 0
    assert tally.response.sum() == ledger[:, ATTENDED].sum()
    # The journal says the same, row by row.
    assert len(np.unique(whole[:, :2], axis=0)) == len(whole)
    real = whole[:, 4] != LAYER_FALSE
    assert (theatre.plan.stream_is_false[whole[:, 0]] == ~real).all()
    assert np.count_nonzero(~real) == tally.counts[N_FALSE]
    kind = theatre.plan.stream_type[whole[:, 0]]
    counted = np.zeros_like(outcome)
    np.add.at(counted, (kind[real], whole[real, 3]), 1)
    assert (counted == outcome).all()
    assert (np.bincount(whole[real, 2], minlength=cells) == tally.cell[:, HAPPENED]).all()
    assert (np.bincount(kind[real & (whole[:, 7] == 1)], minlength=kinds) == ledger[:, ATTRIBUTED]).all()
    assert (
        np.bincount((hours[real, 0] / HOURS_PER_DAY).astype(int), minlength=len(tally.day))
        == tally.day[:, HAPPENED]
    ).all()
    assert np.count_nonzero(np.isfinite(hours[real, 1])) == ledger[:, SIGHTED].sum()
    assert whole[:, 6].sum() == tally.counts[N_SENT]
    # Times come in their order; what did not happen has none.
    start, sighted, ordered, arrived, ended = hours.T
    assert (start >= 0).all()
    assert (start < theatre.horizon_h).all()
    assert (ended <= theatre.horizon_h).all()
    assert (ended >= start).all()
    assert (sighted >= start).all()
    assert (ordered >= sighted)[np.isfinite(sighted)].all()
    assert (arrived >= ordered)[np.isfinite(ordered)].all()
    attended = np.isfinite(arrived)
    assert (np.isin(whole[:, 3], (LATE, IN_TIME)) == attended).all()
    assert ((whole[:, 5] >= 0) == attended).all()
    assert (np.isfinite(sighted) == (whole[:, 4] >= 0))[whole[:, 3] != OPEN].all()
    assert (np.isfinite(ordered) == (whole[:, 6] > 0)).all()
    assert tally.counts[N_ANSWERABLE] >= np.count_nonzero(np.isfinite(ordered))
    # Nobody is in two places at once.
    assert (tally.team_busy_h >= 0).all()
    assert (tally.team_busy_h <= theatre.horizon_h * (1 + 1e-12)).all()
    assert tally.team_busy_h.sum() <= history.team_duty_h * (1 + 1e-9)
    assert tally.team_jobs.sum() <= tally.counts[N_SENT] - tally.counts[N_RECALLED]
    assert tally.team_jobs.sum() >= tally.counts[N_SENT] - tally.counts[N_RECALLED] - len(tally.team_jobs)
    assert history.team_duty_h <= theatre.horizon_h * len(theatre.plan.team_station) * (1 + 1e-12)
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
    assert played(theatre_of, WORLDS["short arms"])[1].tally.type_outcome[:, NONE_IN_REACH].sum() > 0
    assert played(theatre_of, WORLDS["nobody pledged"])[1].tally.type_outcome[:, NONE_IN_REACH].sum() > 0
    assert played(theatre_of, WORLDS["nobody comes"])[1].tally.type_outcome[:, UNSEEN].sum() > 0
    assert played(theatre_of, WORLDS["many at once"])[1].tally.type_outcome[:, OPEN].sum() > 256


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
            history.journal.whole[1, :2] = history.journal.whole[0, :2]
        case "a team is in two places":
            history.tally.team_busy_h[0] += 30 * HOURS_PER_DAY
        case "a response is not counted":
            history.tally.response[history.tally.response > 0] -= 1
        case "arrived before it was ordered":
            attended = np.flatnonzero(np.isfinite(history.journal.hours[:, 3]))
            history.journal.hours[attended[0], 3] = 0.0
        case "soldiers out of nothing":
            history.force.manned[:] *= 100


@pytest.mark.parametrize(
    "how",
    [
        "an incident has two outcomes", "attended but not sighted", "a row is written twice", "a team is in two places",
        "a response is not counted", "arrived before it was ordered", "soldiers out of nothing",
    ],
)  # fmt: skip
def test_the_oracle_can_fail(theatre_of, how):
    theatre, history = played(theatre_of, [])
    broken(history, how)
    with pytest.raises(AssertionError):
        adds_up(theatre, history)
