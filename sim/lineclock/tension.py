"""The stress of each sector: incidents raise it, time lowers it, thresholds tell when its level changes."""

from __future__ import annotations

import math

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.state import FALLS, HAZARD, NEXT_TURN, RISES, TURN_CAUSE, TURN_SECTOR


@inlined
def tension_now(plan, state, sector, now_h):
    """A sector's tension: it falls by half in every half-life."""
    return state.tension[sector] * math.exp((state.tension_h[sector] - now_h) * plan.tension_decay)


@inlined
def raises_tension(plan, laydown, state, sector, by, now_h):
    """Add to a sector's tension -> whether its level is due to rise."""
    tension = tension_now(plan, state, sector, now_h) + by
    state.tension[sector] = tension
    state.tension_h[sector] = now_h
    if tension >= laydown.rise_at[sector]:
        state.pointers[TURN_SECTOR] = sector
        state.pointers[TURN_CAUSE] = RISES
        return True
    if laydown.leave_below[sector] > 0.0:
        state.fall_h[sector] = falls_at_h(plan, laydown, state, sector)
    return False


@inlined
def falls_at_h(plan, laydown, state, sector):
    """When the tension of a sector is down to where its level is left, and the level's least stay is over."""
    over = state.tension[sector] / laydown.leave_below[sector]
    if over <= 1.0:
        return max(state.tension_h[sector], laydown.stay_until_h[sector])
    return max(state.tension_h[sector] + math.log(over) / plan.tension_decay, laydown.stay_until_h[sector])


@inlined
def is_due_to_turn(laydown, state, now_h):
    """Whether a sector's level falls, or meets its hazard, now; else `NEXT_TURN` says when the next one does.

    `NEXT_TURN` is a lower bound: tension that rises puts a fall off, and nobody looks before it is reached.
    """
    next_h = np.inf
    for sector in range(laydown.level.shape[0]):
        at_h = min(state.fall_h[sector], laydown.hazard_h[sector])
        if at_h <= now_h:
            state.pointers[TURN_SECTOR] = sector
            state.pointers[TURN_CAUSE] = HAZARD if laydown.hazard_h[sector] <= now_h else FALLS
            return True
        next_h = min(next_h, at_h)
    state.now[NEXT_TURN] = next_h
    return False
