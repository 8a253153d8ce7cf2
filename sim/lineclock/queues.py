"""The two lists that the line clock keeps in order: coming events, and incidents that wait for a team."""

from __future__ import annotations

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.state import HEAP_SIZE, MOST_CHILDREN, WAIT_HEAD, WAIT_TAIL, WHICH_BITS


@inlined
def rank_of(number, child):
    """The place of an incident, or of its n-th reprisal, among simultaneous events: by order of beginning.

    Slots say nothing about it: which one is free depends on everything else that happens.
    """
    return (number + 1) * MOST_CHILDREN + child


@inlined
def push(state, at_h, rank, what, which):
    """Put an event of a team or slot on the heap; simultaneous ones come by rank, then by what they are."""
    code = (((rank << 2) | what) << WHICH_BITS) | which
    hours, codes = state.heap_h, state.heap_what
    i = state.pointers[HEAP_SIZE]
    state.pointers[HEAP_SIZE] = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if hours[up] < at_h or (hours[up] == at_h and codes[up] <= code):
            break
        hours[i] = hours[up]
        codes[i] = codes[up]
        i = up
    hours[i] = at_h
    codes[i] = code


@inlined
def pop(state):
    """Take the next event off the heap -> (what it is, its team or slot).

    The gap is led down to a leaf along the sooner children, without a branch on which is sooner (it cannot be
    foretold), and filled from the end of the heap (Wegener 1993, bottom-up).
    """
    hours, codes = state.heap_h, state.heap_what
    first = codes[0]
    size = state.pointers[HEAP_SIZE] - 1
    state.pointers[HEAP_SIZE] = size
    at_h, code = hours[size], codes[size]
    hours[size] = np.inf  # the missing second child of a last pair is never the sooner one
    i, down = 0, 1
    while down < size:
        left_h, right_h = hours[down], hours[down + 1]
        if left_h == right_h:  # next to never, and foretold to be so
            down += int(codes[down + 1] < codes[down])
        else:
            down += int(right_h < left_h)
        hours[i] = hours[down]
        codes[i] = codes[down]
        i = down
        down = 2 * i + 1
    while i > 0:
        up = (i - 1) >> 1
        if hours[up] < at_h or (hours[up] == at_h and codes[up] <= code):
            break
        hours[i] = hours[up]
        codes[i] = codes[up]
        i = up
    if size > 0:
        hours[i] = at_h
        codes[i] = code
    return (first >> WHICH_BITS) & 3, first & ((1 << WHICH_BITS) - 1)


@inlined
def joins_waiting(plan, state, slot):
    """Put an incident in its place among those that wait: gravest first, then oldest, then first to wait."""
    waiting, pointers = state.waiting, state.pointers
    if pointers[WAIT_TAIL] == waiting.shape[0]:
        head = pointers[WAIT_HEAD]
        for i in range(head, pointers[WAIT_TAIL]):
            waiting[i - head] = waiting[i]
        pointers[WAIT_TAIL] -= head
        pointers[WAIT_HEAD] = 0
    severity = plan.severity[state.slots[slot].kind]
    start_h = state.slots[slot].start_h
    i = pointers[WAIT_TAIL]
    while i > pointers[WAIT_HEAD]:
        other = waiting[i - 1]
        other_severity = plan.severity[state.slots[other].kind]
        if other_severity > severity or (
            other_severity == severity and state.slots[other].start_h <= start_h
        ):
            break
        waiting[i] = other
        i -= 1
    waiting[i] = slot
    pointers[WAIT_TAIL] += 1


@inlined
def leaves_waiting(state, i):
    """Take the entry at position i out of those that wait -> the position of the one after it."""
    waiting, pointers = state.waiting, state.pointers
    if i == pointers[WAIT_HEAD]:
        pointers[WAIT_HEAD] += 1
        return i + 1
    for j in range(i, pointers[WAIT_TAIL] - 1):
        waiting[j] = waiting[j + 1]
    pointers[WAIT_TAIL] -= 1
    return i
