"""What happens of its own: candidates of streams, thinned by truce, level and deterrence; injects, traces."""

from __future__ import annotations

import math

import numpy as np

from sim.lineclock.ahead import draws_ahead, draws_births
from sim.lineclock.compiled import inlined
from sim.lineclock.slots import takes_slot
from sim.lineclock.state import AHEAD, BACKGROUND, FALSE_REPORT, LISTED, N_DETERRED, ROW_BIRTH


@inlined
def candidate_is_due(plan, laydown, state, tally, stream):
    """The next candidate of a stream is due -> its slot, or -1: truce, level or deterrence thin it out."""
    start_h, index = state.arrival_h[stream], state.arrival_index[stream]
    kind = plan.stream_type[stream]
    lane = index % AHEAD
    birth = state.ahead[stream, ROW_BIRTH]
    if lane == 0:
        draws_births(plan, state, stream, index)
    state.arrival_index[stream] = index + 1
    stream_moves_on(plan, state, stream, birth[0, lane])
    cell = cell_of(plan, kind, birth[1, lane])
    u_accept = birth[3, lane]
    cause = FALSE_REPORT
    if not plan.stream_is_false[stream]:
        cause = BACKGROUND
        accept = laydown.accept_p[kind, cell]
        if plan.erodes[kind]:
            accept *= let_by_truce(plan, laydown, start_h)
        if u_accept >= accept:
            return -1
        if u_accept >= accept * (1.0 - plan.deterrence[kind] * laydown.seen_p[kind, cell]):
            tally.counts[N_DETERRED] += 1
            return -1
    if state.ahead_from[stream] != index - lane:
        state.ahead_from[stream] = index - lane
        draws_ahead(plan, state, stream, index - lane, kind)
    return takes_slot(state, kind, cause, cell, start_h, index, plan.stream_code[stream])


@inlined
def stream_moves_on(plan, state, stream, u):
    """To its next candidate: an exponential step in expected candidates, turned into time piece by piece."""
    level = state.arrival_level[stream] - math.log(u)
    piece = state.arrival_piece[stream]
    pieces = plan.piece_is_night.shape[0]
    while piece < pieces and plan.cumulative[stream, piece + 1] <= level:
        piece += 1
    state.arrival_level[stream] = level
    state.arrival_piece[stream] = piece
    if piece == pieces:
        state.arrival_h[stream] = np.inf
    else:
        state.arrival_h[stream] = (
            plan.piece_start_h[piece]
            + (level - plan.cumulative[stream, piece]) * plan.mean_gap_h[stream, piece]
        )


@inlined
def cell_of(plan, kind, u):
    """The cell below which a share u of a type's incidents happens."""
    cdf = plan.place_cdf
    cell = plan.place_guide[kind, int(u * cdf.shape[1])]
    while cdf[kind, cell] <= u:
        cell += 1
    return cell


@inlined
def let_by_truce(plan, laydown, now_h):
    """What the truce lets happen now, over the most that it ever lets happen."""
    grown = laydown.truce[0]
    if plan.truce_growth > 0.0:
        grown *= math.exp(min(plan.truce_growth * (now_h - laydown.truce[1]), 700.0))
    return min(grown / plan.truce_ceiling, 1.0)


@inlined
def listed_is_due(plan, state):
    """The next inject, or recorded incident, is due -> its slot."""
    i = state.pointers[LISTED]
    state.pointers[LISTED] = i + 1
    return takes_slot(
        state,
        plan.listed_type[i],
        plan.listed_cause[i],
        plan.listed_cell[i],
        plan.listed_h[i],
        plan.listed_index[i],
        plan.listed_code[i],
    )
