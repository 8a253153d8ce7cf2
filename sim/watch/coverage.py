"""Coverage without simulation, from the very arrays that the line clock uses.

For an incident that can be observed for a time D, the layers miss it independently of one another:
P(seen) = 1 - (1 - standing) (1 - reports) E[ product over passing layers of (1 - up + up x miss(D)) ].
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from sim.line.earth import FloatArray
from sim.line.ground import Ground
from sim.scenario.chance import Exponential, Fixed, Lognormal, RandomDuration, Uniform
from sim.scenario.schema import Scenario
from sim.watch.layers import Watch, combined_gap_h, pass_detection, reports_probability

POINTS = 256
"""Equally likely durations that stand for a distribution; the error of a share is below 1e-3."""
P90 = 0.9
EVERYWHERE = slice(None)
_NORMAL = NormalDist()  # scipy would cost half a second of import for the same numbers


def duration_quantiles(law: RandomDuration, share: FloatArray) -> FloatArray:
    """The durations [h] that the given shares, in (0, 1), lie below."""
    match law:
        case Fixed():
            return np.full_like(share, law.value)
        case Exponential():
            return -law.mean * np.log1p(-share)
        case Lognormal():
            mu, sigma = lognormal_law(law)
            return np.exp(
                mu + sigma * np.array([_NORMAL.inv_cdf(float(p)) for p in share.ravel()]).reshape(share.shape)
            )
        case Uniform():
            return law.low + (law.high - law.low) * share
    raise AssertionError(law)


def lognormal_law(law: Lognormal) -> tuple[float, float]:
    """(log of the median, sigma) such that nine in ten lie below p90."""
    return float(np.log(law.median)), float(np.log(law.p90 / law.median) / _NORMAL.inv_cdf(P90))


def mean_h(law: RandomDuration) -> float:
    """Mean duration [h]."""
    match law:
        case Fixed():
            return law.value
        case Exponential():
            return law.mean
        case Lognormal():
            mu, sigma = lognormal_law(law)
            return float(np.exp(mu + sigma**2 / 2))
        case Uniform():
            return (law.low + law.high) / 2
    raise AssertionError(law)


def miss_by_passes(
    pattern: str, gap_h: FloatArray, split: FloatArray, detection: FloatArray | float, lasts_h: FloatArray
) -> FloatArray:
    """Chance that passes miss what stays for lasts_h; all arguments broadcast.

    random: exp(-detection D / T), Koopman (1946). regular: a window of length D holds floor(D/T) passes and
    one more with chance frac(D/T).
    back_and_forth: two points on a circle of 2 T, split apart by the place on the beat (Szechtman et al.
    2008); T is the mean gap.
    """
    q = 1.0 - detection
    with np.errstate(invalid="ignore", divide="ignore"):
        if pattern == "random":
            return np.exp(-detection * lasts_h / gap_h)
        if pattern == "regular":
            passes = lasts_h / gap_h
            whole = np.floor(passes)
            return np.power(q, whole) * (1.0 - (passes - whole) * detection)
        cycle = 2.0 * gap_h
        cycles = np.where(np.isfinite(cycle), np.floor(lasts_h / cycle), 0.0)
        rest = np.where(np.isfinite(cycle), lasts_h - cycles * cycle, 0.0)
        one, other = (
            np.where(np.isfinite(cycle), split * cycle, 1.0),
            np.where(np.isfinite(cycle), (1.0 - split) * cycle, 1.0),
        )
        whole_cycle = np.where(np.isfinite(cycle), cycle, 2.0)
        both = (np.maximum(rest - one, 0.0) + np.maximum(rest - other, 0.0)) / whole_cycle
        single = 2.0 * rest / whole_cycle - 2.0 * both
        none = 1.0 - single - both
        missed: FloatArray = np.power(q, 2.0 * cycles) * (none + single * q + both * q * q)
        return np.clip(missed, 0.0, 1.0)  # rounding may leave a hair below nothing


def seen_share(
    scenario: Scenario, ground: Ground, watch: Watch, weight: FloatArray, cells: slice = EVERYWHERE
) -> FloatArray:
    """seen[k, c]: chance that an incident of type k in cell c is ever sighted, for some cells or all.

    weight[k, w, x]: share of the type's incidents in sector x that fall into visibility w.
    """
    detection = pass_detection(scenario)
    reports = reports_probability(scenario)
    patterns = (scenario.watch.patrols.pattern, scenario.watch.orbits.pattern)
    share = (np.arange(POINTS) + 0.5) / POINTS
    here, sector = watch.within(cells), ground.cell_sector[cells]
    seen = np.zeros((len(scenario.violations), len(sector)))
    for k, violation in enumerate(scenario.violations.values()):
        if violation.against_force:
            seen[k] = 1.0  # its target knows at once
            continue
        lasts = duration_quantiles(violation.duration, share)
        for night in range(2):
            first, second, both = passing_miss(here, patterns, detection[:, k, night], lasts, night)
            for w in (2 * night, 2 * night + 1):
                one, two = here.pass_up[0, w, sector], here.pass_up[1, w, sector]
                miss = (1.0 - one) * (1.0 - two) + one * (1.0 - two) * first + (1.0 - one) * two * second
                miss += one * two * both
                noticed = 1.0 - (1.0 - here.stand_p[k, w]) * (1.0 - reports[k]) * miss
                seen[k] += weight[k, w, sector] * noticed
    return seen


def passing_miss(
    watch: Watch, patterns: tuple[str, str], detection: FloatArray, lasts_h: FloatArray, night: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(C,) chances that patrols, orbits, and both miss an incident while they are up.

    Averaged over the durations lasts_h (n,): the layers miss independently of one another given the duration
    only.
    """
    gap = watch.pass_gap_h[:, night]
    # A beat is the same seen from either end; cells alike in gaps and places on their beats are computed
    # once.
    split = np.round(np.minimum(watch.pass_split, 1.0 - watch.pass_split), 12)
    split[[pattern != "back_and_forth" for pattern in patterns]] = 0.0
    alike, which = np.unique(np.concatenate([gap, split]), axis=1, return_inverse=True)
    misses = [np.ones((alike.shape[1], 1)), np.ones((alike.shape[1], 1))]
    for layer in range(2):
        known = np.isfinite(alike[layer])
        if known.any():
            miss = miss_by_passes(
                patterns[layer],
                alike[layer][:, None],
                alike[2 + layer][:, None],
                detection[layer],
                lasts_h[None, :],
            )
            misses[layer] = np.where(known[:, None], miss, 1.0)
    first, second = misses
    of_cell = which.reshape(-1)
    return first.mean(axis=1)[of_cell], second.mean(axis=1)[of_cell], (first * second).mean(axis=1)[of_cell]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """How well the line is looked at, whatever happens on it, by visibility (2 x night + poor)."""

    watched: FloatArray  # watched[w, c] = share of the time for which a cell counts as watched
    gap_h: (
        FloatArray  # gap_h[w, c] = mean time between looks where no post or sensor stands; inf = nobody looks
    )
    # standing[w, c] = share of the time, and of the cell, in reach of a working post or sensor
    standing: FloatArray


def watched_cells(scenario: Scenario, ground: Ground, watch: Watch, cells: slice = EVERYWHERE) -> Watched:
    """How far cells, some or all, count as watched: in reach of a working post or sensor, or passed often
    enough.
    """
    here = watch.within(cells)
    gap = combined_gap_h(here, ground.cell_sector[cells])
    passed = gap <= scenario.watch.watched_gap
    return Watched(watched=np.where(passed, 1.0, here.standing), gap_h=gap, standing=here.standing)


def longest_unwatched_km(ground: Ground, watched: FloatArray) -> float:
    """Length of the longest run of cells that are watched less than half of the time (C,)."""
    longest = run = 0.0
    for share, length in zip(watched, ground.cells.length_km, strict=True):
        run = 0.0 if share >= 0.5 else run + float(length)
        longest = max(longest, run)
    return longest


def looks(found: Watched, weight: FloatArray, length_km: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(gap_h (n,), weight (n,)): times between looks, each with its share of the hours x km; 0 under standing
    watch.

    weight[w] is the share of the hours with visibility w.
    """
    standing = found.standing * weight[:, None] * length_km
    passing = (1.0 - found.standing) * weight[:, None] * length_km
    gaps = np.concatenate([np.zeros(standing.size), found.gap_h.reshape(-1)])
    return gaps, np.concatenate([standing.reshape(-1), passing.reshape(-1)])


def median_gap_h(gap_h: FloatArray, weight: FloatArray) -> float:
    """Gap that half of the weight does not exceed; inf when half of it is never looked at."""
    order = np.argsort(gap_h, kind="stable")
    reached = np.cumsum(weight[order])
    return float(gap_h[order][np.searchsorted(reached, reached[-1] / 2)])
