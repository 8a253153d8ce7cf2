"""A run folder: whole or not there. Written batch by batch under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.campaign.theatre import WINDOW_KM, Theatre, window_of_cell
from sim.line.earth import FloatArray
from sim.lineclock.state import (
    ASKED,
    ATTENDED,
    ATTRIBUTED,
    HAPPENED,
    IN_TIME_COUNT,
    LAYERS,
    LEDGER,
    SIGHTED,
    bin_starts_h,
)
from sim.results.levels import day_edges_h
from sim.results.measures import Totals, ratio_interval
from sim.results.names import COLLAPSE, WEIGHTS, unit_of
from sim.results.rows import ledger_name, words
from sim.results.statistics import summarise, t_quantile, wilson
from sim.scenario.quantities import HOURS_PER_DAY, HOURS_PER_MONTH, MINUTES_PER_HOUR

Columns = Mapping[str, Any]

SCENARIO, MANIFEST, SUMMARY = "scenario.resolved.yaml", "manifest.json", "summary.json"
ONE_BY_ONE = ("replications", "series", "types", "sectors", "levels", "journal", "trips")
"""Tables that grow by replication."""
SUMMED = ("cells", "strip", "periods", "responses", "survival")
"""Tables over all replications."""

COLUMN_UNITS = {
    "on_station": "soldiers",
    "effective": "soldiers",
    "short": "soldiers",
    "from_km": "km",
    "to_km": "km",
    "chainage_km": "km",
    "day": "days since the start",
    "from_day": "days since the start",
    "to_day": "days since the start",
    "minute": "min",
    "counted_days": "days",
    "casualties": "soldiers",
    "weight.team_duty_h": "h",
    "start_h": "h since the start",
    "sighted_h": "h since the start",
    "at_h": "h since the start",
    "ordered_h": "h since the start",
    "departed_h": "h since the start",
    "arrived_h": "h since the start",
    "ended_h": "h since the start",
}


class FolderExists(Exception):
    """The folder is already there and may not be overwritten."""

    def __init__(self, folder: pathlib.Path, *, is_run: bool = True) -> None:
        super().__init__(
            f"{folder} is already there" if is_run else f"{folder} is there and is not a run folder"
        )
        self.folder = folder
        self.is_run = is_run


def refuse_what_is_there(folder: pathlib.Path, *, force: bool) -> None:
    """Raise FolderExists unless the name is free, or *force* allows to replace the run (or empty folder)
    there.
    """
    if not (folder.exists() or folder.is_symlink()):
        return
    is_run = folder.is_dir() and _is_only_a_run(folder)
    if not force or not is_run:
        raise FolderExists(folder, is_run=is_run)


def _is_only_a_run(folder: pathlib.Path) -> bool:
    """Whether a folder holds a run of ours and nothing of anybody else's; an empty one holds nothing."""
    names = {path.name for path in folder.iterdir()}
    try:
        is_ours = "bufferzone" in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        is_ours = False
    known = {SCENARIO, MANIFEST, SUMMARY, "report.html", "figures"}
    known |= {f"{name}.parquet" for name in (*ONE_BY_ONE, *SUMMED)}
    return not names or (is_ours and names <= known)


def free_name(parent: pathlib.Path, stem: str) -> pathlib.Path:
    """`parent/stem`, or the first of `stem-2`, `stem-3`, ... that is not taken."""
    folder, number = parent / stem, 1
    while folder.exists():
        number += 1
        folder = parent / f"{stem}-{number}"
    return folder


def table(columns: Columns) -> pa.Table:
    """Columns as an Arrow table; each column's metadata names its unit."""
    arrays, fields = [], []
    for name, values in columns.items():
        array = (
            values
            if isinstance(values, pa.Array)
            else pa.array(values, from_pandas=isinstance(values, np.ndarray) and values.dtype.kind == "f")
        )
        unit = COLUMN_UNITS.get(name) or unit_of(name)
        if unit is None and name.endswith(("_share", "_low", "_high")):
            unit = "share"
        fields.append(pa.field(name, array.type, metadata={"unit": unit} if unit else None))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


class RunWriter:
    """Collects a run in a folder beside its final place; `finish` renames it, `abandon` removes it."""

    def __init__(self, folder: pathlib.Path, *, force: bool = False) -> None:
        folder = folder.absolute()
        refuse_what_is_there(folder, force=force)
        self.folder = folder
        self._force = force
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.working = folder.parent / f".{folder.name}.{os.getpid()}.part"
        self._sweep()
        self.working.mkdir()
        self._open: dict[str, pq.ParquetWriter] = {}

    def _sweep(self) -> None:
        """Remove what a run of this name left behind when it was killed."""
        for left in self.folder.parent.glob(f".{glob.escape(self.folder.name)}.*.part"):
            number = left.name.removesuffix(".part").rpartition(".")[2]
            if number.isdigit() and (int(number) == os.getpid() or not _is_alive(int(number))):
                shutil.rmtree(left, ignore_errors=True)

    def add(self, name: str, columns: Columns) -> None:
        """Append rows to one of the tables that grow by replication."""
        rows = table(columns)
        if name not in self._open:
            self._open[name] = pq.ParquetWriter(
                self.working / f"{name}.parquet", rows.schema, compression="zstd", compression_level=3
            )
        self._open[name].write_table(rows)

    def put(self, name: str, columns: Columns) -> None:
        """Write a table over all replications."""
        pq.write_table(
            table(columns), self.working / f"{name}.parquet", compression="zstd", compression_level=3
        )

    def close_tables(self) -> None:
        """No more rows."""
        for writer in self._open.values():
            writer.close()
        self._open.clear()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file."""
        (self.working / name).write_text(text, encoding="utf-8", errors="backslashreplace")

    def finish(self) -> pathlib.Path:
        """Make the folder appear, whole."""
        self.close_tables()
        try:
            refuse_what_is_there(self.folder, force=self._force)
        except FolderExists:
            self.abandon()
            raise
        if not self.folder.exists():
            self.working.rename(self.folder)
            return self.folder
        old = self.folder.parent / f".{self.folder.name}.{os.getpid()}.old"
        self.folder.rename(old)
        try:
            self.working.rename(self.folder)
        except OSError:
            old.rename(self.folder)
            raise
        shutil.rmtree(old)
        return self.folder

    def abandon(self) -> None:
        """Leave nothing behind."""
        for writer in self._open.values():
            with contextlib.suppress(Exception):  # on a full disk a table cannot even be closed
                writer.close()
        self._open.clear()
        shutil.rmtree(self.working, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def summary_metrics(replications: pa.Table, horizon_days: float) -> dict[str, dict[str, Any]]:
    """Every metric of a run with its interval and quantiles, from the table of replications."""

    def column(name: str) -> FloatArray:
        values: FloatArray = replications.column(name).to_numpy(zero_copy_only=False).astype(float)
        return values

    escalates = COLLAPSE in replications.column_names
    out = {}
    for name in replications.column_names:
        if (unit := unit_of(name)) is not None:
            weight = column(WEIGHTS[name]) if escalates and name in WEIGHTS else None
            out[name] = summarise(column(name), unit, weight, horizon_days=horizon_days)
    return out


def cell_columns(theatre: Theatre, totals: Totals) -> Columns:
    """One row for each cell: ledgers summed over replications, and the share of time that it was watched."""
    ground = theatre.ground
    cells = ground.cells
    return {
        "cell": np.arange(len(cells), dtype=np.int32),
        "from_km": cells.edge_km[:-1],
        "to_km": cells.edge_km[1:],
        "chainage_km": cells.middle_km,
        "sector": words(ground.sector_names, ground.cell_sector),
        "terrain": words(cells.terrain, cells.terrain_code),
        **{ledger_name(name): totals.cell[:, i] for i, name in enumerate(LEDGER)},
        "watched_share": _per_hour(totals.watched_h, totals),
    }


def strip_columns(theatre: Theatre, totals: Totals) -> Columns:
    """One row for each 10-km window: shares with intervals over replications.

    Sighted is a share of what happened; attended, in time and attributed are shares of what asked for a team.
    """
    count = len(totals.window)
    edges = np.minimum(np.arange(count + 1) * WINDOW_KM, theatre.ground.line.length_km)
    edges[-1] = theatre.ground.line.length_km
    n = totals.replications
    z = t_quantile(n - 1) if n > 1 else np.nan
    which = window_of_cell(theatre.ground)
    length = theatre.ground.cells.length_km
    watched = np.bincount(which, weights=totals.watched_h * length, minlength=count)
    out: dict[str, Any] = {
        "from_km": edges[:-1],
        "to_km": edges[1:],
        "happened": totals.window[:, HAPPENED],
        "asked": totals.window[:, ASKED],
        "watched_share": _per_hour(watched / np.bincount(which, weights=length, minlength=count), totals),
    }
    for name, ledger, of in (
        ("sighted", SIGHTED, HAPPENED),
        ("attended", ATTENDED, ASKED),
        ("attended_in_time", IN_TIME_COUNT, ASKED),
        ("attributed", ATTRIBUTED, ASKED),
    ):
        part, whole = totals.window[:, ledger], totals.window[:, of]
        squares, whole_squares = totals.window_products[:, ledger, 0], totals.window_products[:, of, 0]
        products = totals.window_products[:, ledger, 1 if of == HAPPENED else 2]
        share, low, high = ratio_interval(part, whole, squares, whole_squares, products, n, z)
        out[f"{name}_share"], out[f"{name}_low"], out[f"{name}_high"] = share, low, high
    return out


def _per_hour(hours: FloatArray, totals: Totals) -> FloatArray:
    """Share of the time for which the ceasefire stood; NaN where it never did."""
    return hours / totals.stood_h if totals.stood_h > 0 else np.full_like(hours, np.nan)


def period_columns(theatre: Theatre, totals: Totals) -> Columns:
    """One row for each month of the history and window: what happened, was sighted, was attended in time.

    `counted_days` are those for which the ceasefire stood, all replications together.
    """
    days_per_period = HOURS_PER_MONTH / HOURS_PER_DAY
    periods = min(
        totals.period.shape[0], int(np.ceil(theatre.horizon_h / HOURS_PER_DAY / days_per_period - 1e-9))
    )
    count = totals.period.shape[1]
    index = np.repeat(np.arange(periods), count)
    window = np.tile(np.arange(count), periods)
    counts = totals.period[:periods].reshape(periods * count, -1)
    return {
        "period": index.astype(np.int32),
        "from_day": index * days_per_period,
        "to_day": np.minimum((index + 1) * days_per_period, theatre.horizon_h / HOURS_PER_DAY),
        "from_km": window * WINDOW_KM,
        "to_km": np.minimum((window + 1) * WINDOW_KM, theatre.ground.line.length_km),
        "counted_days": totals.stood_in_period_h[index] / HOURS_PER_DAY,
        "happened": counts[:, 0],
        "sighted": counts[:, 1],
        "attended_in_time": counts[:, 2],
        "asked": counts[:, 3],
    }


def response_columns(theatre: Theatre, totals: Totals) -> Columns:
    """Histograms by sector: sighting to first team, and beginning to sighting.

    A row begins at its minute; from 48 h on rows are an hour wide, and the last one is all that is over 62
    days.
    """
    sectors, bins = totals.response.shape
    index = np.repeat(np.arange(sectors), bins)
    keep = (totals.response + totals.delay).reshape(-1) > 0
    starts = np.round(bin_starts_h() * MINUTES_PER_HOUR).astype(np.int32)
    return {
        "sector": words(theatre.ground.sector_names, index[keep]),
        "minute": np.tile(starts, sectors)[keep],
        "responses": totals.response.reshape(-1)[keep],
        "sightings": totals.delay.reshape(-1)[keep],
    }


def survival_columns(theatre: Theatre, totals: Totals) -> Columns:
    """One row for each day: the share of histories whose ceasefire stands at its end, with a 95 % band, and
    the mean share of sectors in each level during it.

    No history is left before the horizon, so the Kaplan-Meier curve is the plain share, and the band is
    Wilson's, day by day.
    """
    n, edges = totals.replications, day_edges_h(theatre)
    low, high = wilson(totals.stands, n)
    whole_h = n * len(theatre.ground.sector_names) * np.diff(edges)
    return {
        "day": np.arange(len(edges) - 1, dtype=np.int32),
        "stands_share": totals.stands / n,
        "stands_low": low,
        "stands_high": high,
        **{
            f"in_{name}_share": totals.hours_in[:, v] / whole_h for v, name in enumerate(theatre.ladder.names)
        },
    }


def sighted_by(totals: Totals) -> dict[str, float]:
    """Share of sightings by the layer of watch that made them."""
    total = float(totals.sighted_by.sum())
    return {name: float(totals.sighted_by[i]) / total for i, name in enumerate(LAYERS)} if total else {}


def as_json(data: Any) -> str:
    """Text of a JSON file; NaN cannot be written."""
    return json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
