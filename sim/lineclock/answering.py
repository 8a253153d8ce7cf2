"""How incidents are answered: teams are sent, called back, done; some incidents wait, some are given up.

Who goes is decided in `dispatch`.
"""

from __future__ import annotations

import numpy as np

from sim.lineclock.ahead import draw_for
from sim.lineclock.compiled import inlined
from sim.lineclock.dispatch import (
    ALL_BUSY,
    choose_team,
    drive_h,
    may_go,
    may_spend_reserve,
    recallable,
    why_nobody,
)
from sim.lineclock.draws import quantile
from sim.lineclock.endings import incident_ends, incident_is_over, time_bin
from sim.lineclock.journal import writes_trip
from sim.lineclock.queues import joins_waiting, leaves_waiting, push
from sim.lineclock.standby import guest_goes_home, guest_leaves, stands_in
from sim.lineclock.state import (
    BLOCK_TEAM,
    DONE,
    GAVE_UP,
    LAYER_FALSE,
    N_ANSWERABLE,
    N_RECALLED,
    N_SENT,
    N_WAITED,
    NOTED,
    OWN_SECTOR_FIRST,
    RECALLED,
    S_DRIVE_H,
    TEAM_DONE,
    WAIT_HEAD,
    WAIT_TAIL,
)


@inlined
def incident_is_sighted(plan, laydown, state, tally, journal, slot, now_h):
    """The mission knows: the incident is noted, gets its teams, waits, or is out of everybody's reach."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    if state.slots[slot].layer != LAYER_FALSE:
        tally.sighted_by[state.slots[slot].layer] += 1
        tally.delay[plan.cell_sector[cell], time_bin(now_h - state.slots[slot].start_h)] += 1
    if state.slots[slot].need == 0:
        incident_ends(plan, state, tally, journal, slot, NOTED, now_h)
        return
    tally.counts[N_ANSWERABLE] += 1
    while state.slots[slot].need > 0:
        team, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
        robbed = -1
        if team == ALL_BUSY and plan.preempt:
            team, wait_h, drive = recallable(plan, laydown, state, cell, kind, now_h)
            if team >= 0:
                robbed = team_is_recalled(plan, state, tally, journal, team, now_h)
            else:
                team = ALL_BUSY
        if team >= 0:
            team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
            if robbed >= 0:
                looks_for_another(plan, laydown, state, tally, robbed, now_h)
        elif team == ALL_BUSY and plan.give_up_h > 0.0:
            tally.counts[N_WAITED] += 1
            joins_waiting(plan, state, slot)
            return
        elif state.slots[slot].open > 0:
            state.slots[slot].need = 0
            return
        else:
            why = GAVE_UP if team == ALL_BUSY else why_nobody(plan, laydown, state, cell, kind, now_h)
            incident_ends(plan, state, tally, journal, slot, why, now_h)
            return


@inlined
def team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive):
    """A free team is ordered out; when it will arrive and be done is known from here on."""
    kind, station = state.slots[slot].kind, plan.team_station[team]
    reaction, on_scene = plan.reaction_law, plan.on_scene_law[kind]
    u_reaction, u_on_scene = state.slots[slot].u_reaction, state.slots[slot].u_on_scene
    if state.slots[slot].sent > 0:
        u_reaction, u_on_scene, _, _ = draw_for(state, slot, BLOCK_TEAM + state.slots[slot].sent)
    depart_h = now_h + max(wait_h, quantile(reaction[0], reaction[1], reaction[2], u_reaction))
    arrive_h = depart_h + drive
    done_h = arrive_h + quantile(on_scene[0], on_scene[1], on_scene[2], u_on_scene)
    state.teams[team].slot = slot
    state.teams[team].ready_h = max(now_h, min(state.home_h[team], now_h + wait_h))
    state.home_h[team] = np.inf
    state.teams[team].order_h = now_h
    state.teams[team].busy_since_h = now_h
    state.teams[team].depart_h = depart_h
    state.teams[team].arrive_h = arrive_h
    state.teams[team].done_h = done_h
    state.sector_free[plan.station_sector[station]] -= 1
    state.slots[slot].need -= 1
    state.slots[slot].open += 1
    state.slots[slot].sent += 1
    if arrive_h < state.slots[slot].arrive_h:
        state.slots[slot].arrive_h = arrive_h
        state.slots[slot].station = station
    if state.slots[slot].order_h == np.inf:
        state.slots[slot].order_h = now_h
    tally.counts[N_SENT] += 1
    tally.sums[S_DRIVE_H] += drive
    push(state, done_h, 0, TEAM_DONE, team)
    stands_in(plan, laydown, state, tally, station, now_h)


@inlined
def team_is_recalled(plan, state, tally, journal, team, now_h):
    """A team on its way turns back -> the slot of the incident that it leaves.

    Its old end on the heap no longer matches and is passed over.
    """
    slot = state.teams[team].slot
    tally.counts[N_RECALLED] += 1
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, RECALLED, now_h)
    state.teams[team].slot = -1
    state.teams[team].done_h = -1.0
    state.sector_free[plan.station_sector[plan.team_station[team]]] += 1
    state.slots[slot].open -= 1
    state.slots[slot].left_h = now_h
    state.slots[slot].need += 1
    if state.slots[slot].arrive_h > now_h:  # nobody is there yet: who of the others will be first?
        state.slots[slot].arrive_h = np.inf
        state.slots[slot].station = -1
        for other in range(state.teams.shape[0]):
            if state.teams[other].slot == slot and state.teams[other].arrive_h < state.slots[slot].arrive_h:
                state.slots[slot].arrive_h = state.teams[other].arrive_h
                state.slots[slot].station = plan.team_station[other]
    return slot


@inlined
def looks_for_another(plan, laydown, state, tally, slot, now_h):
    """An incident whose team was called away asks for another, and waits if none is free."""
    kind = state.slots[slot].kind
    team, wait_h, drive = choose_team(plan, laydown, state, state.slots[slot].cell, kind, now_h)
    if team >= 0:
        team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
    elif state.slots[slot].need == 1:
        joins_waiting(plan, state, slot)


@inlined
def team_is_done(plan, laydown, state, tally, journal, team, now_h):
    """A team has finished on the spot: it goes home, free for whatever waits -> the place at which it is
    free, or -1 when it is off duty.
    """
    slot, station = state.teams[team].slot, plan.team_station[team]
    cell = state.slots[slot].cell
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, DONE, now_h)
    tally.team_jobs[team] += 1
    state.teams[team].slot = -1
    state.slots[slot].open -= 1
    state.slots[slot].left_h = now_h
    if state.slots[slot].need == 0 and state.slots[slot].open == 0:
        incident_is_over(plan, state, tally, journal, slot, now_h)
    owner = state.teams[team].owner
    if owner >= 0:  # who stood in elsewhere goes back to its own base
        guest_leaves(state, team)
        team, station = owner, plan.team_station[owner]
    if not laydown.on_duty[team]:
        return -1
    state.home_h[team] = now_h + min(drive_h(plan, laydown, state, station, cell, now_h), plan.reach_h)
    state.sector_free[plan.station_sector[station]] += 1
    guest_goes_home(plan, laydown, state, station, now_h)
    return team


@inlined
def busy_on_duty(state, tally, team, now_h):
    """Count the hours for which a team was out while on duty, since it was ordered or came on duty."""
    since_h = state.teams[team].busy_since_h
    if since_h < now_h:
        tally.team_busy_h[team] += now_h - since_h


@inlined
def team_takes_waiting(plan, laydown, state, tally, journal, team, now_h):
    """A free team takes the gravest and oldest incident that waits and that it may attend."""
    station = plan.team_station[team]
    own_sector = plan.station_sector[station]
    for own_only in range(1 if plan.policy == OWN_SECTOR_FIRST else 0, -1, -1):
        i = state.pointers[WAIT_HEAD]
        while i < state.pointers[WAIT_TAIL]:
            slot = state.waiting[i]
            cell, kind = state.slots[slot].cell, state.slots[slot].kind
            if now_h > state.slots[slot].sighted_h + plan.give_up_h:
                i = leaves_waiting(state, i)
                gives_up(plan, state, tally, journal, slot)
                continue
            if (
                drive_h(plan, laydown, state, station, cell, now_h) <= plan.reach_h
                and may_go(plan, laydown, station, kind, plan.cell_sector[cell])
                and may_spend_reserve(plan, state, station, plan.severity[kind])
                and not (own_only and plan.cell_sector[cell] != own_sector)
            ):
                # With one team more, a reserve may allow another to go that is nearer.
                chosen, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
                team_is_sent(plan, laydown, state, tally, slot, chosen, now_h, wait_h, drive)
                if state.slots[slot].need == 0:
                    i = leaves_waiting(state, i)
                if chosen == team:
                    return
                continue
            i += 1


@inlined
def gives_up(plan, state, tally, journal, slot):
    """An incident has waited too long: no further team is asked for; if none is out, it ends unattended."""
    state.slots[slot].need = 0
    if state.slots[slot].open == 0:
        until_h = patience_ends_h(plan, state, slot)
        if state.slots[slot].arrive_h < np.inf:
            incident_is_over(plan, state, tally, journal, slot, until_h)
        else:
            incident_ends(plan, state, tally, journal, slot, GAVE_UP, until_h)


@inlined
def patience_ends_h(plan, state, slot):
    """When an incident that waits is closed: no sooner than the last team left it."""
    return max(state.slots[slot].sighted_h + plan.give_up_h, state.slots[slot].left_h)
