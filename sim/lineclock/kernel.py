"""The line clock: what happens by the minute between two campaign events.

Here are the functions that Python calls. `advance` is one long loop on purpose: it stays in compiled code
until the stated time, and takes one event after another. What is due comes from `candidates` and `reprisals`,
what it does when it begins from `happening`, how it is answered from `answering`, how it ends from `endings`.

Nothing draws in the order of time: every draw is keyed by the incident that it decides (see `draws`), so a
change of the force changes only what it touches.
"""

from __future__ import annotations

import numpy as np

from sim.lineclock.ahead import draw_four, draws_alone
from sim.lineclock.answering import (
    busy_on_duty,
    gives_up,
    incident_is_sighted,
    patience_ends_h,
    team_is_done,
    team_is_sent,
    team_takes_waiting,
)
from sim.lineclock.candidates import candidate_is_due, listed_is_due, stream_moves_on
from sim.lineclock.compiled import entry, inlined
from sim.lineclock.dispatch import ALL_BUSY, NOBODY, choose_team, day_breaks, why_nobody
from sim.lineclock.endings import incident_ends, incident_is_over
from sim.lineclock.happening import deadline_passes, incident_begins
from sim.lineclock.journal import writes_trip
from sim.lineclock.queues import leaves_waiting, pop
from sim.lineclock.reprisals import reprisal_is_due
from sim.lineclock.standby import guest_goes_home, guest_leaves
from sim.lineclock.state import (
    AHEAD,
    BLOCK_BIRTH,
    CLOCK,
    CUT_OFF,
    DEADLINE,
    DENIED,
    EXPLODED,
    FREE_SLOTS,
    GAVE_UP,
    HEAP_SIZE,
    JOURNAL_FULL,
    JOURNAL_ROWS,
    LISTED,
    MOST_INCIDENTS,
    NEEDS_ROOM,
    NEXT_TURN,
    NOTICED,
    NUMBER,
    OPEN,
    RAN_ON,
    ROOM,
    TEAM_DONE,
    TRIP_ROWS,
    TURNED,
    UNDER_WAY,
    UNSEEN,
    WAIT_HEAD,
    WAIT_TAIL,
)
from sim.lineclock.tension import is_due_to_turn


def _starts(plan, state):
    """Set every stream to its first candidate."""
    for stream in range(plan.stream_type.shape[0]):
        state.arrival_level[stream] = 0.0
        state.arrival_piece[stream] = 0
        u_gap, _, _, _ = draw_four(state, 0xFFFFFFFF, plan.stream_code[stream], BLOCK_BIRTH)
        stream_moves_on(plan, state, stream, u_gap)


def _advance(plan, laydown, state, tally, journal, until_h):
    """Run the line over [now, until_h) -> why it came back; `now[CLOCK]` is how far it came.

    NEEDS_ROOM and JOURNAL_FULL leave everything as it stands before the next event: make room, or empty the
    journal, and call again. TURNED is a sector that is due to change its level at that very time. After
    EXPLODED there is nothing to call again for.
    """
    streams = plan.stream_type.shape[0]
    pointers = state.pointers
    next_h, next_stream, is_known = np.inf, -1, False
    while True:
        why = has_room(state, journal)
        if why != RAN_ON:
            return why
        if pointers[NUMBER] > MOST_INCIDENTS:
            return EXPLODED
        if not is_known:
            is_known = True
            next_h, next_stream = plan.listed_h[pointers[LISTED]], -1
            for p in range(streams):
                if state.arrival_h[p] < next_h:
                    next_h, next_stream = state.arrival_h[p], p
        now_h, is_coming = next_h, False
        if pointers[HEAP_SIZE] > 0 and state.heap_h[0] < now_h:
            now_h, is_coming = state.heap_h[0], True
        if state.now[NEXT_TURN] <= now_h and state.now[NEXT_TURN] < until_h:
            turn_h = state.now[NEXT_TURN]
            if is_due_to_turn(laydown, state, turn_h):
                state.now[CLOCK] = turn_h
                return TURNED
            continue
        if now_h >= until_h:
            state.now[CLOCK] = until_h
            return RAN_ON
        state.now[CLOCK] = now_h
        day_breaks(plan, state, now_h)
        begins, sighted, freed, turns = -1, -1, -1, False
        row, lane = streams, 0
        if is_coming:
            what, which = pop(state)
            if what == TEAM_DONE:
                if state.teams[which].slot >= 0 and state.teams[which].done_h == now_h:
                    freed = team_is_done(plan, laydown, state, tally, journal, which, now_h)
            elif what == NOTICED:
                sighted = which
            elif what == DEADLINE:
                turns = deadline_passes(plan, laydown, state, which, now_h)
            elif reprisal_is_due(plan, state, tally, which):
                begins = which
        else:
            is_known = False
            if next_stream >= 0:
                row, lane = next_stream, state.arrival_index[next_stream] % AHEAD
                begins = candidate_is_due(plan, laydown, state, tally, next_stream)
            else:
                begins = listed_is_due(plan, state)
        if begins >= 0:
            if row == streams:
                draws_alone(plan, state, begins)
            is_seen, turns = incident_begins(plan, laydown, state, tally, journal, begins, row, lane)
            if is_seen:
                sighted = begins
        if sighted >= 0:
            incident_is_sighted(plan, laydown, state, tally, journal, sighted, now_h)
        elif freed >= 0 and pointers[WAIT_HEAD] < pointers[WAIT_TAIL]:
            team_takes_waiting(plan, laydown, state, tally, journal, freed, now_h)
        if turns:
            return TURNED


@inlined
def has_room(state, journal):
    """Whether the next event finds room for all that it may bring: RAN_ON, NEEDS_ROOM or JOURNAL_FULL."""
    pointers = state.pointers
    if pointers[FREE_SLOTS] < ROOM or pointers[HEAP_SIZE] + ROOM + 8 >= state.heap_h.shape[0]:
        return NEEDS_ROOM
    rows = journal.whole.shape[0]
    if rows > 0:
        may_end = pointers[WAIT_TAIL] - pointers[WAIT_HEAD] + 4
        if pointers[JOURNAL_ROWS] + may_end > rows or pointers[TRIP_ROWS] + 16 > rows:
            return JOURNAL_FULL
    return RAN_ON


def _serves_waiting(plan, laydown, state, tally, journal, now_h):
    """After a change of the laydown, free teams take what waits: gravest and oldest first -> RAN_ON, or
    NEEDS_ROOM before anything has changed.
    """
    if state.pointers[HEAP_SIZE] + state.teams.shape[0] + 8 >= state.heap_h.shape[0]:
        return NEEDS_ROOM
    day_breaks(plan, state, now_h)
    i = state.pointers[WAIT_HEAD]
    while i < state.pointers[WAIT_TAIL]:
        slot = state.waiting[i]
        if now_h > state.slots[slot].sighted_h + plan.give_up_h:
            i = leaves_waiting(state, i)
            gives_up(plan, state, tally, journal, slot)
            continue
        kind, team = state.slots[slot].kind, ALL_BUSY
        while state.slots[slot].need > 0:
            team, wait_h, drive = choose_team(plan, laydown, state, state.slots[slot].cell, kind, now_h)
            if team < 0:
                break
            team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
        is_shut_off = (
            state.slots[slot].need > 0
            and team == NOBODY
            and why_nobody(plan, laydown, state, state.slots[slot].cell, kind, now_h) == DENIED
        )
        if is_shut_off:  # nobody may come any more: those who are out finish what they do
            state.slots[slot].need = 0
            if state.slots[slot].open == 0 and state.slots[slot].arrive_h == np.inf:
                i = leaves_waiting(state, i)
                incident_ends(plan, state, tally, journal, slot, DENIED, now_h)
                continue
            if state.slots[slot].open == 0:
                i = leaves_waiting(state, i)
                incident_is_over(plan, state, tally, journal, slot, now_h)
                continue
        if state.slots[slot].need == 0:
            i = leaves_waiting(state, i)
        else:
            i += 1
    return RAN_ON


def _duty_changes(plan, laydown, state, tally, wanted, now_h):
    """Man and unman teams: wanted[m] = 1 for those on duty from now on. A team that is out finishes what it
    does. A guest goes home from a station that has its own again, or none to stand in for.
    """
    day_breaks(plan, state, now_h)
    for team in range(wanted.shape[0]):
        if wanted[team] == laydown.on_duty[team]:
            continue
        laydown.on_duty[team] = wanted[team]
        station = plan.team_station[team]
        step = 1 if wanted[team] else -1
        laydown.station_duty[station] += step
        guest = state.teams[team].guest
        place = team if guest < 0 else guest  # where it stands in, if it does
        if state.teams[place].slot < 0:
            if guest >= 0:
                guest_leaves(state, guest)
            state.home_h[team] = now_h if wanted[team] else np.inf
            state.sector_free[plan.station_sector[station]] += step
        elif wanted[team]:
            state.teams[place].busy_since_h = now_h
        else:
            busy_on_duty(state, tally, place, now_h)
            state.teams[place].busy_since_h = np.inf
        if state.home_h[team] < np.inf or laydown.station_duty[station] == 0:
            guest_goes_home(plan, laydown, state, station, now_h)


def _closes(plan, state, tally, journal, horizon_h):
    """At the end: what was reached is attended, what else is under way stays open; busy time is cut off."""
    for team in range(state.teams.shape[0]):
        if state.teams[team].slot >= 0:
            busy_on_duty(state, tally, team, horizon_h)
            writes_trip(plan, state, journal, team, CUT_OFF, horizon_h)
    for i in range(state.pointers[FREE_SLOTS]):
        state.slots[state.free_slot[i]].outcome = UNSEEN
    for slot in range(state.slots.shape[0]):
        if state.slots[slot].outcome != UNDER_WAY:
            continue
        until_h = patience_ends_h(plan, state, slot)
        is_given_up = state.slots[slot].open == 0 and until_h < horizon_h
        if state.slots[slot].arrive_h < horizon_h:
            incident_is_over(plan, state, tally, journal, slot, until_h if is_given_up else horizon_h)
            continue
        state.slots[slot].arrive_h = np.inf
        state.slots[slot].station = -1
        sighted_h = state.slots[slot].sighted_h
        # What was seen as it began is known, also when it was the last straw.
        if sighted_h >= horizon_h and sighted_h > state.slots[slot].start_h:
            state.slots[slot].sighted_h = np.inf
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)
        elif is_given_up:
            incident_ends(plan, state, tally, journal, slot, GAVE_UP, until_h)
        else:
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)
    state.pointers[HEAP_SIZE] = 0
    state.pointers[WAIT_HEAD] = state.pointers[WAIT_TAIL] = 0


starts = entry(_starts)
advance = entry(_advance)
duty_changes = entry(_duty_changes)
serves_waiting = entry(_serves_waiting)
closes = entry(_closes)
