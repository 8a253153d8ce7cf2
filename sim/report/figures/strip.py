"""The line from end to end: what is watched, sighted and attended in time, and where incidents gather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Table,
    draw_sector_edges,
    draw_sector_names,
    intervals_said,
    label_ends,
    per_cent_axis,
)
from sim.report.setting import Sectors
from sim.report.words import listed, percent
from sim.scenario.quantities import DAYS_PER_YEAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.report.run import Run

ASKING = "of incidents that call for a team"
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
LAYERS = (
    ("watched", "watched,\nof the time", GREY, "o"),
    ("sighted", "sighted", BLUE, "s"),
    ("attended_in_time", "attended\nin time", ORANGE, "^"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripTable(Table):
    """A row for each window: from_km, to_km, incidents_per_km_month, and shares with their intervals."""

    sectors: Sectors


def strip_table(run: Run) -> StripTable:
    """From `strip.parquet`; the density of incidents is per replication."""
    strip = run.strip
    months = run.counted_days / DAYS_PER_MONTH
    rows = strip[["from_km", "to_km"]].copy()
    rows["incidents_per_km_month"] = strip["happened"] / ((strip["to_km"] - strip["from_km"]) * months)
    rows["watched_share"] = strip["watched_share"]
    for name in ("sighted", "attended_in_time"):
        for end in ("share", "low", "high"):
            rows[f"{name}_{end}"] = strip[f"{name}_{end}"].astype(float)
    says = f"Along {run.setting.length_km:,.0f} km of line, in {len(rows)} windows: "
    told = []
    for name, label, *_ in LAYERS:
        share = rows[f"{name}_share"].dropna()
        if len(share):
            told.append(
                f"{label.replace(chr(10), ' ')} between {percent(share.min(), 0)} and "
                f"{percent(share.max(), 0)}"
            )
    return StripTable(
        title="Watched, sighted and attended in time along the line",
        says=says + (listed(told) if told else "nothing is known") + ".",
        rows=rows,
        replications=run.replication_count,
        sectors=run.setting.sectors,
    )


def strip_caption(table: StripTable) -> str:
    """How to read it."""
    return (
        "Grey: share of the time that the place was watched. Blue: share of incidents that the mission "
        "noticed. "
        f"Orange: share {ASKING} that had a team on the spot within the standard. "
        f"{intervals_said(table.replications)} "
        "Bars above: incidents per km and month."
    )


def strip_chart(table: StripTable, ax: Axes) -> None:
    """Step lines of the three shares, with bands, over chainage."""
    rows = table.rows
    edges = np.append(rows["from_km"], rows["to_km"].iloc[-1])
    ends = []
    for i, (name, label, colour, marker) in enumerate(LAYERS):
        share = rows[f"{name}_share"].to_numpy(dtype=float)
        if not np.isfinite(share).any():
            continue
        if f"{name}_low" in rows and np.isfinite(rows[f"{name}_low"]).any():
            low, high = (
                np.append(rows[f"{name}_{end}"], rows[f"{name}_{end}"].iloc[-1]) for end in ("low", "high")
            )
            ax.fill_between(edges, low, high, step="post", color=colour, alpha=0.28, linewidth=0)
        ax.step(edges, np.append(share, share[-1]), where="post", color=colour, linewidth=1.4)
        middle = ((rows["from_km"] + rows["to_km"]) / 2).to_numpy()
        every = max(1, len(rows) // 12)
        some = slice(every // 2 + i * every // 4, None, every)
        ax.plot(middle[some], share[some], marker, color=colour, markersize=4, markeredgecolor="none")
        last = share[np.isfinite(share)][-1]
        ends.append((float(last), label, colour))
    draw_sector_edges(ax, table.sectors)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, 1.0)
    ax.grid(axis="y")
    per_cent_axis(ax.yaxis)
    ax.set_xlabel("chainage [km]")
    ax.set_ylabel("share")
    label_ends(ax, ends)
    if not ends:
        ax.text(0.5, 0.5, "nothing happened", transform=ax.transAxes, ha="center")


def density_bars(table: StripTable, ax: Axes) -> None:
    """Incidents per km and month, as bars over chainage, sector names above."""
    rows = table.rows
    ax.bar(
        rows["from_km"],
        rows["incidents_per_km_month"],
        width=rows["to_km"] - rows["from_km"],
        align="edge",
        color=GREEN,
        alpha=0.45,
        linewidth=0,
    )
    ax.set_xlim(float(rows["from_km"].iloc[0]), float(rows["to_km"].iloc[-1]))
    most = float(rows["incidents_per_km_month"].max())
    ax.set_ylim(0, most * 1.08 if most > 0 else 1.0)
    ax.locator_params(axis="y", nbins=3)
    ax.set_ylabel("incidents per\nkm and month")
    draw_sector_edges(ax, table.sectors)
    draw_sector_names(ax, table.sectors)
