"""What an incident does when it begins: tension, reprisals, casualties; and who notices it, if anybody."""

from __future__ import annotations

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.draws import poisson_quantile
from sim.lineclock.endings import incident_ends
from sim.lineclock.queues import push, rank_of
from sim.lineclock.reprisals import provokes
from sim.lineclock.sighting import first_sighting
from sim.lineclock.slots import releases
from sim.lineclock.state import (
    DAY,
    DEADLINE,
    FALSE_REPORT,
    LAYER_ATTACKED,
    LAYER_FALSE,
    N_FALSE,
    NOTICED,
    NUMBER,
    ROW_BREEDING,
    ROW_EVIDENCE,
    ROW_TEAM,
    TRACE,
    UNDER_WAY,
    UNSEEN,
)
from sim.lineclock.tension import raises_tension

MOST_CASUALTIES = 1000


@inlined
def incident_begins(plan, laydown, state, tally, journal, slot, row, lane):
    """Something happens, or is falsely reported -> (whether it is seen at once, whether its sector is due to
    turn). Its draws lie ahead in that row and lane.
    """
    kind, cause, cell = state.slots[slot].kind, state.slots[slot].cause, state.slots[slot].cell
    start_h = state.slots[slot].start_h
    sector = plan.cell_sector[cell]
    is_under_way(plan, laydown, state, slot, row, lane)
    tally.cause[kind, cause] += 1
    turns = False
    if cause == FALSE_REPORT:
        tally.counts[N_FALSE] += 1
        delay_h, layer = 0.0, LAYER_FALSE
    else:
        if plan.escalates:
            turns = raises_tension(plan, laydown, state, sector, plan.severity[kind], start_h)
            if plan.unanswered_extra > 0.0 and plan.teams_wanted[kind] > 0:
                state.slots[slot].held = 1
                rank = rank_of(state.slots[slot].number, 0)
                push(state, start_h + plan.standard_h[kind], rank, DEADLINE, slot)
        if plan.breeds_mean[kind] > 0.0 and cause != TRACE:
            provokes(plan, laydown, state, slot, state.ahead[row, ROW_BREEDING, 0, lane])
        if plan.casualties[kind] > 0.0:
            u_hurt = state.ahead[row, ROW_BREEDING, 1, lane]
            tally.casualties[sector] += poisson_quantile(plan.casualties[kind], u_hurt, MOST_CASUALTIES)
        if plan.against_force[kind]:
            delay_h, layer = 0.0, LAYER_ATTACKED
        else:
            delay_h, layer = first_sighting(plan, laydown, state, slot, row, lane)
    state.slots[slot].layer = layer
    state.slots[slot].sighted_h = start_h + delay_h
    if delay_h <= 0.0:
        return True, turns
    if delay_h == np.inf:
        incident_ends(plan, state, tally, journal, slot, UNSEEN, start_h)
    else:
        push(state, start_h + delay_h, rank_of(state.slots[slot].number, 0), NOTICED, slot)
    return False, turns


@inlined
def is_under_way(plan, laydown, state, slot, row, lane):
    """An incident gets its number; nobody has answered it yet. Draws that it needs later are laid aside."""
    kind, sector = state.slots[slot].kind, plan.cell_sector[state.slots[slot].cell]
    state.slots[slot].number = state.pointers[NUMBER]
    state.pointers[NUMBER] += 1
    state.slots[slot].outcome = UNDER_WAY
    state.slots[slot].day = state.pointers[DAY]
    state.slots[slot].level = laydown.level[sector]
    state.slots[slot].children = 0
    state.slots[slot].held = 0
    state.slots[slot].arrive_h = np.inf
    state.slots[slot].left_h = -np.inf
    state.slots[slot].order_h = np.inf
    state.slots[slot].need = plan.teams_wanted[kind]
    state.slots[slot].open = 0
    state.slots[slot].sent = 0
    state.slots[slot].station = -1
    state.slots[slot].u_life = state.ahead[row, ROW_EVIDENCE, 0, lane]
    state.slots[slot].u_says = state.ahead[row, ROW_EVIDENCE, 1, lane]
    state.slots[slot].u_reaction = state.ahead[row, ROW_TEAM, 0, lane]
    state.slots[slot].u_on_scene = state.ahead[row, ROW_TEAM, 1, lane]


@inlined
def deadline_passes(plan, laydown, state, slot, now_h):
    """The time in which an incident should be attended is over -> whether its sector is due to turn."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    is_answered = state.slots[slot].arrive_h <= now_h
    releases(state, slot)
    if is_answered:
        return False
    extra = plan.unanswered_extra * plan.severity[kind]
    return raises_tension(plan, laydown, state, plan.cell_sector[cell], extra, now_h)
