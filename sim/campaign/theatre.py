"""Everything about a scenario that no replication changes, made once and handed to every worker."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from sim.errors import Problem, ScenarioError
from sim.force.contingent import CaveatClass, Contingent, contingents
from sim.force.manning import TEAMS, task_prices, wanted_laydown
from sim.line.daylight import months, night_h, sun_times_h
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground, survey
from sim.lineclock.state import PATTERNS, POLICIES, Flags, Plan, SmallInts
from sim.lineclock.streams import check_streams, stream_code
from sim.scenario.chance import Exponential, Fixed, Lognormal, RandomDuration, Uniform
from sim.scenario.load import Document
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.schema import Scenario
from sim.watch.coverage import lognormal_law
from sim.watch.layers import Watchers, pass_detection, reports_probability

MOST_INCIDENTS = 50_000_000
"""Incidents of one type that a history may have: far over any line, well under what counters and keys can
hold.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Theatre:
    """A scenario made ready to run. X sectors, K types, P streams, S stations, M team places, D days."""

    scenario: Scenario
    ground: Ground
    contingents: tuple[Contingent, ...]
    wanted: IntArray  # wanted[x, task]
    prices: FloatArray  # prices[task] effective soldiers
    watchers: Watchers
    plan: Plan
    days: int
    month_of_day: IntArray  # (D,) 1..12
    poor_share: FloatArray  # (12,) share of days with poor visibility, January first
    weight: FloatArray  # weight[k, w, x] share of type k's incidents that fall into visibility w
    night_h: FloatArray  # hours of night before each bound of `plan.piece_start_h`
    poor_mean: float  # share of the horizon's days with poor visibility
    stream_names: tuple[str, ...]
    station_base: IntArray  # (S,)
    station_class: IntArray  # (S,)
    classes: tuple[CaveatClass, ...]
    station_travel: tuple[FloatArray, ...]  # by season: travel_h[c, s]
    station_order: tuple[SmallInts, ...]  # by season: order[c, j]

    def night_between(self, since_h: float, until_h: float) -> float:
        """Hours of night over [since_h, until_h)."""
        bounds = self.plan.piece_start_h
        return float(np.interp(until_h, bounds, self.night_h) - np.interp(since_h, bounds, self.night_h))

    def visibility_shares(self, night_share: float) -> FloatArray:
        """(4,) shares of hours by visibility (2 x night + poor), for a stretch of time with that share of
        night.
        """
        poor = self.poor_mean
        return np.outer([1.0 - night_share, night_share], [1.0 - poor, poor]).reshape(-1)

    @property
    def horizon_h(self) -> float:
        """End of the simulated time."""
        return self.scenario.horizon


def stage(scenario: Scenario, document: Document) -> Theatre:
    """Make a scenario ready to run; raises ScenarioError where it does not fit its line."""
    ground = survey(scenario, document)
    wanted = wanted_laydown(scenario, ground)
    coalition = contingents(scenario, ground)
    days = int(np.ceil(scenario.horizon / HOURS_PER_DAY)) + 2
    sunrise, sunset = sun_times_h(ground.line.latitude_deg, scenario.start, days)
    month_of_day = months(scenario.start, days)
    poor = _poor_share(scenario)
    try:
        pieces, is_night, rate, cumulative, names, kinds, false = _streams(
            scenario, ground.line.latitude_deg, sunrise, sunset, month_of_day
        )
    except ScenarioError as never:
        raise document.refusal(never.problems) from None
    classes, base, station_class, first, may_attend, may_enter = _stations(
        scenario, ground, coalition, wanted
    )
    station_travel = tuple(
        np.ascontiguousarray(ground.travel_h[n][base].T) for n in range(len(ground.season_names))
    )
    station_order = tuple(np.argsort(t, axis=1, kind="stable").astype(np.int32) for t in station_travel)
    cdf, guide = _places(scenario, ground)
    plan = Plan(
        stream_type=kinds.astype(np.int32),
        stream_is_false=false.astype(np.uint8),
        stream_code=_codes(scenario, ground, names),
        piece_start_h=pieces,
        piece_is_night=is_night.astype(np.uint8),
        rate_per_h=rate,
        cumulative=cumulative,
        place_cdf=cdf,
        place_guide=guide,
        cell_sector=ground.cell_sector.astype(np.int32),
        severity=_by_type(scenario, lambda v: v.severity),
        teams_wanted=_by_type(scenario, lambda v: v.teams).astype(np.int32),
        standard_h=_by_type(scenario, lambda v: v.standard),
        attribution=_by_type(scenario, lambda v: v.attribution),
        reports_p=reports_probability(scenario),
        deterrence=_by_type(scenario, lambda v: v.deterrence),
        duration_law=_laws([v.duration for v in scenario.violations.values()]),
        on_scene_law=_laws([v.on_scene for v in scenario.violations.values()]),
        evidence_law=_laws([v.evidence for v in scenario.violations.values()]),
        report_law=law_row(scenario.watch.reports.delay),
        reaction_law=law_row(scenario.response.reaction),
        sunrise_h=sunrise,
        sunset_h=sunset,
        pass_pattern=np.array(
            [PATTERNS.index(scenario.watch.patrols.pattern), PATTERNS.index(scenario.watch.orbits.pattern)],
            dtype=np.int32,
        ),
        pass_detection=pass_detection(scenario),
        station_first=first,
        station_sector=ground.base_sector[base].astype(np.int32),
        station_no_night=np.array([classes[c].no_night for c in station_class], dtype=np.uint8),
        station_may_attend=may_attend,
        station_may_enter=may_enter,
        team_station=np.repeat(np.arange(len(base)), np.diff(first)).astype(np.int32),
        policy=POLICIES.index(scenario.response.policy),
        reserve=scenario.response.reserve,
        reserve_severity=scenario.response.reserve_severity,
        preempt=int(scenario.response.preempt),
        reach_h=scenario.response.reach,
        give_up_h=scenario.response.give_up_after,
        night_slowness=1.0 / scenario.travel.night_factor,
    )
    horizon = scenario.horizon
    dark_h = np.append(0.0, np.cumsum(np.diff(pieces) * is_night))
    lived = np.minimum(np.arange(1, days + 1) * HOURS_PER_DAY, horizon) - np.arange(days) * HOURS_PER_DAY
    lived = np.maximum(lived, 0.0)
    return Theatre(
        scenario=scenario,
        ground=ground,
        contingents=coalition,
        wanted=wanted,
        prices=task_prices(scenario.manning),
        watchers=Watchers(scenario=scenario, ground=ground, wanted=wanted),
        plan=plan,
        days=days,
        month_of_day=month_of_day,
        poor_share=poor,
        weight=_visibility_weight(scenario, ground, pieces, is_night, rate, month_of_day, poor, horizon),
        night_h=dark_h,
        poor_mean=float((poor[month_of_day - 1] * lived).sum() / lived.sum()),
        stream_names=names,
        station_base=base,
        station_class=station_class,
        classes=classes,
        station_travel=station_travel,
        station_order=station_order,
    )


def law_row(law: RandomDuration) -> FloatArray:
    """(3,) a distribution as the line clock reads it: which law, and its two numbers."""
    match law:
        case Fixed():
            return np.array([0.0, law.value, 0.0])
        case Exponential():
            return np.array([1.0, law.mean, 0.0])
        case Lognormal():
            return np.array([2.0, *lognormal_law(law)])
        case Uniform():
            return np.array([3.0, law.low, law.high])
    raise AssertionError(law)


def _laws(laws: list[RandomDuration]) -> FloatArray:
    return np.array([law_row(law) for law in laws]).reshape(-1, 3)


def _by_type(scenario: Scenario, of: object) -> FloatArray:
    assert callable(of)
    return np.array([float(of(v)) for v in scenario.violations.values()])


def _poor_share(scenario: Scenario) -> FloatArray:
    share = scenario.watch.weather.poor_share
    return np.full(12, share) if isinstance(share, float | int) else np.array(share)


def _codes(scenario: Scenario, ground: Ground, names: tuple[str, ...]) -> IntArray:
    """Codes of the streams of incidents; no stream of a history may share its code with another."""
    others = [f"weather of {sector}" for sector in ground.sector_names]
    others += [f"aircraft lost over {sector}" for sector in ground.sector_names]
    others += [f"lateness of {nation}" for nation in scenario.force.contingents]
    check_streams([*names, *others])
    return np.array([stream_code(name) for name in names], dtype=np.int64)


def _streams(
    scenario: Scenario, latitude_deg: float, sunrise: FloatArray, sunset: FloatArray, month_of_day: IntArray
) -> tuple[FloatArray, IntArray, FloatArray, FloatArray, tuple[str, ...], IntArray, IntArray]:
    """Pieces of constant day or night, and each stream's intensity in them.

    A day gives three pieces: night before sunrise, day, night after sunset. Intensity is normalised over a
    whole year of the
    calendar, so that a type's `rate` is its yearly mean whatever its months and its night.
    """
    days = len(month_of_day)
    bounds = np.empty(3 * days + 1)
    midnight = np.arange(days) * HOURS_PER_DAY
    bounds[0:-1:3], bounds[1:-1:3], bounds[2:-1:3], bounds[-1] = (
        midnight,
        sunrise,
        sunset,
        days * HOURS_PER_DAY,
    )
    bounds = np.maximum.accumulate(bounds)
    is_night = np.tile(np.array([1, 0, 1]), days)
    month = np.repeat(month_of_day, 3) - 1
    lengths = np.diff(bounds)
    names, kinds, false, rates = [], [], [], []
    never: list[Problem] = []
    for k, (name, v) in enumerate(scenario.violations.items()):
        clock = np.where(is_night == 1, v.night, 1.0)
        shape = np.array(v.months)[month] * clock
        mean = _yearly_mean(scenario, latitude_deg, np.array(v.months), v.night)
        if v.rate > 0 and mean <= 0:
            fact = "never happens: its months have no hour that its night factor allows"
            never.append(
                Problem(path=("violations", name), fact=fact, hint="set rate to 0 per day, or allow more")
            )
        names.append(f"incidents of {name}")
        kinds.append(k)
        false.append(0)
        rates.append(v.rate * shape / mean if mean > 0 else np.zeros_like(shape))
        if v.false_reports > 0:
            names.append(f"false reports of {name}")
            kinds.append(k)
            false.append(1)
            rates.append(np.full(len(shape), v.false_reports))
        if v.rate * scenario.horizon > MOST_INCIDENTS:
            fact = f"gives {v.rate * scenario.horizon:.3g} incidents in a history, over {MOST_INCIDENTS:.0e}"
            never.append(Problem(path=("violations", name, "rate"), fact=fact, hint="lower rate or horizon"))
        if v.false_reports * scenario.horizon > MOST_INCIDENTS:
            expected = v.false_reports * scenario.horizon
            fact = f"gives {expected:.3g} reports in a history, over {MOST_INCIDENTS:.0e}"
            path = ("violations", name, "false_reports")
            never.append(Problem(path=path, fact=fact, hint="lower rate or horizon"))
    if never:
        raise ScenarioError(never)
    rate = np.array(rates).reshape(-1, len(lengths))
    cumulative = np.zeros((len(rates), len(lengths) + 1))
    np.cumsum(rate * lengths, axis=1, out=cumulative[:, 1:])
    return (
        bounds,
        is_night,
        rate,
        cumulative,
        tuple(names),
        np.array(kinds, dtype=np.int64),
        np.array(false, dtype=np.int64),
    )


def _yearly_mean(scenario: Scenario, latitude_deg: float, of_month: FloatArray, night: float) -> float:
    """Mean of month x night factors over the 365 days that begin with the scenario."""
    day_of_year = (np.arange(365) + scenario.start.timetuple().tm_yday - 1) % 365 + 1
    dark = night_h(latitude_deg, day_of_year) / HOURS_PER_DAY
    return float((of_month[months(scenario.start, 365) - 1] * (dark * night + 1.0 - dark)).mean())


def _visibility_weight(
    scenario: Scenario,
    ground: Ground,
    bounds: FloatArray,
    is_night: IntArray,
    rate: FloatArray,
    month_of_day: IntArray,
    poor: FloatArray,
    horizon_h: float,
) -> FloatArray:
    """weight[k, w, x]: how a type's expected incidents up to the horizon fall on day and night, clear and
    poor.
    """
    lengths = np.maximum(np.minimum(bounds[1:], horizon_h) - np.minimum(bounds[:-1], horizon_h), 0.0)
    bad = poor[np.repeat(month_of_day, 3) - 1]
    kinds = len(scenario.violations)
    weight = np.zeros((kinds, 4, len(ground.sector_names)))
    stream = 0
    for k, v in enumerate(scenario.violations.values()):
        expected = rate[stream] * lengths
        stream += 2 if v.false_reports > 0 else 1
        total = expected.sum()
        for w in range(4):
            here = (is_night == w // 2) * (bad if w % 2 else 1.0 - bad)
            weight[k, w] = (
                (expected * here).sum() / total if total > 0 else (lengths * here).sum() / lengths.sum()
            )
    return weight


def _places(scenario: Scenario, ground: Ground) -> tuple[FloatArray, SmallInts]:
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
                [erf((edge - spot.chainage) / (spot.spread * sqrt(2))) for edge in cells.edge_km]
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


def _stations(
    scenario: Scenario, ground: Ground, coalition: tuple[Contingent, ...], wanted: IntArray
) -> tuple[tuple[CaveatClass, ...], IntArray, IntArray, SmallInts, Flags, Flags]:
    """A station is a base and a caveat class that may be posted there; it has room for all the teams of its
    base.
    """
    classes = tuple(dict.fromkeys(c.caveats for c in coalition))
    base_of, class_of, room = [], [], []
    for x in range(len(ground.sector_names)):
        bases = np.flatnonzero(ground.base_sector == x)
        here = sorted({classes.index(c.caveats) for c in coalition if c.sectors is None or x in c.sectors})
        for i, base in enumerate(bases):
            places = (int(wanted[x, TEAMS]) - i + len(bases) - 1) // len(bases)
            for c in here:
                base_of.append(int(base))
                class_of.append(c)
                room.append(places)
    first = np.concatenate([[0], np.cumsum(room)]).astype(np.int32)
    kinds = list(scenario.violations.items())
    may_attend = np.array(
        [
            [(classes[c].armed or not v.needs_arms) and name not in classes[c].no_types for name, v in kinds]
            for c in class_of
        ],
        dtype=np.uint8,
    ).reshape(len(class_of), len(kinds))
    sectors = range(len(ground.sector_names))
    may_enter = np.array(
        [[classes[c].sectors is None or x in (classes[c].sectors or ()) for x in sectors] for c in class_of],
        dtype=np.uint8,
    )
    return (
        classes,
        np.array(base_of, dtype=np.int64),
        np.array(class_of, dtype=np.int64),
        first,
        may_attend,
        may_enter.reshape(len(class_of), len(ground.sector_names)),
    )
