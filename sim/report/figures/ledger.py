"""Three ledgers: what happened, was sighted, was attended and attributed - and what became of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    Table,
    fitting,
    literal,
    per_cent_axis,
    size_pt,
    text_width_pt,
    wrapped,
)
from sim.report.words import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.report.run import Run

# In the order of the bars: outcome, what it is called, colour, hatch, ink on it.
OUTCOMES = (
    ("in_time", "attended in time", GREEN, "", "#ffffff"),
    ("late", "attended late", SKY, "///", "#10202c"),
    ("gave_up", "waited too long, closed", ORANGE, "", "#10202c"),
    ("nobody_there", "no team manned at all", "#8f3d00", "", "#ffffff"),
    ("too_far", "no team near enough", VERMILLION, "", "#ffffff"),
    ("caveat", "kept off by caveats or mandate", "#2b5d8a", "", "#ffffff"),
    ("denied", "sector closed to teams", "#5b3a6e", "...", "#ffffff"),
    ("noted", "noted only: calls for no team", PURPLE, "\\\\\\", "#10202c"),
    ("open", "under way at the end", YELLOW, "xxx", "#10202c"),
    ("unseen", "never seen", "#b9c0c6", "", "#10202c"),
)
STAGES = (
    ("happened", "happened"),
    ("sighted", "sighted"),
    ("attended", "attended"),
    ("attended_in_time", "attended in time"),
    ("attributed", "attributed"),
)
ALL = "all types"
NAME_PT = 92.0  # room for a type's name
MOST_TYPES = 20
LEGEND_COLUMNS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunnelTable(Table):
    """A row for each ledger: incidents a day that call for a team, and their share of what happened."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeTable(Table):
    """A row for each type: happened per day, and the share of each outcome."""

    left_out: int


def funnel_table(run: Run) -> FunnelTable:
    """From `types.parquet`: types that call for a team; all types where none does."""
    import pandas as pd

    types, setting = run.types, run.setting
    asking = [name for name in types["type"].unique() if setting.asks_for_teams(name)]
    chosen = types[types["type"].isin(asking)] if asking else types
    stages = STAGES if asking else STAGES[:2]
    rows = pd.DataFrame(
        {
            "ledger": [label for _, label in stages],
            "incidents": [float(chosen[name].sum()) for name, _ in stages],
        }
    )
    rows["incidents_per_day"] = rows["incidents"] / run.counted_days
    whole = float(rows["incidents"].iloc[0])
    rows["of_happened_share"] = rows["incidents"] / whole if whole > 0 else np.nan
    told = ", ".join(
        f"{label} {number(float(n))}"
        for label, n in zip(rows["ledger"], rows["incidents_per_day"], strict=True)
    )
    return FunnelTable(
        title="From what happened to what can be attributed"
        + (", incidents that call for a team" if asking else ""),
        says=f"Incidents a day: {told}." if whole > 0 else "Nothing happened.",
        rows=rows,
        replications=run.replication_count,
    )


def outcome_table(run: Run) -> OutcomeTable:
    """From `types.parquet`, the commonest type first."""
    import pandas as pd

    types, setting = run.types, run.setting
    columns = [f"ended_{name}" for name, *_ in OUTCOMES]
    counts = types.groupby("type", sort=False)[["happened", "attributed", *columns]].sum()
    counts = counts.sort_values("happened", ascending=False, kind="stable")
    if len(counts) > 1:
        counts = pd.concat([counts.sum().to_frame("").T, counts])
    whole = counts["happened"].astype(float)
    whole = whole.where(whole > 0)
    rows = pd.DataFrame(
        {
            "type": [setting.type_title(str(name)) if name else ALL for name in counts.index],
            "key": [str(name) or ALL for name in counts.index],
        }
    )
    rows["happened_per_day"] = (counts["happened"] / run.counted_days).to_numpy()
    for name, *_ in OUTCOMES:
        rows[f"{name}_share"] = (counts[f"ended_{name}"] / whole).to_numpy()
    rows["attributed_share"] = (counts["attributed"] / whole).to_numpy()
    first = rows.iloc[0] if len(rows) else None
    says = "Nothing happened."
    if first is not None and first["happened_per_day"] > 0:
        parts = [
            f"{label} {percent(first[f'{name}_share'])}"
            for name, label, *_ in OUTCOMES
            if first[f"{name}_share"] > 0
        ]
        says = (
            f"How {first['type']} ended: {'; '.join(parts)}. Attributed: "
            f"{percent(first['attributed_share'])}."
        )
    return OutcomeTable(
        title="How incidents ended, by type",
        says=says,
        rows=rows.head(MOST_TYPES + 1),
        replications=run.replication_count,
        left_out=max(0, len(rows) - MOST_TYPES - 1),
    )


def ledger_caption(funnel: FunnelTable, outcomes: OutcomeTable) -> str:
    """How to read both."""
    more = f" The {outcomes.left_out} rarest types are left out." if outcomes.left_out else ""
    return (
        "Above: of the incidents that call for a team, how many were sighted, attended, attended in time and "
        "attributed. Attributed is a part of attended, not of attended in time. "
        f"Below: every incident ends in exactly one way. The diamond marks the attributed share.{more} Mean "
        f"over {funnel.replications:,} replication{'s' if funnel.replications > 1 else ''}."
    )


def funnel(table: FunnelTable, ax: Axes) -> None:
    """A bar for each ledger, longest above."""
    rows = table.rows
    y = np.arange(len(rows))[::-1]
    values = rows["incidents_per_day"].to_numpy(dtype=float)
    most = float(values.max()) if len(values) and values.max() > 0 else 1.0
    ax.barh(y, values, color=BLUE, height=0.68, linewidth=0)
    for at, value, share in zip(y, values, rows["of_happened_share"], strict=True):
        text = (
            number(value)
            if at == y[0] or not np.isfinite(share)
            else f"{number(value)}  ({percent(float(share))})"
        )
        ax.annotate(text, (value, at), (4, 0), textcoords="offset points", ha="left", va="center")
    ax.set_yticks(y, labels=list(rows["ledger"]))
    ax.set_xlim(0, most * 1.2)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("incidents per day (share of what happened)")


def outcome_bars(table: OutcomeTable, ax: Axes) -> None:
    """A bar for each type, cut into outcomes."""
    rows = table.rows
    y = np.arange(len(rows))[::-1].astype(float)
    if len(rows) > 1:
        y[0] += 0.25  # a little air under "all types"
    width_pt, _ = size_pt(ax)
    left = np.zeros(len(rows))
    used = []
    for name, label, colour, hatch, ink in OUTCOMES:
        share = rows[f"{name}_share"].fillna(0.0).to_numpy(dtype=float)
        if not share.any():
            continue
        bars = ax.barh(
            y, share, left=left, height=0.66, color=colour, hatch=hatch, edgecolor=PAPER, linewidth=0.6
        )
        used.append((bars, label))
        for at, start, part in zip(y, left, share, strict=True):
            text = percent(float(part), 0)
            if part * width_pt > text_width_pt(text) + 5:
                ax.text(
                    start + part / 2,
                    at,
                    text,
                    ha="center",
                    va="center",
                    color=ink,
                    bbox=_plate(colour) if hatch else None,
                )
        left = left + share
    attributed = rows["attributed_share"].to_numpy(dtype=float)
    shown = np.isfinite(attributed) & (attributed > 0)
    if shown.any():
        (mark,) = ax.plot(
            attributed[shown],
            y[shown] - 0.33,
            "D",
            color=INK,
            markersize=4.5,
            markeredgecolor="#ffffff",
            clip_on=False,
            zorder=5,
        )
        used.append((mark, "attributed share"))  # type: ignore[arg-type]
    names = [
        literal("\n".join(wrapped(str(t), NAME_PT, most=2)) or fitting(str(t), str(k), NAME_PT))
        for t, k in zip(rows["type"], rows["key"], strict=True)
    ]
    names = [
        f"{name}\n{number(float(n))} a day" for name, n in zip(names, rows["happened_per_day"], strict=True)
    ]
    ax.set_yticks(y, labels=names)
    ax.set_ylim(-0.6, (y[0] if len(rows) else 0) + 0.6)
    ax.set_xlim(0, 1)
    ax.tick_params(axis="y", length=0)
    per_cent_axis(ax.xaxis)
    ax.set_xlabel("share of incidents")
    if used:
        ax.legend(
            [handle for handle, _ in used],
            [label for _, label in used],
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=LEGEND_COLUMNS,
            frameon=False,
            handlelength=1.4,
            handleheight=0.9,
            columnspacing=1.2,
            borderaxespad=0.2,
        )
    else:
        ax.text(0.5, 0.5, "nothing happened", transform=ax.transAxes, ha="center")


def outcome_legend_rows(table: OutcomeTable) -> int:
    """Lines that the names of the outcomes take, the attributed share among them."""
    used = sum(bool(table.rows[f"{name}_share"].fillna(0.0).any()) for name, *_ in OUTCOMES)
    return -(-(used + 1) // LEGEND_COLUMNS)


def _plate(colour: str) -> dict[str, object]:
    return {"facecolor": colour, "edgecolor": "none", "pad": 1.0}
