"""How the map is drawn: land and water, the coloured line, bases, and names that stay clear of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.figures.basemap import ILLUSTRATIVE, Basemap, basemap_for, draw_basemap
from sim.report.figures.labels import Room, room_on, to_points
from sim.report.figures.style import (
    BLANK,
    INK,
    LAND,
    MAGNITUDE,
    MUTED,
    NORMAL,
    PAPER,
    SMALL,
    literal,
    share_range,
    size_pt,
    text_width_pt,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.line.earth import FloatArray
    from sim.report.figures.map import MapTable
    from sim.report.setting import Setting

SHARES = (0.5, 0.35, 0.65, 0.2, 0.8, 0.05, 0.95)  # of a sector: where its name may stand
MARGIN = 0.06  # of the map's longer side, around the line and its bases
WHITE = "#ffffff"  # around the line, by day and by night: the darkest of its colours must stand out


def draw_map(table: MapTable, ax: Axes) -> None:
    """The map, cut to the line and its bases."""
    setting, line = table.setting, table.setting.line
    assert line is not None
    at_km = np.unique(
        np.concatenate([np.linspace(0, line.length_km, 1500), table.rows["from_km"], table.rows["to_km"]])
    )
    at_km = at_km[at_km <= line.length_km]
    track = line.plane_km(at_km)
    width_pt, height_pt = size_pt(ax)
    middle, span = extent(setting)
    km_per_pt = max(span[0] / width_pt, span[1] / height_pt)
    half = km_per_pt * np.array([width_pt, height_pt]) / 2
    ax.set_xlim(middle[0] - half[0], middle[0] + half[0])
    ax.set_ylim(middle[1] - half[1], middle[1] + half[1])
    ax.set_aspect("equal")
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    base = basemap_for(line, (left, bottom, right, top), step_km=0.7 * km_per_pt)
    if base is None:
        ax.set_facecolor(LAND)
    else:
        draw_basemap(base, ax)
    _colour_line(table, ax, at_km, track)
    ax.plot(
        setting.base_xy_km[:, 0],
        setting.base_xy_km[:, 1],
        "^",
        color=INK,
        markersize=4.6,
        markeredgecolor=PAPER,
        markeredgewidth=0.6,
        zorder=5,
        linestyle="none",
    )
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    room = room_on(ax, _thick(np.concatenate([track[::3], setting.base_xy_km]), km_per_pt))
    _furniture(table, base, ax, room)
    _name_sectors(table, ax, room)
    _name_towns(base, ax, room)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)


def extent(setting: Setting) -> tuple[FloatArray, FloatArray]:
    """Middle and size [km] of the least map that holds the line and its bases."""
    assert setting.line is not None
    track = setting.line.plane_km(np.linspace(0, setting.line.length_km, 300))
    everything = np.concatenate([track, setting.base_xy_km])
    low, high = everything.min(axis=0), everything.max(axis=0)
    span = (high - low) * (1 + 2 * MARGIN) + 2.0
    return (low + high) / 2, np.maximum(span, 0.3 * span.max())


def _thick(xy: FloatArray, km_per_pt: float) -> FloatArray:
    """Points on and around a line, so that no name comes within 4 points of it."""
    around = 4.0 * km_per_pt * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    thick: FloatArray = (xy[:, None, :] + around[None, :, :]).reshape(-1, 2)
    return thick


def _colour_line(table: MapTable, ax: Axes, at_km: FloatArray, track: FloatArray) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MultipleLocator, PercentFormatter

    pieces = []
    for low, high in zip(table.rows["from_km"], table.rows["to_km"], strict=True):
        pieces.append(track[(at_km >= low - 1e-6) & (at_km <= high + 1e-6)])
    ax.plot(track[:, 0], track[:, 1], color=WHITE, linewidth=6.4, zorder=3, solid_capstyle="butt")
    lines = LineCollection(pieces, cmap=colours(), linewidths=4.4, zorder=4, capstyle="butt")
    lines.set_array(np.ma.masked_invalid(table.rows.iloc[:, 2].to_numpy(dtype=float)))
    low, high = share_range(table.rows.iloc[:, 2], least=0.2)
    lines.set_clim(low, high)
    ax.add_collection(lines)
    beside = ax.inset_axes((1.015, 0.015, 0.02, 0.97))
    bar = ax.figure.colorbar(lines, cax=beside, format=PercentFormatter(1.0, decimals=0, symbol="\u00a0%"))
    bar.ax.yaxis.set_major_locator(MultipleLocator(0.05 if high - low < 0.45 else 0.1))
    label = f"{table.measure}, share {table.basis}"
    fits = text_width_pt(label, NORMAL) <= 0.97 * size_pt(ax)[1]
    bar.set_label(label if fits else table.measure)  # the caption says the rest
    bar.outline.set_visible(False)


def colours() -> Any:
    """The colour scale; grey where nothing is known."""
    import matplotlib

    return matplotlib.colormaps[MAGNITUDE].with_extremes(bad=BLANK)


def _furniture(table: MapTable, base: Basemap | None, ax: Axes, room: Room) -> None:
    """Scale bar and remarks, each in the first corner that is free."""
    (left, right), _ = ax.get_xlim(), None
    span_km = right - left
    length_km = max(s for s in (d * 10.0**p for p in range(-2, 5) for d in (1, 2, 5)) if s <= 0.25 * span_km)
    long = length_km / span_km * room.width_pt
    x, y = _corner(room, long + 8, 22.0, ("lower left", "upper left", "upper right", "lower right"))
    line = np.array([[x + 4, y + 7], [x + 4, y + 4], [x + 4 + long, y + 4], [x + 4 + long, y + 7]]) / [
        room.width_pt,
        room.height_pt,
    ]
    ax.plot(line[:, 0], line[:, 1], color=INK, linewidth=1.3, zorder=6, transform=ax.transAxes)
    _write(ax, (x + 4 + long / 2, y + 14), f"{length_km:g} km", size=SMALL, bold=False, room=room)
    words = [ILLUSTRATIVE] if table.setting.is_illustrative else []
    if base is not None:
        words.append("Map: Natural Earth; GeoNames (CC BY 4.0)")
    if words:
        wide, high = max(text_width_pt(w) for w in words), len(words) * SMALL * 1.25
        x, y = _corner(room, wide + 8, high + 6, ("lower right", "upper right", "upper left", "lower left"))
        _write(
            ax,
            (x + 4 + wide / 2, y + 3 + high / 2),
            "\n".join(words),
            size=SMALL,
            bold=False,
            room=room,
            plate=True,
        )


def _corner(room: Room, wide: float, high: float, corners: tuple[str, ...]) -> tuple[float, float]:
    """Lower left point of a box in the first free corner, or else in the first; it is then taken."""
    places = [
        (3.0 if "left" in c else room.width_pt - wide - 3, 3.0 if "lower" in c else room.height_pt - high - 3)
        for c in corners
    ]
    boxes = [(x, y, x + wide, y + high) for x, y in places]
    box = next((b for b in boxes if room.is_free(b)), boxes[0])
    room.boxes.append(box)
    return box[0], box[1]


def _name_sectors(table: MapTable, ax: Axes, room: Room) -> None:
    """Ticks across the line at sector boundaries; names beside it where there is room."""
    setting, line = table.setting, table.setting.line
    assert line is not None
    if len(setting.sectors.names) < 2:
        return
    edges = setting.sectors.edges_km
    (left, right), _ = ax.get_xlim(), None
    half = 7.0 * (right - left) / room.width_pt
    inner = edges[1:-1]
    one, two = (
        line.behind_km(inner, np.full(len(inner), half)),
        line.behind_km(inner, np.full(len(inner), -half)),
    )
    for a, b in zip(one, two, strict=True):
        ax.plot([a[0], b[0]], [a[1], b[1]], color=INK, linewidth=1.4, zorder=4.5)
    for name, title, low, high in zip(
        setting.sectors.names, setting.sectors.titles, edges, edges[1:], strict=False
    ):
        tries = [(lines, s) for lines in (wrapped(title, 90, most=3), [name]) if lines for s in SHARES]
        for lines, share in tries:
            at = to_points(ax, line.plane_km(low + share * (high - low)))[0]
            put = room.place((float(at[0]), float(at[1])), lines, SMALL + 0.5, gap_pt=7, reach=4, bold=True)
            if put is not None:
                _write(ax, put, "\n".join(lines), size=SMALL + 0.5, bold=True, room=room)
                break


def _name_towns(base: Basemap | None, ax: Axes, room: Room) -> None:
    if base is None:
        return
    for town in sorted(base.towns, key=lambda t: t.rank):
        at = to_points(ax, town.xy_km.reshape(1, 2))[0]
        if not (4 < at[0] < room.width_pt - 4 and 4 < at[1] < room.height_pt - 4):
            continue
        dot = (at[0] - 2.0, at[1] - 2.0, at[0] + 2.0, at[1] + 2.0)
        if not room.is_free(dot):
            continue
        put = room.place((float(at[0]), float(at[1])), [town.name], SMALL, gap_pt=3)
        if put is None:
            continue
        room.boxes.append(dot)
        ax.plot(*town.xy_km, "o", color=MUTED, markersize=2.4, zorder=2)
        _write(ax, put, town.name, size=SMALL, bold=False, room=room)


def _write(
    ax: Axes,
    at_pt: tuple[float, float],
    text: str,
    *,
    size: float,
    bold: bool,
    room: Room,
    plate: bool = False,
) -> None:
    ax.text(
        at_pt[0] / room.width_pt,
        at_pt[1] / room.height_pt,
        literal(text),
        transform=ax.transAxes,
        ha="center",
        va="center",
        fontsize=size,
        color=INK if bold else MUTED,
        fontweight="bold" if bold else "normal",
        zorder=7 if bold else 6,
        linespacing=1.05,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.6, "pad": 0.6} if bold or plate else None,
    )
