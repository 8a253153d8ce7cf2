"""What happens, as arrays: streams of candidates in time and place, and reprisals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim.campaign.ladder import Ladder
from sim.errors import Problem, ScenarioError
from sim.line.daylight import months, night_h
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground
from sim.lineclock.state import MOST_INCIDENTS, SmallInts
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.schema import Scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams:
    """Streams of candidates: each type's incidents, false reports. P streams, Q pieces of day or night."""

    bounds_h: FloatArray  # (Q + 1,)
    is_night: IntArray  # (Q,)
    rate_per_h: FloatArray  # rate_per_h[p, q]
    cumulative: FloatArray  # cumulative[p, q]; Q + 1 values
    names: tuple[str, ...]
    kind: IntArray  # (P,)
    is_false: IntArray  # (P,)


def most_of(scenario: Scenario, ladder: Ladder) -> FloatArray:
    """(K,) candidates of each type for each incident at the stated rate: the highest level and the truce's
    ceiling; what is below them is thinned out.
    """
    ceiling = np.array([scenario.truce.ceiling if v.erodes else 1.0 for v in scenario.violations.values()])
    most: FloatArray = ladder.most * ceiling
    return most


def streams(
    scenario: Scenario,
    ladder: Ladder,
    recorded: frozenset[str],
    latitude_deg: float,
    sunrise: FloatArray,
    sunset: FloatArray,
    month_of_day: IntArray,
) -> Streams:
    """Pieces of constant day or night, and each stream's intensity in them; *recorded* types have none.

    A day gives three pieces: night before sunrise, day, night after sunset. Intensity is normalised over a
    whole year of the calendar, so that a type's `rate` is its yearly mean whatever its months and its night.
    Raises ScenarioError for types that can never happen, or happen more often than can be counted.
    """
    days = len(month_of_day)
    bounds = np.empty(3 * days + 1)
    midnight = np.arange(days) * HOURS_PER_DAY
    bounds[0:-1:3], bounds[1:-1:3], bounds[2:-1:3] = midnight, sunrise, sunset
    bounds[-1] = days * HOURS_PER_DAY
    bounds = np.maximum.accumulate(bounds)
    is_night = np.tile(np.array([1, 0, 1]), days)
    month = np.repeat(month_of_day, 3) - 1
    lengths = np.diff(bounds)
    most = most_of(scenario, ladder)
    names, kinds, false, rates = [], [], [], []
    never: list[Problem] = []
    for k, (name, v) in enumerate(scenario.violations.items()):
        clock = np.where(is_night == 1, v.night, 1.0)
        shape = np.array(v.months)[month] * clock
        mean = _yearly_mean(scenario, latitude_deg, np.array(v.months), v.night)
        rate = 0.0 if name in recorded else v.rate * most[k]
        if v.rate > 0 and mean <= 0:
            fact = "never happens: its months have no hour that its night factor allows"
            hint = "set rate to 0 per day, or allow more"
            never.append(Problem(path=("violations", name), fact=fact, hint=hint))
        names.append(f"incidents of {name}")
        kinds.append(k)
        false.append(0)
        rates.append(rate * shape / mean if mean > 0 else np.zeros_like(shape))
        if v.false_reports > 0:
            names.append(f"false reports of {name}")
            kinds.append(k)
            false.append(1)
            rates.append(np.full(len(shape), v.false_reports))
        for field, expected in (
            ("rate", rate * scenario.horizon),
            ("false_reports", v.false_reports * scenario.horizon),
        ):
            if expected > MOST_INCIDENTS:
                what = "incidents" if field == "rate" else "reports"
                fact = f"may give {expected:.3g} {what} in a history, over {MOST_INCIDENTS:.0e}"
                never.append(
                    Problem(path=("violations", name, field), fact=fact, hint="lower rate or horizon")
                )
    if never:
        raise ScenarioError(never)
    rate_per_h = np.array(rates).reshape(-1, len(lengths))
    cumulative = np.zeros((len(rates), len(lengths) + 1))
    np.cumsum(rate_per_h * lengths, axis=1, out=cumulative[:, 1:])
    return Streams(
        bounds_h=bounds,
        is_night=is_night,
        rate_per_h=rate_per_h,
        cumulative=cumulative,
        names=tuple(names),
        kind=np.array(kinds, dtype=np.int64),
        is_false=np.array(false, dtype=np.int64),
    )


def _yearly_mean(scenario: Scenario, latitude_deg: float, of_month: FloatArray, night: float) -> float:
    """Mean of month x night factors over the 365 days that begin with the scenario."""
    day_of_year = (np.arange(365) + scenario.start.timetuple().tm_yday - 1) % 365 + 1
    dark = night_h(latitude_deg, day_of_year) / HOURS_PER_DAY
    return float((of_month[months(scenario.start, 365) - 1] * (dark * night + 1.0 - dark)).mean())


def visibility_weight(
    scenario: Scenario,
    ground: Ground,
    flow: Streams,
    month_of_day: IntArray,
    poor: FloatArray,
    horizon_h: float,
) -> FloatArray:
    """weight[k, w, x]: how a type's expected incidents up to the horizon fall on day and night, clear and
    poor.
    """
    bounds, is_night = flow.bounds_h, flow.is_night
    lengths = np.maximum(np.minimum(bounds[1:], horizon_h) - np.minimum(bounds[:-1], horizon_h), 0.0)
    bad = poor[np.repeat(month_of_day, 3) - 1]
    weight = np.zeros((len(scenario.violations), 4, len(ground.sector_names)))
    for stream in np.flatnonzero(flow.is_false == 0):
        k = flow.kind[stream]
        expected = flow.rate_per_h[stream] * lengths
        total = expected.sum()
        for w in range(4):
            here = (is_night == w // 2) * (bad if w % 2 else 1.0 - bad)
            weight[k, w] = (
                (expected * here).sum() / total if total > 0 else (lengths * here).sum() / lengths.sum()
            )
    return weight


def places(scenario: Scenario, ground: Ground) -> tuple[FloatArray, SmallInts]:
    """place_cdf[k, c] and a guide to search it: hot spots (normal along the line, cut off at its ends) over a
    spread by terrain.
    """
    cells = ground.cells
    kinds = len(scenario.violations)
    share = np.zeros((kinds, len(cells)))
    for k, v in enumerate(scenario.violations.values()):
        weight = (
            np.array([v.terrain.get(name, 1.0) for name in cells.terrain])[cells.terrain_code]
            * cells.length_km
        )
        rest = 1.0 - sum(spot.share for spot in v.hot_spots.values())
        if weight.sum() > 0:
            share[k] = rest * weight / weight.sum()
        for spot in v.hot_spots.values():
            below = np.array(
                [math.erf((edge - spot.chainage) / (spot.spread * math.sqrt(2))) for edge in cells.edge_km]
            )
            mass = np.diff(below)
            share[k] += spot.share * mass / mass.sum()
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)  # ends of the line cut hot spots off
    cdf = np.cumsum(share, axis=1)
    cdf /= cdf[:, -1:]
    cdf[:, -1] = 1.0
    step = np.arange(len(cells)) / len(cells)
    guide = np.zeros((kinds, len(cells)), dtype=np.int32)
    for k in range(kinds):
        guide[k] = np.minimum(np.searchsorted(cdf[k], step, side="right"), len(cells) - 1)
    return cdf, guide


# Reprisals -------------------------------------------------------------------------------------------------


def breeding(scenario: Scenario) -> FloatArray:
    """mean[k, j]: incidents of type j that one of type k provokes directly, in the lowest level."""
    kinds = list(scenario.violations)
    mean = np.zeros((len(kinds), len(kinds)))
    for k, (name, v) in enumerate(scenario.violations.items()):
        if v.retaliation is not None:
            for other, share in (v.retaliation.types or {name: 1.0}).items():
                mean[k, kinds.index(other)] += v.retaliation.mean * share
    return mean


def spectral_radius(mean: FloatArray) -> float:
    """The largest eigenvalue: from 1 on, reprisals never end."""
    return float(np.abs(np.linalg.eigvals(mean)).max()) if mean.size else 0.0


def refuse_explosion(scenario: Scenario, ladder: Ladder) -> None:
    """Raise ScenarioError when every incident leads, in the end, to endlessly many others."""
    radius = spectral_radius(breeding(scenario) * ladder.breeds[0])
    if radius >= 1.0:
        worst = max(
            (v.retaliation.mean, name) for name, v in scenario.violations.items() if v.retaliation is not None
        )[1]
        fact = f"reprisals never end: the spectral radius of what provokes what is {radius:.3f}, not below 1"
        hint = "lower `mean`: of one incident, fewer than one more must follow on average"
        raise ScenarioError(
            [Problem(path=("violations", worst, "retaliation", "mean"), fact=fact, hint=hint)]
        )


def with_reprisals(scenario: Scenario, ladder: Ladder, rate_per_h: FloatArray) -> FloatArray:
    """(K,) incidents of each type per hour when so many happen unprovoked: what they provoke is added,
    calming left aside, in the lowest level (m = (I - M')^-1 rates, Hawkes 1971).
    """
    mean = breeding(scenario) * ladder.breeds[0]
    all_of: FloatArray = np.linalg.solve(np.eye(len(rate_per_h)) - mean.T, rate_per_h)
    return all_of
