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
    N_PREVENTED,
    N_WAITED,
    RETALIATION,
    S_RESPONSE_H,
    SIGHTED,
    TIME_BINS,
    bin_starts_h,
)
from sim.results.levels import first_reached_h, hours_in_levels, stands_after_day
from sim.scenario.quantities import HOURS_PER_DAY, HOURS_PER_MONTH


def measure(theatre: Theatre, history: History) -> dict[str, float | None]:
    """Metrics of one replication; what a scenario cannot have is absent, what never happened is None.

    Incidents are counted, and the line is watched, for as long as the ceasefire stands: numbers per day and
    shares of time are over that. The force is there over the whole horizon.
    """
    out = {**_coverage(theatre, history), **_response(theatre, history), **_incidents(theatre, history)}
    if theatre.ladder.climbs:
        out.update(_escalation(theatre, history))
    out.update(_force(theatre, history))
    return out


def weights(theatre: Theatre, history: History) -> dict[str, float]:
    """What the shares of one replication are shares of (`names.WEIGHTS`); nothing where every history is of
    the same length.
    """
    tally, asks = history.tally, theatre.plan.teams_wanted > 0
    if not theatre.ladder.climbs:
        return {}
    return {
        "weight.incidents": float(tally.type_ledger[:, HAPPENED].sum()),
        "weight.asking": float(tally.type_ledger[asks, HAPPENED].sum()),
        "weight.attended": float(tally.type_ledger[asks, ATTENDED].sum()),
        "weight.calls": float(tally.counts[N_ANSWERABLE]),
        "weight.team_duty_h": history.team_duty_h,
    }


def _coverage(theatre: Theatre, history: History) -> dict[str, float | None]:
    plan, tally, length = theatre.plan, history.tally, theatre.ground.cells.length_km
    out: dict[str, float | None] = {
        "coverage.line_watched_share": _share(
            float((history.watched_h * length).sum()), float(length.sum()) * history.stood_h
        )
    }
    if len(plan.severity):
        ledger = tally.type_ledger.sum(axis=0)
        out["coverage.sighted_share"] = _share(ledger[SIGHTED], ledger[HAPPENED])
    asks = plan.teams_wanted > 0
    if asks.any():
        asking = tally.type_ledger[asks].sum(axis=0)
        out["coverage.attended_in_time_share"] = _share(asking[IN_TIME_COUNT], asking[HAPPENED])
        out["coverage.attributed_share"] = _share(asking[ATTRIBUTED], asking[HAPPENED])
    out["coverage.revisit_gap_h"] = histogram_quantile_h(history.gap_weight, 0.5)
    return out


def _response(theatre: Theatre, history: History) -> dict[str, float | None]:
    tally, asks = history.tally, theatre.plan.teams_wanted > 0
    if not asks.any():
        return {}
    attended = tally.type_ledger[asks, ATTENDED].sum()
    return {
        "response.time_h.mean": _share(float(tally.sums[S_RESPONSE_H]), attended),
        "response.time_h.p90": histogram_quantile_h(tally.response.sum(axis=0), 0.9),
        "response.team_utilisation": _share(float(tally.team_busy_h.sum()), history.team_duty_h),
        "response.waited_share": _share(tally.counts[N_WAITED], tally.counts[N_ANSWERABLE]),
    }


def _incidents(theatre: Theatre, history: History) -> dict[str, float | None]:
    plan, tally = theatre.plan, history.tally
    days = history.stood_h / HOURS_PER_DAY
    ledger = tally.type_ledger.sum(axis=0)
    out: dict[str, float | None] = {}
    if len(plan.severity):
        out["incidents.happened_per_day"] = _share(ledger[HAPPENED], days)
        out["incidents.sighted_per_day"] = _share(ledger[SIGHTED], days)
        out["incidents.false_reports_per_day"] = _share(tally.counts[N_FALSE], days)
    if plan.deterrence.any():
        out["incidents.deterred_per_day"] = _share(tally.counts[N_DETERRED], days)
    if plan.breeds_mean.any():
        provoked = tally.type_cause[:, RETALIATION].sum()
        out["incidents.from_retaliation_share"] = _share(provoked, ledger[HAPPENED])
    if (plan.breeds_mean * plan.calming).any():
        out["incidents.prevented_per_day"] = _share(tally.counts[N_PREVENTED], days)
    return out


def _escalation(theatre: Theatre, history: History) -> dict[str, float | None]:
    names, first_h = theatre.ladder.names, first_reached_h(theatre, history)
    hours = hours_in_levels(theatre, history).sum(axis=0) / len(theatre.ground.sector_names)
    out: dict[str, float | None] = {
        "escalation.collapse_probability": float(history.collapsed),
        "escalation.stood_days": history.stood_h / HOURS_PER_DAY,
    }
    for name, spent_h in zip(names, hours, strict=True):
        out[f"escalation.days_in.{name}"] = float(spent_h / HOURS_PER_DAY)
    for name, at_h in zip(names[1:], first_h[1:], strict=True):
        is_reached = bool(np.isfinite(at_h))
        out[f"escalation.reach_probability.{name}"] = float(is_reached)
        out[f"escalation.first_reach_days.{name}"] = float(at_h / HOURS_PER_DAY) if is_reached else None
    return out


def _force(theatre: Theatre, history: History) -> dict[str, float | None]:
    force, horizon_h = history.force, theatre.horizon_h
    lasts_h = np.diff(np.append(force.at_h, horizon_h))
    cost = float((theatre.wanted * theatre.prices).sum())
    present_h = (force.present * lasts_h[:, None]).sum(axis=0)
    patrols = force.manned[:, :, PATROLS].sum(axis=1)
    tours = (h / (c.tour_h - c.overlap_h) for h, c in zip(present_h, theatre.contingents, strict=True))
    out: dict[str, float | None] = {
        "force.pledged": float(sum(c.strength for c in theatre.contingents)),
        "force.on_station": float(present_h.sum() / horizon_h),
        "force.effective": float((force.effective * lasts_h).sum() / horizon_h),
        "force.short_share": _share(float((force.short * lasts_h).sum() / horizon_h), cost),
        "force.patrols_per_day": float((patrols * lasts_h).sum() / horizon_h),
        "force.pool": float(sum(c.strength * c.pool_ratio for c in theatre.contingents)),
        "force.person_tours": float(sum(tours)),
        "force.aircraft_lost": float(history.aircraft_lost),
    }
    if theatre.plan.casualties.any():
        out["force.casualties"] = float(history.tally.casualties.sum())
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


@dataclass(slots=True, kw_only=True, eq=False)
class Totals:
    """What replications add up to, cell by cell and month by month. Whole numbers but for hours."""

    replications: int = 0
    stood_h: float = 0.0  # for which the ceasefire stood
    stood_in_period_h: FloatArray = field(default_factory=lambda: np.zeros(0))  # by 1/12 year
    stands: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # histories, day by day
    hours_in: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))  # hours_in[d, level], all sectors
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
            stood_h=self.stood_h + other.stood_h,
            stood_in_period_h=self.stood_in_period_h + other.stood_in_period_h,
            stands=self.stands + other.stands,
            hours_in=self.hours_in + other.hours_in,
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
    months_h = np.arange(len(tally.period) + 1) * HOURS_PER_MONTH
    return Totals(
        replications=1,
        stood_h=history.stood_h,
        stood_in_period_h=np.diff(np.minimum(months_h, history.stood_h)),
        stands=stands_after_day(theatre, history),
        hours_in=hours_in_levels(theatre, history) if theatre.ladder.climbs else np.zeros((0, 0)),
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
