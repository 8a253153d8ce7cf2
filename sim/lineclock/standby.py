"""Move-up: a team of a base that has several stands in at a base of its sector that has none left.

Every station then has one place more than its own teams, for the guest. A team that stands in keeps being on
duty at home (`on_duty` of its own place); at the guest place it is free, is sent, and works like any other.
It goes home when one of the station's own teams is back, or from its next job.
"""

from __future__ import annotations

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.dispatch import is_night, wait_for_light_h
from sim.lineclock.state import N_STOOD_IN


@inlined
def stands_in(plan, laydown, state, tally, station, now_h):
    """After a station sent a team: if it was the last, the nearest other that can spare one lends it."""
    guest = plan.station_guest[station]
    if guest < 0 or state.teams[guest].owner >= 0:
        return
    slow = 1.0
    if is_night(state, now_h):
        if plan.station_no_night[station]:
            return
        slow = plan.night_slowness
    for team in range(plan.station_first[station], guest):
        if state.home_h[team] < np.inf:
            return
    best_h, best_team = plan.reach_h, -1
    for other in range(plan.station_sector.shape[0]):
        if (
            other == station
            or plan.station_sector[other] != plan.station_sector[station]
            or plan.station_class[other] != plan.station_class[station]
            or laydown.between_h[other, station] * slow > best_h
        ):
            continue
        at_home, last = 0, -1
        for team in range(plan.station_first[other], plan.station_guest[other]):
            if state.home_h[team] <= now_h:
                at_home += 1
                last = team
        if at_home >= 2 and (best_team < 0 or laydown.between_h[other, station] * slow < best_h):
            best_h, best_team = laydown.between_h[other, station] * slow, last
    if best_team >= 0:
        state.teams[guest].owner = best_team
        state.teams[best_team].guest = guest
        state.home_h[best_team] = np.inf
        state.home_h[guest] = now_h + best_h
        tally.counts[N_STOOD_IN] += 1


@inlined
def guest_goes_home(plan, laydown, state, station, now_h):
    """One of the station's own teams is free again: a guest that waits there drives home."""
    guest = plan.station_guest[station]
    if guest < 0 or state.teams[guest].owner < 0 or state.teams[guest].slot >= 0:
        return
    owner = state.teams[guest].owner
    there_h = max(now_h + wait_for_light_h(plan, state, station, now_h), state.home_h[guest])
    drive = laydown.between_h[station, plan.team_station[owner]]
    if is_night(state, now_h) and not plan.station_no_night[station]:
        drive *= plan.night_slowness
    guest_leaves(state, guest)
    state.home_h[owner] = there_h + min(drive, plan.reach_h)


@inlined
def guest_leaves(state, guest):
    """The guest place is empty again; the caller says where its owner is."""
    owner = state.teams[guest].owner
    state.teams[guest].owner = -1
    state.teams[owner].guest = -1
    state.home_h[guest] = np.inf
