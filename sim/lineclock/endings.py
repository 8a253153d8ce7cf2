"""How an incident ends: counted once, by what came of it, on the day it began."""

from __future__ import annotations

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.draws import quantile
from sim.lineclock.journal import writes_incident
from sim.lineclock.slots import lets_go
from sim.lineclock.state import (
    ATTRIBUTED_FINDING,
    EVIDENCE_GONE,
    IN_TIME,
    INCONCLUSIVE,
    LATE,
    LAYER_FALSE,
    MINUTES_KEPT,
    NOT_LOOKED,
    S_RESPONSE_H,
    TIME_BINS,
    UNSEEN,
    ending_of,
)
from sim.scenario.quantities import HOURS_PER_YEAR

PERIODS_PER_HOUR = 12.0 / HOURS_PER_YEAR
row_of_ending = inlined(ending_of)


@inlined
def time_bin(hours):
    """The bin of a histogram of times: by the minute to 48 h, then by the hour."""
    if hours < 48.0:
        return int(hours * 60.0)
    return MINUTES_KEPT + min(int(hours - 48.0), TIME_BINS - 1 - MINUTES_KEPT)


@inlined
def incident_is_over(plan, state, tally, journal, slot, now_h):
    """The last team leaves: attended in time, or late."""
    took_h = state.slots[slot].arrive_h - state.slots[slot].start_h
    is_in_time = took_h <= plan.standard_h[state.slots[slot].kind]
    incident_ends(plan, state, tally, journal, slot, IN_TIME if is_in_time else LATE, now_h)


@inlined
def incident_ends(plan, state, tally, journal, slot, outcome, now_h):
    """Count an incident, once, by how it ended, on the day it began; give its slot back."""
    cell, kind, start_h = state.slots[slot].cell, state.slots[slot].kind, state.slots[slot].start_h
    finding = NOT_LOOKED
    if state.slots[slot].layer != LAYER_FALSE:
        if outcome in (LATE, IN_TIME):
            response_h = state.slots[slot].arrive_h - state.slots[slot].sighted_h
            tally.sums[S_RESPONSE_H] += response_h
            tally.response[plan.cell_sector[cell], time_bin(response_h)] += 1
            finding = INCONCLUSIVE
            if plan.attribution[kind] > 0.0:
                finding = finds_out(plan, state, slot)
        is_sighted = int(outcome != UNSEEN and state.slots[slot].sighted_h < np.inf)
        row = row_of_ending(outcome, finding, is_sighted, int(plan.teams_wanted[kind] > 0))
        tally.day[state.slots[slot].day, row] += 1
        tally.cell[cell, row] += 1
        tally.period[int(start_h * PERIODS_PER_HOUR), plan.cell_window[cell], row] += 1
        tally.kind[kind, row] += 1
    state.slots[slot].outcome = outcome
    writes_incident(state, journal, slot, outcome, finding, now_h)
    lets_go(state, slot)


@inlined
def finds_out(plan, state, slot):
    """What the first team finds out about who did it."""
    kind = state.slots[slot].kind
    u_life, u_says = state.slots[slot].u_life, state.slots[slot].u_says
    law = plan.evidence_law[kind]
    if state.slots[slot].arrive_h - state.slots[slot].start_h > quantile(law[0], law[1], law[2], u_life):
        return EVIDENCE_GONE
    return ATTRIBUTED_FINDING if u_says < plan.attribution[kind] else INCONCLUSIVE
