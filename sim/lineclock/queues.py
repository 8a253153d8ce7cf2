"""The two lists that the line clock keeps in order: coming events, and incidents that wait for a team."""

from __future__ import annotations

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
    """Take the next event off the heap -> (what it is, its team or slot)."""
    hours, whats = state.heap_h, state.heap_what
    first = whats[0]
    size = state.pointers[HEAP_SIZE] - 1
    state.pointers[HEAP_SIZE] = size
    at_h, what = hours[size], whats[size]
    i = 0
    while True:
        down = 2 * i + 1
        if down >= size:
            break
        right = down + 1
        if right < size and (
            hours[right] < hours[down] or (hours[right] == hours[down] and whats[right] < whats[down])
        ):
            down = right
        if at_h < hours[down] or (at_h == hours[down] and what <= whats[down]):
            break
        hours[i] = hours[down]
        whats[i] = whats[down]
        i = down
    hours[i] = at_h
    whats[i] = what
    return (first >> WHICH_BITS) & 3, first & ((1 << WHICH_BITS) - 1)


@inlined
def joins_waiting(plan, state, slot):
    """Put an incident in its place among those that wait: gravest first, then oldest, then by slot of
    arrival.
    """
    waiting, pointers = state.waiting, state.pointers
    if pointers[WAIT_TAIL] == waiting.shape[0]:
        head = pointers[WAIT_HEAD]
        for i in range(head, pointers[WAIT_TAIL]):
            waiting[i - head] = waiting[i]
        pointers[WAIT_TAIL] -= head
        pointers[WAIT_HEAD] = 0
    severity = plan.severity[state.slot_kind[slot]]
    start_h = state.slot_start_h[slot]
    i = pointers[WAIT_TAIL]
    while i > pointers[WAIT_HEAD]:
        other = waiting[i - 1]
        other_severity = plan.severity[state.slot_kind[other]]
        if other_severity > severity or (other_severity == severity and state.slot_start_h[other] <= start_h):
            break
        waiting[i] = other
        i -= 1
    waiting[i] = slot
    pointers[WAIT_TAIL] += 1


@inlined
def leaves_waiting(state, i):
    """Take the entry at position i out of those that wait."""
    waiting, pointers = state.waiting, state.pointers
    if i == pointers[WAIT_HEAD]:
        pointers[WAIT_HEAD] += 1
    else:
        for j in range(i, pointers[WAIT_TAIL] - 1):
            waiting[j] = waiting[j + 1]
        pointers[WAIT_TAIL] -= 1
