"""From soldiers to a laydown and back: whole tasks, the order of keeping, shares, prices and the rotation
pool.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Stage, merged, small
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.campaign.engine import Campaign, simulate
from sim.force.contingent import share_out
from sim.force.manning import (
    HEADQUARTERS,
    ORBITS,
    PATROLS,
    POSTS,
    SENSORS,
    TASKS,
    TEAMS,
    man,
    shares_of,
    task_prices,
    troops_to_task,
    wanted_laydown,
)  # fmt: skip
from sim.scenario.who import ManningPart

PRICES = np.array([120.0, 6.0, 8.0, 36.0, 9.0, 0.25])
USUAL = ("headquarters", "teams", "posts", "orbits", "patrols", "sensors")

COUNTS = arrays(np.int64, (3, 6), elements=st.integers(0, 12))
SOLDIERS = arrays(np.float64, (3,), elements=st.floats(0, 2000))
ORDERS = st.permutations(TASKS).map(tuple)

# Manning ----------------------------------------------------------------------------------------------------


def by_hand(wanted: Any, prices: Any, keep: tuple[str, ...], available: Any) -> list[list[int]]:
    """Each sector by itself: one task after the other, one whole post, team, orbit at a time."""
    table = []
    for x, soldiers in enumerate(available):
        left, row = float(soldiers), [0] * 6
        for word in keep:
            task = TASKS.index(word)
            for _ in range(int(wanted[x, task])):
                if (task == HEADQUARTERS and left > 1e-9) or (
                    task != HEADQUARTERS and left >= float(prices[task]) - 1e-9 * float(prices[task])
                ):
                    row[task], left = row[task] + 1, max(0.0, left - float(prices[task]))
                else:
                    break
        table.append(row)
    return table


def check_manning(manning: Any, wanted: Any, keep: tuple[str, ...], available: Any) -> None:
    wanted = wanted.copy()
    wanted[:, HEADQUARTERS] = np.minimum(wanted[:, HEADQUARTERS], 1)
    assert manning(wanted, PRICES, keep, available).tolist() == by_hand(wanted, PRICES, keep, available)


@given(COUNTS, ORDERS, SOLDIERS)
def test_manning_agrees_with_hiring_one_by_one(wanted, keep, available):
    check_manning(man, wanted, keep, available)


def test_the_oracle_can_fail():
    """The broken twin mans half a team with half its soldiers."""

    def rounds_up(wanted: Any, prices: Any, keep: tuple[str, ...], available: Any) -> Any:
        return man(wanted, prices, keep, available + 18.0)

    with pytest.raises(AssertionError):
        check_manning(rounds_up, np.full((3, 6), 5), USUAL, np.array([150.0, 300.0, 450.0]))


@given(COUNTS, ORDERS, SOLDIERS)
def test_nobody_is_put_to_two_tasks_and_no_task_is_manned_beyond_what_is_wanted(wanted, keep, available):
    wanted[:, HEADQUARTERS] = np.minimum(wanted[:, HEADQUARTERS], 1)
    manned = man(wanted, PRICES, keep, available)
    assert (manned <= wanted).all()
    assert (manned >= 0).all()
    assert (manned[:, 1:] @ PRICES[1:] <= available + 1e-6).all()


@given(COUNTS, ORDERS, SOLDIERS, st.floats(0, 500))
def test_the_task_kept_first_never_loses_by_reinforcement(wanted, keep, available, more):
    wanted[:, HEADQUARTERS] = np.minimum(wanted[:, HEADQUARTERS], 1)
    few, many = man(wanted, PRICES, keep, available), man(wanted, PRICES, keep, available + more)
    first = TASKS.index(keep[0])
    assert (many[:, first] >= few[:, first]).all()


def test_the_last_task_kept_is_given_up_first():
    """Of 300 soldiers: 120 in the headquarters, five teams of 36; then nothing is left for three posts of 6."""
    wanted = np.array([[1, 3, 0, 5, 0, 0]])
    assert man(wanted, PRICES, USUAL, np.array([300.0])).tolist() == [[1, 0, 0, 5, 0, 0]]
    posts_first = ("posts", "headquarters", "teams", "orbits", "patrols", "sensors")
    assert man(wanted, PRICES, posts_first, np.array([300.0])).tolist() == [[1, 3, 0, 4, 0, 0]]


def test_posts_are_manned_whole_or_not_at_all():
    assert man(np.array([[0, 4, 0, 0, 0, 0]]), PRICES, USUAL, np.array([23.9])).tolist() == [
        [0, 3, 0, 0, 0, 0]
    ]


def test_a_headquarters_works_with_whoever_there_is():
    assert man(np.array([[1, 4, 0, 0, 0, 0]]), PRICES, USUAL, np.array([50.0])).tolist() == [
        [1, 0, 0, 0, 0, 0]
    ]
    assert man(np.array([[1, 4, 0, 0, 0, 0]]), PRICES, USUAL, np.array([0.0])).tolist() == [
        [0, 0, 0, 0, 0, 0]
    ]


def test_tenths_of_soldiers_that_add_up_make_a_whole_team():
    """0.1 x 360 soldiers are a team of 36, though floating point says 36.000000000000004 or 35.99999."""
    wanted = np.array([[0, 0, 0, 1, 0, 0]])
    assert man(wanted, PRICES, USUAL, np.array([sum([3.6] * 10)]))[0, TEAMS] == 1


# Shares -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 500), arrays(np.float64, st.integers(1, 8), elements=st.floats(0, 1e6)))
def test_whole_parts_add_up_and_keep_the_quota(count, weights):
    parts = shares_of(count, weights)
    if count == 0 or weights.sum() == 0:
        assert parts.tolist() == [0] * len(weights)
        return
    exact = count * weights / weights.sum()
    assert parts.sum() == count
    assert (np.abs(parts - exact) < 1 + 1e-6).all()


def test_the_largest_remainder_takes_what_is_left_and_ties_go_to_the_first():
    assert shares_of(5, np.array([1.0, 1.0, 1.0])).tolist() == [2, 2, 1]
    assert shares_of(4, np.array([0.6, 0.3, 0.1])).tolist() == [3, 1, 0]


SERVED = st.lists(
    st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)),
    min_size=1,
    max_size=5,
)


@given(SERVED, st.data())
def test_every_soldier_is_given_once_and_only_where_his_nation_serves(served, data):
    effective = np.array(data.draw(st.lists(st.floats(0, 5000), min_size=len(served), max_size=len(served))))
    wanted = data.draw(arrays(np.float64, 4, elements=st.one_of(st.just(0.0), st.floats(0.5, 3000))))
    given_ = share_out(effective, tuple(served), wanted)
    assert (given_ >= 0).all()
    assert np.allclose(given_.sum(axis=1), effective)
    for i, sectors in enumerate(served):
        if sectors is not None:
            assert not given_[i, [x for x in range(4) if x not in sectors]].any()
    floating = sum(effective[i] for i, s in enumerate(served) if s is None)
    fixed = sum((given_[i] for i, s in enumerate(served) if s is not None), np.zeros(4))
    missing = np.maximum(wanted - fixed, 0.0)
    if (
        0 < floating <= missing.sum()
    ):  # too few for all: none goes where nothing is missing, and all lack the same share
        got = given_.sum(axis=0) - fixed
        assert np.allclose(got * missing.sum(), missing * floating, atol=1e-3)
    elif floating > missing.sum():
        assert (given_.sum(axis=0) >= wanted - 1e-6).all()


def test_named_sectors_come_first_and_floating_soldiers_fill_what_is_left():
    given_ = share_out(np.array([100.0, 90.0]), ((0,), None), np.array([80.0, 60.0, 30.0]))
    assert given_.tolist() == [[100.0, 0.0, 0.0], [0.0, 60.0, 30.0]]


# Prices, wishes and the way back ----------------------------------------------------------------------------


def test_the_usual_prices_are_those_of_the_reference():
    assert task_prices(ManningPart()).tolist() == PRICES.tolist()


def test_wishes_by_kilometres_are_rounded_up_and_a_sector_may_wish_otherwise(theatre_of: Stage):
    what = small(
        sectors={"north": {"from": "0 km"}, "south": {"from": "35 km"}},
        posture={
            "everywhere": {
                "posts": {"count": None, "every": "10 km"},
                "patrols": {"rate": None, "every": "8 km"},
            },
            "sectors": {"south": {"teams": {"count": 0}, "posts": {"count": 7}}},
        },
    )
    theatre = theatre_of(what)
    assert wanted_laydown(theatre.scenario, theatre.ground).tolist() == [
        [1, 4, 5, 3, 1, 2],
        [1, 7, 4, 0, 1, 2],
    ]


@given(st.floats(0, 0.9), st.floats(0, 0.9), COUNTS)
def test_troops_to_task_runs_backwards_what_manning_runs_forwards(support, absent, wanted):
    """What the waterfall asks for on station, sent forward through the same shares, mans exactly what was
    wanted.
    """
    from types import SimpleNamespace

    manning = ManningPart(support_share=support, absent_share=absent)
    nation = SimpleNamespace(
        strength=10, effective_share=(1 - support) * (1 - absent), absent_share=absent, pool_ratio=5.0
    )
    steps = {step.label: step for step in troops_to_task(SimpleNamespace(manning=manning), wanted, (nation,))}
    prices = task_prices(manning)
    assert [steps[task].soldiers for task in TASKS] == pytest.approx((wanted.sum(axis=0) * prices).tolist())
    on_station = steps["on station"].soldiers
    assert on_station * (1 - support) * (1 - absent) == pytest.approx(steps["effective"].soldiers)
    running = 0.0
    for step in steps.values():
        running = step.soldiers if step.is_total else running + step.soldiers
        if step.label == "effective":
            assert running == pytest.approx(sum(steps[task].soldiers for task in TASKS))
    assert steps["pool"].soldiers == pytest.approx(5 * on_station)


def test_a_force_of_the_size_that_the_waterfall_asks_for_mans_all_that_is_wanted(theatre_of: Stage):
    theatre = theatre_of(small())
    needed = {
        step.label: step for step in troops_to_task(theatre.scenario, theatre.wanted, theatre.contingents)
    }["on station"].soldiers
    enough, one_fewer = int(np.ceil(needed)), int(np.floor(needed)) - 1
    for strength, is_enough in ((enough, True), (one_fewer, False)):
        force = {"contingents": {"alpha": {"strength": strength, "unit_size": 50000}}}
        manned = simulate(theatre_of(merged(small(), {"force": force})), 1, 0).force.manned[-1]
        assert (manned == theatre.wanted).all() == is_enough


# The rotation pool ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tour", "dwell", "overlap", "ratio"),
    [
        ("6 months", "24 months", "0 h", 5.0),  # the United Kingdom's guideline: one in five
        ("6 months", "18 months", "0 h", 4.0),  # 256,000 for 64,000
        ("12 months", "12 months", "0 h", 2.0),
        ("6 months", "24 months", "1 month", 6.0),
        ("4 months", "0 h", "0 h", 1.0),
    ],
)
def test_the_pool_follows_tour_dwell_and_overlap(theatre_of: Stage, tour, dwell, overlap, ratio):
    """RAND's identity: (tour + dwell) / (tour - overlap) units for one deployed."""
    alpha = {"tour": tour, "dwell": dwell, "overlap": overlap}
    theatre = theatre_of(small(force={"contingents": {"alpha": alpha}}))
    assert theatre.contingents[0].pool_ratio == pytest.approx(ratio)


def test_units_are_whole_but_for_the_last_and_come_at_even_intervals(theatre_of: Stage):
    alpha = {"strength": 700, "unit_size": 200, "arrival": {"first": "1 day", "last": "4 days"}}
    contingent = theatre_of(small(force={"contingents": {"alpha": alpha}})).contingents[0]
    assert contingent.units == (200, 200, 200, 100)
    assert [h / 24 for h in contingent.arrival_h] == pytest.approx([1, 2, 3, 4])
    assert contingent.strength == 700


def test_scale_multiplies_every_contingent(theatre_of: Stage):
    theatre = theatre_of(small(force={"scale": 1.5, "contingents": {"bravo": {"strength": 333}}}))
    assert [c.strength for c in theatre.contingents] == [1200, 500]


# What reaches the laydown -----------------------------------------------------------------------------------


def test_too_few_soldiers_give_up_what_is_kept_last(theatre_of: Stage):
    """345 soldiers give 207 effective: headquarters 120, two teams of 36, two posts of 6, and the two
    sensors.
    """
    what = small(force={"contingents": {"alpha": {"strength": 345, "unit_size": 345}}})
    manned = simulate(theatre_of(what), 1, 0).force.manned[-1, 0]
    assert manned[[HEADQUARTERS, TEAMS, POSTS, ORBITS, PATROLS, SENSORS]].tolist() == [1, 2, 2, 0, 0, 2]


def test_nations_man_teams_in_proportion_to_who_is_there(theatre_of: Stage):
    """Two nations of different rules, two to one: of six team places on three bases, four and two, two at
    each base.
    """
    what = small(
        base_layout={"every": "20 km"},
        posture={"everywhere": {"teams": {"count": 6}}},
        force={"contingents": {"alpha": {"strength": 2000}, "bravo": {"strength": 1000, "armed": False}}},
    )
    theatre = theatre_of(what)
    campaign = Campaign(theatre, 1, 0)
    campaign.run()
    duty = campaign._laydown.station_duty
    assert [int(duty[theatre.station_class == c].sum()) for c in range(2)] == [4, 2]
    assert [int(duty[theatre.station_base == b].sum()) for b in range(3)] == [2, 2, 2]
