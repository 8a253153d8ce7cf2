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
    drive_h,
    is_night,
    may_go,
    may_spend_reserve,
    recallable,
    why_nobody,
)
from sim.lineclock.draws import (
    BLOCK_BIRTH,
    BLOCK_BREEDING,
    BLOCK_CHILD,
    BLOCK_EVIDENCE,
    BLOCK_PASSES,
    BLOCK_STANDING,
    BLOCK_TEAM,
    four,
    poisson_quantile,
    quantile,
    word,
)
from sim.lineclock.queues import joins_waiting, leaves_waiting, pop, push, rank_of
from sim.lineclock.standby import guest_goes_home, guest_leaves, stands_in
from sim.lineclock.state import (
    ATTRIBUTED_FINDING,
    BACKGROUND,
    CLOCK,
    CUT_OFF,
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
    return draw_four(state, state.slot_id[slot, 0], state.slot_id[slot, 1], block)


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
def sighting(plan, laydown, state, slot):
    """When and by whom an incident is noticed -> (delay in hours or inf, layer).

    What is certain is not drawn: draws are keyed, so nothing else changes by that.
    """
    kind, cell, start_h = state.slot_kind[slot], state.slot_cell[slot], state.slot_start_h[slot]
    sector = plan.cell_sector[cell]
    night = int(is_night(plan, start_h))
    weather = 2 * night + state.is_poor[sector, int(start_h / 24.0)]
    stands, reports = laydown.stand_p[kind, weather, cell], plan.reports_p[kind]
    u_report, u_delay = 0.5, 0.5
    law = plan.report_law
    if stands > 0.0 or 0.0 < reports < 1.0 or (reports > 0.0 and law[0] != 0.0):
        u_standing, u_report, u_delay, _ = draw_slot(state, slot, BLOCK_STANDING)
        if u_standing < stands:
            return 0.0, LAYER_STANDING
    best_h, best_layer = np.inf, LAYER_NONE
    lasts_h = -1.0
    for layer in range(2):
        gap_h = laydown.pass_gap_h[layer, night, cell]
        detection = plan.pass_detection[layer, kind, night]
        if gap_h < np.inf and detection > 0.0:
            if lasts_h < 0.0:
                lasts_h = lasting_h(plan, state, slot)
            u_phase, u_miss, u_up, _ = draw_slot(state, slot, BLOCK_PASSES + layer)
            if u_up < laydown.pass_up[layer, weather, sector]:
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
def lasting_h(plan, state, slot):
    """How long an incident can be observed [h]."""
    law = plan.duration_law[state.slot_kind[slot]]
    if law[0] == 0.0:
        return law[1]
    _, _, u, _ = draw_slot(state, slot, BLOCK_BIRTH)
    return quantile(law[0], law[1], law[2], u)


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
    whole[row, 0] = state.slot_number[slot]
    whole[row, 1] = state.slot_parent_number[slot]
    whole[row, 2] = state.slot_kind[slot]
    whole[row, 3] = state.slot_cause[slot]
    whole[row, 4] = state.slot_cell[slot]
    whole[row, 5] = outcome
    whole[row, 6] = state.slot_layer[slot]
    whole[row, 7] = state.slot_station[slot]
    whole[row, 8] = state.slot_sent[slot]
    whole[row, 9] = finding
    whole[row, 10] = state.slot_level[slot]
    whole[row, 11] = state.slot_children[slot]
    whole[row, 12] = state.slot_id[slot, 0]
    whole[row, 13] = state.slot_id[slot, 1]
    hours[row, 0] = state.slot_start_h[slot]
    hours[row, 1] = state.slot_sighted_h[slot]
    hours[row, 2] = state.slot_order_h[slot]
    hours[row, 3] = state.slot_arrive_h[slot]
    hours[row, 4] = now_h


@inlined
def writes_trip(plan, state, journal, team, end, now_h):
    """One row for a trip of a team that has ended."""
    if journal.trip_whole.shape[0] == 0:
        return
    row = state.pointers[TRIP_ROWS]
    state.pointers[TRIP_ROWS] = row + 1
    owner = state.team_owner[team]
    journal.trip_whole[row, 0] = state.slot_number[state.team_slot[team]]
    journal.trip_whole[row, 1] = team if owner < 0 else owner
    journal.trip_whole[row, 2] = plan.team_station[team]
    journal.trip_whole[row, 3] = end
    journal.trip_hours[row, 0] = state.team_order_h[team]
    journal.trip_hours[row, 1] = state.team_depart_h[team]
    journal.trip_hours[row, 2] = state.team_arrive_h[team]
    journal.trip_hours[row, 3] = now_h


# What happens -------------------------------------------------------------------------------------------------


@inlined
def takes_slot(state):
    """A free slot; the caller has seen to it that there is one."""
    state.pointers[FREE_SLOTS] -= 1
    return state.free_slot[state.pointers[FREE_SLOTS]]


@inlined
def lets_go(state, slot):
    """Give a slot back once its incident has ended and no coming event needs it."""
    if state.slot_held[slot] == 0:
        state.free_slot[state.pointers[FREE_SLOTS]] = slot
        state.pointers[FREE_SLOTS] += 1


@inlined
def is_released(state, slot):
    """One coming event less needs a slot."""
    state.slot_held[slot] -= 1
    if state.slot_outcome[slot] >= 0:
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
    u_gap, u_place, _, u_accept = draw_four(state, index, code, BLOCK_BIRTH)
    state.arrival_index[stream] = index + 1
    next_candidate(plan, state, stream, u_gap)
    cell = cell_of(plan, kind, u_place)
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
    state.slot_kind[slot] = kind
    state.slot_cause[slot] = cause
    state.slot_cell[slot] = cell
    state.slot_start_h[slot] = start_h
    state.slot_id[slot, 0] = id_0
    state.slot_id[slot, 1] = id_1
    state.slot_parent[slot] = -1
    state.slot_parent_number[slot] = -1


@inlined
def reprisal_is_due(plan, state, tally, slot):
    """What an incident provoked is due -> whether it happens: a team that is there may have prevented it."""
    parent = state.slot_parent[slot]
    kind = state.slot_kind[parent]
    is_attended = state.slot_arrive_h[parent] <= state.slot_start_h[slot]
    is_released(state, parent)
    if is_attended and plan.calming[kind] > 0.0:
        _, _, _, u_calmed = draw_slot(state, slot, BLOCK_BIRTH)
        if u_calmed < plan.calming[kind]:
            tally.counts[N_PREVENTED] += 1
            lets_go(state, slot)
            return False
    return True


@inlined
def provokes(plan, laydown, state, slot):
    """Draw what an incident provokes, and put it off until it is due (a branching process)."""
    kind, cell = state.slot_kind[slot], state.slot_cell[slot]
    u_count, _, _, _ = draw_slot(state, slot, BLOCK_BREEDING)
    mean = plan.breeds_mean[kind] * laydown.breeds_factor[plan.cell_sector[cell]]
    count = poisson_quantile(mean, u_count, MOST_CHILDREN)
    state.slot_children[slot] = count
    state.slot_held[slot] += count
    law = plan.breeds_law[kind]
    for i in range(count):
        u_delay, u_place, u_type, _ = draw_slot(state, slot, BLOCK_CHILD + i)
        child = takes_slot(state)
        due_h = state.slot_start_h[slot] + quantile(law[0], law[1], law[2], u_delay)
        child_kind = 0
        while plan.breeds_cdf[kind, child_kind] <= u_type:
            child_kind += 1
        where = provoked_cell(plan, cell, plan.breeds_spread_km[kind], u_place)
        fills(state, child, child_kind, RETALIATION, where, due_h, word(u_delay), word(u_place))
        state.slot_parent[child] = slot
        state.slot_parent_number[child] = state.slot_number[slot]
        state.slot_outcome[child] = PENDING
        push(state, due_h, rank_of(state.slot_number[slot], i), REPRISAL, child)


@inlined
def provoked_cell(plan, cell, spread_km, u):
    """The cell at a Laplace distance from another; what lies beyond an end of the line is folded back."""
    cells = plan.cell_sector.shape[0]
    middle_km = min((cell + 0.5) * plan.cell_km, plan.length_km)
    away_km = -spread_km * math.log(2.0 * min(u, 1.0 - u))
    at_km = abs(middle_km - away_km if u < 0.5 else middle_km + away_km) % (2.0 * plan.length_km)
    if at_km > plan.length_km:
        at_km = 2.0 * plan.length_km - at_km
    return min(int(at_km / plan.cell_km), cells - 1)


@inlined
def incident_begins(plan, laydown, state, tally, journal, slot):
    """Something happens, or is falsely reported -> 1 when it is seen at once, 2 when its sector is due to turn,
    3 for both.
    """
    kind, cause, cell = state.slot_kind[slot], state.slot_cause[slot], state.slot_cell[slot]
    start_h = state.slot_start_h[slot]
    sector = plan.cell_sector[cell]
    state.slot_number[slot] = state.pointers[NUMBER]
    state.pointers[NUMBER] += 1
    state.slot_outcome[slot] = UNDER_WAY
    state.slot_level[slot] = laydown.level[sector]
    state.slot_children[slot] = 0
    state.slot_held[slot] = 0
    state.slot_arrive_h[slot] = np.inf
    state.slot_left_h[slot] = -np.inf
    state.slot_order_h[slot] = np.inf
    state.slot_need[slot] = plan.teams_wanted[kind]
    state.slot_open[slot] = 0
    state.slot_sent[slot] = 0
    state.slot_station[slot] = -1
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
                state.slot_held[slot] = 1
                rank = rank_of(state.slot_number[slot], 0)
                push(state, start_h + plan.standard_h[kind], rank, DEADLINE, slot)
        if plan.breeds_mean[kind] > 0.0 and cause != TRACE:
            provokes(plan, laydown, state, slot)
        if plan.casualties[kind] > 0.0:
            _, u_hurt, _, _ = draw_slot(state, slot, BLOCK_BREEDING)
            tally.casualties[sector] += poisson_quantile(plan.casualties[kind], u_hurt, 1000)
        if plan.against_force[kind]:
            delay_h, layer = 0.0, LAYER_ATTACKED
        else:
            delay_h, layer = sighting(plan, laydown, state, slot)
    state.slot_layer[slot] = layer
    state.slot_sighted_h[slot] = start_h + delay_h
    if delay_h <= 0.0:
        return told + 1
    if delay_h == np.inf:
        incident_ends(plan, state, tally, journal, slot, UNSEEN, start_h)
    else:
        push(state, start_h + delay_h, rank_of(state.slot_number[slot], 0), NOTICED, slot)
    return told


@inlined
def deadline_passes(plan, laydown, state, slot, now_h):
    """The time in which an incident should have been attended is over -> whether its sector is due to turn."""
    kind, cell = state.slot_kind[slot], state.slot_cell[slot]
    is_answered = state.slot_arrive_h[slot] <= now_h
    is_released(state, slot)
    if is_answered:
        return False
    extra = plan.unanswered_extra * plan.severity[kind]
    return raises_tension(plan, laydown, state, plan.cell_sector[cell], extra, now_h)


# What is answered ---------------------------------------------------------------------------------------------


@inlined
def incident_is_sighted(plan, laydown, state, tally, journal, slot, now_h):
    """The mission knows: the incident is noted, gets its teams, waits, or is out of everybody's reach."""
    kind, cell = state.slot_kind[slot], state.slot_cell[slot]
    if state.slot_layer[slot] != LAYER_FALSE:
        tally.sighted_by[state.slot_layer[slot]] += 1
        tally.delay[plan.cell_sector[cell], time_bin(now_h - state.slot_start_h[slot])] += 1
    if state.slot_need[slot] == 0:
        incident_ends(plan, state, tally, journal, slot, NOTED, now_h)
        return
    tally.counts[N_ANSWERABLE] += 1
    while state.slot_need[slot] > 0:
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
        elif state.slot_open[slot] > 0:
            state.slot_need[slot] = 0
            return
        else:
            why = GAVE_UP if team == ALL_BUSY else why_nobody(plan, laydown, cell, kind, now_h)
            incident_ends(plan, state, tally, journal, slot, why, now_h)
            return


@inlined
def team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive):
    """A free team is ordered out; when it will arrive and be done is known from here on."""
    kind, station = state.slot_kind[slot], plan.team_station[team]
    reaction, on_scene = plan.reaction_law, plan.on_scene_law[kind]
    u_reaction, u_on_scene = 0.5, 0.5
    if reaction[0] != 0.0 or on_scene[0] != 0.0:
        u_reaction, u_on_scene, _, _ = draw_slot(state, slot, BLOCK_TEAM + state.slot_sent[slot])
    depart_h = now_h + max(wait_h, quantile(reaction[0], reaction[1], reaction[2], u_reaction))
    arrive_h = depart_h + drive
    done_h = arrive_h + quantile(on_scene[0], on_scene[1], on_scene[2], u_on_scene)
    state.team_slot[team] = slot
    state.team_ready_h[team] = max(now_h, min(state.team_home_h[team], now_h + wait_h))
    state.team_home_h[team] = np.inf
    state.team_order_h[team] = now_h
    state.team_busy_since_h[team] = now_h
    state.team_depart_h[team] = depart_h
    state.team_arrive_h[team] = arrive_h
    state.team_done_h[team] = done_h
    state.sector_free[plan.station_sector[station]] -= 1
    state.slot_need[slot] -= 1
    state.slot_open[slot] += 1
    state.slot_sent[slot] += 1
    if arrive_h < state.slot_arrive_h[slot]:
        state.slot_arrive_h[slot] = arrive_h
        state.slot_station[slot] = station
    if state.slot_order_h[slot] == np.inf:
        state.slot_order_h[slot] = now_h
    tally.counts[N_SENT] += 1
    tally.sums[S_DRIVE_H] += drive
    push(state, done_h, 0, TEAM_DONE, team)
    stands_in(plan, laydown, state, tally, station, now_h)


@inlined
def busy_on_duty(state, tally, team, now_h):
    """Count the hours for which a team was out while on duty, since it was ordered or came on duty."""
    since_h = state.team_busy_since_h[team]
    if since_h < now_h:
        tally.team_busy_h[team] += now_h - since_h


@inlined
def team_is_recalled(plan, state, tally, journal, team, now_h):
    """A team on its way turns back -> the slot of the incident that it leaves.

    Its old end on the heap no longer matches and is passed over.
    """
    slot = state.team_slot[team]
    tally.counts[N_RECALLED] += 1
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, RECALLED, now_h)
    state.team_slot[team] = -1
    state.team_done_h[team] = -1.0
    state.sector_free[plan.station_sector[plan.team_station[team]]] += 1
    state.slot_open[slot] -= 1
    state.slot_left_h[slot] = now_h
    state.slot_need[slot] += 1
    if state.slot_arrive_h[slot] > now_h:  # nobody is there yet: who of the others will be first?
        state.slot_arrive_h[slot] = np.inf
        state.slot_station[slot] = -1
        for other in range(state.team_slot.shape[0]):
            if state.team_slot[other] == slot and state.team_arrive_h[other] < state.slot_arrive_h[slot]:
                state.slot_arrive_h[slot] = state.team_arrive_h[other]
                state.slot_station[slot] = plan.team_station[other]
    return slot


@inlined
def looks_for_another(plan, laydown, state, tally, slot, now_h):
    """An incident whose team was called away asks for another, and waits if none is free."""
    kind = state.slot_kind[slot]
    team, wait_h, drive = choose_team(plan, laydown, state, state.slot_cell[slot], kind, now_h)
    if team >= 0:
        team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
    elif state.slot_need[slot] == 1:
        joins_waiting(plan, state, slot)


@inlined
def team_is_done(plan, laydown, state, tally, journal, team, now_h):
    """A team has finished on the spot: it goes home, free for whatever waits -> the place at which it is free,
    or -1.
    """
    slot, station = state.team_slot[team], plan.team_station[team]
    cell = state.slot_cell[slot]
    busy_on_duty(state, tally, team, now_h)
    writes_trip(plan, state, journal, team, DONE, now_h)
    tally.team_jobs[team] += 1
    state.team_slot[team] = -1
    state.slot_open[slot] -= 1
    state.slot_left_h[slot] = now_h
    if state.slot_need[slot] == 0 and state.slot_open[slot] == 0:
        incident_is_over(plan, state, tally, journal, slot, now_h)
    owner = state.team_owner[team]
    if owner >= 0:  # who stood in elsewhere goes back to its own base
        guest_leaves(state, team)
        team, station = owner, plan.team_station[owner]
    if not laydown.on_duty[team]:
        return -1
    state.team_home_h[team] = now_h + min(drive_h(plan, laydown, station, cell, now_h), plan.reach_h)
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
            cell, kind = state.slot_cell[slot], state.slot_kind[slot]
            if now_h > state.slot_sighted_h[slot] + plan.give_up_h:
                leaves_waiting(state, i)
                i = max(i, state.pointers[WAIT_HEAD])
                gives_up(plan, state, tally, journal, slot)
                continue
            if (
                drive_h(plan, laydown, station, cell, now_h) <= plan.reach_h
                and may_go(plan, laydown, station, kind, plan.cell_sector[cell])
                and may_spend_reserve(plan, state, station, plan.severity[kind])
                and not (own_only and plan.cell_sector[cell] != own_sector)
            ):
                # With one team more, a reserve may allow another to go that is nearer.
                chosen, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
                team_is_sent(plan, laydown, state, tally, slot, chosen, now_h, wait_h, drive)
                if state.slot_need[slot] == 0:
                    leaves_waiting(state, i)
                    i = max(i, state.pointers[WAIT_HEAD])
                if chosen == team:
                    return
                continue
            i += 1


@inlined
def patience_ends_h(plan, state, slot):
    """When an incident that waits is closed: no sooner than the last team left it."""
    return max(state.slot_sighted_h[slot] + plan.give_up_h, state.slot_left_h[slot])


@inlined
def gives_up(plan, state, tally, journal, slot):
    """An incident has waited too long: no further team is asked for; if none is out, it ends unattended."""
    state.slot_need[slot] = 0
    if state.slot_open[slot] == 0:
        until_h = patience_ends_h(plan, state, slot)
        if state.slot_arrive_h[slot] < np.inf:
            incident_is_over(plan, state, tally, journal, slot, until_h)
        else:
            incident_ends(plan, state, tally, journal, slot, GAVE_UP, until_h)


@inlined
def incident_is_over(plan, state, tally, journal, slot, now_h):
    """The last team leaves: attended in time, or late."""
    took_h = state.slot_arrive_h[slot] - state.slot_start_h[slot]
    is_in_time = took_h <= plan.standard_h[state.slot_kind[slot]]
    incident_ends(plan, state, tally, journal, slot, IN_TIME if is_in_time else LATE, now_h)


@inlined
def finds_out(plan, state, slot):
    """What the first team finds out about who did it."""
    kind = state.slot_kind[slot]
    u_life, u_says, _, _ = draw_slot(state, slot, BLOCK_EVIDENCE)
    law = plan.evidence_law[kind]
    if state.slot_arrive_h[slot] - state.slot_start_h[slot] > quantile(law[0], law[1], law[2], u_life):
        return EVIDENCE_GONE
    return ATTRIBUTED_FINDING if u_says < plan.attribution[kind] else INCONCLUSIVE


@inlined
def incident_ends(plan, state, tally, journal, slot, outcome, now_h):
    """Count an incident, once, by how it ended, on the day it began; give its slot back."""
    cell, kind, start_h = state.slot_cell[slot], state.slot_kind[slot], state.slot_start_h[slot]
    finding = NOT_LOOKED
    if state.slot_layer[slot] != LAYER_FALSE:
        if outcome in (LATE, IN_TIME):
            response_h = state.slot_arrive_h[slot] - state.slot_sighted_h[slot]
            tally.sums[S_RESPONSE_H] += response_h
            tally.response[plan.cell_sector[cell], time_bin(response_h)] += 1
            finding = INCONCLUSIVE
            if plan.attribution[kind] > 0.0:
                finding = finds_out(plan, state, slot)
        is_sighted = int(outcome != UNSEEN and state.slot_sighted_h[slot] < np.inf)
        row = ending(outcome, finding, is_sighted, int(plan.teams_wanted[kind] > 0))
        tally.day[int(start_h / 24.0), row] += 1
        tally.cell[cell, row] += 1
        tally.period[int(start_h * PERIODS_PER_HOUR), plan.cell_window[cell], row] += 1
        tally.kind[kind, row] += 1
    state.slot_outcome[slot] = outcome
    writes_row(state, journal, slot, outcome, finding, now_h)
    lets_go(state, slot)


# The clock ----------------------------------------------------------------------------------------------------


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
        begins, sighted, freed, turns = -1, -1, -1, False
        if is_coming:
            what, which = pop(state)
            if what == TEAM_DONE:
                if state.team_slot[which] >= 0 and state.team_done_h[which] == now_h:
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
                begins = candidate_is_due(plan, laydown, state, tally, next_stream)
            else:
                begins = listed_is_due(plan, state)
        if begins >= 0:
            told = incident_begins(plan, laydown, state, tally, journal, begins)
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
    if state.pointers[HEAP_SIZE] + state.team_slot.shape[0] + 8 >= state.heap_h.shape[0]:
        return NEEDS_ROOM
    i = state.pointers[WAIT_HEAD]
    while i < state.pointers[WAIT_TAIL]:
        slot = state.waiting[i]
        if now_h > state.slot_sighted_h[slot] + plan.give_up_h:
            leaves_waiting(state, i)
            i = max(i, state.pointers[WAIT_HEAD])
            gives_up(plan, state, tally, journal, slot)
            continue
        kind = state.slot_kind[slot]
        while state.slot_need[slot] > 0:
            team, wait_h, drive = choose_team(plan, laydown, state, state.slot_cell[slot], kind, now_h)
            if team < 0:
                break
            team_is_sent(plan, laydown, state, tally, slot, team, now_h, wait_h, drive)
        if state.slot_need[slot] == 0:
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
        guest = state.team_guest[team]
        place = team if guest < 0 else guest  # where it stands in, if it does
        if state.team_slot[place] < 0:
            if guest >= 0:
                guest_leaves(state, guest)
            state.team_home_h[team] = now_h if wanted[team] else np.inf
            state.sector_free[plan.station_sector[station]] += step
        elif wanted[team]:
            state.team_busy_since_h[place] = now_h
        else:
            busy_on_duty(state, tally, place, now_h)
            state.team_busy_since_h[place] = np.inf
        if state.team_home_h[team] < np.inf or laydown.station_duty[station] == 0:
            guest_goes_home(plan, laydown, state, station, now_h)


def _closes(plan, state, tally, journal, horizon_h):
    """At the end: what was reached is attended, whatever else is under way stays open; busy time is cut off."""
    for team in range(state.team_slot.shape[0]):
        if state.team_slot[team] >= 0:
            busy_on_duty(state, tally, team, horizon_h)
            writes_trip(plan, state, journal, team, CUT_OFF, horizon_h)
    for i in range(state.pointers[FREE_SLOTS]):
        state.slot_outcome[state.free_slot[i]] = UNSEEN
    for slot in range(state.slot_outcome.shape[0]):
        if state.slot_outcome[slot] != UNDER_WAY:
            continue
        until_h = patience_ends_h(plan, state, slot)
        is_given_up = state.slot_open[slot] == 0 and until_h < horizon_h
        if state.slot_arrive_h[slot] < horizon_h:
            incident_is_over(plan, state, tally, journal, slot, until_h if is_given_up else horizon_h)
            continue
        state.slot_arrive_h[slot] = np.inf
        state.slot_station[slot] = -1
        if state.slot_sighted_h[slot] >= horizon_h:
            state.slot_sighted_h[slot] = np.inf
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
