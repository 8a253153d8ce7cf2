"""Closed forms and slow, obvious twins that the simulator is held to, each with its derivation.

Nothing here imports the code that it judges. Statistical agreement is decided at one false alarm in a million for each comparison, and every such
test names the smallest bias that it is sure to catch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

Floats = NDArray[np.float64]

FALSE_ALARM = 1e-6

# Agreement --------------------------------------------------------------------------------------------------


def agrees(means: Sequence[float] | Floats, truth: float, *, catches: float) -> None:
    """Assert that the means of independent replications scatter about *truth*.

    Student's t over the n replications: |mean - truth| <= t(n - 1, 1 - 5e-7) x standard error, so a true model is refused once in a
    million times. A bias of twice that margin is caught all but surely; it must not exceed *catches*, or the test is too weak to stand.
    """
    values = np.asarray(means, dtype=float)
    margin = stats.t.isf(FALSE_ALARM / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    assert 2 * margin <= catches, f"too weak: only a bias of {2 * margin:.3g} is caught, wanted {catches:.3g}"
    assert abs(values.mean() - truth) <= margin, f"{values.mean():.5g} is not {truth:.5g} +- {margin:.2g}"


def share_agrees(hits: int, trials: int, truth: float) -> None:
    """Assert that *hits* of independent *trials* fit a chance of *truth*, by the exact binomial."""
    low, high = stats.binom.interval(1 - FALSE_ALARM, trials, truth)
    assert low <= hits <= high, (
        f"{hits} of {trials} ({hits / max(trials, 1):.4f}) do not fit a chance of {truth:.4f}"
    )


def count_agrees(count: int, mean: float) -> None:
    """Assert that a count fits a Poisson mean (one false alarm in a million)."""
    low, high = stats.poisson.interval(1 - FALSE_ALARM, mean)
    assert low <= count <= high, f"{count} does not fit a Poisson mean of {mean:.1f}: [{low:.0f}, {high:.0f}]"


def never_lower(differences: Sequence[float] | Floats, *, catches: float) -> None:
    """Assert that what is expected does not fall: *differences* (more - less) of independent replications, one-sided.

    Student's t: mean >= -t(n - 1, 1 - 1e-6) x standard error. A fall of twice that margin is caught all but surely; it must not exceed
    *catches*. Pairs under common random numbers make the standard error small, independent ones do not.
    """
    values = np.asarray(differences, dtype=float)
    margin = stats.t.isf(FALSE_ALARM, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    assert 2 * margin <= catches, f"too weak: only a fall of {2 * margin:.3g} is caught, wanted {catches:.3g}"
    assert values.mean() >= -margin, f"is lower: {values.mean():.4g} is below -{margin:.2g}"


# O13: keyed chance ------------------------------------------------------------------------------------------

MASK = 0xFFFFFFFF


def philox(counter: Sequence[int], key: Sequence[int], rounds: int = 10) -> tuple[int, int, int, int]:
    """Philox4x32 in whole numbers (Salmon et al.

    2011, section 3.3): multiply, split into high and low, mix, bump the key.
    """
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(rounds):
        high0, low0 = divmod(a * 0xD2511F53, 1 << 32)
        high1, low1 = divmod(c * 0xCD9E8D57, 1 << 32)
        a, b, c, d = high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return a, b, c, d


def keyed(seed: int, replication: int, stream: int, index: int, block: int) -> tuple[float, ...]:
    """Four uniforms for what they decide: block *block* of thing *index* of a stream."""
    words = philox((index & MASK, block, stream, replication), (seed & MASK, seed >> 32))
    return tuple((word + 0.5) / 2**32 for word in words)


# O1: M/M/c --------------------------------------------------------------------------------------------------


def erlang_b(servers: int, load: float) -> float:
    """Share of arrivals lost by c servers without a queue: (a^c / c!) / sum of a^i / i!, by the stable
    recursion in c.
    """
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Share of arrivals that must wait with an endless queue, load = arrival rate x mean service < servers."""
    lost = erlang_b(servers, load)
    return servers * lost / (servers - load * (1.0 - lost))


def mean_wait(servers: int, load: float, service_h: float) -> float:
    """Mean wait of all arrivals, those that do not wait included: C x service / (c - a)."""
    return erlang_c(servers, load) * service_h / (servers - load)


# O3: M/G/1 with non-preemptive priority ---------------------------------------------------------------------


def priority_waits(rates: Sequence[float], means: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """Mean wait of each class, gravest first (Cobham 1954): W0 / ((1 - s_above)(1 - s_above - own)), W0 = sum
    of rate x E[S^2] / 2.
    """
    rest = sum(rate * second for rate, second in zip(rates, seconds, strict=True)) / 2
    waits, above = [], 0.0
    for rate, mean in zip(rates, means, strict=True):
        upto = above + rate * mean
        waits.append(rest / ((1.0 - above) * (1.0 - upto)))
        above = upto
    return waits


# O2: the hypercube ------------------------------------------------------------------------------------------


class Hypercube:
    """Larson's hypercube queueing model (1974): n distinct servers, nearest first, exponential service of one mean.

    States are the 2^n sets of busy servers. From a state, an arrival in atom j busies its first free server; each busy server frees
    itself at rate 1 / service. Without a queue an arrival to a full house is lost. With an endless one, the states of k waiting hang on the
    full house like M/M/n: P(k waiting) = P(full) r^k with r = arrivals x service / n; a freed server takes the oldest, and by
    symmetry each of the n is as likely to free itself first, whatever the atom that waits.
    """

    def __init__(self, rates: Floats, order: NDArray[np.int64], service_h: float, *, queues: bool) -> None:
        """rates[j]: arrivals per hour in atom j; order[j, :]: servers from the first choice to the last."""
        atoms, servers = order.shape
        full = (1 << servers) - 1
        total = rates.sum()
        ratio = total * service_h / servers
        self.first = np.zeros(
            (servers, full + 1)
        )  # first[n, B]: rate of arrivals that go to n while B are busy
        for j in range(atoms):
            for busy in range(full):
                server = next(s for s in order[j] if not busy >> s & 1)
                self.first[server, busy] += rates[j]
        flow = sparse.lil_matrix((full + 1, full + 1))
        for busy in range(full + 1):
            for s in range(servers):
                if busy >> s & 1:
                    flow[busy ^ (1 << s), busy] += 1 / service_h
                    flow[busy, busy] -= 1 / service_h
                else:
                    flow[busy | (1 << s), busy] += self.first[s, busy]
                    flow[busy, busy] -= self.first[s, busy]
        flow[full, :] = 1.0
        if queues:  # the states with a queue carry P(full) x (r + r^2 + ...)
            flow[full, full] = 1.0 / (1.0 - ratio)
        right = np.zeros(full + 1)
        right[full] = 1.0
        p = spsolve(flow.tocsr(), right)
        tail = p[full] * ratio / (1.0 - ratio) if queues else 0.0
        has = np.array([[busy >> s & 1 for busy in range(full + 1)] for s in range(servers)])
        self.busy = has @ p + tail  # utilisation of each server
        self.full = float(p[full] + tail)  # an arrival finds everybody out
        self.share = np.zeros((servers, atoms))  # share[n, j] of the arrivals that are served go from n to j
        for j in range(atoms):
            for b in range(full):
                server = next(s for s in order[j] if not b >> s & 1)
                self.share[server, j] += rates[j] / total * p[b]
            if queues:
                self.share[:, j] += rates[j] / total * self.full / servers
        self.share /= self.share.sum()


# O6 and O7: passing watch -----------------------------------------------------------------------------------


def seen_by_regular_passes(gap_h: float, mean_lasts_h: float) -> float:
    """Share noticed by passes every T that miss nothing (Szechtman et al. 2008).

    The next pass is uniform on [0, T), persistence is exponential with rate mu: the mean of e^(-mu u) over [0, T) is (1 - e^(-mu T)) / (mu T).
    """
    x = gap_h / mean_lasts_h
    return -math.expm1(-x) / x


def seen_on_a_beat(gap_h: float, place: float, mean_lasts_h: float) -> float:
    """The same at place x of a beat walked up and down: gaps a = 2 x T and b = 2 (1 - x) T take turns.

    An incident falls into gap a with chance a / (a + b), and is noticed at its end with (1 - e^(-mu a)) / (mu a).
    """
    seen = 0.0
    for gap in (2 * place * gap_h, 2 * (1 - place) * gap_h):
        seen += gap / (2 * gap_h) * seen_by_regular_passes(gap, mean_lasts_h)
    return seen


def seen_by_random_search(gap_h: float, mean_lasts_h: float, detection: float) -> float:
    """Koopman's random search (1946): a pass that notices comes at rate d / T, the end at rate mu, and the first of the two decides."""
    rate = detection / gap_h
    return rate / (rate + 1 / mean_lasts_h)


# O4: a truce that wears out ---------------------------------------------------------------------------------


def truce_steps(
    start: float, doubling_h: float, ceiling: float, drops: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """(since when, multiplier then) of each stretch over which a truce grows undisturbed.

    *drops* are recommitments (at, drop) in order of time: each multiplies what the truce has grown to by 1 - drop.
    """
    steps = [(0.0, start)]
    for at_h, drop in drops:
        since_h, began = steps[-1]
        steps.append((at_h, min(ceiling, began * 2.0 ** ((at_h - since_h) / doubling_h)) * (1.0 - drop)))
    return steps


def truce_hours(
    at_h: Floats, doubling_h: float, ceiling: float, steps: Sequence[tuple[float, float]]
) -> Floats:
    """The truce's multiplier, added up from 0 to each time [h].

    Over a stretch that begins at u with m the integral of min(C, m 2^(s / doubling)) to s is m d (2^(s / doubling) - 1) / ln 2 up to
    the time s* = doubling x log2(C / m) at which the ceiling is reached, and C (s - s*) more from there.
    """
    total = np.zeros_like(at_h, dtype=float)
    ends = [since_h for since_h, _ in steps[1:]] + [math.inf]
    for (since_h, began), end_h in zip(steps, ends, strict=True):
        lived = np.clip(np.minimum(at_h, end_h) - since_h, 0.0, None)
        to_ceiling = doubling_h * math.log2(ceiling / began)
        grows, stays = np.minimum(lived, to_ceiling), np.maximum(lived - to_ceiling, 0.0)
        total += (
            began * doubling_h * np.expm1(grows * math.log(2.0) / doubling_h) / math.log(2.0)
            + ceiling * stays
        )
    return total


# O5: reprisals as a branching process -----------------------------------------------------------------------


def spectral_radius_of_two(m: Floats) -> float:
    """The larger root of x^2 - (a + d) x + (a d - b c) for a mean matrix of two types, by hand."""
    (a, b), (c, d) = m
    return float((a + d + math.sqrt((a - d) ** 2 + 4 * b * c)) / 2)


def hawkes_rates(rates: Floats, m: Floats) -> Floats:
    """Stationary rates of all incidents of each type: m[k, j] of type j follow one of type k (Hawkes 1971).

    A type's rate is its own background and what every type provokes of it: r_j = mu_j + sum over k of m[k, j] r_k, so r = (I - M')^-1 mu.
    For one type: mu / (1 - n).
    """
    return np.linalg.solve(np.eye(len(rates)) - m.T, rates)


def cluster_moments(n: float) -> tuple[float, float]:
    """Mean and variance of the size Z of a cluster whose members have Poisson(n) children each, n < 1.

    Z = 1 + Z_1 + ... + Z_N with N Poisson(n) and the Z_i like Z: E Z = 1 + n E Z, so E Z = 1 / (1 - n). By the law of total variance
    Var Z = n Var Z + n (E Z)^2 (the second is Var N x (E Z)^2), so Var Z = n / (1 - n)^3.
    """
    return 1.0 / (1.0 - n), n / (1.0 - n) ** 3


def borel(n: float, size: int) -> float:
    """Chance that such a cluster has *size* members: e^(-n s) (n s)^(s - 1) / s! (Borel 1942)."""
    return math.exp(-n * size + (size - 1) * math.log(n * size) - math.lgamma(size + 1))


def folded_laplace(at_km: Floats, middle_km: Floats, spread_km: float, length_km: float) -> Floats:
    """Share of a Laplace law about *middle_km* that lies in [0, at_km] once it is folded back at both ends of [0, length_km].

    A point x of the line is reached from all its mirror images 2 j L + x and 2 j L - x, so the share is the sum over j of
    F(2 j L + x) - F(2 j L - x); at twenty spreads from the middle nothing is left.
    """
    mirrors = math.ceil(20 * spread_km / length_km) + 1
    share = np.zeros_like(at_km, dtype=float)
    for j in range(-mirrors, mirrors + 1):
        at = 2 * j * length_km
        share += stats.laplace.cdf(at + at_km, middle_km, spread_km) - stats.laplace.cdf(
            at - at_km, middle_km, spread_km
        )
    return share


# O8: escalation ---------------------------------------------------------------------------------------------


def occupancy(embedded: Floats, stays_h: Sequence[float]) -> Floats:
    """Share of the time that a semi-Markov process spends in each state: p_i m_i / sum of p_j m_j.

    embedded[i, j]: chance that state i is followed by j; p, the stationary law of the visits, solves p = p embedded; m are mean stays.
    """
    states = len(embedded)
    equations = np.vstack([embedded.T - np.eye(states), np.ones(states)])
    visits = np.linalg.lstsq(equations, np.append(np.zeros(states), 1.0), rcond=None)[0]
    weights = visits * np.asarray(stays_h)
    return weights / weights.sum()


def sooner(one: Any, other: Any, longest_h: float) -> tuple[float, float]:
    """Of two independent times with frozen laws of scipy: chance that *one* is the sooner, and mean of the sooner.

    P = integral of f_one x (1 - F_other); mean = integral of (1 - F_one)(1 - F_other); by the trapezoid on 200,000 steps.
    """
    at_h = np.linspace(0.0, longest_h, 200_001)
    chance = np.trapezoid(other.sf(at_h), one.cdf(at_h))
    return float(chance), float(np.trapezoid(one.sf(at_h) * other.sf(at_h), at_h))


def shot_noise_survival(
    *, rate_per_h: float, jump: float, half_life_h: float, threshold: float, horizon_h: float, pieces: int
) -> tuple[Floats, Floats]:
    """(times, chance that decaying tension has not reached its threshold by then), from tension 0.

    Jumps come at a constant rate r; between them tension falls as x e^(-b t), b = ln 2 / half-life. Let S(x, t) be the chance to stay
    below the threshold B for a time t from x. Looking at the first moment h: either nothing comes, or a jump at u <= h, so
    S(x, t) = e^(-r h) S(x e^(-b h), t - h) + integral over u in [0, h] of r e^(-r u) S(x e^(-b u) + jump, t - u) du, with S = 0 from B on.
    On a grid x_i = B e^(-i b h) falling for a step of h leads from one point of the grid to the next, exactly. The integral is taken by the
    trapezoid, in two rounds, because its near end needs S of the new time. It leaps where x + jump = B: the step h is such that B - jump
    is the point number *pieces*, which counts as safe to who sets out from it and as lost to who arrives. The last point stands for no
    tension, from which nothing falls. The error falls with the square of h.
    """
    decay = math.log(2.0) / half_life_h
    h = math.log(threshold / (threshold - jump)) / decay / pieces
    points, steps = math.ceil(math.log(1e6) / (decay * h)), math.ceil(horizon_h / h)
    x = threshold * np.exp(-decay * h * np.arange(points))
    x[-1] = 0.0
    after = np.append(np.arange(1, points), points - 1)
    rising, leaves, arrives = x[::-1], np.arange(points) >= pieces, np.arange(points) > pieces

    def at_jump(s: Floats, is_safe: NDArray[np.bool_]) -> Floats:
        return np.where(is_safe, np.interp(x + jump, rising, s[::-1]), 0.0)

    alive, half, survives = math.exp(-rate_per_h * h), rate_per_h * h / 2, np.ones(points)
    out = [1.0]
    for _ in range(steps):
        far_end = alive * (survives + half * at_jump(survives, arrives))[after]
        for _ in range(2):
            survives = far_end + half * at_jump(survives, leaves)
        out.append(float(survives[-1]))
    return h * np.arange(steps + 1), np.array(out)
