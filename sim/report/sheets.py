"""The report's figures, laid out: each makes its tables, draws them, and says how to read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.report.drawing import Drawn, drawn
from sim.report.figures import style
from sim.report.figures.chainage_time import (
    FEWEST_MONTHS,
    chainage_time,
    chainage_time_caption,
    chainage_time_table,
    incidents_by_time,
)
from sim.report.figures.escalation import (
    escalation_caption,
    escalation_table,
    legend_rows,
    levels_over_time,
    survival_curve,
    turns_table,
)
from sim.report.figures.ledger import (
    funnel,
    funnel_table,
    ledger_caption,
    outcome_bars,
    outcome_legend_rows,
    outcome_table,
)
from sim.report.figures.map import line_map, map_caption, map_shape, map_table
from sim.report.figures.response import (
    label_levels,
    response_by_sector,
    response_caption,
    response_ecdf,
    response_table,
    sector_rows,
)
from sim.report.figures.strength import strength_caption, strength_over_time, strength_table
from sim.report.figures.strip import density_bars, strip_caption, strip_chart, strip_table
from sim.report.figures.waterfall import waterfall, waterfall_caption, waterfall_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim.report.figures.style import Table
    from sim.report.run import Run


RESPONSE = "How fast somebody stands there"
LEDGER = "What happened, what was seen, what was answered"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """One figure of the report."""

    key: str  # file name, and prefix of its ids
    heading: str
    caption: str
    drawn: Drawn | None  # None: there is nothing to draw, and the caption says why
    tables: tuple[tuple[Table, str], ...]  # each with the file that holds all of it


def sheets(run: Run) -> Iterator[Sheet]:
    """Every figure of the report, in its order."""
    escalation = (_escalation,) if run.escalates else ()
    for make in (*escalation, _map, _strip, _chainage_time, _strength, _response, _ledger, _waterfall):
        with style.styled():
            yield make(run)


def _figure(height_in: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(style.WIDTH_IN, height_in))


def _sheet(key: str, heading: str, caption: str, figure: Figure, *tables: tuple[Table, str]) -> Sheet:
    first = tables[0][0]
    says = " ".join(table.says for table, _ in tables)
    return Sheet(
        key=key, heading=heading, caption=caption, drawn=drawn(figure, key, first.title, says), tables=tables
    )


def _empty(key: str, heading: str, caption: str) -> Sheet:
    return Sheet(key=key, heading=heading, caption=caption, drawn=None, tables=())


def _top_in(run: Run) -> float:
    """Room above axes for sector names."""
    return 0.38 if len(run.setting.sectors.names) > 1 else 0.12


def _escalation(run: Run) -> Sheet:
    table = escalation_table(run)
    names = 0.1 + 0.17 * legend_rows(table)
    each, high = 1.75, 2 * 1.75 + 0.12 + 0.08 + 0.45 + names
    figure = _figure(high)
    left, width = 0.095, 0.79
    above = figure.add_axes((left, 1 - (0.12 + each) / high, width, each / high))
    below = figure.add_axes((left, 0.45 / high, width, each / high))
    survival_curve(table, above)
    above.tick_params(axis="x", labelbottom=False)
    above.set_xlabel("")
    levels_over_time(table, below)
    return _sheet(
        "escalation",
        "Escalation",
        escalation_caption(table),
        figure,
        (table, "survival.parquet"),
        (turns_table(run), "levels.parquet"),
    )


def _map(run: Run) -> Sheet:
    table = map_table(run)
    has_map = run.setting.has_map
    high = style.WIDTH_IN * 0.885 * map_shape(table) if has_map else 1.75 + _top_in(run)
    figure = _figure(high)
    box = (
        (0.005, 0.005, 0.885, 0.99) if has_map else (0.1, 0.48 / high, 0.7, 1 - (0.48 + _top_in(run)) / high)
    )
    line_map(table, figure.add_axes(box))
    heading = "Where it holds and where it does not" if table.rows.shape[0] else "The line"
    return _sheet("map", heading, map_caption(table), figure, (table, "strip.parquet"))


def _strip(run: Run) -> Sheet:
    table = strip_table(run)
    top, high = _top_in(run), 3.9 + _top_in(run)
    figure = _figure(high)
    left, width = 0.095, 0.765
    density = figure.add_axes((left, 1 - (top + 0.8) / high, width, 0.8 / high))
    chart = figure.add_axes((left, 0.45 / high, width, 1 - (top + 0.8 + 0.15 + 0.45) / high))
    density_bars(table, density)
    density.tick_params(axis="x", labelbottom=False)
    strip_chart(table, chart)
    return _sheet("strip", "Along the line", strip_caption(table), figure, (table, "strip.parquet"))


def _chainage_time(run: Run) -> Sheet:
    table = chainage_time_table(run)
    heading = "Place by month"
    if table.month_count < FEWEST_MONTHS:
        caption = "The run is not longer than a month: the chart along the line above says it all."
        return _empty("chainage_time", heading, caption)
    each = min(2.6, max(1.1, 0.07 * table.month_count + 0.6))
    top = _top_in(run)
    high = top + 2 * each + 0.25 + 0.45
    figure = _figure(high)
    left, width = 0.1, 0.735
    above = figure.add_axes((left, 1 - (top + each) / high, width, each / high))
    below = figure.add_axes((left, 0.45 / high, width, each / high))
    chainage_time(table, above)
    above.tick_params(axis="x", labelbottom=False)
    above.set_xlabel("")
    incidents_by_time(table, below)
    return _sheet("chainage_time", heading, chainage_time_caption(table), figure, (table, "periods.parquet"))


def _strength(run: Run) -> Sheet:
    table = strength_table(run)
    figure = _figure(3.4)
    strength_over_time(table, figure.add_axes((0.095, 0.13, 0.725, 0.83)))
    return _sheet(
        "strength", "Strength over time", strength_caption(table), figure, (table, "series.parquet")
    )


def _response(run: Run) -> Sheet:
    table = response_table(run)
    if table.total == 0:
        return _empty("response", RESPONSE, "No team reached any incident, so there is nothing to time.")
    rows = len(sector_rows(table))
    several = len(table.rows) > 1 and rows > 0
    high = max(3.3, 0.75 + 0.175 * rows) if several else 3.3
    figure = _figure(high)
    top = 1 - (0.14 + 0.14 * label_levels(table)) / high
    bottom = 0.45 / high
    response_ecdf(table, figure.add_axes((0.09, bottom, 0.47 if several else 0.8, top - bottom)))
    if several:
        response_by_sector(table, figure.add_axes((0.755, bottom, 0.235, top - bottom)))
    return _sheet(
        "response",
        RESPONSE,
        response_caption(table),
        figure,
        (table, "responses.parquet"),
    )


def _ledger(run: Run) -> Sheet:
    stages, outcomes = funnel_table(run), outcome_table(run)
    if stages.rows["incidents"].iloc[0] == 0 and outcomes.rows["happened_per_day"].sum() == 0:
        return _empty(
            "ledger", LEDGER, "Nothing happened in any replication, so there is nothing to account for."
        )
    low = 0.42 + 0.47 * max(1, len(outcomes.rows))
    high = 1.45 + 0.45 + 0.11 + 0.17 * outcome_legend_rows(outcomes) + low + 0.1
    figure = _figure(high)
    left, width = 0.2, 0.77
    funnel(stages, figure.add_axes((left, 1 - 1.45 / high, width, 1.4 / high)))
    outcome_bars(outcomes, figure.add_axes((left, 0.42 / high, width, (low - 0.42 + 0.1) / high)))
    caption = ledger_caption(stages, outcomes)
    return _sheet(
        "ledger",
        LEDGER,
        caption,
        figure,
        (stages, "types.parquet"),
        (outcomes, "types.parquet"),
    )


def _waterfall(run: Run) -> Sheet:
    table = waterfall_table(run)
    figure = _figure(3.6)
    waterfall(table, figure.add_axes((0.19, 0.125, 0.79, 0.815)))
    return _sheet(
        "waterfall", "Troops to task", waterfall_caption(table), figure, (table, "scenario.resolved.yaml")
    )
