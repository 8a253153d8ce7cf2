"""What one replication amounts to, and what many add up to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.campaign.history import History
from sim.campaign.theatre import Theatre, window_count, window_of_cell
from sim.force.manning import PATROLS
from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import (
    ASKED,
    ATTENDED,
    ATTRIBUTED,
    HAPPENED,
    IN_TIME_COUNT,
    N_ANSWERABLE,
    N_DETERRED,
    N_FALSE,
    N_WAITED,
    S_RESPONSE_H,
    SIGHTED,
    TIME_BINS,
    bin_starts_h,
)
from sim.scenario.quantities import HOURS_PER_DAY


def measure(theatre: Theatre, history: History) -> dict[str, float | None]:
    """Metrics of one replication; what a scenario cannot have is absent, what never happened is None."""
    plan, tally, ground = theatre.plan, history.tally, theatre.ground
    horizon_h = theatre.horizon_h
    days = horizon_h / HOURS_PER_DAY
    ledger = tally.type_ledger.sum(axis=0)
    asks = plan.teams_wanted > 0
    asking = tally.type_ledger[asks].sum(axis=0)
    out: dict[str, float | None] = {}
    length = ground.cells.length_km
    out["coverage.line_watched_share"] = float(
        (history.watched_h * length).sum() / (length.sum() * horizon_h)
    )
    if len(plan.severity):
        out["coverage.sighted_share"] = _share(ledger[SIGHTED], ledger[HAPPENED])
    if asks.any():
        out["coverage.attended_in_time_share"] = _share(asking[IN_TIME_COUNT], asking[HAPPENED])
        out["coverage.attributed_share"] = _share(asking[ATTRIBUTED], asking[HAPPENED])
    out["coverage.revisit_gap_h"] = histogram_quantile_h(history.gap_weight, 0.5)
    if asks.any():
        out["response.time_h.mean"] = _share(float(tally.sums[S_RESPONSE_H]), asking[ATTENDED])
        out["response.time_h.p90"] = histogram_quantile_h(tally.response.sum(axis=0), 0.9)
        out["response.team_utilisation"] = _share(float(tally.team_busy_h.sum()), history.team_duty_h)
        out["response.waited_share"] = _share(tally.counts[N_WAITED], tally.counts[N_ANSWERABLE])
    if len(plan.severity):
        out["incidents.happened_per_day"] = float(ledger[HAPPENED] / days)
        out["incidents.sighted_per_day"] = float(ledger[SIGHTED] / days)
        out["incidents.false_reports_per_day"] = float(tally.counts[N_FALSE] / days)
    if plan.deterrence.any():
        out["incidents.deterred_per_day"] = float(tally.counts[N_DETERRED] / days)
    force = history.force
    lasts_h = np.diff(np.append(force.at_h, horizon_h))
    cost = float((theatre.wanted * theatre.prices).sum())
    present_h = (force.present * lasts_h[:, None]).sum(axis=0)
    out["force.pledged"] = float(sum(c.strength for c in theatre.contingents))
    out["force.on_station"] = float(present_h.sum() / horizon_h)
    out["force.effective"] = float((force.effective * lasts_h).sum() / horizon_h)
    out["force.short_share"] = _share(float((force.short * lasts_h).sum() / horizon_h), cost)
    out["force.patrols_per_day"] = float(
        (force.manned[:, :, PATROLS].sum(axis=1) * lasts_h).sum() / horizon_h
    )
    out["force.pool"] = float(sum(c.strength * c.pool_ratio for c in theatre.contingents))
    out["force.person_tours"] = float(
        sum(h / (c.tour_h - c.overlap_h) for h, c in zip(present_h, theatre.contingents, strict=True))
    )
    out["force.aircraft_lost"] = float(history.aircraft_lost)
    return out


def histogram_quantile_h(counts: IntArray | FloatArray, share: float) -> float | None:
    """The time [h] that a share of a histogram of times does not exceed: to the minute up to 48 h, then to
    the hour.

    None when the histogram is empty, or when the time is over 62 days.
    """
    total = counts.sum()
    if total <= 0:
        return None
    found = int(np.searchsorted(np.cumsum(counts), share * total))
    starts = bin_starts_h()
    if found >= len(starts) - 1:
        return None
    return float(starts[found] + starts[found + 1]) / 2 if found else 0.0


def _share(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole > 0 else None


def daily(theatre: Theatre, history: History) -> dict[str, np.ndarray[tuple[int], np.dtype[np.generic]]]:
    """The time series of one replication, a row for each day of the horizon."""
    days = int(np.ceil(theatre.horizon_h / HOURS_PER_DAY))
    counts = history.tally.day[:days]
    middle = np.minimum((np.arange(days) + 0.5) * HOURS_PER_DAY, theatre.horizon_h)
    step = np.searchsorted(history.force.at_h, middle, side="right") - 1
    return {
        "replication": np.full(days, history.replication, dtype=np.int32),
        "day": np.arange(days, dtype=np.int32),
        "on_station": history.force.present[step].sum(axis=1).astype(np.float32),
        "effective": history.force.effective[step].astype(np.float32),
        "short": history.force.short[step].astype(np.float32),
        "happened": counts[:, HAPPENED],
        "asked": counts[:, ASKED],
        "sighted": counts[:, SIGHTED],
        "attended": counts[:, ATTENDED],
        "attended_in_time": counts[:, IN_TIME_COUNT],
        "attributed": counts[:, ATTRIBUTED],
    }


@dataclass(slots=True, kw_only=True, eq=False)
class Totals:
    """What replications add up to, cell by cell and month by month. Whole numbers but for `watched_h`."""

    replications: int = 0
    cell: IntArray = field(default_factory=lambda: np.zeros((0, 6), dtype=np.int64))  # cell[c, ledger]
    watched_h: FloatArray = field(default_factory=lambda: np.zeros(0))  # (C,)
    period: IntArray = field(
        default_factory=lambda: np.zeros((0, 0, 4), dtype=np.int64)
    )  # period[i, window, :]
    window: IntArray = field(default_factory=lambda: np.zeros((0, 6), dtype=np.int64))  # window[v, ledger]
    window_products: IntArray = field(
        default_factory=lambda: np.zeros((0, 6, 3), dtype=np.int64)
    )  # sums over replications of x * x, x * happened and x * asked
    response: IntArray = field(
        default_factory=lambda: np.zeros((0, TIME_BINS), dtype=np.int64)
    )  # response[x, bin of times]
    delay: IntArray = field(
        default_factory=lambda: np.zeros((0, TIME_BINS), dtype=np.int64)
    )  # delay[x, bin of times]
    gap_weight: FloatArray = field(default_factory=lambda: np.zeros(TIME_BINS))
    sighted_by: IntArray = field(default_factory=lambda: np.zeros(5, dtype=np.int64))

    def plus(self, other: Totals) -> Totals:
        """Both together; adding in another order changes no whole number."""
        if self.replications == 0:
            return other
        return Totals(
            replications=self.replications + other.replications,
            cell=self.cell + other.cell,
            watched_h=self.watched_h + other.watched_h,
            period=self.period + other.period,
            window=self.window + other.window,
            window_products=self.window_products + other.window_products,
            response=self.response + other.response,
            delay=self.delay + other.delay,
            gap_weight=self.gap_weight + other.gap_weight,
            sighted_by=self.sighted_by + other.sighted_by,
        )


def totals_of(theatre: Theatre, history: History) -> Totals:
    """One replication as totals."""
    tally = history.tally
    count = window_count(theatre.ground)
    which = window_of_cell(theatre.ground)
    window = np.zeros((count, tally.cell.shape[1]), dtype=np.int64)
    np.add.at(window, which, tally.cell)
    return Totals(
        replications=1,
        cell=tally.cell.astype(np.int64),
        watched_h=history.watched_h,
        period=tally.period.astype(np.int64),
        window=window,
        window_products=np.stack(
            [window * window, window * window[:, [HAPPENED]], window * window[:, [ASKED]]], axis=2
        ),
        response=tally.response.astype(np.int64),
        delay=tally.delay.astype(np.int64),
        gap_weight=history.gap_weight,
        sighted_by=tally.sighted_by.copy(),
    )


def ratio_interval(
    part: IntArray,
    whole: IntArray,
    part_sq: IntArray,
    whole_sq: IntArray,
    product: IntArray,
    n: int,
    z: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(share, low, high) of part / whole over n replications, by the ratio estimator's delta method (Cochran
    1977, 6.4).

    Replications are independent, incidents within one need not be. NaN where nothing happened, or n < 2 for
    the ends.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = part / whole
        if n < 2:
            return share, np.full_like(share, np.nan), np.full_like(share, np.nan)
        residual = part_sq - 2 * share * product + share**2 * whole_sq
        half = z * np.sqrt(np.maximum(residual, 0.0) * n / (n - 1)) / whole
    return share, np.clip(share - half, 0, 1), np.clip(share + half, 0, 1)
