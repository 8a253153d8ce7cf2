"""Many replications of one scenario, on one process or several, into a run folder.

Replications are cut into batches whose size depends on their number only, and batches are added up in order:
so the results are the same
bit for bit for any number of workers.
"""

from __future__ import annotations

import datetime
import os
import pathlib
import platform
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim.campaign.engine import ready, simulate
from sim.campaign.theatre import Theatre, stage
from sim.errors import dotted
from sim.lineclock.compiled import CACHE_DIR
from sim.results import rows as rows_of
from sim.results import store
from sim.results.digest import sha256_of
from sim.results.measures import Totals, measure, totals_of, weights
from sim.results.statistics import CONFIDENCE
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.resolve import ScenarioFile
from sim.study.workers import WorkerLost, undisturbed, workers

MOST_PER_BATCH = 16
ROWS = {
    "series": rows_of.daily,
    "types": rows_of.by_type,
    "sectors": rows_of.by_sector,
    "levels": rows_of.turns,
    "journal": rows_of.journal,
    "trips": rows_of.trips,
}
"""What one replication adds to each table."""
Progress = Callable[[int, int], None]
"""Called with (replications done, replications wanted)."""


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """What a worker returns: a row for each replication, and totals."""

    tables: dict[str, list[dict[str, Any]]]
    totals: Totals
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a run was asked for; stored in its manifest."""

    replications: Sequence[int]
    seed: int
    jobs: int = 1
    keeps_journal: bool = False
    command: str = ""


def run_into(
    file: ScenarioFile,
    folder: pathlib.Path,
    asked: Asked,
    *,
    force: bool = False,
    progress: Progress | None = None,
    finishing: Callable[[pathlib.Path], object] | None = None,
    executor: Executor | None = None,
) -> pathlib.Path:
    """Simulate the replications asked for and write a run folder -> its path.

    Raises ScenarioError where the scenario does not fit its line and FolderExists where the folder may not be
    overwritten. Interrupted, or left by a worker, it keeps the replications that are done, in order, and says
    so in the manifest; then the KeyboardInterrupt or WorkerLost goes on. *finishing* is called with the
    folder,
    under its temporary name, once all data are in it: what it adds appears together with them. Should it
    fail,
    the data appear without it, and ReportFailed says so.
    """
    began = time.time()
    theatre = stage(file.scenario, file.document)
    writer = store.RunWriter(folder, force=force)
    try:
        if CACHE_DIR is not None or asked.jobs <= 1:
            ready(theatre)
        done: list[int] = []
        totals = Totals()
        stopped: KeyboardInterrupt | WorkerLost | None = None
        spent = 0.0
        try:
            with closing(_batches(theatre, asked, executor)) as batches:
                for numbers, batch in batches:
                    for name, chunks in batch.tables.items():
                        for columns in chunks:
                            writer.add(name, columns)
                    totals = totals.plus(batch.totals)
                    done += numbers
                    spent += batch.seconds
                    if progress is not None:
                        progress(len(done), len(asked.replications))
        except (KeyboardInterrupt, WorkerLost) as left:
            stopped = left
            if not done:
                raise
        with undisturbed(stopped is not None):
            writer.close_tables()
            _write_rest(writer, file, theatre, asked, totals, done, stopped is not None, began, spent)
            failed = (
                None if stopped is not None or finishing is None else _finished(finishing, writer.working)
            )
            writer.finish()
    except BaseException:
        writer.abandon()
        raise
    if stopped is not None:
        raise stopped
    if failed is not None:
        raise ReportFailed(folder) from failed
    return folder


class ReportFailed(Exception):
    """The data of a run are whole, but what was to be made of them is not there."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(f"the report was not drawn; the data are in {folder}")
        self.folder = folder


def _finished(finishing: Callable[[pathlib.Path], object], working: pathlib.Path) -> BaseException | None:
    """Finish a folder -> what went wrong, after which nothing of it is left."""
    before = set(working.iterdir())
    try:
        finishing(working)
    except (Exception, KeyboardInterrupt) as failed:
        for path in set(working.iterdir()) - before:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return failed
    return None


def _write_rest(
    writer: store.RunWriter,
    file: ScenarioFile,
    theatre: Theatre,
    asked: Asked,
    totals: Totals,
    done: list[int],
    stopped: bool,
    began: float,
    spent: float,
) -> None:
    writer.put("cells", store.cell_columns(theatre, totals))
    writer.put("strip", store.strip_columns(theatre, totals))
    writer.put("periods", store.period_columns(theatre, totals))
    writer.put("responses", store.response_columns(theatre, totals))
    if theatre.ladder.climbs:
        writer.put("survival", store.survival_columns(theatre, totals))
    rows = pq.read_table(writer.working / "replications.parquet")
    scenario = file.scenario
    summary = {
        "scenario": scenario.name,
        "question": scenario.question,
        "replications": len(done),
        "seed": asked.seed,
        "confidence": CONFIDENCE,
        "metrics": store.summary_metrics(rows, scenario.horizon / HOURS_PER_DAY),
        "sighted_by": store.sighted_by(totals),
    }
    writer.write_text(store.SUMMARY, store.as_json(summary))
    writer.write_text(store.SCENARIO, file.resolved_text())
    results = sorted(p for p in writer.working.iterdir() if p.name != store.MANIFEST)
    manifest = {
        "bufferzone": _version(),
        "command": asked.command,
        "scenario_file": str(file.path),
        "scenario_files": {str(p): sha256_of(p) for p in file.document.files},
        "overrides": list(file.document.overrides),
        "seed": asked.seed,
        "first_replication": done[0],
        "replications": len(done),
        "replications_asked": len(asked.replications),
        "interrupted": stopped,
        "jobs": asked.jobs,
        "journal": asked.keeps_journal,
        "values": {dotted(e.path): [e.source, e.says, e.is_written] for e in file.explained()},
        "geodata": {str(p): sha256_of(p) for p in file.data_files()},
        "results": {p.name: sha256_of(p) for p in results},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _packages(),
        "started": datetime.datetime.fromtimestamp(began, datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - began, 3),
        "seconds_simulating": round(spent, 3),
    }
    writer.write_text(store.MANIFEST, store.as_json(manifest))


def batches_of(replications: Sequence[int]) -> list[list[int]]:
    """Replications cut into equal batches of at most `MOST_PER_BATCH`; depends on nothing else."""
    size = min(MOST_PER_BATCH, max(1, len(replications) // 20))
    return [list(replications[i : i + size]) for i in range(0, len(replications), size)]


def _batches(
    theatre: Theatre, asked: Asked, executor: Executor | None
) -> Generator[tuple[list[int], Batch], None, None]:
    """Batches in order, however many workers simulate them; at most a few wait in memory."""
    pieces = batches_of(asked.replications)
    jobs = min(asked.jobs, len(pieces))
    if executor is None and jobs <= 1:
        for piece in pieces:
            yield piece, simulate_batch(theatre, asked.seed, piece, asked.keeps_journal)
        return
    crew = nullcontext(_Borrowed(executor, theatre)) if executor is not None else workers(jobs, theatre)
    with crew as at_work:
        waiting: list[tuple[list[int], Future[Batch]]] = []
        try:
            for piece in pieces:
                waiting.append(
                    (piece, at_work.submit(simulate_batch, asked.seed, piece, asked.keeps_journal))
                )
                if len(waiting) >= 3 * max(jobs, 2):
                    numbers, future = waiting.pop(0)
                    yield numbers, at_work.result(future)
            while waiting:
                numbers, future = waiting.pop(0)
                yield numbers, at_work.result(future)
        finally:
            at_work.forget(future for _, future in waiting)


class _Borrowed:
    """An executor of somebody else's as a crew: it gets the job with every task."""

    def __init__(self, executor: Executor, theatre: Theatre) -> None:
        self._executor, self._theatre = executor, theatre

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """As a crew's."""
        return self._executor.submit(function, self._theatre, *arguments)

    def result(self, future: Future[Any]) -> Any:
        """As a crew's."""
        return future.result()

    def forget(self, futures: Iterable[Future[Any]]) -> None:
        """As a crew's."""
        for future in futures:
            future.cancel()


def simulate_batch(theatre: Theatre, seed: int, replications: Sequence[int], keeps_journal: bool) -> Batch:
    """Simulate some replications one after the other."""
    began = time.perf_counter()
    rows: list[dict[str, Any]] = []
    tables: dict[str, list[dict[str, Any]]] = {"replications": [], "series": [], "types": [], "sectors": []}
    if theatre.ladder.climbs:
        tables["levels"] = []
    if keeps_journal:
        tables |= {"journal": [], "trips": []}
    totals = Totals()
    for replication in replications:
        history = simulate(theatre, seed, replication, keeps_journal=keeps_journal)
        told = {**measure(theatre, history), **weights(theatre, history)}
        rows.append({"replication": replication, **told})
        for name, columns_of in ROWS.items():
            if name in tables:
                tables[name].append(columns_of(theatre, history))
        totals = totals.plus(totals_of(theatre, history))
    columns = {
        name: pa.array([row[name] for row in rows], pa.int32() if name == "replication" else pa.float64())
        for name in rows[0]
    }
    tables["replications"].append(columns)
    return Batch(tables=tables, totals=totals, seconds=time.perf_counter() - began)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bufferzone")
    except PackageNotFoundError:
        return "unpacked"


def _packages() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numba", "numpy", "pyarrow", "pydantic", "simpy")}


def default_jobs() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
