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
    NOBODY,
    choose_team,
    drive_h,
    may_go,
    may_spend_reserve,
    recallable,
)
from sim.lineclock.draws import (
    BLOCK_BIRTH,
    BLOCK_EVIDENCE,
    BLOCK_PASSES,
    BLOCK_STANDING,
    BLOCK_TEAM,
    four,
    quantile,
)
from sim.lineclock.queues import joins_waiting, leaves_waiting, pop, push
from sim.lineclock.state import (
    ASKED,
    ATTENDED,
    ATTRIBUTED,
    CLOCK,
    FREE_SLOTS,
    GAVE_UP,
    HAPPENED,
    HEAP_SIZE,
    IN_TIME,
    IN_TIME_COUNT,
    JOURNAL_FULL,
    JOURNAL_ROWS,
    LATE,
    LAYER_FALSE,
    LAYER_NONE,
    LAYER_PATROL,
    LAYER_REPORT,
    LAYER_STANDING,
    MINUTES_KEPT,
    N_ANSWERABLE,
    N_DETERRED,
    N_FALSE,
    N_RECALLED,
    N_SENT,
    N_WAITED,
    NEEDS_ROOM,
    NONE_IN_REACH,
    NOTED,
    OPEN,
    RAN_ON,
    S_DRIVE_H,
    S_RESPONSE_H,
    S_SIGHTING_H,
    S_WAIT_H,
    SIGHTED,
    TIME_BINS,
    UNSEEN,
    WAIT_HEAD,
    WAIT_TAIL,
)  # fmt: skip
from sim.scenario.quantities import HOURS_PER_YEAR

PERIODS_PER_HOUR = 12.0 / HOURS_PER_YEAR
REGULAR, RANDOM, BACK_AND_FORTH = 0, 1, 2


@inlined
def draw_four(plan, state, stream, index, block):
    """Four uniforms for one block of one incident."""
    key = state.key
    return four(index, block, plan.stream_code[stream], key[2], key[0], key[1])


@inlined
def next_candidate(plan, state, stream, u):
    """Move a stream on to its next candidate: an exponential step in expected incidents, turned into time
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
def sighting(plan, laydown, state, stream, index, cell, start_h, piece):
    """When and by whom an incident is noticed -> (delay in hours or inf, layer)."""
    kind = plan.stream_type[stream]
    sector = plan.cell_sector[cell]
    night = plan.piece_is_night[piece]
    day = int(start_h / 24.0)
    weather = 2 * night + state.is_poor[sector, day]
    u_standing, u_report, u_delay, _ = draw_four(plan, state, stream, index, BLOCK_STANDING)
    if u_standing < laydown.stand_p[kind, weather, cell]:
        return 0.0, LAYER_STANDING
    lasts_h = lasting_h(plan, state, stream, index)
    best_h, best_layer = np.inf, LAYER_NONE
    for layer in range(2):
        gap_h = laydown.pass_gap_h[layer, night, cell]
        if gap_h < np.inf:
            u_phase, u_miss, u_up, _ = draw_four(plan, state, stream, index, BLOCK_PASSES + layer)
            if u_up < laydown.pass_up[layer, weather, sector]:
                wait_h = next_pass_h(
                    plan.pass_pattern[layer],
                    gap_h,
                    laydown.pass_split[layer, cell],
                    plan.pass_detection[layer, kind, night],
                    u_phase,
                    u_miss,
                )
                if wait_h < lasts_h and wait_h < best_h:
                    best_h, best_layer = wait_h, LAYER_PATROL + layer
    if u_report < plan.reports_p[kind]:
        law = plan.report_law
        wait_h = quantile(law[0], law[1], law[2], u_delay)
        if wait_h < best_h:
            best_h, best_layer = wait_h, LAYER_REPORT
    return best_h, best_layer


@inlined
def lasting_h(plan, state, stream, index):
    """How long an incident can be observed [h]."""
    law = plan.duration_law[plan.stream_type[stream]]
    if law[0] == 0.0:
        return law[1]
    _, _, u, _ = draw_four(plan, state, stream, index, BLOCK_BIRTH)
    return quantile(law[0], law[1], law[2], u)


@inlined
def counts_up(plan, tally, start_h, kind, cell, ledger):
    """Add one to a ledger: by day, by cell, by period, by type; an incident counts on the day it began."""
    day = int(start_h / 24.0)
    tally.day[day, ledger] += 1
    tally.cell[cell, ledger] += 1
    tally.type_ledger[kind, ledger] += 1
    if ledger <= SIGHTED:
        tally.period[int(start_h * PERIODS_PER_HOUR), cell, ledger] += 1
    elif ledger == IN_TIME_COUNT:
        tally.period[int(start_h * PERIODS_PER_HOUR), cell, 2] += 1
    elif ledger == ASKED:
        tally.period[int(start_h * PERIODS_PER_HOUR), cell, 3] += 1


@inlined
def time_bin(hours):
    """The bin of a histogram of times: by the minute to 48 h, then by the hour."""
    if hours < 48.0:
        return int(hours * 60.0)
    return MINUTES_KEPT + min(int(hours - 48.0), TIME_BINS - 1 - MINUTES_KEPT)


@inlined
def writes_row(plan, state, journal, slot, outcome, attributed, now_h):
    """One journal row; a journal of no rows is not kept."""
    if journal.whole.shape[0] == 0:
        return
    row = state.pointers[JOURNAL_ROWS]
    state.pointers[JOURNAL_ROWS] = row + 1
    whole, hours = journal.whole, journal.hours
    whole[row, 0] = state.slot_stream[slot]
    whole[row, 1] = state.slot_index[slot]
    whole[row, 2] = state.slot_cell[slot]
    whole[row, 3] = outcome
    whole[row, 4] = state.slot_layer[slot]
    whole[row, 5] = state.slot_station[slot]
    whole[row, 6] = state.slot_sent[slot]
    whole[row, 7] = attributed
    hours[row, 0] = state.slot_start_h[slot]
    hours[row, 1] = state.slot_sighted_h[slot]
    hours[row, 2] = state.slot_order_h[slot]
    hours[row, 3] = state.slot_arrive_h[slot]
    hours[row, 4] = now_h


@inlined
def incident_begins(plan, laydown, state, tally, journal, stream):
    """The next candidate of a stream is due: it is deterred, or happens and is seen at once, later, or never
    -> slot seen at once, or -1.
    """
    start_h = state.arrival_h[stream]
    index = state.arrival_index[stream]
    piece = state.arrival_piece[stream]
    kind = plan.stream_type[stream]
    u_gap, u_place, _, u_accept = draw_four(plan, state, stream, index, BLOCK_BIRTH)
    state.arrival_index[stream] = index + 1
    next_candidate(plan, state, stream, u_gap)
    cell = cell_of(plan, kind, u_place)
    if plan.stream_is_false[stream]:
        tally.counts[N_FALSE] += 1
        delay_h, layer = 0.0, LAYER_FALSE
    else:
        if plan.deterrence[kind] > 0.0 and u_accept < plan.deterrence[kind] * laydown.seen_p[kind, cell]:
            tally.counts[N_DETERRED] += 1
            return -1
        counts_up(plan, tally, start_h, kind, cell, HAPPENED)
        if plan.teams_wanted[kind] > 0:
            counts_up(plan, tally, start_h, kind, cell, ASKED)
        delay_h, layer = sighting(plan, laydown, state, stream, index, cell, start_h, piece)
    state.pointers[FREE_SLOTS] -= 1
    slot = state.free_slot[state.pointers[FREE_SLOTS]]
    state.slot_stream[slot] = stream
    state.slot_index[slot] = index
    state.slot_cell[slot] = cell
    state.slot_layer[slot] = layer
    state.slot_start_h[slot] = start_h
    state.slot_sighted_h[slot] = start_h + delay_h
    state.slot_arrive_h[slot] = np.inf
    state.slot_order_h[slot] = np.inf
    state.slot_need[slot] = plan.teams_wanted[kind]
    state.slot_open[slot] = 0
    state.slot_sent[slot] = 0
    state.slot_station[slot] = -1
    if delay_h <= 0.0:
        return slot
    if delay_h == np.inf:
        incident_ends(plan, state, tally, journal, slot, UNSEEN, start_h)
        return -1
    push(state, start_h + delay_h, 2 * slot + 1)
    return -1


@inlined
def incident_is_sighted(plan, laydown, state, tally, journal, slot, now_h):
    """The mission knows: the incident is noted, gets its teams, waits, or is out of everybody's reach."""
    kind = plan.stream_type[state.slot_stream[slot]]
    cell = state.slot_cell[slot]
    if state.slot_layer[slot] != LAYER_FALSE:
        start_h = state.slot_start_h[slot]
        counts_up(plan, tally, start_h, kind, cell, SIGHTED)
        tally.sighted_by[state.slot_layer[slot]] += 1
        tally.sums[S_SIGHTING_H] += now_h - start_h
        tally.delay[plan.cell_sector[cell], time_bin(now_h - start_h)] += 1
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
                robbed = team_is_recalled(plan, state, tally, team, now_h)
            else:
                team = ALL_BUSY
        if team >= 0:
            team_is_sent(plan, state, tally, slot, team, now_h, wait_h, drive)
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
            incident_ends(
                plan, state, tally, journal, slot, NONE_IN_REACH if team == NOBODY else GAVE_UP, now_h
            )
            return


@inlined
def team_is_sent(plan, state, tally, slot, team, now_h, wait_h, drive):
    """A free team is ordered out; when it will arrive and be done is known from here on."""
    stream, index = state.slot_stream[slot], state.slot_index[slot]
    kind = plan.stream_type[stream]
    u_reaction, u_on_scene, _, _ = draw_four(plan, state, stream, index, BLOCK_TEAM + state.slot_sent[slot])
    reaction, on_scene = plan.reaction_law, plan.on_scene_law[kind]
    depart_h = now_h + max(wait_h, quantile(reaction[0], reaction[1], reaction[2], u_reaction))
    arrive_h = depart_h + drive
    done_h = arrive_h + quantile(on_scene[0], on_scene[1], on_scene[2], u_on_scene)
    state.team_slot[team] = slot
    state.team_ready_h[team] = max(now_h, min(state.team_home_h[team], now_h + wait_h))
    state.team_home_h[team] = np.inf
    state.team_order_h[team] = now_h
    state.team_depart_h[team] = depart_h
    state.team_arrive_h[team] = arrive_h
    state.team_done_h[team] = done_h
    state.sector_free[plan.station_sector[plan.team_station[team]]] -= 1
    state.slot_need[slot] -= 1
    state.slot_open[slot] += 1
    state.slot_sent[slot] += 1
    if state.slot_order_h[slot] == np.inf:
        state.slot_order_h[slot] = now_h
    tally.counts[N_SENT] += 1
    tally.sums[S_DRIVE_H] += drive
    push(state, done_h, 2 * team)


@inlined
def busy_on_duty(state, tally, team, now_h):
    """Count the hours for which a team was out while on duty, since it was ordered or came on duty."""
    since_h = state.team_order_h[team]
    if since_h < now_h:
        tally.team_busy_h[team] += now_h - since_h


@inlined
def team_is_recalled(plan, state, tally, team, now_h):
    """A team on its way turns back -> the slot of the incident that it leaves.

    Its old end on the heap no longer matches and is passed over.
    """
    slot = state.team_slot[team]
    tally.counts[N_RECALLED] += 1
    busy_on_duty(state, tally, team, now_h)
    state.team_slot[team] = -1
    state.team_done_h[team] = -1.0
    state.sector_free[plan.station_sector[plan.team_station[team]]] += 1
    state.slot_open[slot] -= 1
    state.slot_need[slot] += 1
    return slot


@inlined
def looks_for_another(plan, laydown, state, tally, slot, now_h):
    """An incident whose team was called away asks for another, and waits if none is free."""
    kind = plan.stream_type[state.slot_stream[slot]]
    team, wait_h, drive = choose_team(plan, laydown, state, state.slot_cell[slot], kind, now_h)
    if team >= 0:
        team_is_sent(plan, state, tally, slot, team, now_h, wait_h, drive)
    elif state.slot_need[slot] == 1:
        joins_waiting(plan, state, slot)


@inlined
def team_is_done(plan, laydown, state, tally, journal, team, now_h):
    """A team has finished on the spot: it goes home, free for whatever waits."""
    slot = state.team_slot[team]
    station = plan.team_station[team]
    busy_on_duty(state, tally, team, now_h)
    tally.team_jobs[team] += 1
    if state.team_arrive_h[team] < state.slot_arrive_h[slot]:
        state.slot_arrive_h[slot] = state.team_arrive_h[team]
        state.slot_station[slot] = station
    state.team_slot[team] = -1
    state.slot_open[slot] -= 1
    cell = state.slot_cell[slot]
    if state.slot_need[slot] == 0 and state.slot_open[slot] == 0:
        incident_is_over(plan, state, tally, journal, slot, now_h)
    if laydown.on_duty[team]:
        state.team_home_h[team] = now_h + min(drive_h(plan, laydown, station, cell, now_h), plan.reach_h)
        state.sector_free[plan.station_sector[station]] += 1
        team_takes_waiting(plan, laydown, state, tally, journal, team, now_h)


@inlined
def team_takes_waiting(plan, laydown, state, tally, journal, team, now_h):
    """A free team takes the gravest and oldest incident that waits and that it may attend."""
    station = plan.team_station[team]
    own_sector = plan.station_sector[station]
    for own_only in range(1 if plan.policy == 1 else 0, -1, -1):
        i = state.pointers[WAIT_HEAD]
        while i < state.pointers[WAIT_TAIL]:
            slot = state.waiting[i]
            cell = state.slot_cell[slot]
            kind = plan.stream_type[state.slot_stream[slot]]
            if now_h > state.slot_sighted_h[slot] + plan.give_up_h:
                leaves_waiting(state, i)
                i = max(i, state.pointers[WAIT_HEAD])
                gives_up(plan, state, tally, journal, slot)
                continue
            if (
                drive_h(plan, laydown, station, cell, now_h) <= plan.reach_h
                and may_go(plan, station, kind, plan.cell_sector[cell])
                and may_spend_reserve(plan, state, station, plan.severity[kind])
                and not (own_only and plan.cell_sector[cell] != own_sector)
            ):
                # With one team more, a reserve may allow another to go that is nearer.
                chosen, wait_h, drive = choose_team(plan, laydown, state, cell, kind, now_h)
                tally.sums[S_WAIT_H] += now_h - state.slot_sighted_h[slot]
                team_is_sent(plan, state, tally, slot, chosen, now_h, wait_h, drive)
                if state.slot_need[slot] == 0:
                    leaves_waiting(state, i)
                    i = max(i, state.pointers[WAIT_HEAD])
                if chosen == team:
                    return
                continue
            i += 1


@inlined
def gives_up(plan, state, tally, journal, slot):
    """An incident has waited too long: no further team is asked for; if none is out, it ends unattended."""
    state.slot_need[slot] = 0
    if state.slot_open[slot] == 0:
        if state.slot_arrive_h[slot] < np.inf:
            incident_is_over(plan, state, tally, journal, slot, state.slot_sighted_h[slot] + plan.give_up_h)
        else:
            incident_ends(
                plan, state, tally, journal, slot, GAVE_UP, state.slot_sighted_h[slot] + plan.give_up_h
            )


@inlined
def incident_is_over(plan, state, tally, journal, slot, now_h):
    """The last team leaves: attended in time, or late."""
    kind = plan.stream_type[state.slot_stream[slot]]
    took_h = state.slot_arrive_h[slot] - state.slot_start_h[slot]
    incident_ends(
        plan, state, tally, journal, slot, IN_TIME if took_h <= plan.standard_h[kind] else LATE, now_h
    )


@inlined
def incident_ends(plan, state, tally, journal, slot, outcome, now_h):
    """Write the one outcome of an incident into the ledgers and give its slot back."""
    stream, index, cell = state.slot_stream[slot], state.slot_index[slot], state.slot_cell[slot]
    start_h, arrive_h = state.slot_start_h[slot], state.slot_arrive_h[slot]
    kind = plan.stream_type[stream]
    attributed = 0
    if state.slot_layer[slot] != LAYER_FALSE:
        tally.type_outcome[kind, outcome] += 1
        tally.sector_outcome[plan.cell_sector[cell], outcome] += 1
        if outcome in (LATE, IN_TIME):
            counts_up(plan, tally, start_h, kind, cell, ATTENDED)
            response_h = arrive_h - state.slot_sighted_h[slot]
            tally.sums[S_RESPONSE_H] += response_h
            tally.response[plan.cell_sector[cell], time_bin(response_h)] += 1
            if outcome == IN_TIME:
                counts_up(plan, tally, start_h, kind, cell, IN_TIME_COUNT)
            u_life, u_says, _, _ = draw_four(plan, state, stream, index, BLOCK_EVIDENCE)
            law = plan.evidence_law[kind]
            if (
                arrive_h - start_h <= quantile(law[0], law[1], law[2], u_life)
                and u_says < plan.attribution[kind]
            ):
                attributed = 1
                counts_up(plan, tally, start_h, kind, cell, ATTRIBUTED)
    writes_row(plan, state, journal, slot, outcome, attributed, now_h)
    state.free_slot[state.pointers[FREE_SLOTS]] = slot
    state.pointers[FREE_SLOTS] += 1


def _starts(plan, state):
    """Set every stream to its first candidate."""
    for stream in range(plan.stream_type.shape[0]):
        state.arrival_level[stream] = 0.0
        state.arrival_piece[stream] = 0
        u_gap, _, _, _ = draw_four(plan, state, stream, 0xFFFFFFFF, BLOCK_BIRTH)
        next_candidate(plan, state, stream, u_gap)


def _advance(plan, laydown, state, tally, journal, until_h):
    """Run the line over [now, until_h) -> why it came back: RAN_ON, NEEDS_ROOM or JOURNAL_FULL.

    The last two leave everything as it stands before the next event: make room, or empty the journal, and
    call again.
    """
    streams = plan.stream_type.shape[0]
    keeps_journal = journal.whole.shape[0] > 0
    pointers = state.pointers
    while True:
        if pointers[FREE_SLOTS] == 0 or pointers[HEAP_SIZE] + 8 >= state.heap_h.shape[0]:
            return NEEDS_ROOM
        if (
            keeps_journal
            and pointers[JOURNAL_ROWS] + pointers[WAIT_TAIL] - pointers[WAIT_HEAD] + 4
            > journal.whole.shape[0]
        ):
            return JOURNAL_FULL
        now_h, stream = np.inf, -1
        for p in range(streams):
            if state.arrival_h[p] < now_h:
                now_h, stream = state.arrival_h[p], p
        if pointers[HEAP_SIZE] > 0 and state.heap_h[0] < now_h:
            now_h, stream = state.heap_h[0], -1
        if now_h >= until_h:
            state.now[CLOCK] = until_h
            return RAN_ON
        state.now[CLOCK] = now_h
        sighted = -1
        if stream >= 0:
            sighted = incident_begins(plan, laydown, state, tally, journal, stream)
        else:
            what = pop(state)
            team = what >> 1
            if what & 1:
                sighted = team
            elif state.team_slot[team] >= 0 and state.team_done_h[team] == now_h:
                team_is_done(plan, laydown, state, tally, journal, team, now_h)
        if sighted >= 0:
            incident_is_sighted(plan, laydown, state, tally, journal, sighted, now_h)


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
        kind = plan.stream_type[state.slot_stream[slot]]
        while state.slot_need[slot] > 0:
            team, wait_h, drive = choose_team(plan, laydown, state, state.slot_cell[slot], kind, now_h)
            if team < 0:
                break
            tally.sums[S_WAIT_H] += now_h - state.slot_sighted_h[slot]
            team_is_sent(plan, state, tally, slot, team, now_h, wait_h, drive)
        if state.slot_need[slot] == 0:
            leaves_waiting(state, i)
            i = max(i, state.pointers[WAIT_HEAD])
        else:
            i += 1
    return RAN_ON


def _duty_changes(plan, laydown, state, tally, wanted, now_h):
    """Man and unman teams: wanted[m] = 1 for those on duty from now on. A team that is out finishes what it
    does.
    """
    for team in range(wanted.shape[0]):
        if wanted[team] == laydown.on_duty[team]:
            continue
        laydown.on_duty[team] = wanted[team]
        station = plan.team_station[team]
        step = 1 if wanted[team] else -1
        laydown.station_duty[station] += step
        if state.team_slot[team] < 0:
            state.team_home_h[team] = now_h if wanted[team] else np.inf
            state.sector_free[plan.station_sector[station]] += step
        elif wanted[team]:
            state.team_order_h[team] = now_h
        else:
            busy_on_duty(state, tally, team, now_h)
            state.team_order_h[team] = np.inf


def _closes(plan, state, tally, journal, horizon_h):
    """At the horizon: what was reached is attended, whatever else is under way stays open; busy time is cut
    off.
    """
    for team in range(state.team_slot.shape[0]):
        slot = state.team_slot[team]
        if slot >= 0:
            busy_on_duty(state, tally, team, horizon_h)
            if (
                state.team_arrive_h[team] < horizon_h
                and state.team_arrive_h[team] < state.slot_arrive_h[slot]
            ):
                state.slot_arrive_h[slot] = state.team_arrive_h[team]
                state.slot_station[slot] = plan.team_station[team]
    for i in range(state.pointers[FREE_SLOTS]):
        state.slot_stream[state.free_slot[i]] = -1
    for slot in range(state.slot_stream.shape[0]):
        if state.slot_stream[slot] < 0:
            continue
        if state.slot_arrive_h[slot] < np.inf:
            incident_is_over(plan, state, tally, journal, slot, horizon_h)
        elif state.slot_sighted_h[slot] >= horizon_h:
            state.slot_sighted_h[slot] = np.inf
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)
        elif state.slot_open[slot] == 0 and horizon_h > state.slot_sighted_h[slot] + plan.give_up_h:
            incident_ends(
                plan, state, tally, journal, slot, GAVE_UP, state.slot_sighted_h[slot] + plan.give_up_h
            )
        else:
            incident_ends(plan, state, tally, journal, slot, OPEN, horizon_h)


starts = kernel(_starts)
advance = kernel(_advance)
duty_changes = kernel(_duty_changes)
serves_waiting = kernel(_serves_waiting)
closes = kernel(_closes)
