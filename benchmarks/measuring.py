"""Measuring things side by side: rounds in turn, medians, the machine, and whether two models agree."""

from __future__ import annotations

import math
import os
import pathlib
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

FALSE_ALARM = 1e-6


class Disagreement(Exception):
    """Two programs that are compared do not simulate the same thing: their speeds must not be compared."""


def rates(work: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Things done per second of CPU by each piece of work, one figure for each round.

    Rounds are interleaved, A B C, B C A, C A B, ...: what disturbs the machine disturbs all alike, and none
    is always first.
    """
    names = list(work)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.process_time()
            done = work[name]()
            found[name].append(done / (time.process_time() - began))
    return found


def ratio(one: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    """How many times *other* is contained in *one*, round by round: median, least and most."""
    each = [a / b for a, b in zip(one, other, strict=True)]
    return {"median": rounded(statistics.median(each)), "low": rounded(min(each)), "high": rounded(max(each))}


def rounded(value: float, digits: int = 4) -> float:
    """A number without digits that nobody can measure."""
    if value == 0 or not math.isfinite(value):
        return value
    return float(f"{value:.{digits}g}")


def agreement(what: str, ours: Sequence[float], theirs: Sequence[float], name: str) -> dict[str, float]:
    """Means over independent replications of two models, and how far apart they are in standard errors.

    Welch's test: raises Disagreement where chance alone would put them that far apart once in a million.
    """
    from scipy import stats

    parts = [statistics.variance(values) / len(values) for values in (ours, theirs)]
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (ours, theirs), strict=True)
    )
    mine, other = statistics.fmean(ours), statistics.fmean(theirs)
    apart = (mine - other) / error
    if abs(apart) > stats.t.isf(FALSE_ALARM / 2, freedom):
        raise Disagreement(
            f"{what} is {mine:.5g} in the line clock and {other:.5g} in {name}, "
            f"{apart:.1f} standard errors apart: "
            "they do not simulate the same thing, and their speeds say nothing about each other"
        )
    return {
        "kernel": rounded(mine),
        name: rounded(other),
        "standard_error": rounded(error, 2),
        "standard_errors_apart": rounded(apart, 3),
    }


def machine() -> dict[str, object]:
    """What the figures were measured on, and how busy it was."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": [round(value, 2) for value in load],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
        "simpy": version("simpy"),
        "bufferzone": _version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    try:
        with pathlib.Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def _version() -> str:
    try:
        return version("bufferzone")
    except Exception:
        return "unpacked"


def tell(text: str) -> None:
    """Progress, on standard error where somebody looks."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)
