"""The arrays of the line clock, each read aloud.

`Plan` never changes during a replication, `Laydown` changes in place at campaign events, `State` is what is
under way, `Tally` is what is counted. All times are hours since the scenario's start. P streams of incidents,
K violation types, C cells, X sectors, S stations (a base and a caveat class), M teams, L = 2 passing layers
of watch (patrols, orbits), Q pieces of day or night, D days.
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
NEAREST, OWN_SECTOR_FIRST, HOLD_RESERVE = range(3)
PATTERNS = ("regular", "random", "back_and_forth")
REGULAR, RANDOM, BACK_AND_FORTH = range(3)
LAYERS = ("standing", "patrols", "orbits", "reports", "attacked")
"""Who sighted an incident, by code; LAYER_FALSE marks a report with nothing behind it."""
LAYER_NONE, LAYER_STANDING, LAYER_PATROL, LAYER_REPORT, LAYER_ATTACKED, LAYER_FALSE = -1, 0, 1, 3, 4, 5

OUTCOMES = (
    "unseen",
    "noted",
    "nobody_there",
    "too_far",
    "caveat",
    "denied",
    "gave_up",
    "late",
    "in_time",
    "open",
)
"""Every incident ends in exactly one of these. Unseen: it was over before anybody looked. Noted: it asks for
no team. Then why nobody came: no team is manned at all; none is near enough; caveats or mandate keep those
away that are; the sector is closed to them; all were busy until it was given up. `open` is under way at the
end.
"""
UNSEEN, NOTED, NOBODY_THERE, TOO_FAR, CAVEAT, DENIED, GAVE_UP, LATE, IN_TIME, OPEN = range(10)

FINDINGS = ("not_looked", "attributed", "evidence_gone", "inconclusive")
"""What a team found out about who did it."""
NOT_LOOKED, ATTRIBUTED_FINDING, EVIDENCE_GONE, INCONCLUSIVE = range(4)

CAUSES = ("background", "retaliation", "inject", "trace", "false_report")
"""Why an incident, or a report of one, came about."""
BACKGROUND, RETALIATION, INJECT, TRACE, FALSE_REPORT = range(5)

ENDINGS = (
    ("unseen", "not_looked", False, False),
    ("unseen", "not_looked", False, True),
    ("noted", "not_looked", True, False),
    ("nobody_there", "not_looked", True, True),
    ("too_far", "not_looked", True, True),
    ("caveat", "not_looked", True, True),
    ("denied", "not_looked", True, True),
    ("gave_up", "not_looked", True, True),
    ("late", "attributed", True, True),
    ("late", "evidence_gone", True, True),
    ("late", "inconclusive", True, True),
    ("in_time", "attributed", True, True),
    ("in_time", "evidence_gone", True, True),
    ("in_time", "inconclusive", True, True),
    ("open", "not_looked", False, False),
    ("open", "not_looked", False, True),
    ("open", "not_looked", True, True),
)
"""What the line clock counts: outcome, finding, whether sighted, whether it asks for a team. One count for
each incident; outcomes and ledgers follow from it.
"""

HAPPENED, SIGHTED, ATTENDED, IN_TIME_COUNT, ATTRIBUTED, ASKED = range(6)
LEDGER = ("happened", "sighted", "attended", "in_time", "attributed", "asked")
"""Columns of the ledgers: each is a part of the one before, but attributed is a part of attended, and asked
counts the incidents of types that ask for a team, seen or not.
"""
PERIOD_LEDGER = ("happened", "sighted", "in_time", "asked")
"""Columns of the count by month and place."""


def ending_of(outcome: int, finding: int, sighted: int, asks: int) -> int:
    """The row of `ENDINGS` for an incident; compiled into the kernel."""
    if outcome == UNSEEN:
        return asks
    if outcome == OPEN:
        return 14 + asks + sighted
    if outcome < LATE:
        return outcome + 1
    return 8 + 3 * (outcome - LATE) + finding - 1


MINUTES_KEPT, HOURS_KEPT = 48 * 60, 62 * 24
TIME_BINS = MINUTES_KEPT + (HOURS_KEPT - 48) + 1
"""Bins of a histogram of times: by the minute to 48 h, by the hour to 62 days, the last for all beyond."""


def bin_starts_h() -> Floats:
    """(TIME_BINS,) where each bin of a histogram of times begins [h]."""
    return np.concatenate([np.arange(MINUTES_KEPT) / 60.0, np.arange(48.0, HOURS_KEPT + 1.0)])


RAN_ON, NEEDS_ROOM, JOURNAL_FULL, TURNED, EXPLODED = range(5)
"""Why the kernel came back: it reached the stated time, needs more slots, the journal is full, a sector is
due to change its level, or there are more incidents than any history should hold.
"""
MOST_CHILDREN = 128
ROOM = MOST_CHILDREN + 8
"""Slots that one event may need: an incident with all that it provokes."""
MOST_INCIDENTS = 50_000_000
"""Incidents that a history may have: far over any line, well under what counters and keys can hold."""

RISES, FALLS, HAZARD = range(3)
TURNS = ("tension rises", "tension falls", "hazard")
"""Why a sector changes its level."""

N_WAITED, N_SENT, N_FALSE, N_RECALLED, N_ANSWERABLE, N_DETERRED, N_PREVENTED, N_STOOD_IN = range(8)
COUNTS = (
    "waited",
    "teams_sent",
    "false_reports",
    "recalled",
    "asked_for_teams",
    "deterred",
    "prevented",
    "stood_in",
)
S_RESPONSE_H, S_DRIVE_H = range(2)

# Blocks of four draws for one incident; a team's draws follow from BLOCK_TEAM in the order in which teams are
# sent, those of what it provokes from BLOCK_CHILD.
BLOCK_BIRTH, BLOCK_STANDING, BLOCK_PASSES, BLOCK_EVIDENCE, BLOCK_BREEDING, BLOCK_TEAM = 0, 1, 2, 4, 5, 8
BLOCK_CHILD = 1 << 16
BLOCKS = (
    BLOCK_BIRTH,
    BLOCK_STANDING,
    BLOCK_PASSES,
    BLOCK_PASSES + 1,
    BLOCK_EVIDENCE,
    BLOCK_BREEDING,
    BLOCK_TEAM,
)
"""Blocks that are drawn ahead, for `AHEAD` incidents of a stream at a time. ROW_... is a block's place."""
ROW_BIRTH, ROW_STANDING, ROW_PASSES, ROW_EVIDENCE, ROW_BREEDING, ROW_TEAM = 0, 1, 2, 4, 5, 6
AHEAD = 8

# Scalars of State.now and State.pointers.
CLOCK, NEXT_TURN, SUNRISE, SUNSET, DAY_ENDS = range(5)
HEAP_SIZE, FREE_SLOTS, WAIT_HEAD, WAIT_TAIL, JOURNAL_ROWS, TRIP_ROWS = range(6)
LISTED, NUMBER, TURN_SECTOR, TURN_CAUSE, DAY = range(6, 11)

# What a coming event on the heap is. Its code is rank, one of these, and the team or slot, from the highest
# bits to the lowest: simultaneous events come in the order of their codes, and no slot decides it. Teams have
# rank 0; see `queues.rank_of`.
TEAM_DONE, NOTICED, DEADLINE, REPRISAL = range(4)
WHICH_BITS = 22
"""Bits of a coming event's code for its team or slot; with them go 2 for what it is and 33 for its rank."""

# Outcome in a slot of what has not ended: an incident under way, a reprisal that may yet be prevented.
UNDER_WAY, PENDING = -1, -2


# Records, not arrays of their own: what is asked of one incident or team lies side by side in memory.
SLOT = np.dtype(
    [
        ("start_h", np.float64),  # when it began
        ("sighted_h", np.float64),  # when the mission knew
        ("arrive_h", np.float64),  # first arrival of those sent; inf = none
        ("order_h", np.float64),  # when the first team was ordered; inf = none yet
        ("left_h", np.float64),  # when a team last left it, done or called back; -inf = none has
        ("u_life", np.float64),  # draws that are needed later: how long evidence lasts
        ("u_says", np.float64),  # whether a team can say who
        ("u_reaction", np.float64),  # how soon the first team sets out
        ("u_on_scene", np.float64),  # how long it stays
        ("id_0", np.int64),  # two words that key its draws
        ("id_1", np.int64),
        ("number", np.int64),  # its number in the order of beginning
        ("parent_number", np.int64),  # number of what provoked it; -1 = nothing
        ("parent", np.int32),  # slot of what provoked it, while that is pending
        ("cell", np.int32),  # where
        ("station", np.int32),  # station of the first arrival; -1 = none
        ("children", np.int32),  # how many it provokes, prevented or not
        ("held", np.int32),  # coming events that still need the slot
        ("kind", np.int32),  # violation type
        ("cause", np.int32),  # why it came about
        ("level", np.int32),  # level of its sector when it began
        ("layer", np.int32),  # who sighted it
        ("need", np.int32),  # teams still wanted
        ("open", np.int32),  # teams out
        ("sent", np.int32),  # teams sent so far
        ("outcome", np.int32),  # what it ended in; UNDER_WAY or PENDING before
        ("day", np.int32),  # day of its beginning
    ],
    align=True,
)
TEAM = np.dtype(
    [
        ("order_h", np.float64),  # when it was ordered out
        ("busy_since_h", np.float64),  # out and on duty from then on; inf = out, off duty
        ("ready_h", np.float64),  # at base from then on, had it not been called back meanwhile
        ("depart_h", np.float64),  # when it sets out
        ("arrive_h", np.float64),
        ("done_h", np.float64),
        ("slot", np.int32),  # incident that it is sent to; -1 = free
        ("guest", np.int32),  # place at which it stands in elsewhere; -1 = none
        ("owner", np.int32),  # team that stands in at this place; -1 = none
    ],
    align=True,
)
Records = NDArray[np.void]


class Plan(NamedTuple):
    """What is fixed for a scenario."""

    stream_type: SmallInts  # stream_type[p] = violation type of stream p
    stream_is_false: Flags  # stream_is_false[p] = 1 when its reports have nothing behind them
    stream_code: Ints  # stream_code[p] = code of its name: keys the draws
    piece_start_h: (
        Floats  # piece_start_h[q] = beginning of piece q; Q + 1 values, the last is beyond the horizon
    )
    piece_is_night: Flags  # piece_is_night[q]
    mean_gap_h: Floats  # mean_gap_h[p, q] = mean time between candidates of stream p in piece q; inf = none
    cumulative: Floats  # cumulative[p, q] = expected candidates of stream p before piece q; Q + 1 values
    erodes: Flags  # erodes[k] = 1 when the truce thins type k
    truce_ceiling: float  # most that the truce lets happen, over the rates as stated
    truce_growth: float  # the truce's multiplier grows by so much, in logarithms per hour; 0 = it holds
    place_cdf: Floats  # place_cdf[k, c] = share of type k's incidents in cells 0..c
    place_guide: SmallInts  # place_guide[k, g] = first cell whose place_cdf exceeds g / C
    cell_sector: SmallInts  # cell_sector[c] = sector of cell c
    cell_window: SmallInts  # cell_window[c] = window in which months are counted
    cell_km: float  # length of a cell; the last may be shorter
    length_km: float
    listed_h: Floats  # listed_h[i] = when the i-th inject or recorded incident happens; the last is inf
    listed_type: SmallInts  # listed_type[i]
    listed_cell: SmallInts  # listed_cell[i]
    listed_cause: SmallInts  # listed_cause[i]
    listed_code: Ints  # listed_code[i], with listed_index: keys the draws
    listed_index: Ints  # listed_index[i]
    severity: Floats  # severity[k]
    draws: Flags  # draws[k, row] = 1 when an incident of type k may need these draws
    teams_wanted: SmallInts  # teams_wanted[k] = teams that an incident asks for; 0 = noted only
    standard_h: Floats  # standard_h[k] = attended in time within this of the beginning
    attribution: Floats  # attribution[k] = chance that a team which finds evidence can say who
    reports_p: Floats  # reports_p[k] = chance that others report it
    deterrence: Floats  # deterrence[k] = part of the intensity that vanishes where all is seen
    against_force: Flags  # against_force[k] = 1 when the mission is its target
    casualties: Floats  # casualties[k] = mean number of the mission's dead and wounded
    breeds_mean: Floats  # breeds_mean[k] = mean number of incidents that one provokes
    breeds_cdf: Floats  # breeds_cdf[k, j] = share of these that are of types 0..j
    breeds_spread_km: Floats  # breeds_spread_km[k] = mean distance
    breeds_law: Floats  # breeds_law[k] = (law, first, second) of the delay
    calming: Floats  # calming[k] = chance that a team on the spot prevents one
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
    station_class: SmallInts  # station_class[s] = caveats that its teams share
    station_no_night: Flags  # 1: its teams set out at dawn only
    station_may_attend: Flags  # station_may_attend[s, k]
    station_may_enter: Flags  # station_may_enter[s, x], as far as caveats go
    station_guest: SmallInts  # station_guest[s] = the team place of who stands in there; -1 = none
    team_station: SmallInts  # team_station[m]
    policy: int
    reserve: int
    reserve_severity: float
    preempt: int
    reach_h: float
    give_up_h: float
    night_slowness: float  # travel time at night over travel time by day
    escalates: int  # 1 when sectors have a tension
    tension_decay: float  # tension falls by so much, in logarithms per hour
    unanswered_extra: float  # what an unanswered incident adds to the tension, over its severity


class Laydown(NamedTuple):
    """What is in place now; campaign events change it."""

    # stand_p[k, w, c] = chance that posts and sensors notice type k at once; w = 2 x night + poor visibility
    stand_p: Floats
    pass_gap_h: Floats  # pass_gap_h[l, n, c] = mean time between passes of layer l; inf = none
    pass_split: Floats  # pass_split[l, c] = place on the beat, 0..1, for back-and-forth gaps
    pass_up: Floats  # pass_up[l, w, x] = chance that layer l is up over sector x
    seen_p: Floats  # seen_p[k, c] = chance that an incident is seen at all (for deterrence)
    accept_p: Floats  # accept_p[k, c] = share of the candidates that happen at the sector's level
    truce: Floats  # (multiplier, since when it has grown from there)
    travel_h: Floats  # travel_h[c, s] = hours from station s to cell c by day; inf = cannot reach
    order: SmallInts  # order[c, j] = the station that is j-th nearest to cell c
    between_h: Floats  # between_h[s, t] = hours from station s to station t by day
    may_enter: Flags  # may_enter[s, x] = caveats and the sector's level let its teams in
    on_duty: Flags  # on_duty[m] = 1 when team m is manned
    station_duty: SmallInts  # station_duty[s] = its manned teams
    level: SmallInts  # level[x] of escalation
    breeds_factor: Floats  # breeds_factor[x] = multiplier on what incidents provoke
    rise_at: Floats  # rise_at[x] = tension at which the level rises; inf = never
    leave_below: Floats  # leave_below[x] = tension below which it falls; 0 = never
    stay_until_h: Floats  # stay_until_h[x] = it falls no sooner
    hazard_h: Floats  # hazard_h[x] = when it changes for reasons outside the model; inf = never


class State(NamedTuple):
    """What is under way."""

    # now[CLOCK]; now[NEXT_TURN] = no sector's level falls, or meets its hazard, sooner; of this day:
    # now[SUNRISE], now[SUNSET], now[DAY_ENDS]
    now: Floats
    pointers: Ints  # sizes and ends of the lists below
    key: Ints  # key words 0 and 1, replication
    arrival_h: Floats  # arrival_h[p] = next candidate of stream p
    arrival_level: Floats  # arrival_level[p] = its operational time, in expected candidates
    arrival_piece: Ints  # arrival_piece[p] = piece of day or night that it falls in
    arrival_index: Ints  # arrival_index[p] = its number within the stream
    ahead: Floats  # ahead[p, row, word, lane]: draws of the next candidates of stream p; the last p: all else
    ahead_from: Ints  # ahead_from[p] = number of the candidate for which all rows of stream p begin
    is_poor: Flags  # is_poor[x, d] = 1 on days of poor visibility
    tension: Floats  # tension[x] as it was at ...
    tension_h: Floats  # ... tension_h[x]
    fall_h: Floats  # fall_h[x] = when its level falls unless tension rises before; inf = never
    heap_h: Floats  # binary heap of coming events: time
    heap_what: Ints  # its code: rank, what it is, team or slot
    home_h: Floats  # home_h[m] = team m is at base from then on; inf = sent or not manned
    teams: Records  # teams[m], fields TEAM
    sector_free: Ints  # sector_free[x] = free teams stationed in sector x
    slots: Records  # slots[i], fields SLOT: the incidents under way
    free_slot: Ints  # stack of free slots
    waiting: Ints  # slots that wait for a team, gravest and oldest first


class Tally(NamedTuple):
    """What is counted; whole numbers add up the same in any order. E rows of `ENDINGS`."""

    day: SmallInts  # day[d, E] by day of the beginning
    cell: SmallInts  # cell[c, E]
    period: SmallInts  # period[i, window, E] by 1/12 year
    kind: Ints  # kind[k, E]
    cause: Ints  # cause[k, cause] = incidents by what they came from
    casualties: Ints  # casualties[x]
    sighted_by: Ints  # sighted_by[layer]
    response: SmallInts  # response[x, minute] from sighting to the first team on the spot
    delay: SmallInts  # delay[x, minute] from beginning to sighting
    counts: Ints  # counts[N_...]
    sums: Floats  # sums[S_...] in hours
    team_busy_h: Floats  # team_busy_h[m] from order to end of work
    team_jobs: Ints  # team_jobs[m] = incidents attended


class Journal(NamedTuple):
    """One row for each incident that ended, one for each trip of a team; empty when no journal is kept."""

    whole: Ints  # columns JOURNAL_WHOLE
    hours: Floats  # columns JOURNAL_HOURS
    trip_whole: Ints  # columns TRIP_WHOLE
    trip_hours: Floats  # columns TRIP_HOURS


JOURNAL_WHOLE = (
    "number",
    "parent",
    "kind",
    "cause",
    "cell",
    "outcome",
    "layer",
    "station",
    "teams_sent",
    "finding",
    "level",
    "children",
    "id_0",
    "id_1",
)
JOURNAL_HOURS = ("start_h", "sighted_h", "ordered_h", "arrived_h", "ended_h")
TRIP_WHOLE = ("number", "team", "station", "end")
TRIP_HOURS = ("ordered_h", "departed_h", "arrived_h", "ended_h")
TRIP_ENDS = ("done", "recalled", "under_way")
DONE, RECALLED, CUT_OFF = range(3)
