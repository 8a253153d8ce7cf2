"""What is written down of a history whose journal is kept: incidents that ended, trips of teams."""

from __future__ import annotations

from sim.lineclock.compiled import inlined
from sim.lineclock.state import JOURNAL_ROWS, TRIP_ROWS


@inlined
def writes_incident(state, journal, slot, outcome, finding, now_h):
    """One row for an incident that has ended; a journal of no rows is not kept."""
    if journal.whole.shape[0] == 0:
        return
    row = state.pointers[JOURNAL_ROWS]
    state.pointers[JOURNAL_ROWS] = row + 1
    whole, hours = journal.whole, journal.hours
    whole[row, 0] = state.slots[slot].number
    whole[row, 1] = state.slots[slot].parent_number
    whole[row, 2] = state.slots[slot].kind
    whole[row, 3] = state.slots[slot].cause
    whole[row, 4] = state.slots[slot].cell
    whole[row, 5] = outcome
    whole[row, 6] = state.slots[slot].layer
    whole[row, 7] = state.slots[slot].station
    whole[row, 8] = state.slots[slot].sent
    whole[row, 9] = finding
    whole[row, 10] = state.slots[slot].level
    whole[row, 11] = state.slots[slot].children
    whole[row, 12] = state.slots[slot].id_0
    whole[row, 13] = state.slots[slot].id_1
    hours[row, 0] = state.slots[slot].start_h
    hours[row, 1] = state.slots[slot].sighted_h
    hours[row, 2] = state.slots[slot].order_h
    hours[row, 3] = state.slots[slot].arrive_h
    hours[row, 4] = now_h


@inlined
def writes_trip(plan, state, journal, team, end, now_h):
    """One row for a trip of a team that has ended."""
    if journal.trip_whole.shape[0] == 0:
        return
    row = state.pointers[TRIP_ROWS]
    state.pointers[TRIP_ROWS] = row + 1
    owner = state.teams[team].owner
    journal.trip_whole[row, 0] = state.slots[state.teams[team].slot].number
    journal.trip_whole[row, 1] = team if owner < 0 else owner
    journal.trip_whole[row, 2] = plan.team_station[team]
    journal.trip_whole[row, 3] = end
    journal.trip_hours[row, 0] = state.teams[team].order_h
    journal.trip_hours[row, 1] = state.teams[team].depart_h
    journal.trip_hours[row, 2] = state.teams[team].arrive_h
    journal.trip_hours[row, 3] = now_h
