"""O1, O2 and O3: the line clock against exact queues - Erlang, Larson's hypercube, priorities.

A line whose teams drive at 10 million km/h: travel is there, so that the nearest is known, but takes no time worth counting.
Everything is reported as it happens, so that all incidents are arrivals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage
from scipy import stats

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import ATTENDED, GAVE_UP, HAPPENED, JOURNAL_WHOLE, N_SENT, S_DRIVE_H

REPLICATIONS = 30
SPEED_KMH = 1e7
DAY_H = 24.0
KIND, CELL, STATION = (JOURNAL_WHOLE.index(name) for name in ("kind", "cell", "station"))


def station_line(
    bases_km: list[float], teams: int, types: dict[str, Any], *, waits: bool, days: int
) -> dict[str, Any]:
    """A line with one base for each chainage and *teams* teams in all, sighted at once, answered by the
    nearest.
    """
    return {
        "bufferzone": 1,
        "name": "a queue",
        "horizon": f"{days} days",
        "line": {"length": "100 km"},
        "bases": {f"b{i}": {"chainage": f"{km} km", "depth": "1 km"} for i, km in enumerate(bases_km)},
        "travel": {"road_speed": f"{SPEED_KMH:.0f} km/h", "night_factor": 1.0, "detour": 1.0},
        "force": {"contingents": {"alpha": {"strength": 10000, "support_share": 0.0, "absent_share": 0.0}}},
        "posture": {"everywhere": {"teams": {"count": teams}}},
        "watch": {"reports": {"probability": 1.0, "delay": "0 h"}},
        "violations": types,
        "response": {"reaction": "0 h", "reach": "100 h", "give_up_after": "100 years" if waits else "0 h"},
    }


def exponential(rate_per_h: float, mean_h: float = 1.0) -> dict[str, Any]:
    return {"rate": f"{rate_per_h} per h", "on_scene": {"kind": "exponential", "mean": f"{mean_h} h"}}


def waits_of(theatre: Theatre, seed: int, replication: int, warm_h: float) -> tuple[np.ndarray, np.ndarray]:
    """(type, wait until a team is there) of the incidents that began after the warm-up and were attended."""
    journal = simulate(theatre, seed, replication, keeps_journal=True).journal
    chosen = (journal.hours[:, 0] > warm_h) & np.isfinite(journal.hours[:, 3])
    return journal.whole[chosen, KIND], journal.hours[chosen, 3] - journal.hours[chosen, 1]


# O1 ---------------------------------------------------------------------------------------------------------


def m_m_c(
    theatre_of: Stage, servers: int, load: float, *, days: int = 400
) -> tuple[list[float], list[float]]:
    """Of each replication: the share that waits (more than a second, which is longer than any drive), and the
    mean wait.
    """
    theatre = theatre_of(
        station_line([50.0], servers, {"shelling": exponential(load)}, waits=True, days=days)
    )
    shares, means = [], []
    for replication in range(REPLICATIONS):
        _, wait = waits_of(theatre, 1, replication, warm_h=10 * DAY_H)
        shares.append(float(np.mean(wait > 1 / 3600)))
        means.append(float(wait.mean()))
    return shares, means


@pytest.mark.parametrize(
    ("servers", "load"), [(1, 0.6), (3, 2.0), pytest.param(8, 6.0, marks=pytest.mark.slow)]
)
def test_incidents_wait_as_erlang_says(theatre_of, servers, load):
    """Warm-up of 240 service times, over ten times the relaxation 1 / (sqrt(c) - sqrt(a))^2 of the slowest
    case (20).
    """
    shares, means = m_m_c(theatre_of, servers, load)
    oracles.agrees(shares, oracles.erlang_c(servers, load), catches=0.03)
    oracles.agrees(
        means, oracles.mean_wait(servers, load, 1.0), catches=0.2 * oracles.mean_wait(servers, load, 1.0)
    )


def test_erlang_needs_the_right_number_of_teams(theatre_of):
    """The broken twin: one team more than there are."""
    shares, means = m_m_c(theatre_of, 3, 2.0)
    with pytest.raises(AssertionError, match="is not"):
        oracles.agrees(shares, oracles.erlang_c(4, 2.0), catches=0.03)
    with pytest.raises(AssertionError, match="is not"):
        oracles.agrees(means, oracles.mean_wait(4, 2.0, 1.0), catches=0.2)


@pytest.mark.parametrize("law", ["exponential", "fixed", "lognormal"])
def test_incidents_are_lost_as_erlang_says_whatever_the_law_of_service(theatre_of, law):
    """Erlang's B depends on the mean service time only."""
    on_scene: Any = {"exponential": {"kind": "exponential", "mean": "1 h"}, "fixed": "1 h"}.get(law)
    if on_scene is None:  # mean 1 h: median exp(-sigma^2 / 2), sigma = 0.5
        median = float(np.exp(-0.125))
        on_scene = {
            "kind": "lognormal",
            "median": f"{median} h",
            "p90": f"{median * np.exp(0.5 * stats.norm.ppf(0.9))} h",
        }
    theatre = theatre_of(
        station_line(
            [50.0], 4, {"shelling": {"rate": "3 per h", "on_scene": on_scene}}, waits=False, days=150
        )
    )
    lost = []
    for replication in range(REPLICATIONS):
        tally = simulate(theatre, 2, replication).tally
        lost.append(tally.type_outcome[0, GAVE_UP] / tally.type_ledger[0, HAPPENED])
    oracles.agrees(lost, oracles.erlang_b(4, 3.0), catches=0.015)
    with pytest.raises(AssertionError, match="is not"):
        oracles.agrees(lost, oracles.erlang_b(5, 3.0), catches=0.015)


# O2 ---------------------------------------------------------------------------------------------------------

BASES_KM = [4.0, 21.0, 37.0, 52.0, 83.0]


def hypercube_of(theatre: Theatre, *, queues: bool) -> tuple[oracles.Hypercube, np.ndarray]:
    """The exact model of a staged line, atoms being its cells -> (model, hours of travel [server, cell])."""
    km = np.array(BASES_KM)
    middle = theatre.ground.cells.middle_km
    travel_h = np.hypot(km[:, None] - middle[None, :], 1.0) / SPEED_KMH
    order = np.argsort(travel_h.T, axis=1, kind="stable")
    share = np.diff(theatre.plan.place_cdf[0], prepend=0.0)
    rate = theatre.scenario.violations["shelling"].rate
    return oracles.Hypercube(rate * share, order, 1.0, queues=queues), travel_h


@pytest.mark.slow
@pytest.mark.parametrize("queues", [False, True], ids=["lost", "first come first served"])
def test_teams_share_the_line_as_in_the_hypercube(theatre_of, queues):
    """Five stations with one team each, half of all incidents at one spot.

    Catches: 0.02 of a team's utilisation, 0.02 of the dispatches between a station and a fifth of the line, 3 % of mean travel.
    """
    shelling = exponential(2.75) | {
        "hot_spots": {"town": {"chainage": "30 km", "share": 0.5, "spread": "6 km"}}
    }
    theatre = theatre_of(station_line(BASES_KM, 5, {"shelling": shelling}, waits=queues, days=400))
    exact, travel_h = hypercube_of(theatre, queues=queues)
    fifth = np.repeat(np.arange(5), 20)
    wanted = np.stack([exact.share[:, fifth == part].sum(axis=1) for part in range(5)], axis=1)
    busy, shares, drives, full = [], [], [], []
    for replication in range(REPLICATIONS):
        history = simulate(theatre, 3, replication, keeps_journal=True)
        tally, whole = history.tally, history.journal.whole
        busy.append(tally.team_busy_h / theatre.horizon_h)
        table = np.zeros((5, 5))
        went = whole[:, STATION] >= 0
        np.add.at(table, (theatre.station_base[whole[went, STATION]], fifth[whole[went, CELL]]), 1)
        shares.append(table / table.sum())
        drives.append(tally.sums[S_DRIVE_H] / tally.counts[N_SENT] * SPEED_KMH)
        full.append(1.0 - tally.type_ledger[0, ATTENDED] / tally.type_ledger[0, HAPPENED])
    for n in range(5):
        oracles.agrees([b[n] for b in busy], exact.busy[n], catches=0.04)
        for part in range(5):
            if wanted[n, part] > 1e-3:
                oracles.agrees([s[n, part] for s in shares], wanted[n, part], catches=0.02)
    mean_km = float((exact.share * travel_h).sum()) * SPEED_KMH
    oracles.agrees(drives, mean_km, catches=0.03 * mean_km)
    if not queues:
        oracles.agrees(full, exact.full, catches=0.02)
    # The broken twin: stations in a fixed order of preference, whatever the place.
    atoms = len(theatre.ground.cells)
    rates = 2.75 * np.diff(theatre.plan.place_cdf[0], prepend=0.0)
    broken = oracles.Hypercube(rates, np.tile(np.arange(5), (atoms, 1)), 1.0, queues=queues)
    with pytest.raises(AssertionError, match="is not"):
        oracles.agrees([b[0] for b in busy], broken.busy[0], catches=0.04)


def test_the_hypercube_is_erlang_where_stations_do_not_matter():
    """The oracle against a closed form: all busy = B without a queue, C with one, and utilisation a / c on
    average.
    """
    rates, order = np.array([1.5, 0.5]), np.array([[0, 1, 2], [2, 0, 1]])
    lost, queued = (oracles.Hypercube(rates, order, 1.0, queues=q) for q in (False, True))
    assert lost.full == pytest.approx(oracles.erlang_b(3, 2.0))
    assert queued.full == pytest.approx(oracles.erlang_c(3, 2.0))
    assert lost.busy.mean() == pytest.approx(2.0 * (1 - lost.full) / 3)
    assert queued.busy.mean() == pytest.approx(2.0 / 3)


def test_the_hypercube_of_two_servers_is_the_one_solved_by_hand():
    """Two mirror-image stations, no queue, load r: each is busy for (r + r^2) / (2 + 2 r + r^2) of the time."""
    r = 0.8
    model = oracles.Hypercube(np.array([r / 2, r / 2]), np.array([[0, 1], [1, 0]]), 1.0, queues=False)
    assert model.busy == pytest.approx([(r + r**2) / (2 + 2 * r + r**2)] * 2)


# O3 ---------------------------------------------------------------------------------------------------------


def test_graver_incidents_wait_less_as_cobham_says(theatre_of):
    """One team, three severities with services of different laws, no recall.

    Catches 25 % of the gravest's wait, more of the others'.
    """
    types = {
        "siege": {"rate": "0.15 per h", "severity": 5, "on_scene": "2 h"},
        "raid": {"rate": "0.3 per h", "severity": 3, "on_scene": {"kind": "exponential", "mean": "1 h"}},
        "shot": {
            "rate": "0.2 per h",
            "severity": 1,
            "on_scene": {"kind": "uniform", "low": "0 h", "high": "1 h"},
        },
    }
    theatre = theatre_of(station_line([50.0], 1, types, waits=True, days=400))
    exact = oracles.priority_waits([0.15, 0.3, 0.2], [2.0, 1.0, 0.5], [4.0, 2.0, 1 / 3])
    means: list[list[float]] = [[], [], []]
    for replication in range(REPLICATIONS):
        kind, wait = waits_of(theatre, 4, replication, warm_h=10 * DAY_H)
        for k in range(3):
            means[k].append(float(wait[kind == k].mean()))
    for k in range(3):
        oracles.agrees(means[k], exact[k], catches=0.25 * exact[k])
    with pytest.raises(AssertionError, match="is not"):  # the broken twin: everybody waits alike
        oracles.agrees(means[0], float(np.dot(exact, [0.15, 0.3, 0.2]) / 0.65), catches=0.25 * exact[0])
