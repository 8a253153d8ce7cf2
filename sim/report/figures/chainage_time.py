"""Place by month: where and when incidents were attended in time, and how many there were."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.strip import ASKING, DAYS_PER_MONTH
from sim.report.figures.style import (
    BLANK,
    MAGNITUDE,
    Table,
    date_ticks,
    draw_sector_names,
    share_range,
    size_pt,
)
from sim.report.setting import Sectors
from sim.report.words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.image import AxesImage

    from sim.line.earth import FloatArray
    from sim.report.run import Run

FEWEST_MONTHS = 2
MOST_DASHED = 14  # sectors, beyond which their boundaries are drawn fainter


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainageTimeTable(Table):
    """A row for each month and window: incidents_per_km_month, and attended_in_time_share (or missing)."""

    sectors: Sectors
    start: datetime.date
    horizon_days: float

    @property
    def month_count(self) -> int:
        """Months of the history, the last one begun."""
        return int(self.rows["from_day"].nunique())

    def picture(self, column: str) -> FloatArray:
        """picture[month, window] of a column."""
        values: FloatArray = self.rows[column].to_numpy(dtype=float).reshape(self.month_count, -1)
        return values


def chainage_time_table(run: Run) -> ChainageTimeTable:
    """From `periods.parquet`."""
    periods = run.periods
    horizon = run.setting.horizon_days
    rows = periods[["from_day", "from_km", "to_km"]].copy()
    rows.insert(1, "to_day", periods["to_day"].clip(upper=horizon))
    months = periods["counted_days"] / DAYS_PER_MONTH
    months = months.where(months > 0)
    rows["incidents_per_km_month"] = periods["happened"] / ((rows["to_km"] - rows["from_km"]) * months)
    asked = periods["asked"].astype(float)
    rows["attended_in_time_share"] = periods["attended_in_time"] / asked.where(asked > 0)
    share = rows["attended_in_time_share"].dropna()
    count = rows["from_day"].nunique()
    says = f"{count} months by {len(rows) // count} windows of the line. "
    if len(share):
        says += (
            f"Attended in time, by place and month: from {percent(share.min(), 0)} to "
            f"{percent(share.max(), 0)}, half of them above {percent(share.median(), 0)}."
        )
    else:
        says += "Nothing happened."
    return ChainageTimeTable(
        title="Attended in time, and incidents, by place and month",
        says=says,
        rows=rows,
        replications=run.replication_count,
        sectors=run.setting.sectors,
        start=run.setting.start,
        horizon_days=horizon,
    )


def chainage_time_caption(table: ChainageTimeTable) -> str:
    """How to read it."""
    return (
        f"Above: share {ASKING} that had a team on the spot in time; grey where there was none. Below: "
        "incidents per km and month, on a scale of powers of ten. "
        f"Time runs downwards. Counts over {table.replications:,} "
        f"replication{'s' if table.replications > 1 else ''}; no intervals are drawn here."
    )


def chainage_time(table: ChainageTimeTable, ax: Axes) -> None:
    """Share attended in time, chainage across and time downwards."""
    from matplotlib.colors import Normalize as Even
    from matplotlib.ticker import PercentFormatter

    image = _image(
        table,
        table.picture("attended_in_time_share"),
        ax,
        Even(*share_range(table.rows["attended_in_time_share"], least=0.4)),
    )
    _colour_bar(
        ax,
        image,
        "attended in time,\nshare of incidents\nthat call for a team",
        PercentFormatter(1.0, decimals=0, symbol="\u00a0%"),
    )
    draw_sector_names(ax, table.sectors)


def incidents_by_time(table: ChainageTimeTable, ax: Axes) -> None:
    """Incidents per km and month on a logarithmic scale, chainage across and time downwards."""
    from matplotlib.colors import LogNorm

    picture = table.picture("incidents_per_km_month")
    some = picture[picture > 0]
    low, high = (float(some.min()), float(some.max())) if len(some) else (0.1, 1.0)
    low = min(low, high / 10)
    image = _image(table, np.where(picture > 0, picture, np.nan), ax, LogNorm(low, high))
    _colour_bar(ax, image, "incidents per\nkm and month", _plain)


def _plain(value: float, _: int) -> str:
    return f"{value:g}"


def _image(table: ChainageTimeTable, picture: FloatArray, ax: Axes, norm: Normalize) -> AxesImage:
    import matplotlib

    window_km = float(table.rows["to_km"].iloc[0] - table.rows["from_km"].iloc[0])
    length_km = float(table.sectors.edges_km[-1])
    month = DAYS_PER_MONTH if table.month_count > 1 else table.horizon_days
    extent = (0.0, window_km * picture.shape[1], month * picture.shape[0], 0.0)
    colours = matplotlib.colormaps[MAGNITUDE].with_extremes(bad=BLANK)
    image = ax.imshow(
        np.ma.masked_invalid(picture),
        extent=extent,
        aspect="auto",
        interpolation="none",
        cmap=colours,
        norm=norm,
    )
    ax.set_facecolor(BLANK)
    ax.set_xlim(0, length_km)
    ax.set_ylim(table.horizon_days, 0)
    ax.set_xlabel("chainage [km]")
    _, height_pt = size_pt(ax)
    date_ticks(ax.yaxis, table.start, table.horizon_days, room=max(2, int(height_pt / 18)))
    few = len(table.sectors.names) <= MOST_DASHED
    for edge in table.sectors.edges_km[1:-1]:
        ax.axvline(float(edge), color="white", linewidth=1.6 if few else 0.7, alpha=0.8)
        if few:
            ax.axvline(float(edge), color="black", linewidth=0.6, linestyle=(0, (4, 3)))
    return image


def _colour_bar(ax: Axes, image: AxesImage, label: str, formatter: object) -> None:
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogLocator, NullLocator

    beside = ax.inset_axes((1.02, 0.0, 0.02, 1.0))
    bar = ax.figure.colorbar(image, cax=beside, format=formatter)
    bar.set_label(label, linespacing=1.05)
    if isinstance(image.norm, LogNorm):
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.outline.set_visible(False)
