"""bufferzone: how many soldiers does it take to watch a ceasefire line?

The rooms, in the order in which a question passes through them; each looks back, none forward:

scenario    what is asked: YAML, units, checks, sources
line        where: ruler, cells, roads, daylight
force       who: contingents, manning, troops to task
watch       what can be seen: layers of watch, coverage in closed form
lineclock   what happens by the minute: the compiled kernel and its keyed draws
campaign    what happens by the month: SimPy drives the line clock
results     what is left: metrics, run folders
study       what if: replications, estimates
report      what we show: figures, pages, opened runs
cli         the command `bufferzone`

The names below are the front door; everything else may move.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import ScenarioError
    from sim.front import check, estimate, load, open_run, run
    from sim.report.run import Run
    from sim.scenario.resolve import ScenarioFile

_HOMES = {
    "Run": "sim.report.run",
    "ScenarioError": "sim.errors",
    "ScenarioFile": "sim.scenario.resolve",
    "check": "sim.front",
    "estimate": "sim.front",
    "load": "sim.front",
    "open_run": "sim.front",
    "run": "sim.front",
}

__all__ = ["Run", "ScenarioError", "ScenarioFile", "check", "estimate", "load", "open_run", "run"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
