"""Soldiers over time: pledged, on station, effective, and what the wanted laydown needs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.force.manning import task_prices
from sim.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    VERMILLION,
    Table,
    date_ticks,
    label_ends,
)
from sim.report.words import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.report.run import Run

LINES = (
    ("on_station", "on station", BLUE, "s"),
    ("effective", "effective", GREEN, "o"),
    ("short", "short of the\nwanted laydown", VERMILLION, "^"),
)
MOST_POINTS = 400
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrengthTable(Table):
    """A row for each day: on_station, effective, short [soldiers]; mean, 5 and 95 % over replications."""

    start: datetime.date
    horizon_days: float
    pledged_soldiers: float
    needed_soldiers: float  # effective soldiers that the wanted laydown takes


def strength_table(run: Run) -> StrengthTable:
    """From `series.parquet`; what is pledged and needed does not change with time."""
    import pandas as pd

    series = run.series
    count = run.replication_count
    columns: dict[str, object] = {"day": series["day"].to_numpy().reshape(count, -1)[0]}
    for name, *_ in LINES:
        values = series[name].to_numpy(dtype=float).reshape(count, -1)
        columns[name] = values.mean(axis=0)
        if count > 1:
            low, high = (
                np.quantile(values, [LOW, HIGH], axis=0)
                if np.ptp(values, axis=0).any()
                else (values[0], values[0])
            )
            columns[f"{name}_p05"], columns[f"{name}_p95"] = low, high
    setting = run.setting
    rows = pd.DataFrame(columns)
    pledged = float(run.answer["metrics"]["force.pledged"]["mean"])
    needed = float((setting.wanted * task_prices(setting.scenario.manning)).sum())
    peak = rows["on_station"].max()
    says = (
        f"Of {number(pledged)} pledged soldiers at most {number(float(peak), 0)} are on station at a time, "
        f"{number(float(rows['on_station'].iloc[-1]), 0)} on the last day; "
        f"the wanted laydown needs {number(needed, 0)} effective soldiers, and on the worst day "
        f"{number(float(rows['short'].max()), 0)} of them are lacking."
    )
    return StrengthTable(
        title="Strength over time",
        says=says,
        rows=rows,
        replications=count,
        start=setting.start,
        horizon_days=setting.horizon_days,
        pledged_soldiers=pledged,
        needed_soldiers=needed,
    )


def strength_caption(table: StrengthTable) -> str:
    """How to read it."""
    bands = (
        f"Means over {table.replications:,} replications; bands hold nine replications in ten (5 to 95 %)."
        if table.replications > 1
        else "One replication."
    )
    return (
        "Effective: present, fit and free of support duties. Needed: effective soldiers that the whole "
        "wanted laydown takes. "
        "Short: soldiers' worth of posts, patrols and teams that could not be manned; it can be above zero "
        f"while effective exceeds needed, when contingents serve only some sectors. {bands}"
    )


def strength_over_time(table: StrengthTable, ax: Axes) -> None:
    """Lines of what is there, against what is pledged and what is needed."""
    rows = thinned(table.rows)
    day = np.append(rows["day"].to_numpy(dtype=float), table.horizon_days)
    top = 1.06 * max(
        table.pledged_soldiers, table.needed_soldiers, float(table.rows["on_station"].max()), 1.0
    )
    ends = []
    for i, (name, label, colour, marker) in enumerate(LINES):
        values = _ended(rows[name])
        if f"{name}_p05" in rows:
            ax.fill_between(
                day,
                _ended(rows[f"{name}_p05"]),
                _ended(rows[f"{name}_p95"]),
                step="post",
                color=colour,
                alpha=0.2,
                linewidth=0,
            )
        ax.step(day, values, where="post", color=colour, linewidth=1.5)
        at = np.linspace(0, table.horizon_days, 8)[1:-1] + i * table.horizon_days / 40
        ax.plot(
            at,
            values[np.searchsorted(day, at, side="right") - 1],
            marker,
            color=colour,
            markersize=4,
            markeredgecolor="none",
        )
        ends.append((float(values[-1]) / top, f"{label}\n{number(float(values[-1]), 0)}", colour))
    ax.axhline(table.pledged_soldiers, color=MUTED, linewidth=1.2, linestyle=(0, (6, 2)))
    ax.axhline(table.needed_soldiers, color=ORANGE, linewidth=1.4, linestyle=(0, (1.5, 1.5)))
    ends.append((table.pledged_soldiers / top, f"pledged\n{number(table.pledged_soldiers, 0)}", MUTED))
    ends.append(
        (table.needed_soldiers / top, f"needed, effective\n{number(table.needed_soldiers, 0)}", ORANGE)
    )
    ax.set_xlim(0, table.horizon_days)
    ax.set_ylim(0, top)
    ax.grid(axis="y")
    ax.yaxis.set_major_formatter(_thousands)
    ax.set_ylabel("soldiers")
    ax.set_xlabel("date")
    ax.tick_params(axis="x", colors=MUTED, labelcolor=INK)
    date_ticks(ax.xaxis, table.start, table.horizon_days)
    label_ends(ax, ends)


def thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """The days on which something changes; every so many of them when there are very many."""
    values = rows.drop(columns="day").to_numpy()
    change = np.flatnonzero(np.any(np.diff(values, axis=0) != 0, axis=1)) + 1
    keep = np.unique(np.concatenate([[0], change, [len(rows) - 1]]))
    step = int(np.ceil(len(keep) / MOST_POINTS))
    return rows.iloc[np.unique(np.append(keep[::step], len(rows) - 1))]


def _ended(values: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.append(values.to_numpy(dtype=float), float(values.iloc[-1]))


def _thousands(value: float, _: float) -> str:
    return f"{value:,.0f}"
