"""What one replication was: raw, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import Journal, Tally


@dataclass(slots=True, kw_only=True, eq=False)
class Force:
    """Strength over time, as steps: from at_h[i] on it is as row i says, until at_h[i + 1]."""

    at_h: FloatArray
    present: FloatArray  # present[i, contingent] = soldiers on the line
    effective: FloatArray
    short: FloatArray  # effective soldiers that the wanted laydown lacks
    manned: IntArray  # manned[i, x, task]


@dataclass(slots=True, kw_only=True, eq=False)
class History:
    """What one replication was: raw, before anything is measured."""

    replication: int
    tally: Tally
    force: Force
    watched_h: FloatArray  # watched_h[c] = hours for which cell c counted as watched
    gap_weight: FloatArray  # gap_weight[b] = hours x km with that time between looks, by bin of times
    team_duty_h: float
    aircraft_lost: int
    campaign_events: int
    journal: Journal
