"""The arrays of the line clock at the beginning of a replication, and larger ones when they fill up."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.lineclock.draws import key_words
from sim.lineclock.state import (
    COUNTS,
    FREE_SLOTS,
    JOURNAL_HOURS,
    JOURNAL_WHOLE,
    LAYERS,
    LEDGER,
    OUTCOMES,
    PERIOD_LEDGER,
    TIME_BINS,
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
        travel_h=np.full((cells, stations), np.inf),
        order=np.zeros((cells, stations), dtype=np.int32),
        on_duty=np.zeros(len(plan.team_station), dtype=np.uint8),
        station_duty=np.zeros(stations, dtype=np.int32),
    )


def new_state(places: Places, seed: int, replication: int, is_poor: NDArray[np.uint8]) -> State:
    """Nothing under way; the streams still have to be started."""
    plan = places.plan
    streams, teams = len(plan.stream_type), len(plan.team_station)
    pointers = np.zeros(8, dtype=np.int64)
    pointers[FREE_SLOTS] = SLOTS
    return State(
        now=np.zeros(1),
        pointers=pointers,
        key=np.array([*key_words(seed), replication], dtype=np.int64),
        arrival_h=np.full(streams, np.inf),
        arrival_level=np.zeros(streams),
        arrival_piece=np.zeros(streams, dtype=np.int64),
        arrival_index=np.zeros(streams, dtype=np.int64),
        is_poor=is_poor,
        heap_h=np.zeros(2 * SLOTS + 2 * teams + 16),
        heap_what=np.zeros(2 * SLOTS + 2 * teams + 16, dtype=np.int64),
        team_slot=np.full(teams, -1, dtype=np.int64),
        team_home_h=np.full(teams, np.inf),
        team_order_h=np.zeros(teams),
        team_ready_h=np.zeros(teams),
        team_depart_h=np.zeros(teams),
        team_arrive_h=np.zeros(teams),
        team_done_h=np.zeros(teams),
        sector_free=np.zeros(places.sectors, dtype=np.int64),
        slot_stream=np.zeros(SLOTS, dtype=np.int64),
        slot_index=np.zeros(SLOTS, dtype=np.int64),
        slot_cell=np.zeros(SLOTS, dtype=np.int64),
        slot_layer=np.zeros(SLOTS, dtype=np.int64),
        slot_start_h=np.zeros(SLOTS),
        slot_sighted_h=np.zeros(SLOTS),
        slot_arrive_h=np.zeros(SLOTS),
        slot_order_h=np.zeros(SLOTS),
        slot_need=np.zeros(SLOTS, dtype=np.int64),
        slot_open=np.zeros(SLOTS, dtype=np.int64),
        slot_sent=np.zeros(SLOTS, dtype=np.int64),
        slot_station=np.zeros(SLOTS, dtype=np.int64),
        free_slot=np.arange(SLOTS, dtype=np.int64)[::-1].copy(),
        waiting=np.zeros(2 * SLOTS, dtype=np.int64),
    )


def with_more_room(state: State) -> State:
    """The same state with twice the slots; nothing under way changes."""
    old = len(state.slot_stream)
    pointers = state.pointers.copy()
    free = np.concatenate([np.arange(2 * old - 1, old - 1, -1), state.free_slot[: pointers[FREE_SLOTS]]])
    pointers[FREE_SLOTS] = len(free)
    grown = {
        name: np.concatenate([array, np.zeros_like(array)])
        for name, array in state._asdict().items()
        if name.startswith("slot_") or name in ("heap_h", "heap_what", "waiting")
    }
    grown["free_slot"] = np.concatenate([free, np.zeros(2 * old - len(free), dtype=np.int64)])
    return state._replace(pointers=pointers, **grown)


def new_tally(places: Places) -> Tally:
    """Nothing counted."""
    kinds, cells = places.plan.place_cdf.shape
    teams = len(places.plan.team_station)
    periods = math.ceil(places.days * HOURS_PER_DAY / HOURS_PER_MONTH) + 1
    ledgers = len(LEDGER)
    return Tally(
        day=np.zeros((places.days, ledgers), dtype=np.int32),
        cell=np.zeros((cells, ledgers), dtype=np.int32),
        period=np.zeros((periods, cells, len(PERIOD_LEDGER)), dtype=np.int32),
        type_outcome=np.zeros((kinds, len(OUTCOMES)), dtype=np.int64),
        type_ledger=np.zeros((kinds, ledgers), dtype=np.int64),
        sector_outcome=np.zeros((places.sectors, len(OUTCOMES)), dtype=np.int64),
        sighted_by=np.zeros(len(LAYERS) + 1, dtype=np.int64),
        response=np.zeros((places.sectors, TIME_BINS), dtype=np.int32),
        delay=np.zeros((places.sectors, TIME_BINS), dtype=np.int32),
        counts=np.zeros(len(COUNTS), dtype=np.int64),
        sums=np.zeros(4),
        team_busy_h=np.zeros(teams),
        team_jobs=np.zeros(teams, dtype=np.int64),
    )


def empty_journal(rows: int) -> Journal:
    """Room for so many rows; none means that no journal is kept."""
    return Journal(
        whole=np.zeros((rows, len(JOURNAL_WHOLE)), dtype=np.int64), hours=np.zeros((rows, len(JOURNAL_HOURS)))
    )
