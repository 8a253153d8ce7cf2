"""What replications say about a metric: mean with its interval, and quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.line.earth import FloatArray, IntArray

CONFIDENCE = 0.95
FEWEST = 5
"""Histories from which on the mean of what did not happen in all of them has an interval."""


def t_quantile(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Half-width of a two-sided interval in standard errors (Student's t)."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))


def wilson(
    hits: FloatArray | IntArray, trials: int, confidence: float = CONFIDENCE
) -> tuple[FloatArray, FloatArray]:
    """(low, high) for a probability of which *trials* independent histories saw so many *hits* (Wilson 1927).

    Unlike mean and standard error it holds near 0 and 1: no collapse in 100 histories leaves up to 3.7 %.
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    share = np.asarray(hits, dtype=float) / trials
    whole = 1.0 + z * z / trials
    middle = (share + z * z / (2 * trials)) / whole
    half = z / whole * np.sqrt(share * (1.0 - share) / trials + (z / (2 * trials)) ** 2)
    low: FloatArray = np.where(share <= 0.0, 0.0, middle - half)
    high: FloatArray = np.where(share >= 1.0, 1.0, middle + half)
    return low, high


def opposite(metric: Mapping[str, Any]) -> dict[str, Any]:
    """A summary of a probability turned round: that it does not come to pass."""
    turned = {
        "mean": "mean",
        "ci_low": "ci_high",
        "ci_high": "ci_low",
        "p05": "p95",
        "p50": "p50",
        "p95": "p05",
    }
    told = {key: None if metric[of] is None else 1.0 - metric[of] for key, of in turned.items()}
    return {**metric, **told}


def _plain_mean(values: FloatArray) -> tuple[float, float]:
    """(mean, half-width of its interval) of values that count alike; no interval of one."""
    n = len(values)
    half = t_quantile(n - 1) * float(values.std(ddof=1)) / n**0.5 if n > 1 else np.nan
    return float(values.mean()), half


def _weighed_mean(values: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """(mean, half-width of its interval) of ratios weighed by their denominators: all numerators over all
    denominators, with the delta method over independent histories (Cochran 1977, 6.4).
    """
    n, total = len(values), float(weight.sum())
    mean = float((weight * values).sum()) / total
    if n < 2:
        return mean, np.nan
    residual = weight * (values - mean)
    error = float(np.sqrt((residual**2).sum() * n / (n - 1))) / total
    return mean, t_quantile(n - 1) * error


def summarise(
    values: FloatArray, unit: str, weight: FloatArray | None = None, *, horizon_days: float = np.inf
) -> dict[str, Any]:
    """Mean with a 95 % interval (Student's t; Wilson's for a probability), and quantiles, of the replications
    in which the metric exists (NaN where it does not).

    With *weight*, what each replication's value is a share of or a number per, the mean is the ratio of sums:
    histories then count by what there was in them. Quantiles are over histories in any case. The interval
    holds possible values only: nothing is negative, no share over 1, and no time in days over *horizon_days*.
    One replication has no interval: its ends are None. Neither has a metric that exists in a few replications
    only, and where it exists in none, everything is None.
    """
    exists = np.isfinite(values) if weight is None else np.isfinite(values) & (weight > 0)
    known = values[exists]
    n = len(known)
    out: dict[str, Any] = {
        "mean": None,
        "ci_low": None,
        "ci_high": None,
        "p05": None,
        "p50": None,
        "p95": None,
        "unit": unit,
    }
    if n == 0:
        return out
    mean, half = _plain_mean(known) if weight is None else _weighed_mean(known, weight[exists])
    out["mean"] = mean
    has_interval = n > 1 and (n == len(values) or n >= FEWEST)
    if has_interval and unit == "probability":
        ends = wilson(known.sum(), n)
        out["ci_low"], out["ci_high"] = (float(end) for end in ends)
    elif has_interval:
        most = {"share": 1.0, "days": horizon_days}.get(unit, np.inf)
        out["ci_low"], out["ci_high"] = max(0.0, mean - half), min(most, mean + half)
    out["p05"], out["p50"], out["p95"] = (float(q) for q in np.quantile(known, [0.05, 0.5, 0.95]))
    if n < len(values):
        out["replications_with_value"] = n
    return out
