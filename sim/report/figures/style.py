"""How figures look: colours, sizes, the table that is drawn, and labels that keep apart."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.setting import Sectors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Okabe and Ito (2008): told apart with any colour vision.
ORANGE, SKY, GREEN, YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
BLUE, VERMILLION, PURPLE, GREY = "#0072b2", "#d55e00", "#cc79a7", "#8c96a0"
MAGNITUDE = "cividis"

# Colours that the page exchanges for its own in a dark room; nothing else may use them.
INK, MUTED, GRID, PAPER = "#1b2733", "#56636f", "#dbe1e6", "#fefefe"
LAND, OWN_LAND, SEA, WATER, EDGE, BLANK = "#efece3", "#f8f6f0", "#d5e4ee", "#b9d3e4", "#b7b1a2", "#c9ced3"

SMALL, NORMAL = 8.0, 8.5  # points at page width
WIDTH_IN = 7.2  # page width: A4 with narrow margins
PT_PER_IN = 72.0
PLATE: dict[str, Any] = {
    "facecolor": PAPER,
    "edgecolor": "none",
    "alpha": 0.8,
    "pad": 0.8,
}  # behind words that cross a line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What a figure shows: the rows, and words about them written from the data."""

    title: str
    says: str  # for whoever cannot see the picture
    rows: pd.DataFrame
    replications: int


@contextmanager
def styled() -> Iterator[None]:
    """The style of this project, whatever the caller's settings; the same bytes every time."""
    import matplotlib

    own: Any = {
        "font.family": ["DejaVu Sans"],
        "font.size": SMALL,
        "axes.labelsize": NORMAL,
        "axes.titlesize": NORMAL,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.fontsize": SMALL,
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.titlecolor": INK,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "hatch.linewidth": 0.6,
        "axes.facecolor": "none",
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "svg.fonttype": "none",
        "svg.hashsalt": "bufferzone",
        "axes.axisbelow": True,
        "path.simplify_threshold": 0.1,
    }
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name may hold letters that no font here has, and a map's limits are set on purpose.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Ignoring fixed . limits")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(own)
        yield


@lru_cache(maxsize=4096)
def text_width_pt(text: str, size: float = SMALL) -> float:
    """Width of a line of text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(family="DejaVu Sans", size=size), ismath=False
    )
    return float(width)


def literal(text: str) -> str:
    """Text that is drawn as it stands: a dollar sign starts no formula."""
    return text.replace("$", r"\$")


def shortened(text: str, width_pt: float, size: float = SMALL) -> str:
    """The text, cut with an ellipsis where it is wider than it may be."""
    if text_width_pt(text, size) <= width_pt:
        return text
    while text and text_width_pt(text + "…", size) > width_pt:
        text = text[:-1]
    return text.rstrip() + "…"


def fitting(title: str, name: str, width_pt: float) -> str:
    """A title, or the short name where the title is too wide: cut titles look alike."""
    return title if text_width_pt(title) <= width_pt else shortened(name, width_pt)


def size_pt(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes in points."""
    box = ax.get_window_extent()
    dpi = ax.figure.dpi
    return box.width * PT_PER_IN / dpi, box.height * PT_PER_IN / dpi


def draw_sector_edges(ax: Axes, sectors: Sectors) -> None:
    """Thin lines where one sector ends and the next begins."""
    for edge in sectors.edges_km[1:-1]:
        ax.axvline(float(edge), color=MUTED, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1.5)


def draw_sector_names(ax: Axes, sectors: Sectors) -> None:
    """Sector names above the axes: titles, at two heights where they crowd, or short names."""
    if len(sectors.names) < 2:
        return
    width_pt, _ = size_pt(ax)
    room = np.diff(sectors.edges_km) / (sectors.edges_km[-1] - sectors.edges_km[0]) * width_pt
    wide = room + np.append(room[1:] / 2, 30) + np.append(30, room[:-1] / 2)
    choices = (
        [
            (lines, 0)
            for title, pt in zip(sectors.titles, room, strict=True)
            if (lines := wrapped(title, pt - 5, most=2))
        ],
        [
            (lines, i % 2)
            for i, (title, pt) in enumerate(zip(sectors.titles, wide, strict=True))
            if (lines := wrapped(title, pt - 6, most=1))
        ],
        [
            (lines, 0)
            for name, pt in zip(sectors.names, room, strict=True)
            if (lines := wrapped(name, pt - 3, most=1))
        ],
    )
    whole = next((choice for choice in choices if len(choice) == len(room)), None)
    if whole is None:  # too many: as many short names as there is room for
        every = int(np.ceil(max(text_width_pt(name) + 5 for name in sectors.names) / room.min()))
        whole = [([shortened(name, 60)] if i % every == 0 else [], 0) for i, name in enumerate(sectors.names)]
    for i, (lines, level) in enumerate(whole):
        if lines:
            ax.annotate(
                literal("\n".join(lines)),
                (float(sectors.edges_km[i : i + 2].mean()), 1.0),
                (0, 3 + level * (SMALL + 2)),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=SMALL,
                color=INK,
                linespacing=1.05,
                annotation_clip=False,
            )


def wrapped(text: str, room_pt: float, *, most: int, size: float = SMALL) -> list[str]:
    """The text on at most so many lines of this width; empty when it does not fit."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width_pt(f"{lines[-1]} {word}", size) <= room_pt:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines if len(lines) <= most and all(text_width_pt(line, size) <= room_pt for line in lines) else []


def label_ends(ax: Axes, ends: Sequence[tuple[float, str, str]], *, low: float = 0.0) -> None:
    """Labels at the right end of lines: (y in axes fraction, text, colour), pushed apart."""
    _, height_pt = size_pt(ax)
    step = (SMALL + 2.5) / height_pt
    heights = [max(step * (1 + text.count("\n")), step) for _, text, _ in ends]
    order = sorted(range(len(ends)), key=lambda i: ends[i][0])
    at = [0.0] * len(ends)
    floor = low
    for i in order:
        at[i] = max(ends[i][0], floor + heights[i] / 2)
        floor = at[i] + heights[i] / 2
    over = floor - max(1.0, low)
    ceiling = max(1.0, low) + step
    if over > 0:
        for i in reversed(order):
            at[i] = min(at[i], ceiling - heights[i] / 2)
            ceiling = at[i] - heights[i] / 2
    for (y, text, colour), place in zip(ends, at, strict=True):
        ax.annotate(
            literal(text),
            (1.0, y),
            (9, (place - y) * height_pt),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=SMALL,
            color=INK,
            annotation_clip=False,
            linespacing=1.05,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 1.0,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.0, 0.5),
            },
        )


def date_ticks(axis: Any, start: datetime.date, days: float, *, room: int = 8) -> None:
    """Ticks of an axis in days since the start, at first days of years, quarters, months or weeks."""
    ticks: list[tuple[float, str]] = []
    for step in (1, 2, 3, 6, 12, 24, 60, 120):
        ticks = list(_months(start, days, step))
        if len(ticks) <= room:
            break
    if days < 75:
        every = max(1, int(np.ceil(days / room)))
        ticks = [(float(d), _day(start, d)) for d in range(0, int(np.ceil(days)) + 1, every)]
    axis.set_ticks([t for t, _ in ticks], labels=[text for _, text in ticks])


def _day(start: datetime.date, day: int) -> str:
    date = start + datetime.timedelta(days=day)
    return f"{date.day} {date:%b %Y}" if day == 0 else f"{date.day} {date:%b}"


def _months(start: datetime.date, days: float, step: int) -> Iterator[tuple[float, str]]:
    year, month = start.year, start.month
    while True:
        if (month - 1) % min(step, 12) == 0 and (step <= 12 or year % (step // 12) == 0):
            date = datetime.date(year, month, 1)
            at = (date - start).days
            if at > days:
                return
            if at >= 0:
                yield float(at), f"{date:%b %Y}" if step < 12 or at == 0 else f"{date:%Y}"
        elif (datetime.date(year, month, 1) - start).days > days:
            return
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        if year > 9990:
            return


def share_range(shares: Any, *, least: float) -> tuple[float, float]:
    """Ends of a colour scale for shares: steps of five per cent around them, at least so far apart."""
    known = np.asarray(shares, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return 0.0, 1.0
    low, high = np.floor(known.min() * 20) / 20, np.ceil(known.max() * 20) / 20
    while high - low < least - 1e-9:
        low, high = max(0.0, low - 0.05), min(1.0, high + 0.05)
    return float(round(low, 2)), float(round(high, 2))


def per_cent_axis(axis: Any) -> None:
    """Ticks of an axis of shares as percentages."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="\u00a0%"))


def intervals_said(replications: int) -> str:
    """What the bands are, for captions."""
    if replications < 2:
        return "One replication: no intervals."
    return f"Bands: 95 % intervals over {replications:,} replications."
