"""The front door for notebooks and programs: load, check, estimate, run, open.

>>> import sim                                                                      # doctest: +SKIP
>>> scenario = sim.load("scenarios/eight_hundred_miles.yaml", set={"force.scale": 1.5})
>>> run = sim.run(scenario, replications=20, seed=7)
>>> run.summary.loc["coverage.sighted_share"]
"""

from __future__ import annotations

import os
import pathlib
import tempfile
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from sim.scenario.resolve import ScenarioFile
from sim.scenario.resolve import load as _load

if TYPE_CHECKING:
    from sim.errors import Problem
    from sim.report.run import Run
    from sim.study.estimate import Estimate


def load(path: str | os.PathLike[str], *, set: Mapping[str, object] | None = None) -> ScenarioFile:
    """Read and check a scenario file; *set* puts values over it by dotted path, such as {"force.scale": 1.5}.

    Raises ScenarioError with every problem found, each with its place and a remedy.
    """
    return _load(pathlib.Path(path), set=set)


def check(scenario: ScenarioFile | str | os.PathLike[str]) -> tuple[Problem, ...]:
    """What in a sound scenario is allowed but unlikely; raises ScenarioError where it is wrong."""
    from sim.campaign.theatre import stage
    from sim.study.lint import unlikely

    file = _file(scenario)
    return unlikely(stage(file.scenario, file.document), file)


def estimate(scenario: ScenarioFile | str | os.PathLike[str]) -> Estimate:
    """The closed-form answer at full strength, without simulation."""
    from sim.campaign.theatre import stage
    from sim.study.estimate import estimate as closed_form

    file = _file(scenario)
    return closed_form(stage(file.scenario, file.document))


def run(
    scenario: ScenarioFile | str | os.PathLike[str],
    *,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    journal: bool = False,
    report: bool = False,
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> Run:
    """Simulate a scenario -> the opened run.

    replications and seed: as the scenario says unless given. jobs: worker processes (a script that asks for
    more than one needs the usual
    `if __name__ == "__main__":`); executor: anything with the `concurrent.futures` interface instead. out:
    folder to write, refused if it is there
    unless *force*; without it the run lives in a temporary folder for as long as the returned object.
    progress is called with (done, wanted).
    journal: also keep one row for each incident and each trip of a team; report: also
    build figures and report.html. The results are the same bit for bit for any jobs or executor.
    Raises ScenarioError where the scenario does not fit its line.
    """
    from sim.report.run import Run
    from sim.study.replicate import Asked, run_into

    file = _file(scenario)
    asked = Asked(
        replications=range(file.scenario.replications if replications is None else replications),
        seed=file.scenario.seed if seed is None else seed,
        jobs=jobs,
        keeps_journal=journal,
        command="sim.run",
    )
    if not asked.replications:
        raise ValueError("a run needs at least one replication")
    finishing = None
    if report:
        from sim.report.page import build

        finishing = build
    if out is not None:
        return Run.open(
            run_into(
                file,
                pathlib.Path(out),
                asked,
                force=force,
                progress=progress,
                finishing=finishing,
                executor=executor,
            )
        )
    shelter = tempfile.TemporaryDirectory(prefix="bufferzone-")
    opened = Run.open(
        run_into(
            file,
            pathlib.Path(shelter.name) / "run",
            asked,
            progress=progress,
            finishing=finishing,
            executor=executor,
        )
    )
    weakref.finalize(opened, shelter.cleanup)
    return opened


def open_run(folder: str | os.PathLike[str]) -> Run:
    """A run folder that is already there."""
    from sim.report.run import Run

    return Run.open(pathlib.Path(folder))


def _file(scenario: ScenarioFile | str | os.PathLike[str]) -> ScenarioFile:
    return scenario if isinstance(scenario, ScenarioFile) else load(scenario)
