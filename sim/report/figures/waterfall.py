"""Troops to task: what the wanted laydown takes, from posts and patrols up to the rotation pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.force.manning import troops_to_task
from sim.report.figures.style import (
    BLUE,
    INK,
    MUTED,
    PLATE,
    SKY,
    VERMILLION,
    Table,
    size_pt,
    text_width_pt,
)
from sim.report.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.report.run import Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WaterfallTable(Table):
    """A row for each step: what it adds, the running total, and whether it is a total itself."""

    pledged_soldiers: float


def waterfall_table(run: Run) -> WaterfallTable:
    """From the wanted laydown and the prices of the resolved scenario."""
    import pandas as pd

    metrics = run.answer["metrics"]
    pledged = float(metrics["force.pledged"]["mean"])
    setting = run.setting
    steps = troops_to_task(setting.scenario, setting.wanted, setting.coalition)
    counts = dict(
        zip(
            ("headquarters", "posts", "patrols", "teams", "orbits", "sensors"),
            setting.wanted.sum(axis=0),
            strict=True,
        )
    )
    total, rows = 0.0, []
    for step in steps:
        if counts.get(step.label) == 0:
            continue
        total = step.soldiers if step.is_total else total + step.soldiers
        count = counts.get(step.label)
        what = (
            step.label
            if count is None
            else f"{count:,} {step.label}" + (" a day" if step.label == "patrols" else "")
        )
        rows.append(
            {
                "step": what,
                "adds_soldiers": None if step.is_total else step.soldiers,
                "total_soldiers": total,
                "is_total": step.is_total,
            }
        )
    by_label = {step.label: step.soldiers for step in steps}
    says = (
        f"The wanted laydown takes {number(by_label['effective'], 0)} effective soldiers, hence "
        f"{number(by_label['on station'], 0)} on station "
        f"and {number(by_label['pool'], 0)} in the rotation pool. Pledged: {number(pledged, 0)}."
    )
    return WaterfallTable(
        title="Troops to task",
        says=says,
        rows=pd.DataFrame(rows),
        replications=run.replication_count,
        pledged_soldiers=pledged,
    )


def waterfall_caption(table: WaterfallTable) -> str:
    """How to read it."""
    return (
        "What the whole wanted laydown would take; arithmetic, so without intervals. Dark bars are totals, "
        "light bars what is added: tasks, then soldiers in support, then those absent "
        "(leave, sick, courses), then those at home between tours. The dashed line is the pledged strength, "
        "to be compared with the bar 'on station'."
    )


def waterfall(table: WaterfallTable, ax: Axes) -> None:
    """A bar for each step, downwards from the first task to the pool."""
    rows = table.rows
    y = np.arange(len(rows))[::-1]
    total = rows["total_soldiers"].to_numpy(dtype=float)
    adds = rows["adds_soldiers"].to_numpy(dtype=float)
    is_total = rows["is_total"].to_numpy(dtype=bool)
    start = np.where(is_total, 0.0, total - np.nan_to_num(adds))
    finite = total[np.isfinite(total)]
    most = 1.16 * max(float(finite.max()) if len(finite) else 1.0, table.pledged_soldiers, 1.0)
    width = np.nan_to_num(np.where(is_total, total, adds), posinf=most)
    ax.barh(
        y,
        width,
        left=np.nan_to_num(start, posinf=most),
        height=0.7,
        color=[BLUE if t else SKY for t in is_total],
        linewidth=0,
    )
    for i in range(len(rows) - 1):
        ax.plot([total[i], total[i]], [y[i] - 0.35, y[i + 1] - 0.35], color=MUTED, linewidth=0.7)
    ax.axvline(table.pledged_soldiers, color=VERMILLION, linewidth=1.3, linestyle=(0, (5, 2)), zorder=1)
    for at, end, value, whole in zip(y, total, np.where(is_total, total, adds), is_total, strict=True):
        text = ("" if whole else "+ ") + (number(float(value), 0) if np.isfinite(value) else "without end")
        ax.annotate(
            text,
            (min(end, most), at),
            (4, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontweight="bold" if whole else "normal",
            bbox=PLATE,
            zorder=4,
        )
    width_pt, _ = size_pt(ax)
    label = f"pledged {number(table.pledged_soldiers, 0)}"
    right = table.pledged_soldiers / most * width_pt + text_width_pt(label) / 2 > width_pt
    ax.annotate(
        label,
        (table.pledged_soldiers, 1.0),
        (0, 2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if right else "center",
        va="bottom",
        color=INK,
        annotation_clip=False,
    )
    ax.set_yticks(y, labels=list(rows["step"]))
    for tick, whole in zip(ax.get_yticklabels(), is_total, strict=True):
        tick.set_fontweight("bold" if whole else "normal")
    ax.set_xlim(0, most)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlabel("soldiers")
