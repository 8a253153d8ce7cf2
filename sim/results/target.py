"""A target for a metric, as people write it: `coverage.sighted_share >= 0.6`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.errors import Problem, ScenarioError, nearest
from sim.results.names import metric_names

_WRITTEN = re.compile(r"\s*([A-Za-z_.0-9]+)\s*(>=|<=|>|<)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(%?)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a metric's mean should be."""

    metric: str
    relation: str
    value: float

    def __str__(self) -> str:
        return f"{self.metric} {self.relation} {self.value:g}"

    def missed_by(self, metrics: Mapping[str, Mapping[str, Any]]) -> str | None:
        """Why the target is missed, or None when it is met. A metric that is absent or never happened misses
        it.
        """
        if self.metric not in metrics:
            return f"target {self} not met: this scenario has no {self.metric}"
        mean = metrics[self.metric]["mean"]
        if mean is None:
            return f"target {self} not met: it never happened"
        return (
            None
            if _COMPARE[self.relation](mean, self.value)
            else f"target {self} not met: the mean is {mean:.6g}"
        )


def read_target(text: str, levels: Sequence[str] = ()) -> Target:
    """`METRIC >= X` as a target of a scenario with these escalation levels; raises ScenarioError for anything
    else.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        hint = "write it like 'coverage.sighted_share >= 0.6'"
        raise ScenarioError([Problem(path=(), fact=f'"{text}" is not a target', hint=hint)])
    metric, relation, number, percent = found.groups()
    known = metric_names(levels)
    if metric not in known:
        close = nearest(metric, known)
        hint = f'did you mean "{close}"?' if close else f"metrics: {', '.join(known)}"
        raise ScenarioError([Problem(path=(), fact=f'there is no metric "{metric}"', hint=hint)])
    try:
        value = float(number)
    except ValueError:
        raise ScenarioError([Problem(path=(), fact=f'"{number}" is not a number', hint=None)]) from None
    return Target(metric=metric, relation=relation, value=value / 100 if percent else value)
