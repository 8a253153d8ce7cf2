"""What became of the levels: how long sectors were in each, when it was reached, and until when it stood."""

from __future__ import annotations

import numpy as np

from sim.campaign.history import History
from sim.campaign.theatre import Theatre
from sim.line.earth import FloatArray, IntArray
from sim.scenario.quantities import HOURS_PER_DAY


def day_edges_h(theatre: Theatre) -> FloatArray:
    """(D + 1,) midnights from the start to the horizon; the last day may be shorter."""
    days = int(np.ceil(theatre.horizon_h / HOURS_PER_DAY))
    edges: FloatArray = np.minimum(np.arange(days + 1) * HOURS_PER_DAY, theatre.horizon_h)
    return edges


def hours_in_levels(theatre: Theatre, history: History) -> FloatArray:
    """hours[d, v]: hours that sectors spend in level v on day d, all sectors together.

    Every sector begins in the lowest level; one that has collapsed stays in the last, to the horizon.
    """
    edges, turns = day_edges_h(theatre), history.turns
    sectors = len(theatre.ground.sector_names)
    hours = np.zeros((len(edges) - 1, len(theatre.ladder.names)))
    for v in range(hours.shape[1]):
        enters = turns.at_h[turns.to_level == v]
        leaves = turns.at_h[turns.from_level == v]
        begins = np.zeros(sectors if v == 0 else 0)
        here_h = _hours_since(edges, np.concatenate([begins, enters])) - _hours_since(edges, leaves)
        hours[:, v] = np.maximum(np.diff(here_h), 0.0)
    return hours


def _hours_since(at_h: FloatArray, moments_h: FloatArray) -> FloatArray:
    """(D + 1,) hours that have passed since all of the moments that lie before each time."""
    order = np.sort(moments_h)
    passed = np.searchsorted(order, at_h, side="right")
    total = np.concatenate([[0.0], np.cumsum(order)])
    since: FloatArray = passed * at_h - total[passed]
    return since


def first_reached_h(theatre: Theatre, history: History) -> FloatArray:
    """(V,) when the first sector comes as high as each level, be it by jumping over it; inf = none does."""
    first = np.full(len(theatre.ladder.names), np.inf)
    first[0] = 0.0
    np.minimum.at(first, history.turns.to_level, history.turns.at_h)
    as_high: FloatArray = np.minimum.accumulate(first[::-1])[::-1]
    return as_high


def stands_after_day(theatre: Theatre, history: History) -> IntArray:
    """(D,) 1 where the ceasefire stands at the end of the day."""
    until_h = history.stood_h if history.collapsed else np.inf
    return (day_edges_h(theatre)[1:] < until_h).astype(np.int64)
