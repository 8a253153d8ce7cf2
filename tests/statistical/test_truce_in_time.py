"""O4 again: under a truce that wears out, recommitments and an escalation level, incidents stay a Poisson process.

The expected incidents are built here from the words of the scenario: the rate times min(ceiling, start x 2^(t / doubling)), which a
recommitment multiplies by 1 - drop and lets grow anew; times the multiplier of the level that a sector is in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage, merged
from scipy import stats

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import BACKGROUND, JOURNAL_WHOLE

DAY_H = 24.0
HORIZON_H = 200 * DAY_H
PER_DAY = 60.0
KIND, CAUSE, CELL = (JOURNAL_WHOLE.index(name) for name in ("kind", "cause", "cell"))

START, DOUBLING_H, CEILING = 0.4, 20 * DAY_H, 1.5
TRUCE: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a truce that wears out",
    "start": "2026-01-01",
    "horizon": "200 days",
    "line": {"length": "60 km"},
    "force": {"contingents": {"alpha": {"strength": 0}}},
    "truce": {"start": START, "doubling": "20 days", "ceiling": CEILING},
    "events": {
        "talks": {"after": "30 days", "recommit": {"drop": 0.5}},
        "summit": {"at": "2026-03-22", "recommit": {"drop": 0.85}},
        "envoy": {"every": "70 days", "recommit": {"drop": 0.3}},
    },
    "violations": {
        "shelling": {"rate": f"{PER_DAY} per day", "teams": 0},
        "theft": {"rate": "10 per day", "teams": 0, "erodes": False},
    },
}
DROPS = [(30 * DAY_H, 0.5), (70 * DAY_H, 0.3), (80 * DAY_H, 0.85), (140 * DAY_H, 0.3)]
"""The events above in order of time; 22 March is day 80 of the year, counted from 0."""

Expected = Callable[[np.ndarray], np.ndarray]


def truce(
    *, start: float = START, doubling_h: float = DOUBLING_H, ceiling: float = CEILING, drops: Any = DROPS
) -> Expected:
    """Expected shelling before each time; a drop is left out for a broken twin."""
    steps = oracles.truce_steps(start, doubling_h, ceiling, drops)
    return lambda at_h: PER_DAY / DAY_H * oracles.truce_hours(at_h, doubling_h, ceiling, steps)


def drawn(theatre: Theatre, kind: int, replication: int, seed: int = 11) -> np.ndarray:
    """When the drawn incidents of a type began, in order."""
    journal = simulate(theatre, seed, replication, keeps_journal=True).journal
    here = (journal.whole[:, KIND] == kind) & (journal.whole[:, CAUSE] == BACKGROUND)
    return np.sort(journal.hours[here, 0])


def windows_fit(start_h: list[np.ndarray], expected: Expected) -> None:
    """Over all replications, each window of ten days holds a Poisson count."""
    edges = np.arange(0.0, HORIZON_H + 1.0, 10 * DAY_H)
    counts = np.histogram(np.concatenate(start_h), edges)[0]
    for count, mean in zip(counts, np.diff(expected(edges)) * len(start_h), strict=True):
        oracles.count_agrees(int(count), float(mean))


def rescaled(start_h: np.ndarray, expected: Expected) -> float:
    """p-value of the gaps in expected incidents against the unit exponential (Kolmogorov and Smirnov)."""
    return float(stats.kstest(np.diff(expected(start_h), prepend=0.0), "expon").pvalue)


BROKEN: dict[str, Expected] = {
    "it starts at its ceiling": truce(start=CEILING),
    "it doubles a quarter sooner": truce(doubling_h=0.75 * DOUBLING_H),
    "it has no ceiling": truce(ceiling=4.0),
    "one recommitment is forgotten": truce(drops=DROPS[:2] + DROPS[3:]),
    "what is dropped is what is left": truce(drops=[(at_h, 1.0 - drop) for at_h, drop in DROPS]),
    "it holds": lambda at_h: truce()(np.array([HORIZON_H])) * at_h / HORIZON_H,
}


@pytest.fixture(scope="module")
def worn(theatre_of: Stage) -> list[np.ndarray]:
    """Shelling of 20 replications: 170,000 incidents in all."""
    theatre = theatre_of(TRUCE)
    return [drawn(theatre, 0, replication) for replication in range(20)]


def test_windows_hold_what_the_truce_lets_happen(worn):
    """20 windows of 2,000 incidents and more: 20 % of one window is caught."""
    windows_fit(worn, truce())


def test_gaps_are_exponential_in_what_the_truce_lets_happen(worn):
    """Four replications of 8,000 gaps: a distribution function that is off by 0.035 is caught."""
    for start_h in worn[:4]:
        assert rescaled(start_h, truce()) > oracles.FALSE_ALARM


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_another_truce_is_found_out(worn, broken):
    """The broken twins."""
    with pytest.raises(AssertionError, match="does not fit"):
        windows_fit(worn, broken)
    if broken is not BROKEN["one recommitment is forgotten"]:
        assert (
            rescaled(np.sort(np.concatenate(worn)), lambda at_h: broken(at_h) * len(worn))
            < oracles.FALSE_ALARM
        )


def test_counts_under_a_truce_vary_as_poisson(theatre_of: Stage):
    """300 replications of the 20 days after a recommitment: variance over mean by chi-squared; 45 % more or less is caught."""
    theatre = theatre_of(merged(TRUCE, {"violations": {"shelling": {"rate": "6 per day"}}}))
    edges = np.array([30.0, 50.0]) * DAY_H
    counts = np.array([np.histogram(drawn(theatre, 0, r), edges)[0][0] for r in range(300)])
    oracles.count_agrees(int(counts.sum()), float(np.diff(truce()(edges))[0]) / 10 * len(counts))
    spread = counts.var(ddof=1) / counts.mean() * (len(counts) - 1)
    low, high = stats.chi2.interval(1 - oracles.FALSE_ALARM, len(counts) - 1)
    assert low <= spread <= high
    assert not low <= spread * 1.6 <= high  # the broken twin: clustered counts


def test_what_does_not_erode_knows_nothing_of_the_truce(theatre_of: Stage):
    """Ten replications, 20,000 incidents: they come evenly; 0.04 of a distribution function is caught."""
    theatre = theatre_of(TRUCE)
    start_h = np.concatenate([drawn(theatre, 1, r) for r in range(10)])
    oracles.count_agrees(len(start_h), 10 * 200 * 10.0)
    assert stats.kstest(start_h / HORIZON_H, "uniform").pvalue > oracles.FALSE_ALARM
    eroded = truce()(start_h) / truce()(np.array([HORIZON_H]))
    assert stats.kstest(eroded, "uniform").pvalue < oracles.FALSE_ALARM  # the broken twin


# A level's multiplier ---------------------------------------------------------------------------------------

LEVELS = merged(
    TRUCE,
    {
        "sectors": {"north": {"from": "0 km"}, "south": {"from": "40 km"}},
        "violations": {"shelling": {"severity": 1e-9}, "theft": {"severity": 1e-9}, "siege": {"rate": "0 per day", "severity": 8, "teams": 0}},
        "injects": {"assault": {"type": "siege", "chainage": "20 km", "after": "50 days"}},
        "escalation": {
            "half_life": "20 days",
            "levels": {
                "calm": {},
                "crisis": {"enter_at": 4, "leave_below": 1, "incidents": 2.0, "types": {"shelling": 1.5}},
                "war": {},
            },
        },
    },
)  # fmt: skip
"""Tension 8 at day 50 in the north is 1 after three half-lives of 20 days: crisis from day 50 to day 110."""


def in_crisis(at_h: np.ndarray, factor: float, *, until_d: float = 110.0, eroding: bool = True) -> np.ndarray:
    """Expected incidents of one type in the whole line, up to its rate: two thirds of it are in the north."""
    steps = oracles.truce_steps(START, DOUBLING_H, CEILING, DROPS)

    def before(t: np.ndarray) -> np.ndarray:
        return oracles.truce_hours(t, DOUBLING_H, CEILING, steps) if eroding else t

    in_it = before(np.clip(at_h, 50 * DAY_H, until_d * DAY_H)) - before(np.array(50 * DAY_H))
    return before(at_h) + (factor - 1.0) * 2 / 3 * in_it


def test_a_level_multiplies_the_incidents_of_its_sector_while_it_lasts(theatre_of: Stage):
    """Ten replications: shelling three times as frequent in the north for 60 days, theft twice; 25 % of a window is caught."""
    theatre = theatre_of(LEVELS)
    shelling = [drawn(theatre, 0, r) for r in range(10)]
    theft = [drawn(theatre, 1, r) for r in range(10)]
    windows_fit(shelling, lambda at_h: PER_DAY / DAY_H * in_crisis(at_h, 3.0))
    windows_fit(theft, lambda at_h: 10 / DAY_H * in_crisis(at_h, 2.0, eroding=False))
    assert rescaled(shelling[0], lambda at_h: PER_DAY / DAY_H * in_crisis(at_h, 3.0)) > oracles.FALSE_ALARM
    # The broken twins: of two multipliers one is forgotten, or the level lasts a week longer.
    for broken in ({"factor": 2.0}, {"factor": 1.5}, {"factor": 3.0, "until_d": 117.0}):
        with pytest.raises(AssertionError, match="does not fit"):
            windows_fit(shelling, lambda at_h, b=broken: PER_DAY / DAY_H * in_crisis(at_h, **b))


def test_a_level_leaves_the_other_sector_alone(theatre_of: Stage):
    """The south of the same histories, a third of the line: as if nothing had happened."""
    theatre = theatre_of(LEVELS)
    starts = []
    for replication in range(10):
        journal = simulate(theatre, 11, replication, keeps_journal=True).journal
        south = (journal.whole[:, KIND] == 0) & (journal.whole[:, CELL] >= 40)
        starts.append(np.sort(journal.hours[south, 0]))
    windows_fit(starts, lambda at_h: truce()(at_h) / 3)
    with pytest.raises(AssertionError, match="does not fit"):
        windows_fit(starts, lambda at_h: PER_DAY / DAY_H / 3 * in_crisis(at_h, 3.0))
