"""What one replication was: raw, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import (
    ENDINGS,
    FINDINGS,
    LEDGER,
    OUTCOMES,
    PERIOD_LEDGER,
    Floats,
    Ints,
    Journal,
    SmallInts,
    Tally,
)


def _ledger_of(ending: tuple[str, str, bool, bool]) -> list[int]:
    outcome, finding, is_sighted, asks = ending
    is_attended = outcome in ("late", "in_time")
    return [1, is_sighted, is_attended, outcome == "in_time", finding == "attributed", asks]


_LEDGER = np.array([_ledger_of(e) for e in ENDINGS], dtype=np.int32)
_PERIOD = _LEDGER[:, [LEDGER.index(name) for name in PERIOD_LEDGER]]
_OUTCOME = np.array([[e[0] == name for name in OUTCOMES] for e in ENDINGS], dtype=np.int64)
_FINDING = np.array([[e[1] == name for name in FINDINGS] for e in ENDINGS], dtype=np.int64)


class Ledgers(NamedTuple):
    """What was counted, by ledger and by outcome. K types, C cells, X sectors, D days."""

    day: SmallInts  # day[d, ledger] by day of the beginning
    cell: SmallInts  # cell[c, ledger]
    period: SmallInts  # period[i, window, PERIOD_LEDGER] by 1/12 year
    type_outcome: Ints  # type_outcome[k, outcome]
    type_finding: Ints  # type_finding[k, finding]
    type_ledger: Ints  # type_ledger[k, ledger]
    type_cause: Ints  # type_cause[k, cause]
    sector_outcome: Ints  # sector_outcome[x, outcome]
    casualties: Ints  # casualties[x]
    sighted_by: Ints  # sighted_by[layer]
    response: SmallInts  # response[x, bin of times] from sighting to the first team on the spot
    delay: SmallInts  # delay[x, bin of times] from beginning to sighting
    counts: Ints  # counts[N_...]
    sums: Floats  # sums[S_...] in hours
    team_busy_h: Floats  # team_busy_h[m] from order to end of work
    team_jobs: Ints  # team_jobs[m] = incidents attended


def ledgers(tally: Tally, cell_sector: IntArray) -> Ledgers:
    """What the line clock counted, told apart."""
    sectors = len(tally.casualties)
    by_sector = np.zeros((sectors, len(ENDINGS)), dtype=np.int64)
    np.add.at(by_sector, cell_sector, tally.cell)
    return Ledgers(
        day=tally.day @ _LEDGER,
        cell=tally.cell @ _LEDGER,
        period=tally.period @ _PERIOD,
        type_outcome=tally.kind @ _OUTCOME,
        type_finding=tally.kind @ _FINDING,
        type_ledger=tally.kind @ _LEDGER,
        type_cause=tally.cause,
        sector_outcome=by_sector @ _OUTCOME,
        casualties=tally.casualties,
        sighted_by=tally.sighted_by,
        response=tally.response,
        delay=tally.delay,
        counts=tally.counts,
        sums=tally.sums,
        team_busy_h=tally.team_busy_h,
        team_jobs=tally.team_jobs,
    )


@dataclass(slots=True, kw_only=True, eq=False)
class Force:
    """Strength over time, as steps: from at_h[i] on it is as row i says, until at_h[i + 1]."""

    at_h: FloatArray
    present: FloatArray  # present[i, contingent] = soldiers on the line
    effective: FloatArray
    short: FloatArray  # effective soldiers that the wanted laydown lacks
    manned: IntArray  # manned[i, x, task]


@dataclass(slots=True, kw_only=True, eq=False)
class Turns:
    """Changes of level in the order of time. All sectors begin in the lowest."""

    at_h: FloatArray
    sector: IntArray
    from_level: IntArray
    to_level: IntArray
    cause: IntArray  # an entry of `campaign.escalation.CAUSES_OF_TURNS`


@dataclass(slots=True, kw_only=True, eq=False)
class History:
    """What one replication was: raw, before anything is measured."""

    replication: int
    tally: Ledgers
    force: Force
    turns: Turns
    stood_h: float  # until when the ceasefire stood: collapse, or the horizon
    collapsed: bool
    watched_h: FloatArray  # watched_h[c] = hours for which cell c counted as watched
    gap_weight: FloatArray  # gap_weight[b] = hours x km with that time between looks, by bin of times
    team_duty_h: float
    aircraft_lost: int
    campaign_events: int
    written: list[Journal]  # the journal, piece by piece, as the line clock filled it

    @property
    def journal(self) -> Journal:
        """The whole journal; its pieces are joined when it is first asked for."""
        if len(self.written) != 1:
            self.written[:] = [Journal(*(np.concatenate(parts) for parts in zip(*self.written, strict=True)))]
        return self.written[0]
