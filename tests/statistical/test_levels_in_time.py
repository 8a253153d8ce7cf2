"""O8: levels move as a semi-Markov process with competing risks, and tension crosses its threshold as shot noise does."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage, merged
from scipy import stats

from sim.campaign.engine import History, simulate
from sim.campaign.escalation import CAUSES_OF_TURNS
from sim.campaign.history import Turns

DAY_H = 24.0
RISES, HAZARD = CAUSES_OF_TURNS.index("tension rises"), CAUSES_OF_TURNS.index("hazard")


def line_of(sectors: int, horizon: str, per_sector_day: float, escalation: dict[str, Any]) -> dict[str, Any]:
    """A line of equal sectors of 10 km that nobody watches; what happens in them is independent."""
    return {
        "bufferzone": 1,
        "name": "levels",
        "horizon": horizon,
        "line": {"length": f"{10 * sectors} km"},
        "sectors": {f"s{x}": {"from": f"{10 * x} km"} for x in range(sectors)},
        "force": {"contingents": {"alpha": {"strength": 0}}},
        "violations": {
            "shelling": {"rate": f"{sectors * per_sector_day} per day", "severity": 1, "teams": 0}
        },
        "escalation": {"collapse": {"sectors": sectors}} | escalation,
    }


# Hazards: semi-Markov ---------------------------------------------------------------------------------------

SECTORS, YEARS, WARM_H = 6, 3, 60 * DAY_H
HAZARDS: dict[str, dict[str, Any]] = {
    "calm": {"tense": {"kind": "uniform", "low": "2 days", "high": "6 days"}},
    "tense": {
        "calm": {"kind": "lognormal", "median": "3 days", "p90": "9 days"},
        "crisis": {"kind": "uniform", "low": "1 day", "high": "8 days"},
    },
    "crisis": {"tense": {"kind": "exponential", "mean": "5 days"}},
    "war": {},
}
"""Levels of general laws; war, from which nothing leads back, has no way in."""

UNIFORM, CRISIS = stats.uniform(2 * DAY_H, 4 * DAY_H), stats.expon(scale=5 * DAY_H)
TO_CALM = stats.lognorm(np.log(3.0) / stats.norm.ppf(0.9), scale=3 * DAY_H)
TO_CRISIS = stats.uniform(1 * DAY_H, 7 * DAY_H)


def by_hazard(hazards: dict[str, dict[str, Any]], years: int = YEARS) -> dict[str, Any]:
    levels = {name: {"hazards": to} if to else {} for name, to in hazards.items()}
    return line_of(SECTORS, f"{years} years", 0.0, {"levels": levels})


def shares(turns: Turns, sectors: int, levels: int, since_h: float, until_h: float) -> np.ndarray:
    """share[x, level] of the time in [since, until) that each sector spent in each level."""
    out = np.zeros((sectors, levels))
    for x in range(sectors):
        here = turns.sector == x
        bounds = np.clip(np.concatenate([[0.0], turns.at_h[here], [until_h]]), since_h, until_h)
        np.add.at(out[x], np.append(0, turns.to_level[here]), np.diff(bounds))
    return out / (until_h - since_h)


def stays(turns: Turns, sectors: int, level: int) -> np.ndarray:
    """How long each visit to a level lasted that has ended; the one at the start left out."""
    lasted = []
    for x in range(sectors):
        at_h, to = turns.at_h[turns.sector == x], turns.to_level[turns.sector == x]
        lasted.append(np.diff(at_h)[to[:-1] == level])
    return np.concatenate(lasted)


@pytest.fixture(scope="module")
def moved(theatre_of: Stage) -> list[History]:
    """Sixteen histories of six sectors over three years: 96 processes of some 300 turns."""
    theatre = theatre_of(by_hazard(HAZARDS))
    return [simulate(theatre, 31, replication) for replication in range(16)]


@pytest.mark.slow
def test_levels_are_occupied_as_a_semi_markov_process_says(moved):
    """96 sectors after a warm-up of 60 days; 0.05 of a share is caught. The broken twins: visits instead of time; exponential laws."""
    until_h = moved[0].stood_h
    here = np.concatenate([shares(h.turns, SECTORS, 4, WARM_H, until_h) for h in moved])
    to_calm, stay_h = oracles.sooner(TO_CALM, TO_CRISIS, 9 * DAY_H)
    visits = np.array([[0, 1, 0], [to_calm, 0, 1 - to_calm], [0, 1, 0]])
    exact = oracles.occupancy(visits, [UNIFORM.mean(), stay_h, CRISIS.mean()])
    assert not here[:, 3].any()
    for level in range(3):
        oracles.agrees(here[:, level], exact[level], catches=0.05)
    by_visits = oracles.occupancy(visits, [1.0, 1.0, 1.0])
    ratio = TO_CRISIS.mean() / (TO_CALM.mean() + TO_CRISIS.mean())
    visits = np.array([[0, 1, 0], [ratio, 0, 1 - ratio], [0, 1, 0]])
    mean_h = 1 / (1 / TO_CALM.mean() + 1 / TO_CRISIS.mean())
    without_memory = oracles.occupancy(visits, [UNIFORM.mean(), mean_h, CRISIS.mean()])
    for twin in (by_visits, without_memory):
        with pytest.raises(AssertionError, match="is not"):
            oracles.agrees(here[:, 1], twin[1], catches=0.05)


@pytest.mark.slow
def test_levels_last_as_long_as_their_laws_say(moved):
    """5,000 visits each, and more, by Kolmogorov: 0.07 of a distribution function is caught. Visits that the end cuts off are few."""
    for level, law in ((0, UNIFORM), (2, CRISIS)):
        lasted = np.concatenate([stays(h.turns, SECTORS, level) for h in moved])
        assert stats.kstest(lasted, law.cdf).pvalue > oracles.FALSE_ALARM
        other = CRISIS if level == 0 else UNIFORM  # the broken twin
        assert stats.kstest(lasted, other.cdf).pvalue < oracles.FALSE_ALARM
    both = np.concatenate([stays(h.turns, SECTORS, 1) for h in moved])
    sooner = stats.kstest(both, lambda t: 1 - TO_CALM.sf(t) * TO_CRISIS.sf(t)).pvalue
    assert sooner > oracles.FALSE_ALARM
    assert stats.kstest(both, TO_CRISIS.cdf).pvalue < oracles.FALSE_ALARM  # the broken twin: one risk alone


def test_competing_risks_split_by_their_hazards(theatre_of: Stage):
    """Hazards of 1/4 and 1/2 a day: two in three go up, after 4/3 days whichever way; some 5,000 turns, 0.07 of a share is caught."""
    tense = {
        "calm": {"kind": "exponential", "mean": "4 days"},
        "crisis": {"kind": "exponential", "mean": "2 days"},
    }
    theatre = theatre_of(by_hazard(HAZARDS | {"tense": tense}))
    histories = [simulate(theatre, 32, replication) for replication in range(4)]
    ups = sum(int(np.count_nonzero((h.turns.from_level == 1) & (h.turns.to_level == 2))) for h in histories)
    turns = sum(int(np.count_nonzero(h.turns.from_level == 1)) for h in histories)
    assert all((h.turns.cause == HAZARD).all() for h in histories)
    oracles.share_agrees(ups, turns, 2 / 3)
    with pytest.raises(AssertionError, match="do not fit"):  # the broken twin: split by mean times
        oracles.share_agrees(ups, turns, 1 / 3)
    lasted = np.concatenate([stays(h.turns, SECTORS, 1) for h in histories])
    assert stats.kstest(lasted / DAY_H, "expon", args=(0, 4 / 3)).pvalue > oracles.FALSE_ALARM


def test_occupancy_of_two_states_is_the_ratio_of_their_stays():
    """The oracle by hand: two states that take turns, and three of which the middle one is visited twice as often."""
    assert oracles.occupancy(np.array([[0, 1], [1, 0]]), [3.0, 1.0]) == pytest.approx([0.75, 0.25])
    three = np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]])
    assert oracles.occupancy(three, [1.0, 2.0, 3.0]) == pytest.approx([1 / 8, 4 / 8, 3 / 8])


def test_of_two_exponential_times_the_sooner_is_known():
    chance, mean_h = oracles.sooner(stats.expon(scale=4.0), stats.expon(scale=2.0), 200.0)
    assert chance == pytest.approx(1 / 3, abs=1e-6)
    assert mean_h == pytest.approx(4 / 3, abs=1e-6)


# Tension: first passage of shot noise -----------------------------------------------------------------------

PASSAGE = {
    "rate_per_h": 3 / DAY_H,
    "jump": 1.0,
    "half_life_h": DAY_H,
    "threshold": 7.5,
    "horizon_h": 60 * DAY_H,
}
CLIMB = line_of(
    40,
    "60 days",
    3.0,
    {"half_life": "1 day", "unanswered_factor": 1, "levels": {"calm": {}, "war": {"enter_at": 7.5}}},
)
"""Three incidents a day in each of 40 sectors, each adds 1 to a tension that halves in a day: about 4.3 on average."""


def survival(**over: float) -> tuple[np.ndarray, np.ndarray]:
    """The fine numerical solution: steps of h and of 2 h, extrapolated to none (the error falls with h squared)."""
    what = PASSAGE | over
    at_h, coarse = oracles.shot_noise_survival(**what, pieces=8)
    fine_h, fine = oracles.shot_noise_survival(**what, pieces=16)
    return at_h, (4 * np.interp(at_h, fine_h, fine) - coarse) / 3


def survives(crossed_h: np.ndarray, at_h: np.ndarray, survival: np.ndarray) -> None:
    """First passages, inf where there was none, fit a survival curve up to the horizon.

    Dvoretzky, Kiefer, Wolfowitz (Massart 1990): P(sup |F_n - F| > d) <= 2 exp(-2 n d^2), whatever the horizon.
    """
    n = len(crossed_h)
    within = np.sort(crossed_h[np.isfinite(crossed_h)])
    exact = 1.0 - np.interp(np.append(within, PASSAGE["horizon_h"]), at_h, survival)
    share = np.arange(len(within) + 1) / n
    off = max(np.abs(exact - share).max(), np.abs(exact[:-1] - share[1:]).max(initial=0.0))
    margin = np.sqrt(np.log(2 / oracles.FALSE_ALARM) / (2 * n))
    assert off <= margin, f"passages do not fit: off by {off:.3f}, allowed {margin:.3f}"


def test_the_numerical_solution_converges():
    """Halving the step divides the error by four, and what is left after extrapolation is below 2e-3."""
    days = np.array([5.0, 10.0, 20.0, 40.0]) * DAY_H
    s4, s8, s16 = (
        np.interp(days, *oracles.shot_noise_survival(**PASSAGE, pieces=pieces)) for pieces in (4, 8, 16)
    )
    assert (s4 - s8) / (s8 - s16) == pytest.approx(4.0, rel=0.2)
    assert (4 * s8 - s4) / 3 == pytest.approx((4 * s16 - s8) / 3, abs=2e-3)
    assert s8 != pytest.approx((4 * s16 - s8) / 3, abs=2e-3)  # the broken twin: not extrapolated


def test_tension_crosses_its_threshold_as_shot_noise_does(theatre_of: Stage):
    """60 histories of 40 sectors: 2,400 passages, and a survival curve that is off by 0.12 anywhere is caught all but surely.

    The broken twins: tension that lasts a quarter longer; a threshold that is one incident higher.
    """
    theatre = theatre_of(CLIMB)
    crossed = []
    for replication in range(60):
        turns = simulate(theatre, 33, replication).turns
        assert (turns.cause == RISES).all()
        of_sector = np.full(40, np.inf)
        of_sector[turns.sector] = turns.at_h
        assert len(np.unique(turns.sector)) == len(turns.sector)
        crossed.append(of_sector)
    crossed_h = np.concatenate(crossed)
    survives(crossed_h, *survival())
    for twin in ({"half_life_h": 1.25 * DAY_H}, {"threshold": 8.5}):
        with pytest.raises(AssertionError, match="do not fit"):
            survives(crossed_h, *survival(**twin))


def test_unequal_sectors_collapse_by_themselves(theatre_of: Stage):
    """Passages of neighbours are independent: both within ten days as often as the product of the shares says."""
    theatre = theatre_of(merged(CLIMB, {"horizon": "10 days"}))
    both, one, pairs = 0, 0, 0
    for replication in range(40):
        crossed = np.zeros(40, dtype=bool)
        crossed[simulate(theatre, 34, replication).turns.sector] = True
        both += int((crossed[::2] & crossed[1::2]).sum())
        one += int(crossed.sum())
        pairs += 20
    oracles.share_agrees(both, pairs, (one / (2 * pairs)) ** 2)
    with pytest.raises(AssertionError, match="do not fit"):  # the broken twin: they go together
        oracles.share_agrees(both, pairs, one / (2 * pairs))
