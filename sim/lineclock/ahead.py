"""The draws of incidents: of one at a time, or ahead for the next candidates of a stream.

What candidates may need is drawn for `AHEAD` of them together, since processors do several at once. It lies
in `State.ahead` by stream, block and lane; the last stream there holds one incident that belongs to none.
"""

from __future__ import annotations

from sim.lineclock.compiled import inlined
from sim.lineclock.draws import four, fours
from sim.lineclock.state import BLOCK_BIRTH, BLOCKS, ROW_BIRTH


@inlined
def draw_four(state, id_0, id_1, block):
    """Four uniforms for one block of one incident."""
    key = state.key
    return four(id_0, block, id_1, key[2], key[0], key[1])


@inlined
def draw_for(state, slot, block):
    """Four uniforms for one block of the incident in a slot."""
    return draw_four(state, state.slots[slot].id_0, state.slots[slot].id_1, block)


@inlined
def draws_births(plan, state, stream, first):
    """Draw whether, when and where the next candidates of a stream happen."""
    key, code = state.key, plan.stream_code[stream]
    fours(state.ahead[stream, ROW_BIRTH], first, BLOCK_BIRTH, code, key[2], key[0], key[1])


@inlined
def draws_ahead(plan, state, stream, first, kind):
    """Draw what the same candidates may need once they have happened."""
    key, code = state.key, plan.stream_code[stream]
    for row in range(ROW_BIRTH + 1, len(BLOCKS)):
        if plan.draws[kind, row]:
            fours(state.ahead[stream, row], first, BLOCKS[row], code, key[2], key[0], key[1])


@inlined
def draws_alone(plan, state, slot):
    """Draw all that one incident may need that belongs to no stream."""
    alone = state.ahead[plan.stream_type.shape[0]]
    kind = state.slots[slot].kind
    for row in range(len(BLOCKS)):
        if plan.draws[kind, row]:
            alone[row, 0, 0], alone[row, 1, 0], alone[row, 2, 0], alone[row, 3, 0] = draw_for(
                state, slot, BLOCKS[row]
            )
