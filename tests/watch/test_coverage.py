"""O6, O7 and the arithmetic of coverage: passes against textbook forms, plain Monte Carlo and the line clock;
standing watch by painting.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numba
import numpy as np
import oracles
import pytest
from conftest import Stage, small
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.force.manning import ORBITS, PATROLS, POSTS, SENSORS
from sim.lineclock import sighting
from sim.scenario.chance import Exponential, Fixed, Lognormal, Uniform
from sim.watch.coverage import (
    POINTS,
    duration_quantiles,
    lognormal_law,
    longest_unwatched_km,
    looks,
    mean_h,
    median_gap_h,
    miss_by_passes,
    seen_share,
    watched_cells,
)  # fmt: skip
from sim.watch.layers import orbit_duty, overlap_share

PATTERNS = ("regular", "random", "back_and_forth")
_next_pass_h = sighting.next_pass_h
GAPS = st.floats(0.05, 50.0)
SPLITS = st.floats(0.01, 0.99)
DETECTIONS = st.floats(0.05, 1.0)
LASTS = st.floats(0.01, 100.0)


@numba.njit
def next_pass_h(pattern, gap_h, split, detection, u_phase, u_miss):
    """The line clock's function, entered from Python: inside the kernel it has no entry of its own."""
    return _next_pass_h(pattern, gap_h, split, detection, u_phase, u_miss)


def miss(pattern: str, gap_h: float, split: float, detection: float, lasts_h: Any) -> Any:
    return miss_by_passes(pattern, np.array(gap_h), np.array(split), detection, np.asarray(lasts_h))


def seen_if_exponential(
    pattern: str, gap_h: float, split: float, detection: float, mean_lasts_h: float
) -> float:
    """Average over the very durations that coverage averages over."""
    lasts = duration_quantiles(
        Exponential(kind="exponential", mean=f"{mean_lasts_h} h"), (np.arange(POINTS) + 0.5) / POINTS
    )
    return float(1.0 - miss(pattern, gap_h, split, detection, lasts).mean())


# Textbook forms ---------------------------------------------------------------------------------------------


@given(GAPS, st.floats(0.05, 50.0))
def test_regular_passes_see_what_szechtman_says(gap_h, mean_h):
    """Persistence exponential; 256 durations stand for the law to 1 / 512 at worst."""
    here = seen_if_exponential("regular", gap_h, 0.0, 1.0, mean_h)
    assert here == pytest.approx(oracles.seen_by_regular_passes(gap_h, mean_h), abs=2e-3)


@given(GAPS, DETECTIONS, st.floats(0.05, 50.0))
def test_random_passes_see_what_koopman_says(gap_h, detection, mean_h):
    here = seen_if_exponential("random", gap_h, 0.0, detection, mean_h)
    assert here == pytest.approx(oracles.seen_by_random_search(gap_h, mean_h, detection), abs=2e-3)


@given(GAPS, SPLITS, st.floats(0.05, 50.0))
def test_a_beat_walked_up_and_down_sees_what_its_two_gaps_say(gap_h, split, mean_h):
    here = seen_if_exponential("back_and_forth", gap_h, split, 1.0, mean_h)
    assert here == pytest.approx(oracles.seen_on_a_beat(gap_h, split, mean_h), abs=2e-3)


def test_one_textbook_form_is_not_another():
    """The broken twins: each pattern held to the form of another, and a place on a beat to its middle."""
    forms = {
        "regular": oracles.seen_by_regular_passes(2.0, 1.5),
        "random": oracles.seen_by_random_search(2.0, 1.5, 1.0),
        "back_and_forth": oracles.seen_on_a_beat(2.0, 0.3, 1.5),
    }
    for pattern in PATTERNS:
        here = seen_if_exponential(pattern, 2.0, 0.3, 1.0, 1.5)
        assert [name for name, form in forms.items() if here == pytest.approx(form, abs=2e-3)] == [pattern]
    assert forms["back_and_forth"] != pytest.approx(oracles.seen_on_a_beat(2.0, 0.5, 1.5), abs=2e-3)


@given(GAPS, DETECTIONS, LASTS)
def test_the_middle_of_a_beat_is_passed_regularly(gap_h, detection, lasts_h):
    assert miss("back_and_forth", gap_h, 0.5, detection, lasts_h) == pytest.approx(
        miss("regular", gap_h, 0.0, detection, lasts_h), abs=1e-9
    )


@given(GAPS, DETECTIONS, LASTS)
def test_random_search_is_the_floor(gap_h, detection, lasts_h):
    """Koopman's is the worst of the three at one mean gap, whatever the place on the beat up to its very end."""
    assert (
        miss("regular", gap_h, 0.0, detection, lasts_h)
        <= miss("random", gap_h, 0.0, detection, lasts_h) + 1e-12
    )


@given(st.sampled_from(PATTERNS), GAPS, SPLITS, DETECTIONS, LASTS, st.floats(1.0, 3.0))
def test_what_lasts_longer_or_is_passed_more_often_is_missed_less(
    pattern, gap_h, split, detection, lasts_h, factor
):
    here = miss(pattern, gap_h, split, detection, lasts_h)
    assert 0.0 <= here <= 1.0
    assert miss(pattern, gap_h, split, detection, lasts_h * factor) <= here + 1e-9
    assert miss(pattern, gap_h, split, detection / factor, lasts_h) >= here - 1e-9
    assert miss(pattern, gap_h * factor, split, detection, lasts_h * factor) == pytest.approx(here, abs=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_never_passed_is_always_missed(pattern):
    assert miss(pattern, math.inf, 0.3, 0.8, [0.0, 1.0, 1e6]).tolist() == [1.0, 1.0, 1.0]


# Plain Monte Carlo, and the line clock ----------------------------------------------------------------------


def missed_share(
    pattern: str, gap_h: float, split: float, detection: float, lasts_h: float, trials: int
) -> float:
    """An incident begins at a random moment; watch the passes one by one until it ends."""
    chance = random.Random(20260101)
    missed = 0
    for _ in range(trials):
        if pattern == "random":
            gaps, at_h = [0.0, 0.0], chance.expovariate(1 / gap_h)
        elif pattern == "regular":
            gaps, at_h = [gap_h, gap_h], chance.random() * gap_h
        else:
            gaps = [2 * split * gap_h, 2 * (1 - split) * gap_h]
            phase = chance.random() * 2 * gap_h
            at_h = gaps[0] - phase
            if phase >= gaps[0]:
                at_h, gaps = 2 * gap_h - phase, gaps[::-1]
        turn = 1
        while at_h < lasts_h and chance.random() >= detection:
            at_h += chance.expovariate(1 / gap_h) if pattern == "random" else gaps[turn]
            turn = 1 - turn
        missed += at_h >= lasts_h
    return missed / trials


CASES = [
    (pattern, gap_h, split, detection, lasts_h)
    for pattern in PATTERNS
    for gap_h, split, detection, lasts_h in [
        (2.0, 0.2, 0.7, 1.5),
        (1.0, 0.9, 0.4, 4.3),
        (3.0, 0.35, 1.0, 2.0),
        (0.5, 0.5, 0.9, 0.3),
    ]
]


@pytest.mark.parametrize(("pattern", "gap_h", "split", "detection", "lasts_h"), CASES)
def test_passes_are_missed_as_often_as_in_plain_monte_carlo(pattern, gap_h, split, detection, lasts_h):
    """20,000 trials, 5 standard errors (6e-7): a bias of 0.018 is a coin toss, 0.036 is caught."""
    truth = float(miss(pattern, gap_h, split, detection, lasts_h))
    here = missed_share(pattern, gap_h, split, detection, lasts_h, 20_000)
    assert abs(here - truth) <= 5 * math.sqrt(truth * (1 - truth) / 20_000) + 1e-12


@pytest.mark.parametrize("pattern", PATTERNS)
def test_monte_carlo_can_fail(pattern):
    """The broken twin takes the mean gap for the whole cycle."""
    truth = float(miss(pattern, 4.0, 0.2, 0.7, 1.5))
    here = missed_share(pattern, 2.0, 0.2, 0.7, 1.5, 20_000)
    assert abs(here - truth) > 5 * math.sqrt(truth * (1 - truth) / 20_000)


@pytest.mark.parametrize(("pattern", "gap_h", "split", "detection", "lasts_h"), CASES)
def test_the_line_clock_passes_as_the_closed_form_says(pattern, gap_h, split, detection, lasts_h):
    """No chance at all: the unit square of the two uniforms in 300 x 300 tiles; only tiles on the border can
    be off.
    """
    middles = (np.arange(300) + 0.5) / 300
    code = PATTERNS.index(pattern)
    missed = (
        sum(next_pass_h(code, gap_h, split, detection, u, v) >= lasts_h for u in middles for v in middles)
        / 300**2
    )
    assert missed == pytest.approx(float(miss(pattern, gap_h, split, detection, lasts_h)), abs=0.02)


@given(st.sampled_from([0, 1, 2]), SPLITS, st.floats(1e-9, 1 - 1e-9), st.floats(1e-9, 1 - 1e-9))
@settings(deadline=None)
def test_no_pass_ever_notices_what_it_cannot_see(pattern, split, u_phase, u_miss):
    assert next_pass_h(pattern, 2.0, split, 0.0, u_phase, u_miss) == math.inf
    assert next_pass_h(pattern, math.inf, split, 0.9, u_phase, u_miss) == math.inf


# Durations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "mean"),
    [
        (Fixed.model_validate({"value": "2 h"}), 2.0),
        (Exponential.model_validate({"kind": "exponential", "mean": "2 h"}), 2.0),
        (Uniform.model_validate({"kind": "uniform", "low": "1 h", "high": "4 h"}), 2.5),
        (Lognormal.model_validate({"kind": "lognormal", "median": "2 h", "p90": "5 h"}), None),
    ],
)
def test_quantiles_have_the_mean_of_their_law(law, mean):
    share = (np.arange(200_000) + 0.5) / 200_000
    if mean is None:
        assert duration_quantiles(law, np.array([0.5, 0.9])) == pytest.approx([2.0, 5.0])
        mean = 2.0 * math.exp(lognormal_law(law)[1] ** 2 / 2)
    assert mean_h(law) == pytest.approx(mean)
    assert duration_quantiles(law, share).mean() == pytest.approx(mean, rel=1e-4)


# Standing watch and what is manned --------------------------------------------------------------------------


@given(
    st.lists(st.floats(0.0, 12.0), min_size=1, max_size=5),
    st.floats(0.1, 6.0),
    st.lists(st.floats(0.2, 3.0), min_size=1, max_size=6),
)
def test_overlap_agrees_with_painting_tiles(sites_km, reach_km, lengths_km):
    edge_km = np.concatenate([[0.0], np.cumsum(lengths_km)])
    share = overlap_share(np.array(sites_km), reach_km, edge_km)
    for s, site in enumerate(sites_km):
        for c, length in enumerate(lengths_km):
            tiles = edge_km[c] + (np.arange(2000) + 0.5) / 2000 * length
            assert share[s, c] == pytest.approx(np.mean(np.abs(tiles - site) < reach_km), abs=2e-3)


def test_posts_and_sensors_miss_independently(theatre_of: Stage):
    """Two posts and one sensor on 12 km, by hand: by day posts at 3 and 9 km reach 4 km with 0.9, the sensor
    at 6 km reaches 2 km with 0.5 x 0.8.
    """
    watch = {
        "posts": {"reach": "4 km", "detection": 0.9, "night_factor": 0.5, "poor_factor": 0.25},
        "sensors": {
            "reach": "2 km",
            "detection": 0.5,
            "night_factor": 1.0,
            "poor_factor": 0.5,
            "availability": 0.8,
        },
    }
    posture = {
        "everywhere": {"posts": {"count": 2}, "sensors": {"count": 1}, "patrols": None, "orbits": None}
    }
    theatre = theatre_of(small(line={"length": "12 km"}, watch=watch, posture=posture))
    stand = theatre.watchers.watch(theatre.wanted).stand_p[0]
    day = [0.9] * 4 + [1 - 0.1 * 0.6] + [1 - 0.1 * 0.1 * 0.6] * 2 + [1 - 0.1 * 0.6] + [0.9] * 4
    assert stand[0] == pytest.approx(day)
    assert stand[3] == pytest.approx(
        [0, 0, 0.45, 0.45, 0, 0.4, 0.4, 0, 0.45, 0.45, 0, 0]
    )  # reach 0.5 km and 1 km


def test_passes_come_as_often_as_their_kilometres_allow(theatre_of: Stage):
    """6 patrols a day of 60 km on 60 km of line: six passes a day; two orbits at 100 km/h: each covers half,
    up and down.
    """
    what = small(
        posture={"everywhere": {"orbits": {"count": 2}}},
        watch={"patrols": {"hours": "always"}, "orbits": {"speed": "100 km/h"}},
    )
    theatre = theatre_of(what)
    watch = theatre.watchers.watch(theatre.wanted)
    assert watch.pass_gap_h[0] == pytest.approx(np.full((2, 60), 4.0))
    assert watch.pass_gap_h[1] == pytest.approx(np.full((2, 60), 0.3))
    assert watch.pass_split[1][[0, 15, 29, 30, 45]] == pytest.approx(
        [0.5 / 30, 15.5 / 30, 29.5 / 30, 0.5 / 30, 15.5 / 30]
    )
    none = theatre.watchers.watch(np.zeros_like(theatre.wanted))
    assert np.isinf(none.pass_gap_h).all()
    assert not none.stand_p.any()


def test_patrols_of_the_day_are_nowhere_at_night(theatre_of: Stage):
    theatre = theatre_of(small())
    gap = theatre.watchers.watch(theatre.wanted).pass_gap_h[0]
    assert np.isinf(gap[1]).all()
    assert 4.0 * 0.5 < gap[0].max() < 4.0 * 0.54  # all six in the hours of light, a little over half the year


@given(st.integers(1, 60), st.data())
@settings(deadline=None, max_examples=40)
def test_manned_sites_are_an_even_choice_of_the_wanted_ones(theatre_of: Stage, wanted, data):
    theatre = theatre_of(small(posture={"everywhere": {"posts": {"count": wanted}}}))
    manned = data.draw(st.integers(1, wanted))
    all_km = theatre.watchers.sites_km(POSTS, 0, wanted)
    sites_km = theatre.watchers.sites_km(POSTS, 0, manned)
    assert all_km == pytest.approx((np.arange(wanted) + 0.5) * 60 / wanted)
    assert len(np.unique(sites_km)) == manned
    assert np.isin(sites_km, all_km).all()
    assert np.diff(sites_km).max(initial=0.0) <= 60 / wanted * math.ceil(wanted / manned) + 1e-9


def test_an_orbit_is_held_by_enough_airframes():
    """6 h flights of which 1 h is transit, 4 h on the ground: each airframe holds half of the time."""
    held = orbit_duty(6.0, 1.0, 4.0, np.array([0, 1, 2, 3, 3]), np.array([1, 1, 1, 1, 2]))
    assert held.tolist() == [0.0, 0.5, 1.0, 1.0, 0.75]


def test_more_watch_never_sees_less(theatre_of: Stage):
    theatre = theatre_of(
        small(posture={"everywhere": {task: {"count": 12} for task in ("posts", "sensors", "orbits")}})
    )
    few = theatre.wanted.copy()
    for task in (POSTS, PATROLS, SENSORS, ORBITS):
        more, fewer = theatre.watchers.watch(theatre.wanted), few.copy()
        fewer[0, task] //= 3
        less = theatre.watchers.watch(fewer)
        assert less.stand_p.sum() <= more.stand_p.sum() + 1e-12
        assert (less.pass_gap_h >= more.pass_gap_h).all()


def test_a_cell_is_watched_by_a_post_or_by_frequent_passes(theatre_of: Stage):
    """One post in the middle with 4 km reach by day and 2 by night; passes every 4.4 h of light count as
    watched from 5 h, not from 4.
    """
    what = {
        "everywhere": {
            "posts": {"count": 1},
            "patrols": {"rate": "3 per day"},
            "orbits": None,
            "sensors": None,
        }
    }
    rarely, often = (theatre_of(small(posture=what, watch={"watched_gap": gap})) for gap in ("4 h", "5 h"))
    seen = watched_cells(rarely.scenario, rarely.ground, rarely.watchers.watch(rarely.wanted))
    assert seen.watched.sum(axis=1).tolist() == pytest.approx([8, 4, 4, 2])  # clear, poor; by day, by night
    assert longest_unwatched_km(rarely.ground, seen.watched[0]) == pytest.approx(26.0)
    assert longest_unwatched_km(rarely.ground, np.zeros(60)) == pytest.approx(60.0)
    assert longest_unwatched_km(rarely.ground, np.ones(60)) == 0.0
    length = rarely.ground.cells.length_km
    by_day, by_night = (looks(seen, np.eye(4)[w], length) for w in (0, 2))
    assert by_day[0][by_day[1] > 0].min() == 0.0
    assert median_gap_h(*by_day) == pytest.approx(seen.gap_h[0, 0])
    assert median_gap_h(*by_night) == math.inf
    assert sum(by_day[1]) == pytest.approx(60.0)
    assert watched_cells(often.scenario, often.ground, often.watchers.watch(often.wanted)).watched[0].all()


# What its target reports ------------------------------------------------------------------------------------


def test_what_is_directed_at_the_mission_is_known_at_once(theatre_of: Stage) -> None:
    """However short and however far from any post; as in the line clock, where deterrence asks the same."""
    hidden = {"seen_by": {"posts": {"reach": "1 km"}}, "duration": "1 min", "rate": "1 per day"}
    theatre = theatre_of(small(violations={"shelling": hidden, "ambush": {**hidden, "against_force": True}}))
    watch = theatre.watchers.watch(theatre.wanted)
    shelling, _drone, ambush = seen_share(theatre.scenario, theatre.ground, watch, theatre.weight)
    assert (ambush == 1.0).all()
    assert shelling.min() < 0.5, "or the test could not fail"
