"""Chance on the campaign clock: weather by day, lateness of contingents, loss of aircraft; and the seam that
hands it to the line clock.
"""

from __future__ import annotations

import numpy as np
import oracles
from conftest import Stage, small
from scipy import stats

from sim.campaign.engine import Campaign, simulate
from sim.force.manning import ORBITS
from sim.scenario.quantities import HOURS_PER_DAY

QUIET = {"shelling": {"rate": "0 per day"}, "drone": {"rate": "0 per day", "false_reports": "0 per day"}}
TWO = {"north": {"from": "0 km"}, "south": {"from": "40 km"}}
STRONG = {"contingents": {"alpha": {"strength": 3000}}}


def test_days_of_poor_visibility_come_in_their_months_share(theatre_of: Stage):
    """Two years, two sectors, 40 replications: some 2,400 sector-days a month; 0.06 of a share is caught.
    Sectors are independent.
    """
    share = [0.0, 0.9, 0.5, 0.3, 0.2, 0.1, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0]
    what = small(horizon="2 years", sectors=TWO, violations=QUIET, watch={"weather": {"poor_share": share}})
    theatre = theatre_of(what)
    poor = np.array([Campaign(theatre, 1, r)._state.is_poor for r in range(40)])
    assert poor.shape == (40, 2, theatre.days)
    for month in range(12):
        days = poor[:, :, theatre.month_of_day == month + 1]
        oracles.share_agrees(int(days.sum()), days.size, share[month])
    march = poor[:, :, theatre.month_of_day == 3]
    oracles.share_agrees(int((march[:, 0] & march[:, 1]).sum()), march[:, 0].size, 0.25)
    oracles.share_agrees(
        int((march[:-1] & march[1:]).sum()), march[1:].size, 0.25
    )  # nor do replications share a day


def test_a_contingent_is_late_by_its_law(theatre_of: Stage):
    """300 replications against the exponential, by Kolmogorov and Smirnov: a distribution function off by
    0.16 is caught.
    """
    delay = {"kind": "exponential", "mean": "4 days"}
    what = small(
        horizon="60 days",
        violations=QUIET,
        force={"contingents": {"alpha": {"arrival": {"first": "2 days", "delay": delay}}}},
    )
    theatre = theatre_of(what)
    came_h = np.array([simulate(theatre, 2, r).force.at_h[1] for r in range(300)])
    late_d = came_h / HOURS_PER_DAY - 2
    assert stats.kstest(late_d, "expon", args=(0, 4)).pvalue > oracles.FALSE_ALARM
    assert (
        stats.kstest(late_d, "expon", args=(0, 8)).pvalue < oracles.FALSE_ALARM
    )  # the broken twin: twice as late


def test_aircraft_are_lost_by_the_flying_hour(theatre_of: Stage):
    """Three orbits with airframes to spare, one loss in 200 flying hours: 3 x 480 h x 40 replications / 200 =
    288; 60 % is caught.
    """
    orbits = {"loss": "0.005 per h", "airframes": 100, "replacement": "1 day"}
    theatre = theatre_of(
        small(
            force=STRONG,
            violations=QUIET,
            posture={"everywhere": {"orbits": {"count": 3}}},
            watch={"orbits": orbits},
        )
    )
    oracles.count_agrees(sum(simulate(theatre, 3, r).aircraft_lost for r in range(40)), 288.0)


def test_a_fleet_that_is_not_replaced_runs_out(theatre_of: Stage):
    """Five airframes of a fleet of five: as soon as all are lost there is nothing to lose."""
    orbits = {"loss": "1 per h", "airframes": 5, "replacement": "10 years"}
    theatre = theatre_of(
        small(
            force=STRONG,
            violations=QUIET,
            posture={"everywhere": {"orbits": {"count": 1}}},
            watch={"orbits": orbits},
        )
    )
    assert [simulate(theatre, 4, r).aircraft_lost for r in range(5)] == [5] * 5


def test_the_line_clock_is_handed_what_the_whole_laydown_says(theatre_of: Stage):
    """After a month of losses, replacements, arrivals and departures: the arrays are those of the manned
    laydown, made afresh.
    """
    orbits = {"loss": "0.05 per h", "airframes": 2, "replacement": "3 days"}
    nations = {
        "alpha": {"strength": 900, "unit_size": 150, "arrival": {"first": "0 h", "last": "20 days"}},
        "bravo": {
            "strength": 700,
            "unit_size": 100,
            "commitment": "9 days",
            "arrival": {"first": "1 day", "last": "15 days"},
        },
    }
    what = small(
        horizon="30 days",
        sectors=TWO,
        force={"contingents": nations},
        watch={"orbits": orbits},
        posture={"everywhere": {"orbits": {"count": 2}}},
    )
    theatre = theatre_of(what)
    for replication in range(10):
        campaign = Campaign(theatre, 5, replication)
        history = campaign.run()
        assert history.aircraft_lost > 0
        afresh = theatre.watchers.watch(history.force.manned[-1], campaign.lookout.airframes)
        for name in ("stand_p", "pass_gap_h", "pass_split", "pass_up"):
            assert np.array_equal(getattr(campaign._laydown, name), getattr(afresh, name)), name
        assert (campaign.lookout.airframes <= theatre.wanted[:, ORBITS] * 2).all()
        assert (campaign.lookout.airframes >= 0).all()
