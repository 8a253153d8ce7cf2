"""One replication as rows of the tables that grow by replication."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sim.campaign.escalation import CAUSES_OF_TURNS
from sim.campaign.history import History
from sim.campaign.theatre import Theatre
from sim.line.earth import IntArray
from sim.lineclock.state import (
    CAUSES,
    FINDINGS,
    JOURNAL_HOURS,
    JOURNAL_WHOLE,
    LAYERS,
    LEDGER,
    OUTCOMES,
    TRIP_ENDS,
    TRIP_HOURS,
    TRIP_WHOLE,
)
from sim.results.levels import day_edges_h
from sim.scenario.quantities import HOURS_PER_DAY

Columns = dict[str, Any]


def daily(theatre: Theatre, history: History) -> Columns:
    """A row for each day of the horizon. Incidents are counted while the ceasefire stands: after that there
    are no counts, and soldiers go on.
    """
    edges = day_edges_h(theatre)
    days = len(edges) - 1
    middle = np.minimum((np.arange(days) + 0.5) * HOURS_PER_DAY, theatre.horizon_h)
    step = np.searchsorted(history.force.at_h, middle, side="right") - 1
    stood = edges[:-1] <= history.stood_h  # what breaks the ceasefire at midnight still counts, that day
    counts = history.tally.day[:days]
    return {
        "replication": np.full(days, history.replication, dtype=np.int32),
        "day": np.arange(days, dtype=np.int32),
        "stood": stood,
        "on_station": history.force.present[step].sum(axis=1).astype(np.float32),
        "effective": history.force.effective[step].astype(np.float32),
        "short": history.force.short[step].astype(np.float32),
        **{
            ledger_name(name): pa.array(counts[:, LEDGER.index(name)], mask=~stood)
            for name in ("happened", "asked", "sighted", "attended", "in_time", "attributed")
        },
    }


def by_type(theatre: Theatre, history: History) -> Columns:
    """A row for each violation type: ledgers, outcomes, findings, causes."""
    names, tally = list(theatre.scenario.violations), history.tally
    return {
        "replication": np.full(len(names), history.replication, dtype=np.int32),
        "type": pa.array(names, pa.string()),
        **{ledger_name(name): tally.type_ledger[:, i] for i, name in enumerate(LEDGER)},
        **{f"ended_{name}": tally.type_outcome[:, i] for i, name in enumerate(OUTCOMES)},
        **{f"found_{name}": tally.type_finding[:, i] for i, name in enumerate(FINDINGS)},
        **{f"cause_{name}": tally.type_cause[:, i] for i, name in enumerate(CAUSES)},
    }


def by_sector(theatre: Theatre, history: History) -> Columns:
    """A row for each sector: ledgers, outcomes, the mission's casualties."""
    names, tally = theatre.ground.sector_names, history.tally
    ledger = np.zeros((len(names), len(LEDGER)), dtype=np.int64)
    np.add.at(ledger, theatre.ground.cell_sector, tally.cell)
    return {
        "replication": np.full(len(names), history.replication, dtype=np.int32),
        "sector": pa.array(list(names), pa.string()),
        **{ledger_name(name): ledger[:, i] for i, name in enumerate(LEDGER)},
        **{f"ended_{name}": tally.sector_outcome[:, i] for i, name in enumerate(OUTCOMES)},
        "casualties": tally.casualties,
    }


def journal(theatre: Theatre, history: History) -> Columns:
    """A row for each incident, and each false report, in the order in which they began."""
    whole, hours = history.journal.whole, history.journal.hours
    order = np.argsort(whole[:, 0], kind="stable")
    column = dict(zip(JOURNAL_WHOLE, whole[order].T, strict=True))
    time = dict(zip(JOURNAL_HOURS, hours[order].T, strict=True))
    layer = np.where(np.isfinite(time["sighted_h"]), column["layer"], len(LAYERS) + 1)
    return {
        "replication": np.full(len(whole), history.replication, dtype=np.int32),
        "number": column["number"],
        "parent": pa.array(column["parent"], mask=column["parent"] < 0),
        "cause": words(CAUSES, column["cause"]),
        "type": words(tuple(theatre.scenario.violations), column["kind"]),
        "cell": column["cell"].astype(np.int32),
        "sector": words(theatre.ground.sector_names, theatre.ground.cell_sector[column["cell"]]),
        "level": words(
            theatre.ladder.names, column["level"] if theatre.ladder.climbs else column["level"] - 1
        ),
        "outcome": words(OUTCOMES, column["outcome"]),
        "finding": words(FINDINGS, column["finding"]),
        "sighted_by": words((*LAYERS, "false_report", "nobody"), layer),
        "base": _bases(theatre, column["station"]),
        "teams_sent": column["teams_sent"].astype(np.int32),
        "provoked": column["children"].astype(np.int32),
        **{name: np.where(np.isfinite(values), values, np.nan) for name, values in time.items()},
    }


def trips(theatre: Theatre, history: History) -> Columns:
    """A row for each trip of a team, in the order in which they ended; what it never came to has no time."""
    column = dict(zip(TRIP_WHOLE, history.journal.trip_whole.T, strict=True))
    time = dict(zip(TRIP_HOURS, history.journal.trip_hours.T, strict=True))
    return {
        "replication": np.full(len(column["number"]), history.replication, dtype=np.int32),
        "number": column["number"],
        "team": column["team"].astype(np.int32),
        "base": _bases(theatre, column["station"]),
        "end": words(TRIP_ENDS, column["end"]),
        **{name: np.where(values <= time["ended_h"], values, np.nan) for name, values in time.items()},
    }


def turns(theatre: Theatre, history: History) -> Columns:
    """A row for each change of a sector's level, in the order of time."""
    told, names = history.turns, theatre.ladder.names
    return {
        "replication": np.full(len(told.at_h), history.replication, dtype=np.int32),
        "sector": words(theatre.ground.sector_names, told.sector),
        "at_h": told.at_h,
        "from": words(names, told.from_level),
        "to": words(names, told.to_level),
        "cause": words(CAUSES_OF_TURNS, told.cause),
    }


def ledger_name(name: str) -> str:
    """Column of a ledger."""
    return "attended_in_time" if name == "in_time" else name


def words(told: tuple[str, ...], code: Any) -> pa.Array:
    """Words by code; a negative code is missing."""
    code = np.asarray(code, dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), pa.array(list(told), pa.string()))


def _bases(theatre: Theatre, station: IntArray) -> pa.Array:
    return words(tuple(theatre.ground.base_names), np.append(theatre.station_base, -1)[station])
