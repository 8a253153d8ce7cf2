"""Escalation over time: does the ceasefire still stand, and in which levels are the sectors?"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.style import (
    BLUE,
    INK,
    MUTED,
    SMALL,
    Table,
    date_ticks,
    label_ends,
    literal,
    per_cent_axis,
    shortened,
)
from sim.report.words import listed, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.line.earth import FloatArray
    from sim.report.run import Run

LADDER = "YlOrBr"  # light to dark, told apart with any colour vision
LIGHTEST, DARKEST = 0.1, 0.78
LAST = ("#3d1f0a", "////")  # collapse
ON_LAST = "#f3e9dc"
TITLE_PT = 150.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EscalationTable(Table):
    """A row for each day: share of histories whose ceasefire stands at its end, of sectors in each level."""

    start: datetime.date
    horizon_days: float
    levels: tuple[tuple[str, str], ...]  # (name, title), from the lowest to collapse

    @property
    def edges_day(self) -> FloatArray:
        """(D + 1,) beginnings of the days, and the end of the last."""
        edges: FloatArray = np.append(self.rows["day"].to_numpy(dtype=float), self.horizon_days)
        return edges


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TurnsTable(Table):
    """A row for each kind of change of level: from, to, why, and how often in a history."""


def escalation_table(run: Run) -> EscalationTable:
    """From `survival.parquet`."""
    setting = run.setting
    escalation = setting.scenario.escalation
    assert escalation is not None, "only a scenario that escalates has levels"
    levels = tuple((name, part.title or name.replace("_", " ")) for name, part in escalation.levels.items())
    rows = run.survival
    if run.replication_count < 2:
        rows = rows.drop(columns=["stands_low", "stands_high"])
    last = rows.iloc[-1]
    means = (
        (title, float(run.answer["metrics"][f"escalation.days_in.{name}"]["mean"])) for name, title in levels
    )
    told = [f"{title} {number(days)}" for title, days in means]
    says = (
        f"The ceasefire stands at the end in {percent(float(last['stands_share']))} of histories. Of "
        f"{number(setting.horizon_days, 0)} days a sector spends on average, in days: {listed(told)}."
    )
    return EscalationTable(
        title="The ceasefire, and the levels of its sectors, over time",
        says=says,
        rows=rows,
        replications=run.replication_count,
        start=setting.start,
        horizon_days=setting.horizon_days,
        levels=levels,
    )


def turns_table(run: Run) -> TurnsTable:
    """From `levels.parquet`: what moved sectors from level to level."""
    turns = run.levels
    counts = turns.groupby(["from", "to", "cause"], observed=True, sort=False).size()
    rows = counts.sort_values(ascending=False, kind="stable").rename("times_in_a_history").reset_index()
    rows["times_in_a_history"] = rows["times_in_a_history"] / run.replication_count
    for column in ("from", "to", "cause"):
        rows[column] = rows[column].astype(str)
    return TurnsTable(
        title="Changes of level",
        says=f"{number(float(rows['times_in_a_history'].sum()))} changes of level in a history.",
        rows=rows,
        replications=run.replication_count,
    )


def escalation_caption(table: EscalationTable) -> str:
    """How to read it."""
    count = table.replications
    band = (
        f"share of {count:,} histories in which the ceasefire still stands, with its 95 % band (Wilson's, "
        "day by day: no history is left before the end, so it is the Kaplan-Meier curve)"
        if count > 1
        else "whether the ceasefire still stands, in one history"
    )
    return (
        f"Above: {band}. Below: mean share of sectors in each level, the lowest at the foot; after a "
        "collapse of the line every sector counts as collapsed. Incidents are counted for as long as the "
        "ceasefire stands, and all numbers per day are over that time."
    )


def survival_curve(table: EscalationTable, ax: Axes) -> None:
    """Share of histories whose ceasefire still stands, with its band."""
    day, rows = table.edges_day, table.rows
    stands = np.append(1.0, rows["stands_share"].to_numpy(dtype=float))
    if "stands_low" in rows:
        low, high = (np.append(1.0, rows[f"stands_{end}"].to_numpy(dtype=float)) for end in ("low", "high"))
        ax.fill_between(day, low, high, step="post", color=BLUE, alpha=0.25, linewidth=0)
    ax.step(day, stands, where="post", color=BLUE, linewidth=1.6)
    label_ends(ax, [(float(stands[-1]), f"stands\n{percent(float(stands[-1]), 0)}", BLUE)])
    _frame(table, ax, "share of histories")


def levels_over_time(table: EscalationTable, ax: Axes) -> None:
    """Share of sectors in each level, stacked from the lowest up."""
    import matplotlib

    day, foot = table.edges_day, np.zeros(len(table.rows) + 1)
    climb = np.linspace(LIGHTEST, DARKEST, len(table.levels) - 1)
    looks = [(matplotlib.colormaps[LADDER](at), "") for at in climb] + [LAST]
    handles = []
    for (name, _), (colour, hatch) in zip(table.levels, looks, strict=True):
        share = table.rows[f"in_{name}_share"].to_numpy(dtype=float)
        top = foot + np.append(share, share[-1])
        handles.append(
            ax.fill_between(
                day, foot, top, step="post", facecolor=colour, hatch=hatch, edgecolor=ON_LAST, linewidth=0.0
            )
        )
        ax.step(day, top, where="post", color=MUTED, linewidth=0.5)
        foot = top
    _frame(table, ax, "share of sectors")
    ax.legend(
        handles,
        [literal(shortened(title, TITLE_PT)) for _, title in table.levels],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=min(4, len(table.levels)),
        frameon=False,
        fontsize=SMALL,
        handlelength=1.4,
        handleheight=0.9,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def legend_rows(table: EscalationTable) -> int:
    """Lines that the names of the levels take."""
    return -(-len(table.levels) // 4)


def _frame(table: EscalationTable, ax: Axes, label: str) -> None:
    ax.set_xlim(0, table.horizon_days)
    ax.set_ylim(0, 1.0)
    ax.grid(axis="y")
    per_cent_axis(ax.yaxis)
    ax.set_ylabel(label)
    ax.set_xlabel("date")
    ax.tick_params(axis="x", colors=MUTED, labelcolor=INK)
    date_ticks(ax.xaxis, table.start, table.horizon_days)
