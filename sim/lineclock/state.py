"""The arrays of the line clock, each read aloud.

`Plan` never changes during a replication, `Laydown` changes in place at campaign events, `State` is what is
under way, `Tally` is what is counted.
All times are hours since the scenario's start. P streams of incidents, K violation types, C cells, X sectors,
S stations (a base and a caveat class),
M teams, L = 2 passing layers of watch (patrols, orbits), Q pieces of day or night, D days.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SmallInts = NDArray[np.int32]
Flags = NDArray[np.uint8]

POLICIES = ("nearest", "own_sector_first", "hold_reserve")
PATTERNS = ("regular", "random", "back_and_forth")
LAYERS = ("standing", "patrols", "orbits", "reports")
"""Who sighted an incident, by code; LAYER_FALSE marks a report with nothing behind it."""
LAYER_NONE, LAYER_STANDING, LAYER_PATROL, LAYER_ORBIT, LAYER_REPORT, LAYER_FALSE = -1, 0, 1, 2, 3, 4

OUTCOMES = ("unseen", "noted", "none_in_reach", "gave_up", "late", "in_time", "open")
"""Every incident ends in exactly one of these; `open` is under way at the horizon."""
UNSEEN, NOTED, NONE_IN_REACH, GAVE_UP, LATE, IN_TIME, OPEN = range(7)

HAPPENED, SIGHTED, ATTENDED, IN_TIME_COUNT, ATTRIBUTED, ASKED = range(6)
LEDGER = ("happened", "sighted", "attended", "in_time", "attributed", "asked")
"""Columns of the counted ledgers: each is a part of the one before, but attributed is a part of attended, and
asked counts
the incidents of types that ask for a team, seen or not.
"""
PERIOD_LEDGER = ("happened", "sighted", "in_time", "asked")
"""Columns of the count by month and place."""

MINUTES_KEPT, HOURS_KEPT = 48 * 60, 62 * 24
TIME_BINS = MINUTES_KEPT + (HOURS_KEPT - 48) + 1
"""Bins of a histogram of times: by the minute to 48 h, by the hour to 62 days, the last for all that is
longer.
"""


def bin_starts_h() -> Floats:
    """(TIME_BINS,) where each bin of a histogram of times begins [h]."""
    return np.concatenate([np.arange(MINUTES_KEPT) / 60.0, np.arange(48.0, HOURS_KEPT + 1.0)])


RAN_ON, NEEDS_ROOM, JOURNAL_FULL = range(3)
"""Why the kernel came back: it reached the stated time, needs more slots, or the journal is full."""

N_WAITED, N_SENT, N_FALSE, N_RECALLED, N_ANSWERABLE, N_DETERRED = range(6)
COUNTS = ("waited", "teams_sent", "false_reports", "recalled", "asked_for_teams", "deterred")
S_RESPONSE_H, S_SIGHTING_H, S_WAIT_H, S_DRIVE_H = range(4)

# Scalars of State.now and State.pointers.
CLOCK = 0
HEAP_SIZE, FREE_SLOTS, WAIT_HEAD, WAIT_TAIL, FREE_TEAMS, JOURNAL_ROWS = range(6)


class Plan(NamedTuple):
    """What is fixed for a scenario."""

    stream_type: SmallInts  # stream_type[p] = violation type of stream p
    stream_is_false: Flags  # stream_is_false[p] = 1 when its reports have nothing behind them
    stream_code: Ints  # stream_code[p] = code of its name: keys the draws
    piece_start_h: (
        Floats  # piece_start_h[q] = beginning of piece q; Q + 1 values, the last is beyond the horizon
    )
    piece_is_night: Flags  # piece_is_night[q]
    rate_per_h: Floats  # rate_per_h[p, q] = intensity of stream p in piece q
    cumulative: Floats  # cumulative[p, q] = expected incidents of stream p before piece q; Q + 1 values
    place_cdf: Floats  # place_cdf[k, c] = share of type k's incidents in cells 0..c
    place_guide: SmallInts  # place_guide[k, g] = first cell whose place_cdf exceeds g / C
    cell_sector: SmallInts  # cell_sector[c] = sector of cell c
    severity: Floats  # severity[k]
    teams_wanted: SmallInts  # teams_wanted[k] = teams that an incident asks for; 0 = noted only
    standard_h: Floats  # standard_h[k] = attended in time within this of the beginning
    attribution: Floats  # attribution[k] = chance that a team which finds evidence can say who
    reports_p: Floats  # reports_p[k] = chance that others report it
    deterrence: Floats  # deterrence[k] = part of the intensity that vanishes where all is seen
    duration_law: Floats  # duration_law[k] = (law, first, second)
    on_scene_law: Floats  # on_scene_law[k] = (law, first, second)
    evidence_law: Floats  # evidence_law[k] = (law, first, second)
    report_law: Floats  # report_law = (law, first, second)
    reaction_law: Floats  # reaction_law = (law, first, second)
    sunrise_h: Floats  # sunrise_h[d] of day d
    sunset_h: Floats  # sunset_h[d] of day d
    pass_pattern: SmallInts  # pass_pattern[l]: regular, random, back and forth
    pass_detection: (
        Floats  # pass_detection[l, k, n] = chance to notice type k at a pass by day (n = 0), by night (1)
    )
    station_first: SmallInts  # teams of station s are station_first[s] .. station_first[s + 1] - 1
    station_sector: SmallInts  # station_sector[s]
    station_no_night: Flags  # 1: its teams set out at dawn only
    station_may_attend: Flags  # station_may_attend[s, k]
    station_may_enter: Flags  # station_may_enter[s, x]
    team_station: SmallInts  # team_station[m]
    policy: int
    reserve: int
    reserve_severity: float
    preempt: int
    reach_h: float
    give_up_h: float
    night_slowness: float  # travel time at night over travel time by day


class Laydown(NamedTuple):
    """What is in place now; campaign events change it."""

    # stand_p[k, w, c] = chance that posts and sensors notice type k at once; w = 2 x night + poor visibility
    stand_p: Floats
    pass_gap_h: Floats  # pass_gap_h[l, n, c] = mean time between passes of layer l; inf = none
    pass_split: Floats  # pass_split[l, c] = place on the beat, 0..1, for back-and-forth gaps
    pass_up: Floats  # pass_up[l, w, x] = chance that layer l is up over sector x
    seen_p: Floats  # seen_p[k, c] = chance that an incident is seen at all (for deterrence)
    travel_h: Floats  # travel_h[c, s] = hours from station s to cell c by day; inf = cannot reach
    order: SmallInts  # order[c, j] = the station that is j-th nearest to cell c
    on_duty: Flags  # on_duty[m] = 1 when team m is manned
    station_duty: SmallInts  # station_duty[s] = its manned teams


class State(NamedTuple):
    """What is under way."""

    now: Floats  # now[CLOCK]
    pointers: Ints  # sizes and ends of the lists below
    key: Ints  # key words 0 and 1, replication
    arrival_h: Floats  # arrival_h[p] = next candidate of stream p
    arrival_level: Floats  # arrival_level[p] = its operational time, in expected incidents
    arrival_piece: Ints  # arrival_piece[p] = piece of day or night that it falls in
    arrival_index: Ints  # arrival_index[p] = its number within the stream
    is_poor: Flags  # is_poor[x, d] = 1 on days of poor visibility
    heap_h: Floats  # binary heap of coming events: time
    heap_what: Ints  # 2 x team = the team is done; 2 x slot + 1 = the incident is noticed
    team_slot: Ints  # team_slot[m] = incident that it is sent to; -1 = free
    team_home_h: Floats  # team_home_h[m] = at base from then on; inf = sent or not manned
    team_order_h: Floats  # team_order_h[m] = when it was ordered out
    team_ready_h: Floats  # team_ready_h[m] = at base from then on, had it not been called back meanwhile
    team_depart_h: Floats  # team_depart_h[m] = when it sets out
    team_arrive_h: Floats  # team_arrive_h[m]
    team_done_h: Floats  # team_done_h[m]
    sector_free: Ints  # sector_free[x] = free teams stationed in sector x
    slot_stream: Ints  # slot_stream[i] = stream of the incident in slot i
    slot_index: Ints  # its number within the stream
    slot_cell: Ints  # where
    slot_layer: Ints  # who sighted it
    slot_start_h: Floats  # when it began
    slot_sighted_h: Floats  # when the mission knew
    slot_arrive_h: Floats  # first arrival of those done; inf = none yet
    slot_order_h: Floats  # when the first team was ordered; inf = none yet
    slot_need: Ints  # teams still wanted
    slot_open: Ints  # teams out
    slot_sent: Ints  # teams sent so far
    slot_station: Ints  # station of the first arrival
    free_slot: Ints  # stack of free slots
    waiting: Ints  # slots that wait for a team, gravest and oldest first


class Tally(NamedTuple):
    """What is counted; whole numbers add up the same in any order."""

    day: SmallInts  # day[d, ledger] by day of the beginning
    cell: SmallInts  # cell[c, ledger]
    period: SmallInts  # period[i, c, PERIOD_LEDGER] by 1/12 year
    type_outcome: Ints  # type_outcome[k, outcome]
    type_ledger: Ints  # type_ledger[k, ledger]
    sector_outcome: Ints  # sector_outcome[x, outcome]
    sighted_by: Ints  # sighted_by[layer]
    response: SmallInts  # response[x, minute] from sighting to the first team on the spot
    delay: SmallInts  # delay[x, minute] from beginning to sighting
    counts: Ints  # counts[N_...]
    sums: Floats  # sums[S_...] in hours
    team_busy_h: Floats  # team_busy_h[m] from order to end of work
    team_jobs: Ints  # team_jobs[m] = incidents attended


class Journal(NamedTuple):
    """One row for each incident that ended; empty when no journal is kept."""

    whole: Ints  # stream, index, cell, outcome, layer, station, teams sent, attributed
    hours: Floats  # start, sighted, ordered, arrived, ended


JOURNAL_WHOLE = ("stream", "index", "cell", "outcome", "layer", "station", "teams_sent", "attributed")
JOURNAL_HOURS = ("start_h", "sighted_h", "ordered_h", "arrived_h", "ended_h")
