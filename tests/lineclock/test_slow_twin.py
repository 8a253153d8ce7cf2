"""O17: the line clock and its slow twin write the same journal, row for row."""

from __future__ import annotations

import math
from typing import Any

import pytest
from conftest import merged, scenarios, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_twin import Twin

from sim.campaign.engine import Campaign
from sim.lineclock.state import OUTCOMES


def by_kernel(campaign: Campaign) -> dict[tuple[int, int], tuple[Any, ...]]:
    journal = campaign.run().journal
    return {
        (int(w[0]), int(w[1])): (
            int(w[2]),
            OUTCOMES[w[3]],
            int(w[4]),
            int(w[5]),
            int(w[6]),
            bool(w[7]),
            *(float(x) for x in h),
        )
        for w, h in zip(journal.whole, journal.hours, strict=True)
    }


def by_twin(campaign: Campaign, seed: int, **broken: Any) -> dict[tuple[int, int], tuple[Any, ...]]:
    """After the campaign has run: its laydown never changed."""
    twin = Twin(
        campaign._plan,
        campaign._laydown,
        campaign._state.is_poor,
        seed,
        campaign.replication,
        campaign.theatre.horizon_h,
        **broken,
    )
    return {
        (i.stream, i.index): (
            i.cell, i.outcome, i.layer, i.station, i.sent, i.attributed, i.start_h, i.sighted_h, i.ordered_h, i.arrived_h, i.ended_h,
        )
        for i in twin.play()
    }  # fmt: skip


def same(
    kernel: dict[tuple[int, int], tuple[Any, ...]], twin: dict[tuple[int, int], tuple[Any, ...]]
) -> None:
    """Words and whole numbers agree exactly; hours to 1e-9, since two libraries' logarithms may differ in
    their last bit.
    """
    assert kernel.keys() == twin.keys()
    for key, row in sorted(kernel.items(), key=lambda item: item[1][6]):
        assert row[:6] == twin[key][:6], (key, row, twin[key])
        assert all(
            math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
            for a, b in zip(row[6:], twin[key][6:], strict=True)
        ), (key, row, twin[key])


def check(theatre: Any, seed: int, **broken: Any) -> int:
    campaign = Campaign(theatre, seed, 5, keeps_journal=True)
    kernel = by_kernel(campaign)
    same(kernel, by_twin(campaign, seed, **broken))
    return len(kernel)


@given(what=scenarios(), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_line_clock_agrees_with_its_slow_twin(theatre_of, what, seed):
    check(theatre_of(what), seed)


def test_they_agree_over_a_long_and_busy_month(theatre_of):
    busy = merged(
        small(),
        {
            "horizon": "30 days",
            "violations": {
                "shelling": {"rate": "40 per day"},
                "raid": {"rate": "9 per day", "severity": 4, "teams": 2},
            },
        },
    )
    assert check(theatre_of(busy), 11) > 1500


def test_the_oracle_can_fail(theatre_of):
    """A twin that serves the newest first is found out."""
    with pytest.raises(AssertionError):
        check(
            theatre_of(merged(small(), {"violations": {"shelling": {"rate": "40 per day"}}})),
            11,
            newest_first=True,
        )
