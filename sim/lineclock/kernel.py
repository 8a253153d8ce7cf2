"""The line clock: what happens by the minute between two campaign events.

`advance` is one long loop on purpose: it stays in compiled code until the stated time. Its parts are the
small functions above
it, one for each kind of event; they open with what must hold. Nothing here draws in the order of time: every
draw is keyed by the incident
that it decides (see `draws`), so a change of the force changes only what it touches.
"""

from __future__ import annotations

import math

import numpy as np

from sim.lineclock.compiled import inlined, kernel
from sim.lineclock.dispatch import (
    ALL_BUSY,
    choose_team,
    day_breaks,
    drive_h,
    is_night,
    may_go,
    may_spend_reserve,
    recallable,
    why_nobody,
)
from sim.lineclock.draws import four, many, poisson_quantile, quantile, word
from sim.lineclock.queues import joins_waiting, leaves_waiting, pop, push, rank_of
from sim.lineclock.standby import guest_goes_home, guest_leaves, stands_in
from sim.lineclock.state import (
    AHEAD,
    ATTRIBUTED_FINDING,
    BACKGROUND,
    BLOCK_BIRTH,
    BLOCK_CHILD,
    BLOCK_TEAM,
    BLOCKS,
    CLOCK,
    CUT_OFF,
    DAY,
    DEADLINE,
    DONE,
    EVIDENCE_GONE,
    EXPLODED,
    FALSE_REPORT,
    FREE_SLOTS,
    GAVE_UP,
    HEAP_SIZE,
    IN_TIME,
    INCONCLUSIVE,
    JOURNAL_FULL,
    JOURNAL_ROWS,
    LATE,
    LAYER_ATTACKED,
    LAYER_FALSE,
    LAYER_NONE,
    LAYER_PATROL,
    LAYER_REPORT,
    LAYER_STANDING,
    LISTED,
    MINUTES_KEPT,
    MOST_CHILDREN,
    MOST_INCIDENTS,
    N_ANSWERABLE,
    N_DETERRED,
    N_FALSE,
    N_PREVENTED,
    N_RECALLED,
    N_SENT,
    N_WAITED,
    NEEDS_ROOM,
    NEXT_TURN,
    NOT_LOOKED,
    NOTED,
    NOTICED,
    NUMBER,
    OPEN,
    PENDING,
    RAN_ON,
    RECALLED,
    REPRISAL,
    RETALIATION,
    ROOM,
    ROW_BIRTH,
    ROW_BREEDING,
    ROW_EVIDENCE,
    ROW_PASSES,
    ROW_STANDING,
    ROW_TEAM,
    S_DRIVE_H,
    S_RESPONSE_H,
    TEAM_DONE,
    TIME_BINS,
    TRACE,
    TRIP_ROWS,
    TURNED,
    UNDER_WAY,
    UNSEEN,
    WAIT_HEAD,
    WAIT_TAIL,
    ending_of,
)  # fmt: skip
from sim.lineclock.tension import is_due_to_turn, raises_tension
from sim.scenario.quantities import HOURS_PER_YEAR

ending = inlined(ending_of)
PERIODS_PER_HOUR = 12.0 / HOURS_PER_YEAR
REGULAR, RANDOM, BACK_AND_FORTH = 0, 1, 2


@inlined
def draw_four(state, id_0, id_1, block):
    """Four uniforms for one block of one incident."""
    key = state.key
    return four(id_0, block, id_1, key[2], key[0], key[1])


@inlined
def draw_slot(state, slot, block):
    """Four uniforms for one block of the incident in a slot."""
    return draw_four(state, state.slots[slot].id_0, state.slots[slot].id_1, block)


@inlined
def draws_ahead(plan, state, stream, first, kind):
    """Draw what the next incidents of a stream may need after their birth."""
    key, code = state.key, plan.stream_code[stream]
    for row in range(1, len(BLOCKS)):
        if plan.draws[kind, row]:
            many(state.ahead[stream, row], first, BLOCKS[row], code, key[2], key[0], key[1])


@inlined
def draws_alone(plan, state, slot):
    """Draw what one incident may need that belongs to no stream."""
    alone = state.ahead[plan.stream_type.shape[0]]
    kind = state.slots[slot].kind
    for row in range(len(BLOCKS)):
        if plan.draws[kind, row]:
            alone[row, 0, 0], alone[row, 1, 0], alone[row, 2, 0], alone[row, 3, 0] = draw_slot(
                state, slot, BLOCKS[row]
            )


@inlined
def next_candidate(plan, state, stream, u):
    """Move a stream on to its next candidate: an exponential step in expected candidates, turned into time
    piece by piece.
    """
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
            + (level - plan.cumulative[stream, piece]) / plan.rate_per_h[stream, piece]
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
def next_pass_h(pattern, gap_h, split, detection, u_phase, u_miss):
    """Hours until a passing watch notices what stays; each pass notices with the same chance, on its own.

    regular: the phase is uniform on the gap. random: passes that notice are a Poisson process (Koopman 1946).
    back and forth: at place x of its beat the gaps alternate between 2 x gap and 2 (1 - x) gap (Szechtman et
    al. 2008).
    """
    if detection <= 0.0 or gap_h == np.inf:
        return np.inf
    if pattern == RANDOM:
        return -math.log(u_phase) * gap_h / detection
    missed = 0.0 if detection >= 1.0 else math.floor(math.log(u_miss) / math.log1p(-detection))
    if pattern == REGULAR:
        return (u_phase + missed) * gap_h
    cycle_h = 2.0 * gap_h
    first_h = split * cycle_h
    phase_h = u_phase * cycle_h
    if phase_h < first_h:
        wait_h, odd_h = first_h - phase_h, cycle_h - first_h
    else:
        wait_h, odd_h = cycle_h - phase_h, first_h
    pairs = math.floor(missed / 2.0)
    return wait_h + pairs * cycle_h + (odd_h if missed > 2.0 * pairs else 0.0)


@inlined
def sighting(plan, laydown, state, slot, row, lane):
    """When and by whom an incident is noticed -> (delay in hours or inf, layer).

    What is certain is not drawn: draws are keyed, so nothing else changes by that.
    """
    kind, cell, start_h = state.slots[slot].kind, state.slots[slot].cell, state.slots[slot].start_h
    sector = plan.cell_sector[cell]
    night = int(is_night(state, start_h))
    weather = 2 * night + state.is_poor[sector, state.pointers[DAY]]
    stands, reports = laydown.stand_p[kind, weather, cell], plan.reports_p[kind]
    u_report, u_delay = 0.5, 0.5
    law = plan.report_law
    if stands > 0.0 or 0.0 < reports < 1.0 or (reports > 0.0 and law[0] != 0.0):
        if state.ahead[row, ROW_STANDING, 0, lane] < stands:
            return 0.0, LAYER_STANDING
        u_report = state.ahead[row, ROW_STANDING, 1, lane]
        u_delay = state.ahead[row, ROW_STANDING, 2, lane]
    best_h, best_layer = np.inf, LAYER_NONE
    lasts_h = -1.0
    for layer in range(2):
        gap_h = laydown.pass_gap_h[layer, night, cell]
        detection = plan.pass_detection[layer, kind, night]
        if gap_h < np.inf and detection > 0.0:
            if lasts_h < 0.0:
                law_d = plan.duration_law[kind]
                lasts_h = quantile(law_d[0], law_d[1], law_d[2], state.ahead[row, ROW_BIRTH, 2, lane])
            u_phase = state.ahead[row, ROW_PASSES + layer, 0, lane]
            u_miss = state.ahead[row, ROW_PASSES + layer, 1, lane]
            if state.ahead[row, ROW_PASSES + layer, 2, lane] < laydown.pass_up[layer, weather, sector]:
                split = laydown.pass_split[layer, cell]
                wait_h = next_pass_h(plan.pass_pattern[layer], gap_h, split, detection, u_phase, u_miss)
                if wait_h < lasts_h and wait_h < best_h:
                    best_h, best_layer = wait_h, LAYER_PATROL + layer
    if u_report < reports:
        wait_h = quantile(law[0], law[1], law[2], u_delay)
        if wait_h < best_h:
            best_h, best_layer = wait_h, LAYER_REPORT
    return best_h, best_layer


@inlined
def time_bin(hours):
    """The bin of a histogram of times: by the minute to 48 h, then by the hour."""
    if hours < 48.0:
        return int(hours * 60.0)
    return MINUTES_KEPT + min(int(hours - 48.0), TIME_BINS - 1 - MINUTES_KEPT)


@inlined
def writes_row(state, journal, slot, outcome, finding, now_h):
    """One journal row; a journal of no rows is not kept."""
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


# What happens
# -------------------------------------------------------------------------------------------------


@inlined
def takes_slot(state):
    """A free slot; the caller has seen to it that there is one."""
    state.pointers[FREE_SLOTS] -= 1
    return state.free_slot[state.pointers[FREE_SLOTS]]


@inlined
def lets_go(state, slot):
    """Give a slot back once its incident has ended and no coming event needs it."""
    if state.slots[slot].held == 0:
        state.free_slot[state.pointers[FREE_SLOTS]] = slot
        state.pointers[FREE_SLOTS] += 1


@inlined
def is_released(state, slot):
    """One coming event less needs a slot."""
    state.slots[slot].held -= 1
    if state.slots[slot].outcome >= 0:
        lets_go(state, slot)


@inlined
def truce_holds_back(plan, laydown, now_h):
    """What the truce lets happen, over the most that it ever lets happen."""
    grown = laydown.truce[0]
    if plan.truce_growth > 0.0:
        grown *= math.exp(min(plan.truce_growth * (now_h - laydown.truce[1]), 700.0))
    return min(grown / plan.truce_ceiling, 1.0)


@inlined
def candidate_is_due(plan, laydown, state, tally, stream):
    """The next candidate of a stream is due: it happens, or is thinned out by truce, level or deterrence ->
    its slot, or -1.
    """
    start_h, index = state.arrival_h[stream], state.arrival_index[stream]
    kind, code = plan.stream_type[stream], plan.stream_code[stream]
    lane = index % AHEAD
    birth = state.ahead[stream, ROW_BIRTH]
    if lane == 0:
        key = state.key
        many(birth, index, BLOCK_BIRTH, code, key[2], key[0], key[1])
    state.arrival_index[stream] = index + 1
    next_candidate(plan, state, stream, birth[0, lane])
    cell = cell_of(plan, kind, birth[1, lane])
    u_accept = birth[3, lane]
    cause = FALSE_REPORT
    if not plan.stream_is_false[stream]:
        cause = BACKGROUND
        accept = laydown.accept_p[kind, cell]
        if plan.erodes[kind]:
            accept *= truce_holds_back(plan, laydown, start_h)
        if u_accept >= accept:
            return -1
        if u_accept >= accept * (1.0 - plan.deterrence[kind] * laydown.seen_p[kind, cell]):
            tally.counts[N_DETERRED] += 1
            return -1
    if state.ahead_from[stream] != index - lane:
        state.ahead_from[stream] = index - lane
        draws_ahead(plan, state, stream, index - lane, kind)
    slot = takes_slot(state)
    fills(state, slot, kind, cause, cell, start_h, index, code)
    return slot


@inlined
def listed_is_due(plan, state):
    """The next inject, or recorded incident, is due -> its slot."""
    i = state.pointers[LISTED]
    state.pointers[LISTED] = i + 1
    slot = takes_slot(state)
    fills(
        state,
        slot,
        plan.listed_type[i],
        plan.listed_cause[i],
        plan.listed_cell[i],
        plan.listed_h[i],
        plan.listed_index[i],
        plan.listed_code[i],
    )
    return slot


@inlined
def fills(state, slot, kind, cause, cell, start_h, id_0, id_1):
    """A slot is given to something that nothing provoked."""
    state.slots[slot].kind = kind
    state.slots[slot].cause = cause
    state.slots[slot].cell = cell
    state.slots[slot].start_h = start_h
    state.slots[slot].id_0 = id_0
    state.slots[slot].id_1 = id_1
    state.slots[slot].parent = -1
    state.slots[slot].parent_number = -1


@inlined
def reprisal_is_due(plan, state, tally, slot):
    """What an incident provoked is due -> whether it happens: a team that is there may have prevented it."""
    parent = state.slots[slot].parent
    kind = state.slots[parent].kind
    is_attended = state.slots[parent].arrive_h <= state.slots[slot].start_h
    is_released(state, parent)
    if is_attended and plan.calming[kind] > 0.0:
        _, _, _, u_calmed = draw_slot(state, slot, BLOCK_BIRTH)
        if u_calmed < plan.calming[kind]:
            tally.counts[N_PREVENTED] += 1
            lets_go(state, slot)
            return False
    return True


@inlined
def provokes(plan, laydown, state, slot, u_count):
    """Draw what an incident provokes, and put it off until it is due (a branching process)."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    mean = plan.breeds_mean[kind] * laydown.breeds_factor[plan.cell_sector[cell]]
    count = poisson_quantile(mean, u_count, MOST_CHILDREN)
    state.slots[slot].children = count
    state.slots[slot].held += count
    law = plan.breeds_law[kind]
    for i in range(count):
        u_delay, u_place, u_type, _ = draw_slot(state, slot, BLOCK_CHILD + i)
        child = takes_slot(state)
        due_h = state.slots[slot].start_h + quantile(law[0], law[1], law[2], u_delay)
        child_kind = 0
        while plan.breeds_cdf[kind, child_kind] <= u_type:
            child_kind += 1
        where = provoked_cell(plan, cell, plan.breeds_spread_km[kind], u_place)
        fills(state, child, child_kind, RETALIATION, where, due_h, word(u_delay), word(u_place))
        state.slots[child].parent = slot
        state.slots[child].parent_number = state.slots[slot].number
        state.slots[child].outcome = PENDING
        push(state, due_h, rank_of(state.slots[slot].number, i), REPRISAL, child)


@inlined
def provoked_cell(plan, cell, spread_km, u):
    """The cell at a Laplace distance from another; what lies beyond an end of the line is folded back."""
    cells = plan.cell_sector.shape[0]
    middle_km = 0.5 * (cell * plan.cell_km + min((cell + 1) * plan.cell_km, plan.length_km))
    away_km = -spread_km * math.log(2.0 * min(u, 1.0 - u))
    at_km = abs(middle_km - away_km if u < 0.5 else middle_km + away_km) % (2.0 * plan.length_km)
    if at_km > plan.length_km:
        at_km = 2.0 * plan.length_km - at_km
    return min(int(at_km / plan.cell_km), cells - 1)


@inlined
def incident_begins(plan, laydown, state, tally, journal, slot, row, lane):
    """Something happens, or is falsely reported -> 1 when it is seen at once, 2 when its sector is due to
    turn,
    3 for both.
    """
    kind, cause, cell = state.slots[slot].kind, state.slots[slot].cause, state.slots[slot].cell
    start_h = state.slots[slot].start_h
    sector = plan.cell_sector[cell]
    state.slots[slot].number = state.pointers[NUMBER]
    state.pointers[NUMBER] += 1
    state.slots[slot].outcome = UNDER_WAY
    state.slots[slot].day = state.pointers[DAY]
    state.slots[slot].level = laydown.level[sector]
    state.slots[slot].children = 0
    state.slots[slot].held = 0
    state.slots[slot].arrive_h = np.inf
    state.slots[slot].left_h = -np.inf
    state.slots[slot].order_h = np.inf
    state.slots[slot].need = plan.teams_wanted[kind]
    state.slots[slot].open = 0
    state.slots[slot].sent = 0
    state.slots[slot].station = -1
    state.slots[slot].u_life = state.ahead[row, ROW_EVIDENCE, 0, lane]
    state.slots[slot].u_says = state.ahead[row, ROW_EVIDENCE, 1, lane]
    state.slots[slot].u_reaction = state.ahead[row, ROW_TEAM, 0, lane]
    state.slots[slot].u_on_scene = state.ahead[row, ROW_TEAM, 1, lane]
    tally.cause[kind, cause] += 1
    told = 0
    if cause == FALSE_REPORT:
        tally.counts[N_FALSE] += 1
        delay_h, layer = 0.0, LAYER_FALSE
    else:
        if plan.escalates:
            if raises_tension(plan, laydown, state, sector, plan.severity[kind], start_h):
                told = 2
            if plan.unanswered_extra > 0.0 and plan.teams_wanted[kind] > 0:
                state.slots[slot].held = 1
                rank = rank_of(state.slots[slot].number, 0)
                push(state, start_h + plan.standard_h[kind], rank, DEADLINE, slot)
        if plan.breeds_mean[kind] > 0.0 and cause != TRACE:
            provokes(plan, laydown, state, slot, state.ahead[row, ROW_BREEDING, 0, lane])
        if plan.casualties[kind] > 0.0:
            u_hurt = state.ahead[row, ROW_BREEDING, 1, lane]
            tally.casualties[sector] += poisson_quantile(plan.casualties[kind], u_hurt, 1000)
        if plan.against_force[kind]:
            delay_h, layer = 0.0, LAYER_ATTACKED
        else:
            delay_h, layer = sighting(plan, laydown, state, slot, row, lane)
    state.slots[slot].layer = layer
    state.slots[slot].sighted_h = start_h + delay_h
    if delay_h <= 0.0:
        return told + 1
    if delay_h == np.inf:
        incident_ends(plan, state, tally, journal, slot, UNSEEN, start_h)
    else:
        push(state, start_h + delay_h, rank_of(state.slots[slot].number, 0), NOTICED, slot)
    return told


@inlined
def deadline_passes(plan, laydown, state, slot, now_h):
    """The time in which an incident should be attended is over -> whether its sector is due to turn."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    is_answered = state.slots[slot].arrive_h <= now_h
    is_released(state, slot)
    if is_answered:
        return False
    extra = plan.unanswered_extra * plan.severity[kind]
    return raises_tension(plan, laydown, state, plan.cell_sector[cell], extra, now_h)


# What is answered
# ---------------------------------------------------------------------------------------------


@inlined
def incident_is_sighted(plan, laydown, state, tally, journal, slot, now_h):
    """The mission knows: the incident is noted, gets its teams, waits, or is out of everybody's reach."""
    kind, cell = state.slots[slot].kind, state.slots[slot].cell
    if state.slots[slot].layer != LAYER_FALSE:
        tally.sighted_by[state.slots[slot].layer] += 1
        tally.delay[plan.cell_sector[cell], time_bin(now_h - state.slots[slot].start_h)] += 1
    if state.slots[slot].need == 0:
        incident_ends(plan, state, tally, journal, slot, NOTED, now_h)
        return
    tally.counts[N_ANSWERABLE] += 1
    while state.slots[slot].need > 0:
        team, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
        robbed = -1
        if team == ALL_BUSY and plan.preempt:
            team, wait_h, drive = recallable(plan, laydown, state, cell, kind, now_h)
            if team >= 0:
                robbed = team_is_recalled(plan, state, tally, journal, team, now_h)
            else:
                team = ALL_BUSY
        if team >= 0:
            team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
            if robbed >= 0:
                looks_for_another(plan, laydown, state, tally, robbed, now_h)
        elif team == ALL_BUSY and plan.give_up_h > 0.0:
            tally.counts[N_WAITED] += 1
            joins_waiting(plan, state, slot)
            return
        elif state.slots[slot].open > 0:
            state.slots[slot].need = 0
            return
        else:
            why = GAVE_UP if team == ALL_BUSY else why_nobody(plan, laydown, state, cell, kind, now_h)
            incident_ends(plan, state, tally, journal, slot, why, now_h)
            return


@inlined
def team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive):
    """A free team is ordered out; when it will arrive and be done is known from here on."""
    kind, station = state.slots[slot].kind, plan.team_station[team]
    reaction, on_scene = plan.reaction_law, plan.on_scene_law[kind]
    u_reaction, u_on_scene = state.slots[slot].u_reaction, state.slots[slot].u_on_scene
    if state.slots[slot].sent > 0:
        u_reaction, u_on_scene, _, _ = draw_slot(state, slot, BLOCK_TEAM + state.slots[slot].sent)
    depart_h = now_h + max(wait_h, quantile(reaction[0], reaction[1], reaction[2], u_reaction))
    arrive_h = depart_h + drive
    done_h = arrive_h + quantile(on_scene[0], on_scene[1], on_scene[2], u_on_scene)
    state.teams[team].slot = slot
    state.teams[team].ready_h = max(now_h, min(state.home_h[team], now_h + wait_h))
    state.home_h[team] = np.inf
    state.teams[team].order_h = now_h
    state.teams[team].busy_since_h = now_h
    state.teams[team].depart_h = depart_h
    state.teams[team].arrive_h = arrive_h
    state.teams[team].done_h = done_h
    state.sector_free[plan.station_sector[station]] -= 1
    state.slots[slot].need -= 1
    state.slots[slot].open += 1
    state.slots[slot].sent += 1
    if arrive_h < state.slots[slot].arrive_h:
        state.slots[slot].arrive_h = arrive_h
        state.slots[slot].station = station
    if state.slots[slot].order_h == np.inf:
        state.slots[slot].order_h = now_h
    tally.counts[N_SENT] += 1
    tally.sums[S_DRIVE_H] += drive
    push(state, done_h, 0, TEAM_DONE, team)
    stands_in(plan, laydown, state, tally, station, now_h)


@inlined
def busy_on_duty(state, tally, team, now_h):
    """Count the hours for which a team was out while on duty, since it was ordered or came on duty."""
    since_h = state.teams[team].busy_since_h
    if since_h < now_h:
        tally.team_busy_h[team] += now_h - since_h


@inlined
def team_is_recalled(plan, state, tally, journal, team, now_h):
    """A team on its way turns back -> the slot of the incident that it leaves.

    Its old end on the heap no longer matches and is passed over.
    """
    slot = state.teams[team].slot
    tally.counts[N_RECALLED] += 1
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, RECALLED, now_h)
    state.teams[team].slot = -1
    state.teams[team].done_h = -1.0
    state.sector_free[plan.station_sector[plan.team_station[team]]] += 1
    state.slots[slot].open -= 1
    state.slots[slot].left_h = now_h
    state.slots[slot].need += 1
    if state.slots[slot].arrive_h > now_h:  # nobody is there yet: who of the others will be first?
        state.slots[slot].arrive_h = np.inf
        state.slots[slot].station = -1
        for other in range(state.teams.shape[0]):
            if state.teams[other].slot == slot and state.teams[other].arrive_h < state.slots[slot].arrive_h:
                state.slots[slot].arrive_h = state.teams[other].arrive_h
                state.slots[slot].station = plan.team_station[other]
    return slot


@inlined
def looks_for_another(plan, laydown, state, tally, slot, now_h):
    """An incident whose team was called away asks for another, and waits if none is free."""
    kind = state.slots[slot].kind
    team, wait_h, drive = choose_team(plan, laydown, state, state.slots[slot].cell, kind, now_h)
    if team >= 0:
        team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
    elif state.slots[slot].need == 1:
        joins_waiting(plan, state, slot)


@inlined
def team_is_done(plan, laydown, state, tally, journal, team, now_h):
    """A team has finished on the spot: it goes home, free for whatever waits -> the place at which it is
    free,
    or -1.
    """
    slot, station = state.teams[team].slot, plan.team_station[team]
    cell = state.slots[slot].cell
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, DONE, now_h)
    tally.team_jobs[team] += 1
    state.teams[team].slot = -1
    state.slots[slot].open -= 1
    state.slots[slot].left_h = now_h
    if state.slots[slot].need == 0 and state.slots[slot].open == 0:
        incident_is_over(plan, state, tally, journal, slot, now_h)
    owner = state.teams[team].owner
    if owner >= 0:  # who stood in elsewhere goes back to its own base
        guest_leaves(state, team)
        team, station = owner, plan.team_station[owner]
    if not laydown.on_duty[team]:
        return -1
    state.home_h[team] = now_h + min(drive_h(plan, laydown, state, station, cell, now_h), plan.reach_h)
    state.sector_free[plan.station_sector[station]] += 1
    guest_goes_home(plan, laydown, state, station, now_h)
    return team


@inlined
def team_takes_waiting(plan, laydown, state, tally, journal, team, now_h):
    """A free team takes the gravest and oldest incident that waits and that it may attend."""
    station = plan.team_station[team]
    own_sector = plan.station_sector[station]
    for own_only in range(1 if plan.policy == 1 else 0, -1, -1):
        i = state.pointers[WAIT_HEAD]
        while i < state.pointers[WAIT_TAIL]:
            slot = state.waiting[i]
            cell, kind = state.slots[slot].cell, state.slots[slot].kind
            if now_h > state.slots[slot].sighted_h + plan.give_up_h:
                leaves_waiting(state, i)
                i = max(i, state.pointers[WAIT_HEAD])
                gives_up(plan, state, tally, journal, slot)
                continue
            if (
                drive_h(plan, laydown, state, station, cell, now_h) <= plan.reach_h
                and may_go(plan, laydown, station, kind, plan.cell_sector[cell])
                and may_spend_reserve(plan, state, station, plan.severity[kind])
                and not (own_only and plan.cell_sector[cell] != own_sector)
            ):
                # With one team more, a reserve may allow another to go that is nearer.
                chosen, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
                team_is_sent(plan, laydown, state, tally, slot, chosen, now_h, wait_h, drive)
                if state.slots[slot].need == 0:
                    leaves_waiting(state, i)
                    i = max(i, state.pointers[WAIT_HEAD])
                if chosen == team:
                    return
                continue
            i += 1


@inlined
def patience_ends_h(plan, state, slot):
    """When an incident that waits is closed: no sooner than the last team left it."""
    return max(state.slots[slot].sighted_h + plan.give_up_h, state.slots[slot].left_h)


@inlined
def gives_up(plan, state, tally, journal, slot):
    """An incident has waited too long: no further team is asked for; if none is out, it ends unattended."""
    state.slots[slot].need = 0
    if state.slots[slot].open == 0:
        until_h = patience_ends_h(plan, state, slot)
        if state.slots[slot].arrive_h < np.inf:
            incident_is_over(plan, state, tally, journal, slot, until_h)
        else:
            incident_ends(plan, state, tally, journal, slot, GAVE_UP, until_h)


@inlined
def incident_is_over(plan, state, tally, journal, slot, now_h):
    """The last team leaves: attended in time, or late."""
    took_h = state.slots[slot].arrive_h - state.slots[slot].start_h
    is_in_time = took_h <= plan.standard_h[state.slots[slot].kind]
    incident_ends(plan, state, tally, journal, slot, IN_TIME if is_in_time else LATE, now_h)


@inlined
def finds_out(plan, state, slot):
    """What the first team finds out about who did it."""
    kind = state.slots[slot].kind
    u_life, u_says = state.slots[slot].u_life, state.slots[slot].u_says
    law = plan.evidence_law[kind]
    if state.slots[slot].arrive_h - state.slots[slot].start_h > quantile(law[0], law[1], law[2], u_life):
        return EVIDENCE_GONE
    return ATTRIBUTED_FINDING if u_says < plan.attribution[kind] else INCONCLUSIVE


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
        row = ending(outcome, finding, is_sighted, int(plan.teams_wanted[kind] > 0))
        tally.day[state.slots[slot].day, row] += 1
        tally.cell[cell, row] += 1
        tally.period[int(start_h * PERIODS_PER_HOUR), plan.cell_window[cell], row] += 1
        tally.kind[kind, row] += 1
    state.slots[slot].outcome = outcome
    writes_row(state, journal, slot, outcome, finding, now_h)
    lets_go(state, slot)


# The clock
# ----------------------------------------------------------------------------------------------------


def _starts(plan, state):
    """Set every stream to its first candidate."""
    for stream in range(plan.stream_type.shape[0]):
        state.arrival_level[stream] = 0.0
        state.arrival_piece[stream] = 0
        u_gap, _, _, _ = draw_four(state, 0xFFFFFFFF, plan.stream_code[stream], BLOCK_BIRTH)
        next_candidate(plan, state, stream, u_gap)


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


def _advance(plan, laydown, state, tally, journal, until_h):
    """Run the line over [now, until_h) -> why it came back: RAN_ON, NEEDS_ROOM, JOURNAL_FULL, TURNED or
    EXPLODED; `now[CLOCK]` is how far it came.

    NEEDS_ROOM and JOURNAL_FULL leave everything as it stands before the next event: make room, or empty the
    journal, and call again. TURNED is a sector that is due to change its level at that very time.
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
            told = incident_begins(plan, laydown, state, tally, journal, begins, row, lane)
            turns = told >= 2
            if told & 1:
                sighted = begins
        if sighted >= 0:
            incident_is_sighted(plan, laydown, state, tally, journal, sighted, now_h)
        elif freed >= 0 and pointers[WAIT_HEAD] < pointers[WAIT_TAIL]:
            team_takes_waiting(plan, laydown, state, tally, journal, freed, now_h)
        if turns:
            return TURNED


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
            leaves_waiting(state, i)
            i = max(i, state.pointers[WAIT_HEAD])
            gives_up(plan, state, tally, journal, slot)
            continue
        kind = state.slots[slot].kind
        while state.slots[slot].need > 0:
            team, wait_h, drive = choose_team(plan, laydown, state, state.slots[slot].cell, kind, now_h)
            if team < 0:
                break
            team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
        if state.slots[slot].need == 0:
            leaves_waiting(state, i)
            i = max(i, state.pointers[WAIT_HEAD])
        else:
            i += 1
    return RAN_ON


def _duty_changes(plan, laydown, state, tally, wanted, now_h):
    """Man and unman teams: wanted[m] = 1 for those on duty from now on. A team that is out finishes what it
    does. A guest goes home from a station that has its own again, or none to stand in for.
    """
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
        if state.slots[slot].sighted_h >= horizon_h:
            state.slots[slot].sighted_h = np.inf
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)
        elif is_given_up:
            incident_ends(plan, state, tally, journal, slot, GAVE_UP, until_h)
        else:
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)


starts = kernel(_starts)
advance = kernel(_advance)
duty_changes = kernel(_duty_changes)
serves_waiting = kernel(_serves_waiting)
closes = kernel(_closes)
