"""The closed-form answer, without simulation and without the compiler: coverage at full strength, load on
teams, troops to task, pool.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sim.campaign.incidents import with_reprisals
from sim.campaign.theatre import Theatre
from sim.force.contingent import share_out
from sim.force.manning import TASKS, TEAMS, Step, man, troops_to_task
from sim.line.earth import FloatArray, IntArray
from sim.scenario.quantities import HOURS_PER_DAY
from sim.watch.coverage import longest_unwatched_km, looks, mean_h, median_gap_h, seen_share, watched_cells
from sim.watch.layers import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorEstimate:
    """One sector when everybody who was pledged is there."""

    name: str
    title: str
    length_km: float
    wanted: dict[str, int]
    manned: dict[str, int]
    watched_share: float
    sighted_share: float | None  # of the incidents expected there; None where none is


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What arithmetic alone says about a scenario at full strength."""

    pledged: int
    effective: float
    wanted_effective: float
    short_share: float | None
    pool: float
    line_watched_share: float
    revisit_gap_h: float | None  # None: half of the line is never looked at
    longest_unwatched_km: float
    sighted_share: float | None
    sighted_by_type: dict[str, float]
    calls_per_day: float
    nearest_drive_h: (
        float | None
    )  # mean over calls from the nearest base with teams, by day, in the usual season
    team_load: float | None  # calls x time out / teams: above 1 the queue grows without end
    sectors: tuple[SectorEstimate, ...]
    troops_to_task: tuple[Step, ...]
    leaves_out: tuple[str, ...]  # what the scenario has and arithmetic does not know


def first_day_rates(theatre: Theatre, deterred: FloatArray | float = 0.0) -> FloatArray:
    """(K,) incidents of each type per hour in the lowest level, at the truce of the first day, with all that
    they provoke; *deterred* (K,) is the share of the unprovoked that does not happen, nor what it would have
    provoked.
    """
    scenario = theatre.scenario
    start = [scenario.truce.start if v.erodes else 1.0 for v in scenario.violations.values()]
    stated = np.array([v.rate for v in scenario.violations.values()])
    unprovoked = stated * theatre.ladder.incidents[:, 0] * np.array(start) * (1.0 - deterred)
    return with_reprisals(scenario, theatre.ladder, unprovoked)


def _leaves_out(theatre: Theatre) -> tuple[str, ...]:
    scenario = theatre.scenario
    left = {
        "escalation: every sector stays in its lowest level": theatre.ladder.climbs,
        "the truce as it wears out: rates are those of the first day": scenario.truce.doubling is not None,
        "events": bool(scenario.events),
        "the places and hours of reprisals: they are taken to be those of their type's background": bool(
            theatre.plan.breeds_mean.any()
        ),
        "calming: reprisals come as if no team prevented one": bool(
            (theatre.plan.breeds_mean * theatre.plan.calming).any()
        ),
        "who is armed: every team is taken to enter, though the lowest level asks for arms": (
            theatre.ladder.needs_arms[0] and len(set(_is_armed(theatre))) > 1
        ),
        "injects": bool(scenario.injects),
        "the recorded trace: its types come at their stated rates": scenario.trace is not None,
    }
    return tuple(what for what, is_there in left.items() if is_there)


def _is_armed(theatre: Theatre) -> list[bool]:
    """By contingent."""
    return [theatre.classes[c].armed for c in theatre.class_of_contingent]


def _watch(theatre: Theatre, manned: IntArray) -> Watch:
    """The layers of watch in the lowest level, which may keep patrols and orbits in."""
    watch = theatre.watchers.watch(manned)
    with np.errstate(divide="ignore"):
        gap_h = watch.pass_gap_h / theatre.ladder.passes[:, 0, None, None]
    return replace(watch, pass_gap_h=gap_h)


def estimate(theatre: Theatre) -> Estimate:
    """The closed-form answer for the laydown that is manned once every unit has arrived and no aircraft is
    lost.
    """
    scenario, ground = theatre.scenario, theatre.ground
    coalition = theatre.contingents
    effective = np.array([c.strength * c.effective_share for c in coalition])
    cost = (theatre.wanted * theatre.prices).sum(axis=1)
    given = share_out(effective, tuple(c.sectors for c in coalition), cost)
    manned = man(theatre.wanted, theatre.prices, scenario.manning.keep, given.sum(axis=0))
    filled = (manned * theatre.prices).sum(axis=1)
    watch = _watch(theatre, manned)
    looked = watched_cells(scenario, ground, watch)
    share = theatre.visibility_shares(theatre.night_between(0.0, theatre.horizon_h) / theatre.horizon_h)
    length = ground.cells.length_km
    watched = share @ looked.watched
    gap = median_gap_h(*looks(looked, share, length))
    seen = seen_share(scenario, ground, watch, theatre.weight)
    place = np.diff(theatre.plan.place_cdf, axis=1, prepend=0.0)
    left = place * (1.0 - theatre.plan.deterrence[:, None] * seen)  # of the unprovoked, once they are thinned
    rate = first_day_rates(theatre, 1.0 - left.sum(axis=1)) * HOURS_PER_DAY
    where = np.where(left.sum(axis=1, keepdims=True) > 0, left, place)
    where /= np.maximum(where.sum(axis=1, keepdims=True), 1e-300)
    expected = rate[:, None] * where
    pledged = sum(c.strength for c in coalition)
    pool = float(sum(c.strength * c.pool_ratio for c in coalition))
    calls, drive, load = _response(theatre, manned, expected * seen)
    return Estimate(
        pledged=pledged,
        effective=float(effective.sum()),
        wanted_effective=float(cost.sum()),
        short_share=float(np.maximum(cost - np.minimum(given.sum(axis=0), filled), 0.0).sum() / cost.sum())
        if cost.sum() > 0
        else None,
        pool=pool,
        line_watched_share=float((watched * length).sum() / length.sum()),
        revisit_gap_h=gap if np.isfinite(gap) else None,
        longest_unwatched_km=longest_unwatched_km(ground, watched),
        sighted_share=float((expected * seen).sum() / expected.sum()) if expected.sum() > 0 else None,
        sighted_by_type={
            name: float((where[k] * seen[k]).sum()) for k, name in enumerate(scenario.violations)
        },
        calls_per_day=calls,
        nearest_drive_h=drive,
        team_load=load,
        sectors=tuple(
            _sector(theatre, x, manned, watched, expected, seen) for x in range(len(ground.sector_names))
        ),
        troops_to_task=troops_to_task(scenario, theatre.wanted, coalition),
        leaves_out=_leaves_out(theatre),
    )


def _sector(
    theatre: Theatre, x: int, manned: IntArray, watched: FloatArray, expected: FloatArray, seen: FloatArray
) -> SectorEstimate:
    ground = theatre.ground
    here = ground.cell_sector == x
    length = ground.cells.length_km[here]
    happens = float(expected[:, here].sum())
    return SectorEstimate(
        name=ground.sector_names[x],
        title=ground.sector_titles[x],
        length_km=float(ground.sector_length_km[x]),
        wanted=dict(zip(TASKS, map(int, theatre.wanted[x]), strict=True)),
        manned=dict(zip(TASKS, map(int, manned[x]), strict=True)),
        watched_share=float((watched[here] * length).sum() / length.sum()),
        sighted_share=float((expected * seen)[:, here].sum()) / happens if happens > 0 else None,
    )


def _response(
    theatre: Theatre, manned: IntArray, sighted: FloatArray
) -> tuple[float, float | None, float | None]:
    """(calls a day, mean drive from the nearest manned base [h], load on teams) when every call is answered
    at once from there.
    """
    plan, ground, scenario = theatre.plan, theatre.ground, theatre.scenario
    calls = sighted * plan.teams_wanted[:, None]
    false = np.array([v.false_reports * HOURS_PER_DAY for v in scenario.violations.values()])
    place = np.diff(plan.place_cdf, axis=1, prepend=0.0)
    calls = calls + (false * plan.teams_wanted)[:, None] * place if len(false) else calls
    per_day = float(calls.sum())
    same = ground.base_sector[:, None] == ground.base_sector[None, :]
    turn = np.tril(same, -1).sum(axis=1)  # teams are posted round the bases of their sector, in order
    ladder = theatre.ladder
    is_shut = ladder.closed[0] or (ladder.needs_arms[0] and not any(_is_armed(theatre)))
    has_teams = (turn < manned[ground.base_sector, TEAMS]) & (not is_shut)
    teams = int(manned[:, TEAMS].sum())
    if per_day == 0 or not has_teams.any():
        return per_day, None, None
    nearest = ground.travel_h[0][has_teams].min(axis=0) / ladder.speed[0]
    reached = nearest <= plan.reach_h
    answered = float(calls[:, reached].sum())
    if answered == 0:
        return per_day, None, None
    drive = float((calls[:, reached] * nearest[reached]).sum() / answered)
    on_scene = np.array([mean_h(v.on_scene) for v in scenario.violations.values()])
    out_h = float(
        (
            calls[:, reached] * (mean_h(scenario.response.reaction) + nearest[reached] + on_scene[:, None])
        ).sum()
    )
    return per_day, drive, out_h / HOURS_PER_DAY / teams
