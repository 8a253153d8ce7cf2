"""The arrays of the line clock at the beginning of a replication, and larger ones when they fill up."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.lineclock.draws import key_words
from sim.lineclock.state import (
    AHEAD,
    BLOCKS,
    CAUSES,
    COUNTS,
    ENDINGS,
    FREE_SLOTS,
    JOURNAL_HOURS,
    JOURNAL_WHOLE,
    LAYERS,
    NEXT_TURN,
    SLOT,
    TEAM,
    TIME_BINS,
    TRIP_HOURS,
    TRIP_WHOLE,
    Journal,
    Laydown,
    Plan,
    State,
    Tally,
)
from sim.scenario.quantities import HOURS_PER_DAY, HOURS_PER_MONTH

SLOTS = 256


class Places(NamedTuple):
    """How large everything is."""

    plan: Plan
    days: int
    sectors: int


def new_laydown(places: Places) -> Laydown:
    """Nothing manned, nothing watched."""
    plan = places.plan
    kinds, cells = plan.place_cdf.shape
    stations = len(plan.station_sector)
    return Laydown(
        stand_p=np.zeros((kinds, 4, cells)),
        pass_gap_h=np.full((2, 2, cells), np.inf),
        pass_split=np.zeros((2, cells)),
        pass_up=np.zeros((2, 4, places.sectors)),
        seen_p=np.zeros((kinds, cells)),
        accept_p=np.ones((kinds, cells)),
        truce=np.array([plan.truce_ceiling, 0.0]),
        travel_h=np.full((cells, stations), np.inf),
        order=np.zeros((cells, stations), dtype=np.int32),
        between_h=np.full((stations, stations), np.inf),
        may_enter=plan.station_may_enter.copy(),
        on_duty=np.zeros(len(plan.team_station), dtype=np.uint8),
        station_duty=np.zeros(stations, dtype=np.int32),
        level=np.zeros(places.sectors, dtype=np.int32),
        breeds_factor=np.ones(places.sectors),
        rise_at=np.full(places.sectors, np.inf),
        leave_below=np.zeros(places.sectors),
        stay_until_h=np.zeros(places.sectors),
        hazard_h=np.full(places.sectors, np.inf),
    )


def new_state(places: Places, seed: int, replication: int, is_poor: NDArray[np.uint8]) -> State:
    """Nothing under way; the streams still have to be started."""
    plan = places.plan
    streams, teams = len(plan.stream_type), len(plan.team_station)
    pointers = np.zeros(16, dtype=np.int64)
    pointers[FREE_SLOTS] = SLOTS
    new_teams = np.zeros(teams, dtype=TEAM)
    for field in ("slot", "guest", "owner"):
        new_teams[field] = -1
    now = np.zeros(8)
    now[NEXT_TURN] = np.inf
    return State(
        now=now,
        pointers=pointers,
        key=np.array([*key_words(seed), replication], dtype=np.int64),
        arrival_h=np.full(streams, np.inf),
        arrival_level=np.zeros(streams),
        arrival_piece=np.zeros(streams, dtype=np.int64),
        arrival_index=np.zeros(streams, dtype=np.int64),
        ahead=np.zeros((streams + 1, len(BLOCKS), 4, AHEAD)),
        ahead_from=np.full(streams + 1, -1, dtype=np.int64),
        is_poor=is_poor,
        tension=np.zeros(places.sectors),
        tension_h=np.zeros(places.sectors),
        fall_h=np.full(places.sectors, np.inf),
        heap_h=np.zeros(2 * SLOTS + 2 * teams + 16),
        heap_what=np.zeros(2 * SLOTS + 2 * teams + 16, dtype=np.int64),
        home_h=np.full(teams, np.inf),
        teams=new_teams,
        sector_free=np.zeros(places.sectors, dtype=np.int64),
        slots=np.zeros(SLOTS, dtype=SLOT),
        free_slot=np.arange(SLOTS, dtype=np.int64)[::-1].copy(),
        waiting=np.zeros(2 * SLOTS, dtype=np.int64),
    )


def with_more_room(state: State) -> State:
    """The same state with twice the slots; nothing under way changes."""
    old = len(state.slots)
    pointers = state.pointers.copy()
    free = np.concatenate([np.arange(2 * old - 1, old - 1, -1), state.free_slot[: pointers[FREE_SLOTS]]])
    pointers[FREE_SLOTS] = len(free)
    grown = {
        name: np.concatenate([array, np.zeros_like(array)])
        for name, array in state._asdict().items()
        if name in ("slots", "heap_h", "heap_what", "waiting")
    }
    grown["free_slot"] = np.concatenate([free, np.zeros(2 * old - len(free), dtype=np.int64)])
    return state._replace(pointers=pointers, **grown)


def new_tally(places: Places) -> Tally:
    """Nothing counted."""
    kinds, cells = places.plan.place_cdf.shape
    teams = len(places.plan.team_station)
    periods = math.ceil(places.days * HOURS_PER_DAY / HOURS_PER_MONTH) + 1
    endings = len(ENDINGS)
    windows = int(places.plan.cell_window[-1]) + 1
    return Tally(
        day=np.zeros((places.days, endings), dtype=np.int32),
        cell=np.zeros((cells, endings), dtype=np.int32),
        period=np.zeros((periods, windows, endings), dtype=np.int32),
        kind=np.zeros((kinds, endings), dtype=np.int64),
        cause=np.zeros((kinds, len(CAUSES)), dtype=np.int64),
        casualties=np.zeros(places.sectors, dtype=np.int64),
        sighted_by=np.zeros(len(LAYERS) + 1, dtype=np.int64),
        response=np.zeros((places.sectors, TIME_BINS), dtype=np.int32),
        delay=np.zeros((places.sectors, TIME_BINS), dtype=np.int32),
        counts=np.zeros(len(COUNTS), dtype=np.int64),
        sums=np.zeros(2),
        team_busy_h=np.zeros(teams),
        team_jobs=np.zeros(teams, dtype=np.int64),
    )


def empty_journal(rows: int) -> Journal:
    """Room for so many rows of each kind; none means that no journal is kept."""
    return Journal(
        whole=np.zeros((rows, len(JOURNAL_WHOLE)), dtype=np.int64),
        hours=np.zeros((rows, len(JOURNAL_HOURS))),
        trip_whole=np.zeros((rows, len(TRIP_WHOLE)), dtype=np.int64),
        trip_hours=np.zeros((rows, len(TRIP_HOURS))),
    )
