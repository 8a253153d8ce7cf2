"""Numbers in words: how a share, an amount, a duration and an interval are written for people."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from sim.results.names import SHARES
from sim.scenario.quantities import HOURS_PER_DAY, MINUTES_PER_HOUR, spoken

NBSP = "\u00a0"
DASH = "\u2013"
NOTHING = "none"
SHORTEST_IN_HOURS = 2.0  # below this a time reads better in minutes

SMALLEST_WITH_DECIMALS = 0.1

_QUANTITY = re.compile(r"(-?[0-9.]+(?:e[-+]?[0-9]+)?) (h|km|km/h|per h|per km per h)")
_SUFFIXES = {
    "_share": "%",
    "_low": "%",
    "_high": "%",
    "_km": "km",
    "_h": "h",
    "_day": "day",
    "_minutes": "min",
    "_per_day": "per day",
    "_soldiers": "soldiers",
    "_per_km_month": "per km and month",
}


def number(value: float, decimals: int | None = None) -> str:
    """12,345 / 123 / 12.3 / 1.23: about three digits, thousands apart."""
    if decimals is None:
        size = abs(value)
        if 0 < size < SMALLEST_WITH_DECIMALS:
            return f"{value:.2g}"
        decimals = 0 if size >= 100 or value == round(value) else 1 if size >= 10 else 2
    text = f"{value:,.{decimals}f}"
    return "0" if text.lstrip("-").strip("0.") == "" and value == 0 else text


def percent(share: float, decimals: int = 1) -> str:
    """A share as a percentage; one that is not quite none or all never reads as none or all."""
    least = 10.0**-decimals
    text = f"{100 * share:.{decimals}f}"
    if share > 0 and float(text) == 0:
        return f"< {least:g}{NBSP}%"
    if share < 1 and float(text) == 100:
        return f"> {100 - least:g}{NBSP}%"
    return f"{text}{NBSP}%"


def amount(value: float | None, unit: str) -> str:
    """A metric's value with its unit; None in words."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if unit in SHARES:
        return percent(value)
    if unit == "h":
        return hours(value)
    return f"{number(value)}{NBSP}{unit}"


def hours(value: float) -> str:
    """Minutes up to two hours, then hours."""
    if value < SHORTEST_IN_HOURS:
        return f"{number(value * MINUTES_PER_HOUR, 0)}{NBSP}min"
    return f"{number(value)}{NBSP}h"


def interval(metric: Mapping[str, Any]) -> str | None:
    """The ends of a metric's interval: '67.9-68.0 %'; None where there is none, as for one replication."""
    low, high = metric.get("ci_low"), metric.get("ci_high")
    if low is None or high is None:
        return None
    low_text, high_text = amount(low, metric["unit"]), amount(high, metric["unit"])
    if low_text == high_text:
        return f"all replications {low_text}" if low == high else f"within {low_text}"
    head, _, unit = low_text.rpartition(NBSP)
    joined = high_text.rpartition(NBSP)
    return f"{head}{DASH}{high_text}" if joined[2] == unit else f"{low_text} {DASH} {high_text}"


def said(value: str) -> str:
    """A value of a resolved scenario as its author would rather write it: '43830 h' -> '5 years'."""
    found = _QUANTITY.fullmatch(value)
    if found is None:
        return value
    amount_, unit = float(found[1]), found[2]
    minutes = amount_ * MINUTES_PER_HOUR
    if unit == "h" and 0 < amount_ < 1 and minutes == round(minutes):
        return f"{minutes:.0f} min"
    if unit == "h":
        return spoken(amount_, "duration")
    if unit == "km":
        return f"{amount_:,.6g} km"
    hourly, daily = f"{amount_:.6g}", f"{amount_ * HOURS_PER_DAY:.6g}"
    if unit.endswith("per h") and (amount_ < 1 or len(daily) < len(hourly)):
        return f"{daily} {unit.removesuffix('h')}day"
    return f"{hourly} {unit}"


def heading(column: str) -> str:
    """A column's name for people: 'from_km' -> 'from [km]'."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if column.endswith(suffix):
            return f"{column.removesuffix(suffix).replace('_', ' ')} [{_SUFFIXES[suffix]}]"
    return column.replace("_", " ")


def entry(column: str, value: Any) -> str:
    """A table's value for people."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    if isinstance(value, str):
        return value
    if column.endswith(("_share", "_low", "_high")):
        return f"{100 * float(value):.1f}"
    if column.endswith("_km"):
        return f"{float(value):,.1f}"
    return number(float(value))


def listed(words: list[str]) -> str:
    """'a, b and c'."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else NOTHING
