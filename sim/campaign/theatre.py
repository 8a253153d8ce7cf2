"""Everything about a scenario that no replication changes, made once and handed to every worker."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.campaign.incidents import breeding, places, refuse_explosion, streams, visibility_weight
from sim.campaign.ladder import Ladder, ladder
from sim.campaign.listed import listed
from sim.errors import ScenarioError
from sim.force.contingent import CaveatClass, Contingent, contingents
from sim.force.manning import ORBITS, PATROLS, POSTS, SENSORS, TEAMS, task_prices, wanted_laydown
from sim.line.daylight import months, sun_times_h
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground, survey
from sim.lineclock.state import (
    BLOCKS,
    PATTERNS,
    POLICIES,
    ROW_BIRTH,
    ROW_BREEDING,
    ROW_EVIDENCE,
    ROW_PASSES,
    ROW_STANDING,
    ROW_TEAM,
    Flags,
    Plan,
    SmallInts,
)
from sim.lineclock.streams import check_streams, stream_code
from sim.scenario.chance import Exponential, Fixed, Lognormal, RandomDuration, Uniform
from sim.scenario.happens import RetaliationPart
from sim.scenario.load import Document
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.schema import Scenario
from sim.watch.coverage import lognormal_law
from sim.watch.layers import Watchers, pass_detection, reports_probability

WINDOW_KM = 10.0
"""Length of the windows in which strip charts and months are counted."""


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
    piece_bounds: list[float]  # `plan.piece_start_h` as a list
    night_h: FloatArray  # hours of night before each bound of `plan.piece_start_h`
    poor_mean: float  # share of the horizon's days with poor visibility
    stream_names: tuple[str, ...]
    ladder: Ladder
    station_base: IntArray  # (S,)
    station_class: IntArray  # (S,)
    classes: tuple[CaveatClass, ...]
    stations_of_sector: tuple[IntArray, ...]  # by sector: station[base, class]; -1 = none
    class_of_contingent: IntArray  # caveat class of each contingent
    station_travel: tuple[FloatArray, ...]  # by season: travel_h[c, s]
    station_order: tuple[SmallInts, ...]  # by season: order[c, j]
    station_between: tuple[FloatArray, ...]  # by season: between_h[s, t]
    postings_known: dict[Any, Any] = field(default_factory=dict, repr=False)
    """Where a sector's teams are posted, by nation: kept by `roster`."""

    def night_between(self, since_h: float, until_h: float) -> float:
        """Hours of night over [since_h, until_h)."""
        return self._night_before(until_h) - self._night_before(since_h)

    def _night_before(self, at_h: float) -> float:
        piece = bisect_right(self.piece_bounds, at_h) - 1
        if piece >= len(self.plan.piece_is_night):
            return float(self.night_h[-1])
        return float(self.night_h[piece]) + (at_h - self.piece_bounds[piece]) * float(
            self.plan.piece_is_night[piece]
        )

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
    levels = ladder(scenario)
    told = listed(scenario, document, ground)
    try:
        refuse_explosion(scenario, levels)
        flow = streams(
            scenario, levels, told.recorded, ground.line.latitude_deg, sunrise, sunset, month_of_day
        )
    except ScenarioError as never:
        raise document.refusal(never.problems) from None
    posted = _stations(scenario, ground, coalition, wanted)
    classes, base, station_class, first = posted.classes, posted.base, posted.caveats, posted.first
    station_travel = tuple(
        np.ascontiguousarray(ground.travel_h[n][base].T) for n in range(len(ground.season_names))
    )
    station_order = tuple(np.argsort(t, axis=1, kind="stable").astype(np.int32) for t in station_travel)
    station_between = tuple(_between(ground, n, base) for n in range(len(ground.season_names)))
    cdf, guide = places(scenario, ground)
    breeds = [v.retaliation or RetaliationPart(mean=0.0) for v in scenario.violations.values()]
    mean = breeding(scenario)
    escalation = scenario.escalation
    plan = Plan(
        stream_type=flow.kind.astype(np.int32),
        stream_is_false=flow.is_false.astype(np.uint8),
        stream_code=_codes(scenario, ground, flow.names),
        piece_start_h=flow.bounds_h,
        piece_is_night=flow.is_night.astype(np.uint8),
        mean_gap_h=np.divide(
            1.0, flow.rate_per_h, out=np.full_like(flow.rate_per_h, np.inf), where=flow.rate_per_h > 0
        ),
        cumulative=flow.cumulative,
        erodes=_by_type(scenario, lambda v: v.erodes).astype(np.uint8),
        truce_ceiling=scenario.truce.ceiling,
        truce_growth=0.0 if scenario.truce.doubling is None else float(np.log(2.0) / scenario.truce.doubling),
        place_cdf=cdf,
        place_guide=guide,
        cell_sector=ground.cell_sector.astype(np.int32),
        cell_window=window_of_cell(ground).astype(np.int32),
        cell_km=scenario.line.cell,
        length_km=ground.line.length_km,
        listed_h=told.at_h,
        listed_type=told.kind,
        listed_cell=told.cell,
        listed_cause=told.cause,
        listed_code=told.code,
        listed_index=told.index,
        severity=_by_type(scenario, lambda v: v.severity),
        teams_wanted=_by_type(scenario, lambda v: v.teams).astype(np.int32),
        draws=_draws_needed(scenario, wanted, mean.sum(axis=1)),
        standard_h=_by_type(scenario, lambda v: v.standard),
        attribution=_by_type(scenario, lambda v: v.attribution),
        reports_p=reports_probability(scenario),
        deterrence=_by_type(scenario, lambda v: v.deterrence),
        against_force=_by_type(scenario, lambda v: v.against_force).astype(np.uint8),
        casualties=_by_type(scenario, lambda v: v.casualties),
        breeds_mean=mean.sum(axis=1),
        breeds_cdf=_shares_upto(mean),
        breeds_spread_km=np.array([part.spread for part in breeds]),
        breeds_law=_laws([part.delay for part in breeds]),
        calming=np.array([part.calming for part in breeds]),
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
        station_class=station_class.astype(np.int32),
        station_no_night=np.array([classes[c].no_night for c in station_class], dtype=np.uint8),
        station_may_attend=posted.may_attend,
        station_may_enter=posted.may_enter,
        station_guest=posted.guest,
        team_station=np.repeat(np.arange(len(base)), np.diff(first)).astype(np.int32),
        policy=POLICIES.index(scenario.response.policy),
        reserve=scenario.response.reserve,
        reserve_severity=scenario.response.reserve_severity,
        preempt=int(scenario.response.preempt),
        reach_h=scenario.response.reach,
        give_up_h=scenario.response.give_up_after,
        night_slowness=1.0 / scenario.travel.night_factor,
        escalates=int(escalation is not None),
        tension_decay=0.0 if escalation is None else float(np.log(2.0) / escalation.half_life),
        unanswered_extra=0.0 if escalation is None else escalation.unanswered_factor - 1.0,
    )
    horizon = scenario.horizon
    dark_h = np.append(0.0, np.cumsum(np.diff(flow.bounds_h) * flow.is_night))
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
        weight=visibility_weight(scenario, ground, flow, month_of_day, poor, horizon),
        piece_bounds=flow.bounds_h.tolist(),
        night_h=dark_h,
        poor_mean=float((poor[month_of_day - 1] * lived).sum() / lived.sum()),
        stream_names=flow.names,
        ladder=levels,
        station_base=base,
        station_class=station_class,
        classes=classes,
        stations_of_sector=_stations_of_sector(ground, posted),
        class_of_contingent=np.array([classes.index(c.caveats) for c in coalition], dtype=np.int64),
        station_travel=station_travel,
        station_order=station_order,
        station_between=station_between,
    )


def window_count(ground: Ground) -> int:
    """Windows along the line; the last may be shorter."""
    return max(1, int(np.ceil(ground.line.length_km / WINDOW_KM - 1e-9)))


def window_of_cell(ground: Ground) -> IntArray:
    """(C,) the 10-km window that each cell lies in."""
    windows = np.floor(ground.cells.middle_km / WINDOW_KM).astype(np.int64)
    return np.minimum(windows, window_count(ground) - 1)


def _shares_upto(mean: FloatArray) -> FloatArray:
    """Of what each type provokes, the share that is of types 0..j."""
    upto: FloatArray = np.cumsum(mean, axis=1) / np.maximum(mean.sum(axis=1, keepdims=True), 1e-300)
    upto[:, -1:] = 1.0
    return upto


def _between(ground: Ground, season: int, base: IntArray) -> FloatArray:
    """between_h[s, t]: hours from station s to the line before station t; 0 between stations of one base."""
    cell = np.searchsorted(ground.cells.edge_km, ground.base_chainage_km[base], side="right") - 1
    hours = ground.travel_h[season][base][:, np.clip(cell, 0, len(ground.cells) - 1)]
    return np.ascontiguousarray(np.where(base[:, None] == base[None, :], 0.0, hours))


def _draws_needed(scenario: Scenario, wanted: IntArray, breeds: FloatArray) -> Flags:
    """draws[k, row]: which draws an incident of a type may ever need."""
    reports, detection = reports_probability(scenario), pass_detection(scenario)
    standing = wanted[:, [POSTS, SENSORS]].any()
    late = not isinstance(scenario.watch.reports.delay, Fixed)
    needed = np.zeros((len(scenario.violations), len(BLOCKS)), dtype=np.uint8)
    for k, v in enumerate(scenario.violations.values()):
        needed[k, ROW_BIRTH] = 1
        needed[k, ROW_STANDING] = standing or 0 < reports[k] < 1 or (reports[k] > 0 and late)
        needed[k, ROW_PASSES] = wanted[:, PATROLS].any() and detection[0, k].any()
        needed[k, ROW_PASSES + 1] = wanted[:, ORBITS].any() and detection[1, k].any()
        needed[k, ROW_EVIDENCE] = v.teams > 0 and v.attribution > 0
        needed[k, ROW_BREEDING] = breeds[k] > 0 or v.casualties > 0
        needed[k, ROW_TEAM] = v.teams > 0
    return needed


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
    others += [f"hazards of {sector}" for sector in ground.sector_names]
    others += [f"event {event}" for event in scenario.events]
    others += [f"inject {inject}" for inject in scenario.injects] + ["trace"]
    check_streams([*names, *others])
    return np.array([stream_code(name) for name in names], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Posted:
    """A station is a base and a caveat class that may be posted there; it has room for all the teams of its
    base, and with move-up one guest. S stations.
    """

    classes: tuple[CaveatClass, ...]
    base: IntArray  # (S,)
    caveats: IntArray  # (S,)
    first: SmallInts  # (S + 1,)
    guest: SmallInts  # (S,)
    may_attend: Flags  # may_attend[s, k]
    may_enter: Flags  # may_enter[s, x]


def _stations(
    scenario: Scenario, ground: Ground, coalition: tuple[Contingent, ...], wanted: IntArray
) -> _Posted:
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
                room.append(places + int(scenario.response.move_up))
    first = np.concatenate([[0], np.cumsum(room)]).astype(np.int32)
    guest = first[1:] - 1 if scenario.response.move_up else np.full(len(room), -1, dtype=np.int32)
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
    return _Posted(
        classes=classes,
        base=np.array(base_of, dtype=np.int64),
        caveats=np.array(class_of, dtype=np.int64),
        first=first,
        guest=guest,
        may_attend=may_attend,
        may_enter=may_enter.reshape(len(class_of), len(ground.sector_names)),
    )


def _stations_of_sector(ground: Ground, posted: _Posted) -> tuple[IntArray, ...]:
    """By sector: station[base, class], -1 where that class is not posted."""
    out = []
    for x in range(len(ground.sector_names)):
        bases = np.flatnonzero(ground.base_sector == x)
        stations = np.full((len(bases), len(posted.classes)), -1, dtype=np.int64)
        for s, (base, caveats) in enumerate(zip(posted.base, posted.caveats, strict=True)):
            if base in bases:
                stations[np.searchsorted(bases, base), caveats] = s
        out.append(stations)
    return tuple(out)
