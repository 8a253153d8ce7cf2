"""What replications say about a metric: mean with its interval, and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.line.earth import FloatArray

CONFIDENCE = 0.95


def t_quantile(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Half-width of a two-sided interval in standard errors (Student's t)."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + confidence / 2))


def summarise(values: FloatArray, unit: str) -> dict[str, Any]:
    """Mean with a 95 % t interval, and quantiles, of the replications in which the metric exists (NaN where
    it does not).

    One replication has no interval: its ends are None. Where the metric exists in no replication, everything
    is None.
    """
    known = values[np.isfinite(values)]
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
    mean = float(known.mean())
    out["mean"] = mean
    if n > 1:
        half = t_quantile(n - 1) * float(known.std(ddof=1)) / n**0.5
        low, high = mean - half, mean + half
        out["ci_low"], out["ci_high"] = (max(0.0, low), min(1.0, high)) if unit == "share" else (low, high)
    out["p05"], out["p50"], out["p95"] = (float(q) for q in np.quantile(known, [0.05, 0.5, 0.95]))
    if n < len(values):
        out["replications_with_value"] = n
    return out
