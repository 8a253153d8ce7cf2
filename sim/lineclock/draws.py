"""Chance that is keyed by what it decides, never by when it happens.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") turns a
counter and a key into four random words. The key is the root seed; the counter says which replication, which
stream (a word such as "incidents of shelling", hashed), which thing of that stream, and which block of draws.
So an added post or team changes only what it touches, and any replication can be run alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sim.lineclock.compiled import entry, inlined
from sim.lineclock.streams import stream_code

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint32(0x9E3779B9)
_W1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_TO_UNIT = 2.0**-32

DRAWN_TOGETHER = 64
LAW_FIXED, LAW_EXPONENTIAL, LAW_LOGNORMAL, LAW_UNIFORM = 0, 1, 2, 3


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Four random 32-bit words for the counter (c0..c3) and the key (k0, k1); all are uint32."""
    for _ in range(10):
        p0 = np.uint64(c0) * _M0
        p1 = np.uint64(c2) * _M1
        c0, c1, c2, c3 = (
            np.uint32(p1 >> _SHIFT) ^ c1 ^ k0,
            np.uint32(p1 & _LOW),
            np.uint32(p0 >> _SHIFT) ^ c3 ^ k1,
            np.uint32(p0 & _LOW),
        )
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@inlined
def unit(word):
    """A random word as a number strictly between 0 and 1."""
    return (np.float64(word) + 0.5) * _TO_UNIT


@inlined
def four(index, block, stream, replication, k0, k1):
    """Four independent uniforms in (0, 1) for block *block* of thing *index* of a stream."""
    a, b, c, d = philox(
        np.uint32(index),
        np.uint32(block),
        np.uint32(stream),
        np.uint32(replication),
        np.uint32(k0),
        np.uint32(k1),
    )
    return unit(a), unit(b), unit(c), unit(d)


@inlined
def fours(out, first, block, stream, replication, k0, k1):
    """As `four` for things first, first + 1, ... of a stream: out[0..3, lane] for thing first + lane.

    The loop ends where the rows of *out* end for a reason: only so does the compiler see that they do not
    overlap, and does several lanes at once (3 ns a block against 18).
    """
    for lane in range(out.shape[1]):
        out[0, lane], out[1, lane], out[2, lane], out[3, lane] = four(
            first + lane, block, stream, replication, k0, k1
        )


@inlined
def word(u):
    """The random word that `unit` made u of."""
    return np.int64(u / _TO_UNIT)


@inlined
def poisson_quantile(mean, u, most):
    """The count that a share u of Poisson draws does not exceed, by adding up the chances; at most *most*."""
    chance = math.exp(-mean)
    below = chance
    count = 0
    while u > below and count < most:
        count += 1
        chance *= mean / count
        below += chance
    return count


@inlined
def normal_quantile(p):
    """The standard normal value that a share p in (0, 1) lies below (Wichura 1988, AS 241)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = (
            (
                (
                    (
                        ((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                        + 45921.953931549871457
                    )
                    * r
                    + 13731.693765509461125
                )
                * r
                + 1971.5909503065514427
            )
            * r
            + 133.14166789178437745
        ) * r + 3.387132872796366608
        low = (
            (
                (
                    (
                        ((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                        + 21213.794301586595867
                    )
                    * r
                    + 5394.1960214247511077
                )
                * r
                + 687.1870074920579083
            )
            * r
            + 42.313330701600911252
        ) * r + 1.0
        return q * top / low
    r = math.sqrt(-math.log(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = (
            (
                (
                    (
                        (
                            (7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r
                            + 0.24178072517745061177
                        )
                        * r
                        + 1.27045825245236838258
                    )
                    * r
                    + 3.64784832476320460504
                )
                * r
                + 5.7694972214606914055
            )
            * r
            + 4.6303378461565452959
        ) * r + 1.42343711074968357734
        low = (
            (
                (
                    (
                        (
                            (1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r
                            + 0.0151986665636164571966
                        )
                        * r
                        + 0.14810397642748007459
                    )
                    * r
                    + 0.68976733498510000455
                )
                * r
                + 1.6763848301838038494
            )
            * r
            + 2.05319162663775882187
        ) * r + 1.0
    else:
        r -= 5.0
        top = (
            (
                (
                    (
                        (
                            (2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
                            + 0.0012426609473880784386
                        )
                        * r
                        + 0.026532189526576123093
                    )
                    * r
                    + 0.29656057182850489123
                )
                * r
                + 1.7848265399172913358
            )
            * r
            + 5.4637849111641143699
        ) * r + 6.6579046435011037772
        low = (
            (
                (
                    (
                        (
                            (2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r
                            + 1.8463183175100546818e-5
                        )
                        * r
                        + 7.868691311456132591e-4
                    )
                    * r
                    + 0.0148753612908506148525
                )
                * r
                + 0.13692988092273580531
            )
            * r
            + 0.59983220655588793769
        ) * r + 1.0
    return -top / low if q < 0.0 else top / low


@inlined
def quantile(law, first, second, u):
    """The duration [h] that a share u of a law's draws lies below.

    law, first, second: fixed (value, -), exponential (mean, -), lognormal (log of median, sigma), uniform
    (low, high).
    """
    if law == LAW_FIXED:
        return first
    if law == LAW_EXPONENTIAL:
        return -first * math.log(u)
    if law == LAW_LOGNORMAL:
        return math.exp(first + second * normal_quantile(u))
    return first + (second - first) * u


def _uniforms(out, first, block, stream, replication, k0, k1):
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = four(first + i, block, stream, replication, k0, k1)


_fill_uniforms = entry(_uniforms)


def key_words(seed: int) -> tuple[int, int]:
    """The root seed as the two words of the generator's key; raises ValueError for a seed out of range."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be from 0 to 2**64 - 1, got {seed}")
    return seed & 0xFFFFFFFF, seed >> 32


class Chance:
    """Keyed uniforms for the campaign clock of one replication."""

    def __init__(self, seed: int, replication: int) -> None:
        self._k0, self._k1 = key_words(seed)
        self._replication = replication

    def uniforms(
        self, stream: str, count: int, *, first: int = 0, block: int = 0
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """uniforms[i, 0..3] in (0, 1) for things first, first + 1, ... of a stream."""
        out = np.empty((count, 4))
        _fill_uniforms(out, first, block, stream_code(stream), self._replication, self._k0, self._k1)
        return out

    def uniform(self, stream: str, index: int = 0) -> float:
        """One uniform in (0, 1) for thing *index* of a stream."""
        return float(self.uniforms(stream, 1, first=index)[0, 0])

    def stream(self, name: str) -> Iterator[tuple[float, float]]:
        """The first two uniforms for things 0, 1, ... of a stream, without end."""
        first = 0
        while True:
            for u, v, _, _ in self.uniforms(name, DRAWN_TOGETHER, first=first).tolist():
                yield u, v
            first += DRAWN_TOGETHER
