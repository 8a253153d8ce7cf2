"""Which team goes: what a commander decides, apart from what then happens."""

from __future__ import annotations

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.state import (
    CAVEAT,
    DAY,
    DAY_ENDS,
    DENIED,
    HOLD_RESERVE,
    NOBODY_THERE,
    OWN_SECTOR_FIRST,
    SUNRISE,
    SUNSET,
    TOO_FAR,
)

NOBODY, ALL_BUSY = -1, -2


@inlined
def day_breaks(plan, state, now_h):
    """Keep sunrise and sunset of the day that the clock is in; beyond the last day its times hold."""
    if now_h < state.now[DAY_ENDS]:
        return
    today = int(now_h / 24.0)
    day = min(today, plan.sunrise_h.shape[0] - 1)
    state.pointers[DAY] = today
    state.now[DAY_ENDS] = (today + 1) * 24.0
    state.now[SUNRISE] = plan.sunrise_h[day]
    state.now[SUNSET] = plan.sunset_h[day]


@inlined
def is_night(state, now_h):
    """Whether the sun is down now."""
    return now_h < state.now[SUNRISE] or now_h >= state.now[SUNSET]


@inlined
def wait_for_light_h(plan, state, station, now_h):
    """Hours until a station whose teams shun the night lets one set out; 0 for all others and by day."""
    if not plan.station_no_night[station] or not is_night(state, now_h):
        return 0.0
    last = plan.sunrise_h.shape[0] - 1
    day = min(state.pointers[DAY], last)
    if now_h >= state.now[SUNSET]:
        day = min(day + 1, last)
    return max(0.0, plan.sunrise_h[day] - now_h)


@inlined
def may_go(plan, laydown, station, kind, sector):
    """Whether caveats, mandate and the sector's level let a station's teams attend that type there."""
    return plan.station_may_attend[station, kind] and laydown.may_enter[station, sector]


@inlined
def drive_h(plan, laydown, state, station, cell, at_h):
    """Hours from a station to a cell for who is ordered at that time; who shuns the night drives by day."""
    hours = laydown.travel_h[cell, station]
    return (
        hours * plan.night_slowness if is_night(state, at_h) and not plan.station_no_night[station] else hours
    )


@inlined
def is_on_duty(laydown, state, team):
    """Whether a team, or the one that stands in at its place, is manned."""
    owner = state.teams[team].owner
    return laydown.on_duty[team if owner < 0 else owner]


@inlined
def may_spend_reserve(plan, state, station, severity):
    """Under `hold_reserve`, the last free teams of a sector go to grave incidents only."""
    if plan.policy != HOLD_RESERVE or severity >= plan.reserve_severity:
        return True
    return state.sector_free[plan.station_sector[station]] > plan.reserve


@inlined
def choose_team(plan, laydown, state, cell, kind, at_h):
    """The team that the named policy sends -> (team or NOBODY or ALL_BUSY, wait before it sets out, drive) in
    hours: the free one that would be on the spot first, or the first of the own sector while it has one.

    A team on its way home counts as free: it gets home first. NOBODY means that no manned team could ever
    come; ALL_BUSY that one could, but none is free. Ties go to the nearer station, then to the lower team.
    """
    sector = plan.cell_sector[cell]
    slow = plan.night_slowness if is_night(state, at_h) else 1.0
    severity = plan.severity[kind]
    own_first = plan.policy == OWN_SECTOR_FIRST
    best_h, best_team, best_wait_h, best_drive_h, answer = np.inf, NOBODY, 0.0, 0.0, NOBODY
    for j in range(laydown.order.shape[1]):
        station = laydown.order[cell, j]
        by_day_h = laydown.travel_h[cell, station]
        if by_day_h > plan.reach_h or (by_day_h >= best_h and not own_first):
            break
        drive = by_day_h if plan.station_no_night[station] else by_day_h * slow
        if drive > plan.reach_h:
            continue
        if laydown.station_duty[station] == 0 or not may_go(plan, laydown, station, kind, sector):
            continue
        answer = ALL_BUSY
        is_own = own_first and plan.station_sector[station] == sector
        if own_first and best_team >= 0 and not is_own:
            best_is_own = plan.station_sector[plan.team_station[best_team]] == sector
            if best_is_own:
                continue
        if not may_spend_reserve(plan, state, station, severity):
            continue
        light = wait_for_light_h(plan, state, station, at_h)
        for team in range(plan.station_first[station], plan.station_first[station + 1]):
            wait = max(light, state.home_h[team] - at_h)
            sooner = wait + drive < best_h
            if is_own and best_team >= 0 and wait < np.inf:
                sooner = sooner or plan.station_sector[plan.team_station[best_team]] != sector
            if sooner:
                best_h, best_team, best_wait_h, best_drive_h = wait + drive, team, wait, drive
                if wait <= 0.0:
                    break
    if best_team >= 0:
        return best_team, best_wait_h, best_drive_h
    return answer, 0.0, 0.0


@inlined
def why_nobody(plan, laydown, state, cell, kind, at_h):
    """Why no team could ever come: the outcome of an incident, by what came closest to sending one."""
    sector = plan.cell_sector[cell]
    why = NOBODY_THERE
    for j in range(laydown.order.shape[1]):
        station = laydown.order[cell, j]
        if laydown.station_duty[station] == 0:
            continue
        if drive_h(plan, laydown, state, station, cell, at_h) > plan.reach_h:
            why = max(why, TOO_FAR)
        elif plan.station_may_attend[station, kind] and plan.station_may_enter[station, sector]:
            return DENIED
        else:
            why = max(why, CAVEAT)
    return why


@inlined
def recallable(plan, laydown, state, cell, kind, at_h):
    """The team on its way to a lesser incident that would be on the spot first -> (team or NOBODY, wait,
    drive) in hours.

    Its way back past its base is counted: what it has driven so far, it drives back, and if it was still on
    its way home when it was ordered, it gets there first.
    """
    sector = plan.cell_sector[cell]
    severity = plan.severity[kind]
    best_h, best_team, best_wait_h, best_drive_h = np.inf, NOBODY, 0.0, 0.0
    for j in range(laydown.order.shape[1]):
        station = laydown.order[cell, j]
        drive = drive_h(plan, laydown, state, station, cell, at_h)
        if drive > plan.reach_h or drive >= best_h:
            continue
        if not may_go(plan, laydown, station, kind, sector):
            continue
        for team in range(plan.station_first[station], plan.station_first[station + 1]):
            slot = state.teams[team].slot
            if slot < 0 or state.teams[team].arrive_h <= at_h or not is_on_duty(laydown, state, team):
                continue
            if plan.severity[state.slots[slot].kind] >= severity:
                continue
            back = max(at_h - state.teams[team].depart_h, state.teams[team].ready_h - at_h)
            wait = max(0.0, back, wait_for_light_h(plan, state, station, at_h))
            if wait + drive < best_h:
                best_h, best_team, best_wait_h, best_drive_h = wait + drive, team, wait, drive
    return best_team, best_wait_h, best_drive_h
