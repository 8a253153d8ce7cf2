"""What the programs beside the line clock read off its own arrays, and what each says of a history."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.campaign.theatre import Theatre

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Tables:
    """The whole model as tables. C cells, B bases, X sectors, K types, V levels.

    The fields stand in the order of `Line` in full_line.h; a law is (kind, first number, second number).
    """

    cells: int
    bases: int
    sectors: int
    kinds: int
    levels: int
    order: Array  # order[c, j] = the j-th nearest base
    first_team: Array  # teams of base b are first_team[b] .. first_team[b + 1] - 1
    cell_sector: Array  # cell_sector[c]
    teams_wanted: Array  # teams_wanted[k]
    place_guide: Array  # place_guide[k, g] = first cell whose place_cdf exceeds g / C
    drive_h: Array  # drive_h[c, b] by day
    place_cdf: Array  # place_cdf[k, c]
    stand_p: Array  # stand_p[k, night, c] = chance that posts and sensors notice it at once
    gap_h: Array  # gap_h[patrols or orbits, night, c] = mean time between passes
    split: Array  # split[c] = place on the orbits' beat
    up: Array  # up[night, x] = chance that orbits are flown
    detection: Array  # detection[patrols or orbits, k, night] = chance that a pass notices it
    sunrise_h: Array  # sunrise_h[day]
    sunset_h: Array  # sunset_h[day]
    most_per_h: Array  # most_per_h[k, night] = candidates at the truce's ceiling and the highest level
    false_per_h: Array  # false_per_h[k]
    happens_p: Array  # happens_p[k, v] = share of the candidates that happen at the ceiling
    recommit_h: Array  # when the parties bind themselves anew; the last is inf
    severity: Array  # severity[k]
    standard_h: Array  # standard_h[k]
    attribution: Array  # attribution[k]
    reports_p: Array  # reports_p[k]
    duration: Array  # duration[k] = law
    on_scene: Array  # on_scene[k] = law
    evidence: Array  # evidence[k] = law
    breeds_mean: Array  # breeds_mean[k]
    breeds_cdf: Array  # breeds_cdf[k, j]
    breeds_km: Array  # breeds_km[k]
    breeds_law: Array  # breeds_law[k] = law
    calming: Array  # calming[k]
    level_breeds: Array  # level_breeds[v]
    enter_at: Array  # enter_at[v]
    leave_below: Array  # leave_below[v]
    min_stay_h: Array  # min_stay_h[v]
    report_law: Array
    reaction_law: Array
    drop: float
    truce_start: float
    truce_growth: float
    truce_ceiling: float
    reach_h: float
    give_up_h: float
    night_slowness: float
    decay: float
    extra: float
    cell_km: float
    length_km: float

    def as_lists(self) -> SimpleNamespace:
        """The same with lists, which Python reads faster than arrays."""
        each = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return SimpleNamespace(**{n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in each})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a program says of one history."""

    happened: float
    sighted: float
    attended: float
    in_time: float
    attributed: float
    response_h: float  # sum of hours from sighting to the first team
    raised_share: float  # share of the time that sectors spend above the lowest level

    def means(self) -> dict[str, float]:
        """What is compared between programs."""
        return {
            "happened": self.happened,
            "sighted_share": self.sighted / self.happened,
            "in_time_share": self.in_time / self.sighted,
            "attributed_share": self.attributed / self.sighted,
            "mean_response_h": self.response_h / self.attended,
            "raised_share": self.raised_share,
        }


def tables(theatre: Theatre) -> Tables:
    """The tables of a theatre in which everybody is there from the first hour and the weather is fair."""
    plan, ground, ladder, truce = theatre.plan, theatre.ground, theatre.ladder, theatre.scenario.truce
    watch = theatre.watchers.watch(theatre.wanted)
    kinds, cells = plan.place_cdf.shape
    most, false = np.zeros((kinds, 2)), np.zeros(kinds)
    by_night = [int(np.flatnonzero(plan.piece_is_night == night)[0]) for night in (0, 1)]
    for p, kind in enumerate(plan.stream_type):
        if plan.stream_is_false[p]:
            false[kind] = 1.0 / plan.mean_gap_h[p, 0]
        else:
            most[kind] = 1.0 / plan.mean_gap_h[p, by_night]
    recommit_h, drop = _recommitments(theatre)
    return Tables(
        cells=cells,
        bases=len(plan.station_sector),
        sectors=len(ground.sector_names),
        kinds=kinds,
        levels=len(ladder.names),
        order=theatre.station_order[0],
        first_team=plan.station_first,
        cell_sector=plan.cell_sector,
        teams_wanted=plan.teams_wanted,
        place_guide=plan.place_guide,
        drive_h=theatre.station_travel[0],
        place_cdf=plan.place_cdf,
        stand_p=watch.stand_p[:, ::2],
        gap_h=watch.pass_gap_h,
        split=watch.pass_split[1],
        up=watch.pass_up[1, ::2],
        detection=plan.pass_detection,
        sunrise_h=plan.sunrise_h,
        sunset_h=plan.sunset_h,
        most_per_h=most,
        false_per_h=false,
        happens_p=ladder.incidents / ladder.incidents.max(axis=1, keepdims=True),
        recommit_h=recommit_h,
        severity=plan.severity,
        standard_h=plan.standard_h,
        attribution=plan.attribution,
        reports_p=plan.reports_p,
        duration=plan.duration_law,
        on_scene=plan.on_scene_law,
        evidence=plan.evidence_law,
        breeds_mean=plan.breeds_mean,
        breeds_cdf=plan.breeds_cdf,
        breeds_km=plan.breeds_spread_km,
        breeds_law=plan.breeds_law,
        calming=plan.calming,
        level_breeds=ladder.breeds,
        enter_at=ladder.enter_at,
        leave_below=ladder.leave_below,
        min_stay_h=ladder.min_stay_h,
        report_law=plan.report_law,
        reaction_law=plan.reaction_law,
        drop=drop,
        truce_start=truce.start,
        truce_growth=plan.truce_growth,
        truce_ceiling=plan.truce_ceiling,
        reach_h=plan.reach_h,
        give_up_h=plan.give_up_h,
        night_slowness=plan.night_slowness,
        decay=plan.tension_decay,
        extra=plan.unanswered_extra,
        cell_km=plan.cell_km,
        length_km=plan.length_km,
    )


def _recommitments(theatre: Theatre) -> tuple[Array, float]:
    """(when the parties bind themselves anew up to the horizon, and then never; what ceases each time)."""
    at_h, drop = [], 0.0
    for event in theatre.scenario.events.values():
        assert event.recommit is not None, "there are no other events"
        drop = event.recommit.drop
        if event.after is not None:
            at_h.append(event.after)
        if event.every is not None:
            times = math.ceil(theatre.horizon_h / event.every)
            at_h += [event.every * (n + 1) for n in range(times)]
    return np.array([*sorted(h for h in at_h if h < theatre.horizon_h), np.inf]), drop
