"""The line on the map, coloured by how much is attended in time; a straight line is drawn as a strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.basemap import ILLUSTRATIVE, is_covered
from sim.report.figures.map_drawing import colours, draw_map, extent
from sim.report.figures.strip import ASKING
from sim.report.figures.style import (
    INK,
    Table,
    draw_sector_edges,
    draw_sector_names,
    share_range,
)
from sim.report.setting import Setting
from sim.report.words import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.line.earth import IntArray
    from sim.report.run import Run

PIECES = 50  # into which the line is cut, so that the eye sees regions and not the spacing of posts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapTable(Table):
    """A row for each piece of line: from_km, to_km, share (missing where nothing happened)."""

    setting: Setting
    measure: str  # what the colour says
    basis: str  # what it is a share of


def map_table(run: Run) -> MapTable:
    """From `cells.parquet`, joined: attended in time, or watched where nothing calls for a team."""
    import pandas as pd

    cells, setting = run._table("cells"), run.setting
    groups = cells.groupby(pieces_of(cells, setting), sort=True)
    rows = pd.DataFrame({"from_km": groups["from_km"].min(), "to_km": groups["to_km"].max()})
    if float(cells["asked"].sum()) > 0:
        asked = groups["asked"].sum().astype(float)
        rows["attended_in_time_share"] = groups["attended_in_time"].sum() / asked.where(asked > 0)
        measure, basis = "attended in time", ASKING
    else:
        length = cells["to_km"] - cells["from_km"]
        weighted = (cells["watched_share"] * length).groupby(groups.ngroup()).sum()
        rows["watched_share"] = (weighted / length.groupby(groups.ngroup()).sum()).to_numpy()
        measure, basis = "watched", "of the time"
    rows = rows.reset_index(drop=True)
    share = rows.iloc[:, 2].dropna()
    spread = (
        f"from {percent(float(share.min()), 0)} to {percent(float(share.max()), 0)}"
        if len(share)
        else "unknown"
    )
    where = "Map of the line" if setting.has_map else "The line as a strip"
    return MapTable(
        title=f"{where}: {measure}",
        says=(
            f"{setting.length_km:,.0f} km of line in {len(rows)} pieces; {measure}, share {basis}: {spread}. "
            f"{len(setting.sectors.names)} sector(s), {len(setting.base_titles)} base(s)."
        ),
        rows=rows,
        replications=run.replication_count,
        setting=setting,
        measure=measure,
        basis=basis,
    )


def pieces_of(cells: pd.DataFrame, setting: Setting) -> IntArray:
    """The piece that each cell belongs to: some 50 of about equal length, none across a sector boundary."""
    edges = setting.sectors.edges_km
    parts = np.maximum(1, np.round(np.diff(edges) / (edges[-1] / PIECES))).astype(np.int64)
    middle = ((cells["from_km"] + cells["to_km"]) / 2).to_numpy(dtype=float)
    sector = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, len(parts) - 1)
    within = (middle - edges[sector]) / np.diff(edges)[sector]
    first = np.cumsum(parts) - parts
    piece: IntArray = first[sector] + np.minimum((within * parts[sector]).astype(np.int64), parts[sector] - 1)
    return piece


def map_caption(table: MapTable) -> str:
    """How to read it."""
    count = table.replications
    over = "one replication" if count == 1 else f"{count:,} replications; the strip below gives the intervals"
    parts = [
        f"Colour: {table.measure}, share {table.basis}, over {over}. Mind the ends of the colour scale.",
        "Triangles: bases of response teams.",
    ]
    if table.setting.has_map:
        if is_covered(table.setting.line):
            parts.append("Hatched: the former Kakhovka reservoir. Dashed rivers are schematic.")
        parts.append(
            ILLUSTRATIVE if table.setting.is_illustrative else "The line is drawn as its file has it."
        )
    return " ".join([*parts, table.setting.remark]).strip()


def map_shape(table: MapTable) -> float:
    """Height over width that suits the map; a tall one is not let grow beyond a page."""
    _, span = extent(table.setting)
    return float(np.clip(span[1] / span[0], 0.4, 1.0))


def line_map(table: MapTable, ax: Axes) -> None:
    """The coloured line among land and water, or alone, or as a strip when it lies nowhere."""
    if table.setting.has_map:
        draw_map(table, ax)
    else:
        _draw_strip(table, ax)


def _draw_strip(table: MapTable, ax: Axes) -> None:
    """A straight line: its share as colour, its bases at their depth behind it."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import PercentFormatter

    setting = table.setting
    depth = np.abs(setting.base_xy_km[:, 1]) if len(setting.base_xy_km) else np.zeros(0)
    deepest = float(depth.max()) if len(depth) else 10.0
    thick = 0.22 * max(deepest, 1.0)
    boxes = [
        Rectangle((low, 0), high - low, thick)
        for low, high in zip(table.rows["from_km"], table.rows["to_km"], strict=True)
    ]
    strip = PatchCollection(boxes, cmap=colours(), linewidths=0)
    strip.set_array(np.ma.masked_invalid(table.rows.iloc[:, 2].to_numpy(dtype=float)))
    low, high = share_range(table.rows.iloc[:, 2], least=0.2)
    strip.set_clim(low, high)
    ax.add_collection(strip)
    if len(depth):
        ax.plot(
            setting.base_xy_km[:, 0], -depth, "^", color=INK, markersize=5, linestyle="none", clip_on=False
        )
    ax.set_xlim(0, setting.length_km)
    ax.set_ylim(-1.25 * max(deepest, 1.0), thick)
    ax.set_xlabel("chainage [km]")
    ax.set_ylabel("behind the\nline [km]")
    ticks = [t for t in (0, deepest) if t == 0 or len(depth)]
    ax.set_yticks([-t for t in ticks], labels=[f"{t:g}" for t in ticks])
    draw_sector_edges(ax, setting.sectors)
    draw_sector_names(ax, setting.sectors)
    beside = ax.inset_axes((1.015, 0.0, 0.02, 1.0))
    bar = ax.figure.colorbar(
        strip, cax=beside, format=PercentFormatter(1.0, decimals=0, symbol="\u00a0%"), ticks=[low, high]
    )
    bar.set_label(table.measure.replace(" in", "\nin"), labelpad=4, linespacing=1.05)
    bar.outline.set_visible(False)
