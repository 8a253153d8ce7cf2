"""A run that is stopped from outside: what it keeps, what it leaves, and that it ends."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import yaml
from conftest import small

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


def started(folder: pathlib.Path, *, replications: int = 3000) -> subprocess.Popen[str]:
    play = folder / "play.yaml"
    play.write_text(yaml.safe_dump(small(horizon="5 years"), sort_keys=False), encoding="utf-8")
    command = [
        sys.executable,
        "-c",
        "import sys; from sim.cli import main; sys.exit(main())",
        "run",
        "play.yaml",
    ]
    command += ["-n", str(replications), "--jobs", "2", "--no-report", "--out", "out"]
    env = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )


def worker_of(run: subprocess.Popen[str]) -> int | None:
    for task in pathlib.Path(f"/proc/{run.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "spawn_main" in pathlib.Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
    return None


def has_begun(run: subprocess.Popen[str]) -> None:
    """Wait for the first words about replications."""
    assert run.stderr is not None
    while "replications" not in (line := run.stderr.readline()):
        assert line or run.poll() is None, "the run ended before it began"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_keeps_what_is_done(
    warm_kernel: None, tmp_path: pathlib.Path, number: signal.Signals
) -> None:
    run = started(tmp_path)
    has_begun(run)
    run.send_signal(number)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 130
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["interrupted"]
    assert err.splitlines()[-2:] != []
    assert f"{manifest['replications']} of 3000 replications are kept in out" in err
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "play.yaml"]


@pytest.mark.parametrize("wait_s", [0.0, 0.1, 0.3, 0.6])
def test_a_worker_killed_at_any_moment_ends_the_run_with_a_word(
    warm_kernel: None, tmp_path: pathlib.Path, wait_s: float
) -> None:
    run = started(tmp_path)
    while (worker := worker_of(run)) is None:
        assert run.poll() is None
        time.sleep(0.01)
    time.sleep(wait_s)
    os.kill(worker, signal.SIGKILL)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "a worker process was killed (out of memory?)\n    hint: try --jobs 1\n" in err
    assert "Traceback" not in err
    assert {p.name for p in tmp_path.iterdir()} <= {"out", "play.yaml"}
