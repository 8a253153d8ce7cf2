"""How fast somebody stands there: time from sighting to the first team, overall and by sector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    PLATE,
    VERMILLION,
    Table,
    fitting,
    literal,
    per_cent_axis,
    shortened,
)
from sim.report.setting import Sectors
from sim.report.words import hours, listed
from sim.scenario.quantities import MINUTES_PER_HOUR

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.line.earth import FloatArray
    from sim.report.run import Run

ALL = "the whole line"
QUANTILES = 300  # points that stand for a curve
MARKS = (0.5, 0.9)
MOST_STANDARDS = 3
NAME_PT = 98.0  # room for a sector's name
MOST_ROWS = 24  # sectors in the panel by sector: the slowest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseTable(Table):
    """A row for the whole line and each sector: responses, and minutes for half and nine in ten of them."""

    sectors: Sectors
    counts: dict[str, FloatArray]  # counts[name][minute]
    standards_h: dict[str, float]  # by type title

    @property
    def total(self) -> float:
        """Attended incidents."""
        return float(self.counts[ALL].sum())

    @property
    def last_minute(self) -> float:
        """Where the axis ends: nearly all were there by then."""
        shown = reached_by(self.counts[ALL], 0.995) if self.total else 60.0
        longest = max(self.standards_h.values(), default=0.0) * MINUTES_PER_HOUR
        return max(shown, 1.15 * longest)


def response_table(run: Run) -> ResponseTable:
    """From `responses.parquet`, to the minute."""
    import pandas as pd

    setting, responses = run.setting, run.responses
    most = int(responses["minute"].max()) + 1 if len(responses) else 1
    counts: dict[str, FloatArray] = {ALL: np.zeros(most)}
    for name in setting.sectors.names:
        here = responses[responses["sector"] == name]
        counts[name] = np.bincount(
            here["minute"].to_numpy(dtype=np.int64),
            weights=here["responses"].to_numpy(dtype=float),
            minlength=most,
        ).astype(np.float64)
        counts[ALL] = counts[ALL] + counts[name]
    rows = pd.DataFrame(
        [
            {
                "where": ALL if name == ALL else setting.sectors.title_of(name),
                "key": name,
                "responses": tally.sum(),
                **{f"p{round(100 * q)}_minutes": reached_by(tally, q) for q in MARKS},
            }
            for name, tally in counts.items()
            if name == ALL or len(setting.sectors.names) > 1
        ]
    )
    standards = {
        setting.type_title(n): v.standard for n, v in setting.scenario.violations.items() if v.teams > 0
    }
    whole = rows.iloc[0]
    says = "No incident was attended."
    if whole["responses"] > 0:
        says = (
            "Half of the attended incidents had a team on the spot within "
            f"{hours(whole['p50_minutes'] / 60)} of being sighted, nine in ten within "
            f"{hours(whole['p90_minutes'] / 60)}."
        )
        slow = rows.iloc[1:].dropna().sort_values("p90_minutes")
        if len(slow) > 1:
            says += (
                f" Slowest sector: {slow.iloc[-1]['where']}, nine in ten within "
                f"{hours(slow.iloc[-1]['p90_minutes'] / 60)}."
            )
    return ResponseTable(
        title="Time from sighting to the first team on the spot",
        says=says,
        rows=rows,
        replications=run.replication_count,
        sectors=setting.sectors,
        counts=counts,
        standards_h=standards,
    )


def reached_by(counts: FloatArray, share: float) -> float:
    """The minute that a share of a histogram does not exceed; NaN when it is empty."""
    total = counts.sum()
    if total <= 0:
        return float("nan")
    return float(np.searchsorted(np.cumsum(counts), share * total - 1e-9))


def response_caption(table: ResponseTable) -> str:
    """How to read it."""
    return (
        "Only incidents that a team reached are counted, from the moment the mission noticed them. The "
        "standard counts from the beginning of the incident, "
        "so the time until it is noticed comes on top. Left: thin lines are sectors. Right: circle, half "
        "were there; triangle, nine in ten. "
        f"{table.total:,.0f} responses over {table.replications:,} "
        f"replication{'s' if table.replications > 1 else ''}; their number makes intervals too narrow to "
        "draw."
        if table.total
        else "No team reached any incident."
    )


def response_ecdf(table: ResponseTable, ax: Axes) -> None:
    """Share of responses within a time: bold for the line, thin for each sector, standards upright."""
    for name, tally in table.counts.items():
        if tally.sum() > 0:
            minute, share = curve(tally)
            bold = name == ALL
            ax.plot(
                minute / MINUTES_PER_HOUR,
                share,
                color=BLUE if bold else GREY,
                linewidth=2.0 if bold else 0.7,
                zorder=3 if bold else 2,
            )
    if table.total:
        for q, marker in zip(MARKS, "o^", strict=True):
            at = reached_by(table.counts[ALL], q) / MINUTES_PER_HOUR
            ax.plot([at], [q], marker, color=BLUE, markersize=5, zorder=4)
            ax.annotate(
                f"{q:.0%} within {hours(at)}".replace("%", "\u00a0%"),
                (at, q),
                (7, -4),
                textcoords="offset points",
                ha="left",
                va="top",
                color=INK,
                zorder=5,
                bbox=PLATE,
            )
    else:
        ax.text(0.5, 0.5, "no incident was attended", transform=ax.transAxes, ha="center")
    ax.set_xlim(0, table.last_minute / MINUTES_PER_HOUR)
    _draw_standards(table, ax, label=True)
    ax.set_ylim(0, 1)
    ax.grid(axis="y")
    per_cent_axis(ax.yaxis)
    ax.set_xlabel("time from sighting to first team [h]")
    ax.set_ylabel("share of attended incidents")


def response_by_sector(table: ResponseTable, ax: Axes) -> None:
    """A row for each sector: median and nine in ten, slowest above."""
    rows = sector_rows(table)
    y = np.arange(len(rows))[::-1]
    p50, p90 = (
        rows["p50_minutes"].to_numpy(dtype=float) / MINUTES_PER_HOUR,
        rows["p90_minutes"].to_numpy(dtype=float) / MINUTES_PER_HOUR,
    )
    ax.hlines(y, p50, p90, color=GREY, linewidth=1.2)
    ax.plot(p50, y, "o", color=BLUE, markersize=4.5)
    ax.plot(p90, y, "^", color=VERMILLION, markersize=5)
    _draw_standards(table, ax, label=False)
    ax.set_yticks(
        y,
        labels=[
            literal(fitting(str(title), str(key), NAME_PT))
            for title, key in zip(rows["where"], rows["key"], strict=True)
        ],
    )
    ax.set_ylim(-0.6, len(rows) - 0.4)
    widest = float(np.nanmax(p90)) if len(rows) and np.isfinite(p90).any() else 1.0
    longest = max(table.standards_h.values(), default=0.0)
    ax.set_xlim(0, 1.1 * max(widest, longest if longest < 2 * widest else 0.0))
    ax.grid(axis="x")
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("time to first team [h]")
    words = "\u25cf half  \u25b2 nine in ten"
    ax.annotate(words, (0, 1.0), (0, 3), xycoords="axes fraction", textcoords="offset points", color=MUTED)


def sector_rows(table: ResponseTable) -> pd.DataFrame:
    """The rows of the panel by sector, slowest first."""
    rows = table.rows.iloc[1:] if len(table.rows) > 1 else table.rows
    rows = rows.dropna()
    return rows.sort_values("p90_minutes", ascending=False, kind="stable").head(MOST_ROWS)


def curve(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(minute, share) of a cumulative histogram, thinned to quantiles."""
    total = np.cumsum(counts) / counts.sum()
    at = np.unique(np.searchsorted(total, np.linspace(0, 1 - 1e-12, QUANTILES)))
    return np.concatenate([[0.0], at + 1.0]), np.concatenate([[0.0], total[at]])


def standards(table: ResponseTable) -> dict[float, str]:
    """What is written beside each standard [h]; beyond a few of them, one remark beside the shortest."""
    by_value: dict[float, list[str]] = {}
    for title, value in sorted(table.standards_h.items(), key=lambda item: item[1]):
        by_value.setdefault(value, []).append(title)
    if len(by_value) > MOST_STANDARDS:
        ends = f"{hours(min(by_value))} to {hours(max(by_value))}"
        return {v: f"standards: {ends}" if v == min(by_value) else "" for v in by_value}
    several = len(by_value) > 1
    told = {v: listed(t) if len(t) < 3 else f"{len(t)} types" for v, t in by_value.items()}
    return {v: f"standard {hours(v)}" + (f": {told[v]}" if several else "") for v in by_value}


def label_levels(table: ResponseTable) -> int:
    """Lines of text above the curves."""
    return max(1, sum(bool(text) for text in standards(table).values()))


def _draw_standards(table: ResponseTable, ax: Axes, *, label: bool) -> None:
    levels = label_levels(table)
    _, end = ax.get_xlim()
    for i, (value, text) in enumerate(standards(table).items()):
        ax.axvline(value, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 2)))
        if label and text:
            ax.annotate(
                literal(shortened(text, 170)),
                (value, 1.0),
                (-2, 3 + 10 * (levels - 1 - i)),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if value > 0.6 * end else "left",
                va="bottom",
                color=MUTED,
                annotation_clip=False,
            )
