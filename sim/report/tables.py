"""The report's tables of numbers: metrics, violation types, sectors, and the rows behind a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.force.manning import PATROLS, POSTS, TEAMS
from sim.report.words import DASH, NOTHING, entry, heading, interval, number, percent
from sim.results.names import SHARES, meaning_of
from sim.results.statistics import summarise

if TYPE_CHECKING:
    import pandas as pd

    from sim.report.figures.style import Table
    from sim.report.run import Run

MOST_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A table as text, for the page."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1  # leading columns that are words; the others are numbers
    remark: str = ""


def metric_rows(run: Run) -> Printed:
    """All metrics as `summary.json` has them, shares in per cent, to as many digits as the interval bears."""
    several = run.replication_count > 1
    rows = []
    for name, metric in run.answer["metrics"].items():
        keys = ("mean", "ci_low", "ci_high", "p05", "p50", "p95") if several else ("mean",)
        scale, unit = (100.0, "%") if metric["unit"] in SHARES else (1.0, metric["unit"])
        decimals = _decimals(metric, scale)
        told = [NOTHING if metric[key] is None else number(scale * metric[key], decimals) for key in keys]
        if several:
            low, high = metric["ci_low"], metric["ci_high"]
            told[1:3] = [
                DASH if low is None else "no variation" if low == high else f"{told[1]} to {told[2]}"
            ]
        rows.append((name, *told, unit, meaning_of(name)))
    between = ("95 % interval", "5 %", "50 %", "95 %") if several else ()
    return Printed(
        headings=("metric", "mean" if several else "value", *between, "unit", "what it says"),
        rows=tuple(rows),
    )


def _decimals(metric: Mapping[str, Any], scale: float) -> int | None:
    """Digits after the point such that an interval shows its width; None where it has none."""
    low, high = metric["ci_low"], metric["ci_high"]
    if low is None or high is None or high <= low:
        return None
    return int(np.clip(np.ceil(-np.log10(scale * (high - low))), 0, 4))


def type_rows(run: Run) -> Printed:
    """One row for each violation type: a day's incidents, and shares with intervals over replications."""
    rows = []
    for name, part in run.types.groupby("type", sort=False):
        happened = part["happened"].to_numpy(dtype=float)
        asks = run.setting.asks_for_teams(str(name))
        told = [
            run.setting.type_title(str(name)),
            number(float(happened.sum()) / run.counted_days),
        ]
        for ledger in ("sighted", "attended", "attended_in_time", "attributed"):
            told.append(
                _share(part[ledger].to_numpy(dtype=float), happened, is_weighed=run.escalates)
                if asks or ledger == "sighted"
                else "no team"
            )
        rows.append(tuple(told))
    return Printed(
        headings=(
            "violation type",
            "happened per day",
            "sighted",
            "attended",
            "attended in time",
            "attributed",
        ),
        rows=tuple(rows),
        remark=_remark(run),
    )


def _remark(run: Run) -> str:
    if run.replication_count < 2:
        return "Shares are of what happened."
    over = "all replications together" if run.escalates else "mean over replications"
    return f"Shares are of what happened; {over}, 95 % interval in brackets."


def sector_rows(run: Run) -> Printed:
    """One row for each sector: length, laydown wanted, and what became of its incidents."""
    setting, cells = run.setting, run._table("cells")
    counts = ["happened", "sighted", "asked", "attended_in_time", "attributed"]
    length = cells["to_km"] - cells["from_km"]
    rows = []
    for x, name in enumerate(setting.sectors.names):
        here = cells["sector"] == name
        total = cells.loc[here, counts].sum()
        watched = (cells.loc[here, "watched_share"] * length[here]).sum()
        rows.append(
            (
                setting.sectors.titles[x],
                name,
                number(float(setting.sectors.edges_km[x + 1] - setting.sectors.edges_km[x])),
                *(number(float(setting.wanted[x][task])) for task in (POSTS, PATROLS, TEAMS)),
                number(float(total["happened"]) / run.counted_days),
                _part(float(watched), float(length[here].sum())),
                _part(float(total["sighted"]), float(total["happened"])),
                _part(float(total["attended_in_time"]), float(total["asked"])),
                _part(float(total["attributed"]), float(total["asked"])),
            )
        )
    return Printed(
        headings=(
            "sector",
            "short",
            "length [km]",
            "posts wanted",
            "patrols a day wanted",
            "teams wanted",
            "happened per day",
            "watched, of the time",
            "sighted",
            "attended in time",
            "attributed",
        ),
        rows=tuple(rows),
        words=2,
        remark="All replications together. Sighted is a share of what happened, attended in time and "
        "attributed of what called for a team.",
    )


def _part(part: float, whole: float) -> str:
    return percent(part / whole) if whole > 0 else DASH


def _share(part: Any, whole: Any, *, is_weighed: bool) -> str:
    """Mean over replications of a share, with its interval; weighed by incidents where histories are unlike
    in length.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole > 0, part / whole, np.nan)
    metric = summarise(share, "share", whole if is_weighed else None)
    if metric["mean"] is None:
        return DASH
    ends = interval(metric)
    return percent(metric["mean"]) if ends is None else f"{percent(metric['mean'])} ({ends})"


def figure_rows(table: Table, file: str) -> Printed:
    """The rows behind a figure, thinned when there are many."""
    rows: pd.DataFrame = table.rows
    every = max(1, int(np.ceil(len(rows) / MOST_ROWS)))
    some = rows.iloc[::every]
    columns = [c for c in some.columns if c not in ("is_total", "key")]
    remark = (
        f"Every {_ordinal(every)} of {len(rows):,} rows; the data are in {file}."
        if every > 1
        else f"All {len(rows)} rows; the data are in {file}."
    )
    told = tuple(
        tuple(entry(c, v) for c, v in zip(columns, row, strict=True))
        for row in some[columns].astype(object).itertuples(index=False)
    )
    words = 1 if len(some) and isinstance(some[columns[0]].iloc[0], str) else 0
    return Printed(headings=tuple(heading(c) for c in columns), rows=told, words=words, remark=remark)


def _ordinal(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
