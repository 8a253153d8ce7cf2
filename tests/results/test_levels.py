"""O18 and the ledgers of escalation: time in levels, first reaches, and a survival curve that is Kaplan and Meier's."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import merged, small
from scipy import stats

from sim.campaign.engine import simulate
from sim.campaign.history import Turns
from sim.lineclock.state import ATTRIBUTED, N_WAITED, S_RESPONSE_H, SIGHTED
from sim.results.levels import first_reached_h, hours_in_levels, stands_after_day
from sim.results.measures import Totals, measure, totals_of, weights
from sim.results.names import WEIGHTS
from sim.results.rows import daily
from sim.results.store import cell_columns, period_columns, summary_metrics, survival_columns

BREAKS = small(
    sectors={"north": {"from": "0 km"}, "south": {"from": "40 km"}},
    violations={"shelling": {"retaliation": {"mean": 0.3, "calming": 0.5}, "casualties": 0.1}},
    escalation={
        "half_life": "2 days",
        "levels": {
            "calm": {},
            "tense": {
                "enter_at": 40,
                "leave_below": 30,
                "hazards": {"war": {"kind": "exponential", "mean": "12 days"}},
            },
            "war": {},
        },
        "collapse": {"sectors": 2, "lasting": "5 h"},
    },
)
"""Twenty days in which the ceasefire falls in some histories and stands in others."""


def told(rows: list[tuple[float, int, int, int]], collapsed_h: float | None = None) -> Any:
    """A history of two sectors and three levels over 60 hours, from (hours, sector, from, to)."""
    columns = np.array(rows, dtype=float).reshape(-1, 4)
    turns = Turns(
        at_h=columns[:, 0], sector=columns[:, 1].astype(int), from_level=columns[:, 2].astype(int),
        to_level=columns[:, 3].astype(int), cause=np.zeros(len(columns), dtype=int),
    )  # fmt: skip
    return SimpleNamespace(
        turns=turns, collapsed=collapsed_h is not None, stood_h=60.0 if collapsed_h is None else collapsed_h
    )


STAGE: Any = SimpleNamespace(
    horizon_h=60.0,
    ground=SimpleNamespace(sector_names=("north", "south")),
    ladder=SimpleNamespace(names=("calm", "tense", "war")),
)


def test_hours_in_levels_by_hand() -> None:
    """North: tense from 12 h, calm again from 30 h. South: tense from 50 h. The third day has twelve hours."""
    history = told([(12, 0, 0, 1), (30, 0, 1, 0), (50, 1, 0, 1)])
    assert hours_in_levels(STAGE, history).tolist() == [[36, 12, 0], [42, 6, 0], [14, 10, 0]]
    assert first_reached_h(STAGE, history).tolist() == [0, 12, np.inf]
    assert stands_after_day(STAGE, history).tolist() == [1, 1, 1]


def test_after_a_collapse_every_sector_stays_in_the_last_level() -> None:
    history = told([(12, 0, 0, 2), (36, 1, 0, 2)], collapsed_h=36.0)
    assert hours_in_levels(STAGE, history).tolist() == [[36, 0, 12], [12, 0, 36], [0, 0, 24]]
    assert first_reached_h(STAGE, history).tolist() == [0, 12, 12], "it jumped over tense"
    assert stands_after_day(STAGE, history).tolist() == [1, 0, 0]


def test_a_level_is_reached_by_who_jumps_over_it_and_not_again_by_who_falls_back() -> None:
    """South jumps to the last level before north comes to the middle one; nobody's way down counts."""
    history = told([(12, 1, 0, 2), (30, 0, 0, 1), (36, 0, 1, 0)])
    assert first_reached_h(STAGE, history).tolist() == [0, 12, 12]
    assert first_reached_h(STAGE, told([(30, 0, 0, 1), (40, 1, 0, 2)])).tolist() == [0, 30, 40]


@pytest.fixture(scope="module")
def broke(theatre_of: Callable[..., Any]) -> tuple[Any, list[Any]]:
    theatre = theatre_of(BREAKS)
    histories = [simulate(theatre, 5, r) for r in range(40)]
    assert 5 < sum(h.collapsed for h in histories) < 35, "some stand and some fall"
    return theatre, histories


def added_up(theatre: Any, histories: list[Any]) -> Totals:
    totals = Totals()
    for history in histories:
        totals = totals.plus(totals_of(theatre, history))
    return totals


def kaplan_meier(histories: list[Any], days: Any) -> Any:
    """Histories that stand to the horizon are censored there."""
    fell = [h.stood_h for h in histories if h.collapsed]
    stood = [h.stood_h for h in histories if not h.collapsed]
    return stats.ecdf(stats.CensoredData(uncensored=fell, right=stood)).sf.evaluate((days + 1) * 24.0)


def test_the_share_that_stands_is_kaplan_and_meiers_curve(broke: tuple[Any, list[Any]]) -> None:
    theatre, histories = broke
    columns = survival_columns(theatre, added_up(theatre, histories))
    np.testing.assert_allclose(columns["stands_share"], kaplan_meier(histories, columns["day"]), atol=1e-12)
    fell = np.mean([h.collapsed for h in histories])
    assert columns["stands_share"][-1] == pytest.approx(1 - fell)
    assert (columns["stands_low"] <= columns["stands_share"]).all()
    assert (columns["stands_share"] <= columns["stands_high"]).all()
    with pytest.raises(AssertionError):  # counting a day late would be seen
        np.testing.assert_allclose(
            columns["stands_share"], kaplan_meier(histories, columns["day"] - 1), atol=1e-12
        )


def test_levels_by_day_add_up_to_the_days_in_levels(broke: tuple[Any, list[Any]]) -> None:
    theatre, histories = broke
    columns = survival_columns(theatre, added_up(theatre, histories))
    rows = [measure(theatre, h) for h in histories]
    for name in theatre.ladder.names:
        mean = np.mean([row[f"escalation.days_in.{name}"] for row in rows])
        assert columns[f"in_{name}_share"].sum() == pytest.approx(mean)
    assert sum(columns[f"in_{name}_share"] for name in theatre.ladder.names) == pytest.approx(np.ones(20))


def test_after_a_collapse_nothing_is_counted(broke: tuple[Any, list[Any]]) -> None:
    """Numbers per day and shares of time are over the time for which the ceasefire stood."""
    theatre, histories = broke
    totals = added_up(theatre, histories)
    stood_h = sum(h.stood_h for h in histories)
    assert totals.stood_h == totals.stood_in_period_h.sum() == pytest.approx(stood_h)
    watched = np.mean([h.watched_h for h in histories], axis=0) * len(histories) / stood_h
    np.testing.assert_allclose(cell_columns(theatre, totals)["watched_share"], watched)
    assert 0 < watched.max() <= 1 + 1e-12
    assert period_columns(theatre, totals)["counted_days"][0] == pytest.approx(stood_h / 24)
    fallen = next(h for h in histories if h.collapsed)
    row, series = measure(theatre, fallen), daily(theatre, fallen)
    days = fallen.stood_h / 24
    happened = sum(count for count in series["happened"].to_pylist() if count is not None)
    assert row["incidents.happened_per_day"] == pytest.approx(happened / days)
    assert (series["stood"] == (series["day"] < days)).all()
    assert series["happened"].null_count == np.count_nonzero(~series["stood"]) > 0
    assert np.isfinite(series["on_station"]).all(), "soldiers stay"
    assert row["force.on_station"] == 800
    assert row["force.casualties"] == fallen.tally.casualties.sum()


def test_a_ceasefire_that_ends_with_its_first_incident_has_the_stated_rate(
    theatre_of: Callable[..., Any],
) -> None:
    """Counts over days are the rate, by Wald; the mean of 1 / days is many times that. Poisson counts: false
    alarm 1e-6.
    """
    quiet = {"rate": "0 per day", "false_reports": "0 per day"}
    one = small(
        horizon="30 days",
        violations={"shelling": {"rate": "1 per day"}, "drone": quiet},
        escalation={"levels": {"calm": {}, "war": {"enter_at": 2}}},
    )
    theatre = theatre_of(one)
    rows = [
        {**measure(theatre, h), **weights(theatre, h)} for h in (simulate(theatre, 5, r) for r in range(300))
    ]
    table = pa.Table.from_pylist(rows)
    metrics = summary_metrics(table, 30.0)
    stood = sum(row["escalation.stood_days"] or 0.0 for row in rows)
    happened = metrics["incidents.happened_per_day"]
    assert happened["mean"] * stood == pytest.approx(300)
    low, high = stats.gamma.interval(1 - 1e-6, 300)
    assert low <= stood <= high, "300 exponential waits of a day"
    assert happened["ci_low"] < 300 / stood < happened["ci_high"]
    seen = sum((row["coverage.sighted_share"] or 0.0) * row["weight.incidents"] for row in rows)
    assert metrics["coverage.sighted_share"]["mean"] == pytest.approx(seen / 300)
    plain = summary_metrics(table.drop_columns(["escalation.collapse_probability"]), 30.0)
    assert plain["incidents.happened_per_day"]["mean"] > 2, "each history alike: the test could fail"


def test_without_escalation_histories_count_alike(theatre_of: Callable[..., Any]) -> None:
    theatre = theatre_of(small())
    assert weights(theatre, simulate(theatre, 5, 0)) == {}


def test_weights_are_what_shares_are_shares_of(broke: tuple[Any, list[Any]]) -> None:
    theatre, histories = broke
    for history in histories[:5]:
        row, over = measure(theatre, history), weights(theatre, history)
        assert set(over) == set(WEIGHTS.values()) - {"escalation.stood_days"}
        counts = history.tally.type_ledger.sum(axis=0)
        assert over["weight.incidents"] * row["coverage.sighted_share"] == pytest.approx(counts[SIGHTED])
        assert over["weight.asking"] * row["coverage.attributed_share"] == pytest.approx(counts[ATTRIBUTED])
        assert over["weight.attended"] * row["response.time_h.mean"] == pytest.approx(
            history.tally.sums[S_RESPONSE_H]
        )
        assert over["weight.calls"] * row["response.waited_share"] == pytest.approx(
            history.tally.counts[N_WAITED]
        )


def test_metrics_that_a_scenario_cannot_have_are_absent(
    theatre_of: Callable[..., Any], broke: tuple[Any, list[Any]]
) -> None:
    plain = theatre_of(small())
    known = set(measure(plain, simulate(plain, 5, 0)))
    extra = {
        "incidents.from_retaliation_share", "incidents.prevented_per_day", "force.casualties",
        "escalation.collapse_probability", "escalation.stood_days",
    }  # fmt: skip
    assert not known & extra
    theatre, histories = broke
    assert extra <= set(measure(theatre, histories[0]))
    uncalmed = theatre_of(merged(BREAKS, {"violations": {"shelling": {"retaliation": {"calming": 0.0}}}}))
    row = measure(uncalmed, simulate(uncalmed, 5, 0))
    assert "incidents.prevented_per_day" not in row
    assert "incidents.from_retaliation_share" in row


def test_what_no_sector_reaches_has_no_time(theatre_of: Callable[..., Any]) -> None:
    theatre = theatre_of(small(escalation={"levels": {"calm": {}, "war": {"enter_at": 900000}}}))
    row = measure(theatre, simulate(theatre, 5, 0))
    assert (row["escalation.reach_probability.war"], row["escalation.first_reach_days.war"]) == (0.0, None)
    assert (row["escalation.days_in.calm"], row["escalation.days_in.war"]) == (20.0, 0.0)
    assert (row["escalation.collapse_probability"], row["escalation.stood_days"]) == (0.0, 20.0)


def test_a_ceasefire_that_falls_at_once_has_no_numbers_per_day(theatre_of: Callable[..., Any]) -> None:
    shock = {
        "escalation": {"levels": {"calm": {}, "war": {"enter_at": 50}}},
        "events": {"end": {"after": "0 h", "tension": {"by": 99}}},
    }
    theatre = theatre_of(merged(small(), shock))
    history = simulate(theatre, 5, 0)
    row = measure(theatre, history)
    assert (history.stood_h, row["incidents.happened_per_day"], row["coverage.line_watched_share"]) == (
        0.0,
        None,
        None,
    )
    assert np.isnan(cell_columns(theatre, totals_of(theatre, history))["watched_share"]).all()


def test_what_breaks_the_ceasefire_at_midnight_is_counted_on_that_day(theatre_of: Callable[..., Any]) -> None:
    raid = {"type": "shelling", "chainage": "9 km", "after": "3 days"}
    what = {
        "violations": {
            "shelling": {"rate": "0 per day"},
            "drone": {"rate": "0 per day", "false_reports": "0 per day"},
        }
    }
    levels = {"calm": {}, "war": {"enter_at": 2}}
    theatre = theatre_of(merged(small(injects={"raid": raid}, escalation={"levels": levels}), what))
    history = simulate(theatre, 5, 0)
    series = daily(theatre, history)
    assert history.stood_h == 72.0
    assert series["happened"].to_pylist() == [0, 0, 0, 1, *[None] * 16]
