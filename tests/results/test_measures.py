"""What replications amount to: intervals that hold, histograms to the minute, ratios with honest errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.errors import ScenarioError
from sim.lineclock.state import TIME_BINS, bin_starts_h
from sim.results.measures import histogram_quantile_h, ratio_interval
from sim.results.names import MEANINGS, UNITS, WEIGHTS, meaning_of, metric_names, unit_of
from sim.results.statistics import opposite, summarise, t_quantile, wilson
from sim.results.target import read_target

LEVELS = ("calm", "tense", "war")


def test_every_metric_has_a_unit_and_a_meaning() -> None:
    assert list(UNITS) == list(MEANINGS)
    assert all(MEANINGS.values())
    assert all(unit_of(name) and meaning_of(name) for name in metric_names(LEVELS))
    assert unit_of("replication") is None
    assert unit_of("escalation.days_in.tense") == "days"
    assert (
        meaning_of("escalation.reach_probability.war")
        == "Share of histories in which a sector comes as high as level war"
    )


def test_every_level_but_the_lowest_can_be_reached() -> None:
    own = [name for name in metric_names(LEVELS) if name not in UNITS]
    assert own == [
        "escalation.days_in.calm", "escalation.days_in.tense", "escalation.days_in.war",
        "escalation.reach_probability.tense", "escalation.reach_probability.war",
        "escalation.first_reach_days.tense", "escalation.first_reach_days.war",
    ]  # fmt: skip


def test_targets_know_the_levels_of_their_scenario() -> None:
    assert str(read_target("escalation.days_in.tense < 12", LEVELS)) == "escalation.days_in.tense < 12"
    with pytest.raises(ScenarioError) as refused:
        read_target("escalation.days_in.tens < 12", LEVELS)
    assert str(refused.value) == (
        'there is no metric "escalation.days_in.tens"\n    hint: did you mean "escalation.days_in.tense"?'
    )


@pytest.mark.parametrize(("hits", "trials"), [(0, 100), (1, 7), (50, 100), (99, 100), (100, 100)])
def test_wilsons_interval_is_that_of_scipy(hits: int, trials: int) -> None:
    low, high = wilson(np.array(hits), trials)
    told = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    assert (float(low), float(high)) == pytest.approx((told.low, told.high), abs=1e-12)


def test_a_probability_near_nothing_still_has_an_interval() -> None:
    """Student's t would say that what did not happen in 100 histories cannot."""
    row = summarise(np.zeros(100), "probability")
    assert (row["ci_low"], row["ci_high"]) == (0.0, pytest.approx(0.0370, abs=1e-4))
    assert summarise(np.zeros(100), "share")["ci_high"] == 0.0
    stands = opposite(row)
    assert (stands["mean"], stands["ci_low"], stands["ci_high"]) == (1.0, 1.0 - row["ci_high"], 1.0)
    assert opposite(summarise(np.ones(1), "probability"))["ci_low"] is None


def test_wilsons_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """At 1 % of 200 histories, exactly: coverage is near 95 %, where Student's t falls well short."""
    hits = np.arange(201)
    chance = stats.binom.pmf(hits, 200, 0.01)
    low, high = wilson(hits, 200)
    assert 0.93 < chance[(low <= 0.01) & (high >= 0.01)].sum() < 0.98
    half = t_quantile(199) * np.sqrt(hits / 200 * (1 - hits / 200) / 199)
    assert chance[np.abs(hits / 200 - 0.01) <= half].sum() < 0.93


@pytest.mark.parametrize("degrees", [1, 2, 5, 30, 999])
def test_t_quantile_is_students(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-12)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Hits among 2,000 intervals are binomial: false alarm 1e-6; a coverage of 92 % would be caught."""
    draws = np.random.default_rng(7).normal(3.0, 2.0, size=(2000, 20))
    rows = [summarise(row, "h") for row in draws]
    hits = sum(row["ci_low"] <= 3.0 <= row["ci_high"] for row in rows)
    low, high = stats.binom.interval(1 - 1e-6, 2000, 0.95)
    assert low <= hits <= high
    short = sum(abs(row["mean"] - 3.0) <= 0.85 * (row["ci_high"] - row["mean"]) for row in rows)
    assert not low <= short <= high, "the test of coverage could not fail"


def test_one_replication_has_no_interval_and_none_has_nothing() -> None:
    one = summarise(np.array([0.5]), "share")
    assert (one["mean"], one["ci_low"], one["ci_high"]) == (0.5, None, None)
    none = summarise(np.array([np.nan, np.nan]), "h")
    assert {k: v for k, v in none.items() if k != "unit"} == dict.fromkeys(
        ("mean", "ci_low", "ci_high", "p05", "p50", "p95")
    )


def test_replications_in_which_it_never_happened_are_left_out_and_counted() -> None:
    row = summarise(np.array([1.0, np.nan, 3.0]), "h")
    assert (row["mean"], row["replications_with_value"]) == (2.0, 2)


def histories_of_unlike_length(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(incidents a day, days) of histories that end with an incident in four, where one comes every day; none
    is longer than thirty days.
    """
    days = np.minimum(rng.exponential(4.0, size=n), 30.0)
    ended = days < 30.0
    counts = rng.poisson(0.75 * days) + ended
    return counts / days, days


def test_histories_count_by_what_there_was_in_them() -> None:
    """3 in 1 day, 1 in 9 days: 4 in 10, not 1.56 a day; residuals 3 - 0.4 and 1 - 3.6."""
    row = summarise(np.array([3.0, 1 / 9]), "per day", np.array([1.0, 9.0]))
    assert row["mean"] == pytest.approx(0.4)
    assert row["ci_high"] - 0.4 == pytest.approx(t_quantile(1) * np.sqrt(2 * 2 * 2.6**2) / 10)
    row = summarise(np.array([3.0, 1 / 9, np.nan]), "per day", np.array([1.0, 9.0, 0.0]))
    assert row["mean"] == pytest.approx(0.4)
    assert (row["p50"], row["replications_with_value"]) == (pytest.approx((3 + 1 / 9) / 2), 2)
    assert summarise(np.array([3.0, np.nan]), "per day", np.array([1.0, 0.0]))["ci_low"] is None
    assert summarise(np.array([np.nan]), "per day", np.array([0.0]))["mean"] is None
    alike = np.array([0.2, 0.5, 0.9])
    same, plain = summarise(alike, "h", np.full(3, 7.0)), summarise(alike, "h")
    assert [same[k] for k in ("mean", "ci_low", "ci_high")] == pytest.approx(
        [plain[k] for k in ("mean", "ci_low", "ci_high")], rel=1e-12
    )


def test_weighed_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """One a day in truth. Means of each history's own rate hold it in hardly any interval. 150 histories are
    few for ratios of exponentials: coverage is some 94 %, and 92 to 97 % is accepted, six standard errors.
    """
    rng = np.random.default_rng(17)
    weighed = plain = 0
    for _ in range(4000):
        rates, days = histories_of_unlike_length(rng, 150)
        for by_days in (True, False):
            row = summarise(rates, "per day", days if by_days else None)
            hit = row["ci_low"] <= 1.0 <= row["ci_high"]
            weighed, plain = weighed + (hit and by_days), plain + (hit and not by_days)
    assert 0.92 < weighed / 4000 < 0.97
    assert plain / 4000 < 0.5


def test_every_weight_belongs_to_a_metric_over_the_time_that_it_stood() -> None:
    over_time = {
        n for n, unit in UNITS.items() if n.startswith("incidents.") or (unit == "share" and n[:5] != "force")
    }
    assert set(WEIGHTS) == over_time | {"response.time_h.mean"}
    assert all(unit_of(w) is None for w in WEIGHTS.values() if w != "escalation.stood_days")


def test_shares_stay_shares() -> None:
    row = summarise(np.array([0.0, 0.9, 1.0]), "share")
    assert (row["ci_low"], row["ci_high"]) == (0.0, 1.0)


WIDE = np.array([0.0, 0.0, 0.0, 0.0, 60.0, 60.0])
"""Mean 20, and an interval of 33 to either side."""


@pytest.mark.parametrize("unit", ["h", "per day", "soldiers", "days", "aircraft"])
def test_no_interval_reaches_below_nothing(unit: str) -> None:
    row = summarise(WIDE, unit)
    half = t_quantile(5) * WIDE.std(ddof=1) / np.sqrt(6)
    assert row["mean"] - half < 0, "the test could not fail"
    assert (row["ci_low"], row["ci_high"]) == (0.0, pytest.approx(row["mean"] + half))


def test_no_time_in_days_reaches_beyond_the_horizon() -> None:
    late = 70.0 - WIDE
    assert summarise(late, "days")["ci_high"] > 70.0, "the test could not fail"
    assert summarise(late, "days", horizon_days=70.0)["ci_high"] == 70.0
    assert summarise(late, "h", horizon_days=70.0)["ci_high"] > 70.0, "hours are no days"


def test_what_happened_in_a_few_histories_only_has_a_mean_and_no_interval() -> None:
    often = summarise(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]), "days")
    rarely = summarise(np.array([1.0, 2.0, 3.0, 4.0, np.nan, np.nan]), "days")
    always = summarise(np.array([1.0, 2.0, 3.0, 4.0]), "days")
    assert often["ci_low"] is not None
    assert (rarely["mean"], rarely["ci_low"], rarely["ci_high"]) == (2.5, None, None)
    assert (rarely["p50"], rarely["replications_with_value"]) == (2.5, 4)
    assert always["ci_low"] is not None, "four of four are a small sample, not a rare event"


def test_quantiles_of_a_histogram_of_times() -> None:
    counts = np.zeros(TIME_BINS, dtype=np.int64)
    counts[[0, 10, 60, 2880 + 5, TIME_BINS - 1]] = [50, 40, 5, 4, 1]
    assert histogram_quantile_h(counts, 0.5) == 0.0
    assert histogram_quantile_h(counts, 0.9) == pytest.approx(10.5 / 60)
    assert histogram_quantile_h(counts, 0.95) == pytest.approx(60.5 / 60)
    assert histogram_quantile_h(counts, 0.99) == 48 + 5.5, "by the hour from two days on"
    assert histogram_quantile_h(counts, 0.995) is None, "beyond 62 days nothing is known"
    assert histogram_quantile_h(counts * 0, 0.5) is None
    assert len(bin_starts_h()) == TIME_BINS


def test_the_ratio_interval_knows_that_incidents_come_in_crowds() -> None:
    """Incidents of one replication share its weather: only the interval over replications covers."""
    rng = np.random.default_rng(11)
    hits = naive = 0
    for _ in range(600):
        happened = rng.poisson(200, size=30)
        sighted = rng.binomial(happened, rng.beta(20, 20, size=30))
        total, seen = happened.sum(), sighted.sum()
        share, low, high = ratio_interval(
            np.array([seen]), np.array([total]),
            np.array([(sighted**2).sum()]), np.array([(happened**2).sum()]),
            np.array([(sighted * happened).sum()]), 30, t_quantile(29),
        )  # fmt: skip
        hits += bool(low[0] <= 0.5 <= high[0])
        naive += bool(abs(share[0] - 0.5) <= 1.96 * np.sqrt(0.25 / total))
    low_count, high_count = stats.binom.interval(1 - 1e-6, 600, 0.945)
    assert low_count <= hits <= high_count
    assert naive < low_count


def test_where_nothing_happened_there_is_no_share() -> None:
    zero = np.zeros(1, dtype=np.int64)
    share, low, high = ratio_interval(zero, zero, zero, zero, zero, 5, 2.0)
    assert np.isnan([share[0], low[0], high[0]]).all()
