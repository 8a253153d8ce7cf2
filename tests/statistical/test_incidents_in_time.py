"""O4: incidents are a non-homogeneous Poisson process: counts in any window, time-rescaling, the yearly mean;
and where they fall.

The intensity is built here anew, from the scenario's words and tables of the sun, not from the line clock's arrays.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage, merged
from scipy import stats

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre
from sim.line.daylight import sun_times_h
from sim.lineclock.state import JOURNAL_WHOLE
from sim.scenario.quantities import HOURS_PER_DAY

START = datetime.date(2026, 1, 1)
MONTHS = [0.5, 0.5, 1.0, 1.0, 2.0, 3.0, 0.0, 1.0, 1.0, 1.5, 0.5, 0.0]
PER_DAY = 40.0

YEAR: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a year",
    "start": START,
    "horizon": "365 days",
    "line": {"length": "90 km", "latitude": 48.7},
    "force": {"contingents": {"alpha": {"strength": 0}}},
    "violations": {"shelling": {"rate": f"{PER_DAY} per day", "night": 2.5, "months": MONTHS, "teams": 0}},
}


def intensity(at_h: np.ndarray, night: float, months: tuple[float, ...], per_day: float) -> np.ndarray:
    """Incidents per hour, up to a factor: by month and by night, straight from a list of dates."""
    sunrise, sunset = sun_times_h(48.7, START, 366)
    day = (at_h // HOURS_PER_DAY).astype(int)
    month = np.array([(START + datetime.timedelta(days=int(d))).month for d in range(366)])[day]
    is_night = (at_h < sunrise[day]) | (at_h >= sunset[day])
    return per_day / HOURS_PER_DAY * np.array(months)[month - 1] * np.where(is_night, night, 1.0)


@functools.cache
def _sums(night: float, months: tuple[float, ...], per_day: float) -> np.ndarray:
    middle = np.arange(0.0, 365 * HOURS_PER_DAY, 1 / 120) + 1 / 240
    sums = np.concatenate([[0.0], np.cumsum(intensity(middle, night, months, per_day))])
    return sums * per_day * 365 / sums[-1]


def cumulative(at_h: np.ndarray, *, night: float, months: list[float], per_day: float) -> np.ndarray:
    """Expected incidents before each time, by sums over half-minutes of the year, scaled to the yearly mean."""
    sums = _sums(night, tuple(months), per_day)
    return np.interp(at_h, np.arange(len(sums)) / 120, sums)


def started(theatre: Theatre, replication: int = 0, seed: int = 1) -> np.ndarray:
    journal = simulate(theatre, seed, replication, keeps_journal=True).journal
    return np.sort(journal.hours[:, 0])


def rescaled(start_h: np.ndarray, **asked: Any) -> float:
    """p-value of the gaps in expected incidents against the unit exponential (Kolmogorov and Smirnov)."""
    steps = np.diff(cumulative(start_h, **asked), prepend=0.0)
    return float(stats.kstest(steps, "expon").pvalue)


def test_gaps_are_exponential_in_expected_incidents(theatre_of: Stage):
    """About 14,600 incidents: a distribution function that is off by 0.025 anywhere is caught."""
    start_h = started(theatre_of(YEAR))
    assert rescaled(start_h, night=2.5, months=MONTHS, per_day=PER_DAY) > oracles.FALSE_ALARM
    # The broken twins: flat nights; flat months.
    assert rescaled(start_h, night=1.0, months=MONTHS, per_day=PER_DAY) < oracles.FALSE_ALARM
    assert rescaled(start_h, night=2.5, months=[1.0] * 12, per_day=PER_DAY) < oracles.FALSE_ALARM


def test_successive_gaps_know_nothing_of_one_another(theatre_of: Stage):
    """Correlation of successive rescaled gaps at lags 1 to 5; 14,600 of them: 0.05 is caught."""
    steps = np.diff(cumulative(started(theatre_of(YEAR)), night=2.5, months=MONTHS, per_day=PER_DAY))
    for lag in range(1, 6):
        assert stats.pearsonr(steps[:-lag], steps[lag:]).pvalue > oracles.FALSE_ALARM / 5


def windows_of(month: int, *, by_night: bool) -> np.ndarray:
    """[i] = (from, until) of each stretch of day, or of night, of a calendar month."""
    sunrise, sunset = sun_times_h(48.7, START, 366)
    days = [
        (datetime.date(2026 + (m - 1) // 12, (m - 1) % 12 + 1, 1) - START).days for m in (month, month + 1)
    ]
    d = np.arange(*days)
    midnight = d * HOURS_PER_DAY
    if not by_night:
        return np.stack([sunrise[d], sunset[d]], axis=1)
    return np.concatenate(
        [np.stack([midnight, sunrise[d]], axis=1), np.stack([sunset[d], midnight + HOURS_PER_DAY], axis=1)]
    )


def windows_fit(start_h: np.ndarray, **asked: Any) -> None:
    for month in range(1, 13):
        for by_night in (False, True):
            edges = windows_of(month, by_night=by_night)
            mean = float(np.diff(cumulative(edges, **asked), axis=1).sum())
            count = int(np.diff(np.searchsorted(start_h, edges), axis=1).sum())
            if asked["months"][month - 1] == 0:
                assert count == 0
            else:
                oracles.count_agrees(count, mean)


def test_windows_hold_poisson_counts(theatre_of: Stage):
    """Each calendar month, by day and by night. At about 600 a window, 25 % is caught; over all, 5 %."""
    start_h = started(theatre_of(YEAR))
    windows_fit(start_h, night=2.5, months=MONTHS, per_day=PER_DAY)
    oracles.count_agrees(len(start_h), PER_DAY * 365)
    with pytest.raises(AssertionError, match="does not fit"):  # the broken twin: nights a little too dark
        windows_fit(start_h, night=3.5, months=MONTHS, per_day=PER_DAY)


def test_counts_of_replications_vary_as_poisson(theatre_of: Stage):
    """Index of dispersion over 300 replications of 30 days: chi-squared; 45 % more or less variance is
    caught.
    """
    theatre = theatre_of(
        merged(YEAR, {"horizon": "30 days", "violations": {"shelling": {"rate": "3 per day"}}})
    )
    counts = np.array([simulate(theatre, 1, r).tally.type_ledger[0, 0] for r in range(300)])
    spread = counts.var(ddof=1) / counts.mean() * (len(counts) - 1)
    low, high = stats.chi2.interval(1 - oracles.FALSE_ALARM, len(counts) - 1)
    assert low <= spread <= high
    assert not low <= spread * 1.6 <= high  # the broken twin: clustered counts
    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 5 / np.sqrt(len(counts))


@pytest.mark.parametrize("start", ["2026-01-01", "2026-07-15", "2024-02-29"])
@pytest.mark.parametrize("latitude", [0.0, 48.7, 80.0])
@pytest.mark.parametrize(
    ("night", "months"), [(1.0, [1.0] * 12), (0.0, [1.0] * 12), (7.0, MONTHS), (0.3, MONTHS[::-1])]
)
def test_the_rate_is_the_yearly_mean_whatever_night_and_months(
    theatre_of: Stage, start, latitude, night, months
):
    """Exact to rounding in a common year; within 0.2 % when the sun of a leap year, or a polar day's edge,
    differs from the typical year's.
    """
    over = {
        "start": start,
        "horizon": "366 days",
        "line": {"latitude": latitude},
        "violations": {"shelling": {"night": night, "months": months}},
    }
    plan = theatre_of(merged(YEAR, over)).plan
    expected = plan.cumulative[0, np.searchsorted(plan.piece_start_h, 365 * HOURS_PER_DAY)]
    assert expected == pytest.approx(
        PER_DAY * 365, rel=1e-12 if start == "2026-01-01" and latitude < 60 else 0.002
    )


def test_places_follow_hot_spots_and_ground(theatre_of: Stage):
    """Half at a spot of 4 km spread, the rest twice as dense in the wood; chi-squared over 90 cells, and
    14,600 incidents: 5 % in a stretch of 10 km is caught.
    """
    stretches = [
        {"from": "0 km", "to": "60 km", "terrain": "field"},
        {"from": "60 km", "to": "90 km", "terrain": "wood"},
    ]
    shelling = {
        "hot_spots": {"town": {"chainage": "20 km", "share": 0.5, "spread": "4 km"}},
        "terrain": {"wood": 2.0},
    }
    theatre = theatre_of(
        merged(YEAR, {"line": {"stretches": stretches}, "violations": {"shelling": shelling}})
    )
    counts = simulate(theatre, 1, 0).tally.cell[:, 0]
    edges = np.arange(91.0)
    spot = np.diff(stats.norm.cdf(edges, 20.0, 4.0))
    ground = np.where(edges[:-1] < 60, 1.0, 2.0)
    share = 0.5 * spot / spot.sum() + 0.5 * ground / ground.sum()
    assert stats.chisquare(counts, share * counts.sum()).pvalue > oracles.FALSE_ALARM
    assert (
        stats.chisquare(counts, share[::-1] * counts.sum()).pvalue < oracles.FALSE_ALARM
    )  # the broken twin: measured from the wrong end


def test_when_and_where_are_independent(theatre_of: Stage):
    """Cells by half and incidents by night: a fourfold table, 14,600 of them; 5 % is caught."""
    theatre = theatre_of(YEAR)
    journal = simulate(theatre, 1, 0, keeps_journal=True).journal
    cell = journal.whole[:, JOURNAL_WHOLE.index("cell")]
    sunrise, sunset = sun_times_h(48.7, START, 366)
    day = (journal.hours[:, 0] // HOURS_PER_DAY).astype(int)
    by_night = (journal.hours[:, 0] < sunrise[day]) | (journal.hours[:, 0] >= sunset[day])
    table = [
        [int(np.count_nonzero((by_night == n) & ((cell < 45) == h))) for h in (True, False)]
        for n in (True, False)
    ]
    assert stats.chi2_contingency(table).pvalue > oracles.FALSE_ALARM
    table[0][0] = round(1.2 * table[0][0])  # the broken twin: a fifth more in one half by night
    assert stats.chi2_contingency(table).pvalue < oracles.FALSE_ALARM
