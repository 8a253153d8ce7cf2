"""The whole `bufferzone run` of the flagship on two jobs, split into parts, and its memory.

Each round is a fresh process with a compiled kernel on disk, as after the first run on a machine.
"""

from __future__ import annotations

import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.measuring import rounded, tell
from benchmarks.memory import Peak

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGSHIP = ROOT / "scenarios" / "eight_hundred_miles.yaml"
JOBS = 2
REPLICATIONS = 100
ROUNDS = 5
QUICK = {"replications": 4, "rounds": 2}
QUICK_SETTINGS = ("--set", "horizon=60 days")
PARTS = (
    *("imports", "load_and_check", "stage", "start_workers", "simulating"),
    *("writing", "report", "rest"),
)


def run(*, quick: bool = False, rounds: int | None = None, replications: int | None = None) -> dict[str, Any]:
    """Run the command so many times and take medians, part by part."""
    rounds = rounds or (QUICK["rounds"] if quick else ROUNDS)
    replications = replications or (QUICK["replications"] if quick else REPLICATIONS)
    settings = QUICK_SETTINGS if quick else ()
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        _once(here, 1, QUICK_SETTINGS)  # compiles what is not compiled, and fetches files from the disk
        each = []
        for turn in range(rounds):
            each.append(_once(here, replications, settings))
            tell(f"round {turn + 1} of {rounds}: {each[-1]['total_seconds']:.1f} s")
    seconds = {
        part: rounded(statistics.median(one["seconds"][part] for one in each))
        for part in PARTS
        if part in each[0]["seconds"]
    }
    total = statistics.median(one["total_seconds"] for one in each)
    return {
        "seconds": seconds,
        "share": {part: rounded(spent / sum(seconds.values()), 3) for part, spent in seconds.items()},
        "total_seconds": rounded(total),
        "total_seconds_range": [rounded(f(one["total_seconds"] for one in each)) for f in (min, max)],
        "kernel_load_seconds": rounded(statistics.median(one["kernel_load_seconds"] for one in each), 2),
        "peak_memory_mib": rounded(max(one["peak_memory_mib"] for one in each)),
        "peak_memory_of": each[0]["peak_memory_of"],
        "incidents_per_s": rounded(
            statistics.median(one["incidents"] / one["seconds"]["simulating"] for one in each)
        ),
        "incidents_per_s_whole": rounded(
            statistics.median(one["incidents"] / one["total_seconds"] for one in each)
        ),
        "incidents": each[0]["incidents"],
        "replications": replications,
        "jobs": JOBS,
        "rounds": rounds,
        "quick": quick,
    }


def _once(folder: pathlib.Path, replications: int, settings: tuple[str, ...]) -> dict[str, Any]:
    """One command in a process of its own."""
    import pyarrow.parquet as pq

    out, report = folder / "run", folder / "times.json"
    command = [
        *("run", str(FLAGSHIP), "--replications", str(replications), "--jobs", str(JOBS)),
        *("--out", str(out), "--force", "--quiet", "--json", *settings),
        *(() if importlib.util.find_spec("sim.report.page") else ("--no-report",)),
    ]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.timed_command", str(report), *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    peak = Peak(process)
    code = process.wait()
    mib = peak.stop()
    if code != 0:
        raise RuntimeError(f"the command ended with {code}: bufferzone {' '.join(command)}")
    found = json.loads(report.read_text(encoding="utf-8"))
    seconds, total = found["seconds"], found["ended"] - began
    seconds["rest"] = max(0.0, total - sum(seconds.values()))
    return {
        "seconds": seconds,
        "total_seconds": total,
        "kernel_load_seconds": found["kernel_load_s"],
        "peak_memory_mib": mib,
        "peak_memory_of": peak.how,
        "incidents": int(pq.read_table(out / "cells.parquet").column("happened").to_numpy().sum()),
    }


def table(found: dict[str, Any]) -> str:
    """The result for people."""
    lines = [
        f"{found['replications']} replications on {found['jobs']} jobs, median of {found['rounds']} rounds"
    ]
    for part, spent in found["seconds"].items():
        lines.append(f"  {part:<16}{spent:>9.3f} s{found['share'][part]:>8.1%}")
    lines.append(f"  {'total':<16}{found['total_seconds']:>9.3f} s")
    lines.append(f"loading the compiled kernel, in each worker: {found['kernel_load_seconds']:.3f} s")
    lines.append(f"peak memory {found['peak_memory_mib']:,.0f} MiB ({found['peak_memory_of']})")
    lines.append(f"{found['incidents_per_s']:,.0f} incidents per second while simulating")
    return "\n".join(lines)
