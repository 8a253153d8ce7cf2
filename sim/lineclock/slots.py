"""The slots of what is under way or put off: taken, and given back when nothing needs them any more."""

from __future__ import annotations

from sim.lineclock.compiled import inlined
from sim.lineclock.state import FREE_SLOTS


@inlined
def takes_slot(state, kind, cause, cell, start_h, id_0, id_1):
    """Give something that happens, now or later, a slot; the caller has seen to it that one is free."""
    state.pointers[FREE_SLOTS] -= 1
    slot = state.free_slot[state.pointers[FREE_SLOTS]]
    state.slots[slot].kind = kind
    state.slots[slot].cause = cause
    state.slots[slot].cell = cell
    state.slots[slot].start_h = start_h
    state.slots[slot].id_0 = id_0
    state.slots[slot].id_1 = id_1
    state.slots[slot].parent = -1
    state.slots[slot].parent_number = -1
    return slot


@inlined
def releases(state, slot):
    """One coming event less needs a slot."""
    state.slots[slot].held -= 1
    if state.slots[slot].outcome >= 0:
        lets_go(state, slot)


@inlined
def lets_go(state, slot):
    """Give the slot of something that has ended back, unless a coming event still needs it."""
    if state.slots[slot].held == 0:
        state.free_slot[state.pointers[FREE_SLOTS]] = slot
        state.pointers[FREE_SLOTS] += 1
