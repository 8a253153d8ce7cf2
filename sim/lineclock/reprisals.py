"""What incidents provoke: a branching process in time and along the line, calmed by a team on the spot."""

from __future__ import annotations

import math

from sim.lineclock.ahead import draw_for
from sim.lineclock.compiled import inlined
from sim.lineclock.draws import poisson_quantile, quantile, word
from sim.lineclock.queues import push, rank_of
from sim.lineclock.slots import lets_go, releases, takes_slot
from sim.lineclock.state import (
    BLOCK_BIRTH,
    BLOCK_CHILD,
    MOST_CHILDREN,
    N_PREVENTED,
    PENDING,
    REPRISAL,
    RETALIATION,
)


@inlined
def provokes(plan, laydown, state, slot, u_count):
    """Draw what an incident provokes, and put it off until it is due."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    mean = plan.breeds_mean[kind] * laydown.breeds_factor[plan.cell_sector[cell]]
    count = poisson_quantile(mean, u_count, MOST_CHILDREN)
    state.slots[slot].children = count
    state.slots[slot].held += count
    law = plan.breeds_law[kind]
    for i in range(count):
        u_delay, u_place, u_type, _ = draw_for(state, slot, BLOCK_CHILD + i)
        due_h = state.slots[slot].start_h + quantile(law[0], law[1], law[2], u_delay)
        child_kind = 0
        while plan.breeds_cdf[kind, child_kind] <= u_type:
            child_kind += 1
        where = provoked_cell(plan, cell, plan.breeds_spread_km[kind], u_place)
        child = takes_slot(state, child_kind, RETALIATION, where, due_h, word(u_delay), word(u_place))
        state.slots[child].parent = slot
        state.slots[child].parent_number = state.slots[slot].number
        state.slots[child].outcome = PENDING
        push(state, due_h, rank_of(state.slots[slot].number, i), REPRISAL, child)


@inlined
def provoked_cell(plan, cell, spread_km, u):
    """The cell at a Laplace distance from another; what lies beyond an end of the line is folded back."""
    cells = plan.cell_sector.shape[0]
    middle_km = 0.5 * (cell * plan.cell_km + min((cell + 1) * plan.cell_km, plan.length_km))
    away_km = -spread_km * math.log(2.0 * min(u, 1.0 - u))
    at_km = abs(middle_km - away_km if u < 0.5 else middle_km + away_km) % (2.0 * plan.length_km)
    if at_km > plan.length_km:
        at_km = 2.0 * plan.length_km - at_km
    return min(int(at_km / plan.cell_km), cells - 1)


@inlined
def reprisal_is_due(plan, state, tally, slot):
    """What an incident provoked is due -> whether it happens: a team that is there may have prevented it."""
    parent = state.slots[slot].parent
    kind = state.slots[parent].kind
    is_attended = state.slots[parent].arrive_h <= state.slots[slot].start_h
    releases(state, parent)
    if is_attended and plan.calming[kind] > 0.0:
        _, _, _, u_calmed = draw_for(state, slot, BLOCK_BIRTH)
        if u_calmed < plan.calming[kind]:
            tally.counts[N_PREVENTED] += 1
            lets_go(state, slot)
            return False
    return True
