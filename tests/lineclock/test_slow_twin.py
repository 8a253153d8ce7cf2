"""O17: the line clock, with what the campaign does to it, and its slow twin write the same journal, row for row."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from conftest import merged, scenarios, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_twin import Twin

from sim.campaign.engine import Campaign
from sim.campaign.escalation import CAUSES_OF_TURNS
from sim.campaign.history import History
from sim.lineclock.state import CAUSES, COUNTS, FINDINGS, OUTCOMES, TRIP_ENDS

Rows = dict[Any, tuple[tuple[Any, ...], tuple[float, ...]]]
"""Each row by its key: words and whole numbers, which agree exactly, and hours."""


def incidents_of(history: History) -> Rows:
    rows: Rows = {}
    for w, h in zip(history.journal.whole.tolist(), history.journal.hours.tolist(), strict=True):
        number, parent, kind, cause, cell, outcome, layer, station, sent, finding, level, children, *key = w
        words = (CAUSES[cause], OUTCOMES[outcome], FINDINGS[finding])
        rows[tuple(key)] = (
            (number, parent, kind, cell, layer, station, sent, level, children, *words),
            tuple(h),
        )
    return rows


def incidents_by(twin: Twin) -> Rows:
    rows: Rows = {}
    for i in twin.incidents:
        arrived_h, station = i.first() if i.outcome in ("late", "in_time") else (math.inf, -1)
        parent = -1 if i.parent is None else i.parent.number
        numbers = (i.number, parent, i.kind, i.cell, i.layer, station, i.sent, i.level, i.children)
        words = (i.cause, i.outcome, i.finding)
        rows[i.id] = (*numbers, *words), (i.start_h, i.sighted_h, i.ordered_h, arrived_h, i.ended_h)
    return rows


def trips_of(history: History) -> Rows:
    """By incident and team, and which of its trips there."""
    journal, nth, rows = history.journal, Counter[tuple[int, int]](), Rows()
    for (number, team, station, end), h in zip(
        journal.trip_whole.tolist(), journal.trip_hours.tolist(), strict=True
    ):
        rows[number, team, nth[number, team]] = (station, TRIP_ENDS[end]), tuple(h)
        nth[number, team] += 1
    return rows


def trips_by(twin: Twin) -> Rows:
    nth, rows = Counter[tuple[int, int]](), Rows()
    for t in twin.trips:
        key = t.incident.number, t.team.number
        rows[*key, nth[key]] = (t.station, t.end), (t.ordered_h, t.departs_h, t.arrives_h, t.ended_h)
        nth[key] += 1
    return rows


def turns_of(history: History) -> Rows:
    turns = history.turns
    causes = [CAUSES_OF_TURNS[cause] for cause in turns.cause]
    rows = zip(turns.sector.tolist(), turns.from_level.tolist(), turns.to_level.tolist(), causes, strict=True)
    return {i: (words, (float(at_h),)) for i, (words, at_h) in enumerate(zip(rows, turns.at_h, strict=True))}


def turns_by(twin: Twin) -> Rows:
    return {i: (tuple(words), (at_h,)) for i, (at_h, *words) in enumerate(twin.turns)}


def counts_of(history: History) -> dict[str, int]:
    return dict(zip(COUNTS, history.tally.counts.tolist(), strict=True))


def same(kernel: Rows, twin: Rows) -> None:
    """Hours agree to 1e-9, since two libraries' logarithms may differ in their last bit."""
    for key, (words, hours) in sorted(kernel.items(), key=lambda row: row[1][1][0]):
        assert key in twin, (key, words, hours)
        assert words == twin[key][0], (key, words, twin[key][0], hours)
        assert all(
            math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(hours, twin[key][1], strict=True)
        ), (key, words, hours, twin[key][1])
    assert kernel.keys() == twin.keys()


def check(theatre: Any, seed: int, broken: str = "") -> History:
    campaign = Campaign(theatre, seed, 5, keeps_journal=True)
    history = campaign.run()
    twin = Twin(campaign, seed, broken)
    twin.play()
    same(turns_of(history), turns_by(twin))
    same(incidents_of(history), incidents_by(twin))
    same(trips_of(history), trips_by(twin))
    assert counts_of(history) == {name: twin.counts[name] for name in COUNTS}
    assert history.tally.casualties.tolist() == twin.casualties
    assert math.isclose(history.stood_h, min(twin.ends_h, theatre.horizon_h), rel_tol=1e-12)
    assert history.collapsed == (twin.ends_h < theatre.horizon_h)
    return history


@given(what=scenarios(), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_line_clock_agrees_with_its_slow_twin(theatre_of, what, seed):
    check(theatre_of(what), seed)


TWO_SECTORS = {"sectors": {"north": {"from": "0 km"}, "south": {"from": "28 km"}}}
TENSE = {
    "horizon": "20 days",
    **TWO_SECTORS,
    "violations": {
        "shelling": {
            "rate": "24 per day",
            "retaliation": {"mean": 0.6, "delay": "3 h", "spread": "6 km", "types": {"shelling": 0.8, "raid": 0.2}, "calming": 0.7},
        },
        "raid": {"rate": "4 per day", "severity": 5, "teams": 2, "against_force": True, "casualties": 0.3},
    },
    "truce": {"start": 0.4, "doubling": "3 days", "ceiling": 1.5},
    "events": {
        "talks": {"after": "7.3 days", "recommit": {"drop": 0.8}},
        "spark": {"after": "18.2 days", "tension": {"by": 900, "sectors": ["north"]}},
        "unrest": {"rate": "0.3 per day", "tension": {"by": 20, "sectors": ["south"]}},
    },
    "injects": {"assault": {"after": "5.1 days", "type": "raid", "chainage": "31 km", "count": 6, "over": "4 h"}},
    "escalation": {
        "half_life": "5 h",
        "levels": {
            "calm": {},
            "tense": {"enter_at": 30, "leave_below": 18, "min_stay": "2 h", "incidents": 1.5, "speed": 0.8},
            "violent": {
                "enter_at": 70, "leave_below": 35, "incidents": 1.3, "types": {"raid": 2.0}, "retaliation": 1.2, "patrols": 0.3,
                "orbits": 0.5, "hazards": {"calm": {"kind": "exponential", "mean": "3 days"}},
            },
            "war": {"enter_at": 900},
        },
        "collapse": {"lasting": "7 h"},
    },
    "response": {"preempt": True, "move_up": True},
    "watch": {"reports": {"probability": 0.7, "delay": "20 min"}},
    "posture": {"everywhere": {"teams": {"count": 4}}},
    "base_layout": {"every": "12 km", "depth": "4 km"},
    "force": {"contingents": {"alpha": {"strength": 1400}}},
}  # fmt: skip
"""Everything at once, for so long that each of it happens."""


@pytest.fixture(scope="module")
def tense(theatre_of):
    return theatre_of(merged(small(), TENSE))


def test_they_agree_over_a_long_and_tense_time(tense):
    history = check(tense, 11)
    counts = counts_of(history)
    assert len(history.journal.whole) > 800
    assert min(counts[name] for name in ("waited", "false_reports", "recalled", "prevented", "stood_in")) > 0
    assert {CAUSES_OF_TURNS[cause] for cause in history.turns.cause} == set(CAUSES_OF_TURNS)


@pytest.mark.parametrize(
    "broken", ["newest first", "calms before it arrives", "no hysteresis", "tension stays", "guests stay"]
)
def test_the_oracle_can_fail(tense, broken):
    """A twin that errs in one thing is found out."""
    with pytest.raises(AssertionError):
        check(tense, 11, broken)
