"""Keyed chance: O13, known answers of the generator, the normal quantile, and names of streams."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numba
import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.lineclock import draws
from sim.lineclock.streams import check_streams, stream_code

WORD = st.integers(0, 2**32 - 1)

# Random123's published vectors: counter, key, answer.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


# The kernel's parts cannot be called from Python; each is compiled here into a function that can.


@numba.njit
def _philox(c0, c1, c2, c3, k0, k1):
    return draws.philox(c0, c1, c2, c3, k0, k1)


@numba.njit
def _unit_of(word):
    return draws.unit(np.uint32(word))


@numba.njit
def _word_of(u):
    return draws.word(u)


@numba.njit
def _normal_quantile(p):
    return draws.normal_quantile(p)


@numba.njit
def _quantile(law, first, second, u):
    return draws.quantile(law, first, second, u)


@numba.njit
def _poisson_quantile(mean, u, most):
    return draws.poisson_quantile(mean, u, most)


def compiled(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(word) for word in _philox(*(np.uint32(w) for w in (*counter, *key))))


def check_known(generator: Callable[..., tuple[int, ...]]) -> None:
    for counter, key, answer in KNOWN:
        assert generator(counter, key) == answer


@pytest.mark.parametrize("generator", [compiled, oracles.philox])
def test_the_generator_gives_the_published_words(generator):
    check_known(generator)


@pytest.mark.parametrize(
    "broken", [lambda c, k: oracles.philox(c, k, rounds=9), lambda c, k: oracles.philox(c, k[::-1])]
)
def test_the_oracle_can_fail(broken):
    with pytest.raises(AssertionError):
        check_known(broken)


@given(st.tuples(WORD, WORD, WORD, WORD), st.tuples(WORD, WORD))
@settings(deadline=None)
def test_the_generator_agrees_with_whole_number_arithmetic(counter, key):
    assert compiled(counter, key) == oracles.philox(counter, key)


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 20))
@settings(deadline=None)
def test_a_draw_is_keyed_by_seed_replication_stream_thing_and_block(seed, replication, index, block):
    chance = draws.Chance(seed, replication)
    known = oracles.keyed(seed, replication, stream_code("weather of north"), index, block)
    assert tuple(chance.uniforms("weather of north", index + 1, block=block)[index]) == known
    assert tuple(chance.uniforms("weather of north", 1, first=index, block=block)[0]) == known
    if block == 0:
        assert chance.uniform("weather of north", index) == known[0]


def test_uniforms_lie_strictly_between_0_and_1():
    assert _unit_of(0) == 2.0**-33
    assert _unit_of(2**32 - 1) == 1.0 - 2.0**-33


@given(WORD)
@settings(deadline=None)
def test_a_uniform_knows_the_word_that_it_was_made_of(word):
    assert _word_of(_unit_of(word)) == word


@given(st.floats(0.001, 30.0), st.floats(2.0**-33, 1.0 - 2.0**-33))
@settings(deadline=None)
def test_the_poisson_count_agrees_with_its_distribution(mean, u):
    """The count is the first whose chance not to be exceeded reaches u, to the last bits of a sum."""
    count = _poisson_quantile(mean, u, 1000)
    assert oracles.stats.poisson.cdf(count, mean) >= u - 1e-13
    assert count == 0 or oracles.stats.poisson.cdf(count - 1, mean) <= u + 1e-13


def test_the_poisson_count_stops_at_the_most_that_is_allowed():
    assert _poisson_quantile(30.0, 0.5, 7) == 7


@given(st.floats(2.0**-33, 1.0 - 2.0**-33))
@settings(deadline=None)
def test_the_normal_quantile_agrees_with_the_standard_library(p):
    assert math.isclose(_normal_quantile(p), NormalDist().inv_cdf(p), rel_tol=1e-13, abs_tol=1e-15)


@pytest.mark.parametrize("p", [2.0**-33, 1e-9, 0.074999, 0.075001, 0.5, 0.924999, 0.925001, 1.0 - 2.0**-33])
def test_the_normal_quantile_agrees_where_its_pieces_meet(p):
    """AS 241 has three pieces; exp(-25) = 1.4e-11, where the last begins, lies below the smallest uniform."""
    assert math.isclose(_normal_quantile(p), NormalDist().inv_cdf(p), rel_tol=1e-13, abs_tol=1e-15)


@pytest.mark.parametrize(
    ("law", "first", "second", "u", "hours"),
    [
        (draws.LAW_FIXED, 2.0, 0.0, 0.3, 2.0),
        (draws.LAW_EXPONENTIAL, 2.0, 0.0, math.exp(-1.5), 3.0),
        (draws.LAW_LOGNORMAL, math.log(2.0), 0.7, 0.5, 2.0),
        (draws.LAW_UNIFORM, 2.0, 6.0, 0.25, 3.0),
    ],
)
def test_each_law_turns_a_uniform_into_hours(law, first, second, u, hours):
    assert _quantile(float(law), first, second, u) == pytest.approx(hours, rel=1e-14)


def test_the_code_of_a_stream_is_pinned_so_that_old_runs_can_be_repeated():
    assert stream_code("incidents of shelling") == 0x947E79F3


def test_two_streams_with_one_code_are_refused(monkeypatch):
    monkeypatch.setattr("sim.lineclock.streams.stream_code", len)
    with pytest.raises(
        ValueError, match=r'^the names "drone" and "shell" have the same hash; rename one of them$'
    ):
        check_streams(["drone", "raids!", "shell"])


def test_a_name_may_come_twice():
    check_streams(["drone", "drone"])
