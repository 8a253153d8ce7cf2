"""Run one `bufferzone` command in this process and write down where its time went.

`python -m benchmarks.timed_command REPORT.json COMMAND ...`: the command runs as it always does; a clock
stands around its parts. Time belongs to the innermost part: an import while a scenario is read is an import.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import json
import pathlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PARTS = {
    "load_and_check": ("sim.cli.run.loaded",),
    "stage": ("sim.study.replicate.stage",),
    "writing": (
        "sim.study.replicate._write_rest",
        "sim.results.store.RunWriter.add",
        "sim.results.store.RunWriter.close_tables",
        "sim.results.store.RunWriter.finish",
    ),
    "report": ("sim.report.page.build",),
}
"""The functions that a part consists of."""


class PartClock:
    """Seconds by part; a part that is entered within another stops the other's clock."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {"imports": 0.0}
        self._open = ["rest"]
        self._since = time.perf_counter()
        self._thread = threading.get_ident()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time within to *name*."""
        if threading.get_ident() != self._thread:
            yield
            return
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """*function* with the clock of a part around it."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return timed


class Batches:
    """Stands around the batches as they come back: waiting for the first one is mostly start-up."""

    def __init__(self, clock: PartClock) -> None:
        self.clock = clock
        self.own_s: list[float] = []  # what each batch took in its worker
        self.first_s = 0.0  # until the first one was back

    def around(self, batches: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """The same batches, timed."""

        def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
            coming = batches(*args, **kwargs)
            began = time.perf_counter()
            while True:
                with self.clock.part("simulating"):
                    item = next(coming, None)
                if item is None:
                    return
                if not self.own_s:
                    self.first_s = time.perf_counter() - began
                self.own_s.append(item[1].seconds)
                yield item

        return timed

    def split(self, seconds: dict[str, float]) -> None:
        """Take the start of the workers out of `simulating`."""
        start = max(0.0, self.first_s - self.own_s[0])
        seconds["start_workers"] = start
        seconds["simulating"] -= start


class Staged:
    """Keeps the theatre of the command, to load the kernel for it once the command is over."""

    def __init__(self) -> None:
        self.theatre: Any = None

    def around(self, stage: Callable[..., Any]) -> Callable[..., Any]:
        """The same staging."""

        @functools.wraps(stage)
        def kept(*args: Any, **kwargs: Any) -> Any:
            self.theatre = stage(*args, **kwargs)
            return self.theatre

        return kept

    def kernel_load_s(self) -> float:
        """How much longer the kernel's first use takes than its second, with the compiled kernel on disk.

        With several jobs this process has not used the kernel: it pays what each worker has paid.
        """
        from sim.campaign.engine import warm

        took = []
        for _ in range(2):
            began = time.perf_counter()
            warm(self.theatre)
            took.append(time.perf_counter() - began)
        return max(0.0, took[0] - took[1])


def _replace(path: str, by: Callable[[Any], Any]) -> None:
    """Put something else in the place of a function, named by module and attributes."""
    words = path.split(".")
    for cut in range(len(words) - 1, 0, -1):
        try:
            holder = importlib.import_module(".".join(words[:cut]))
        except ModuleNotFoundError:
            continue
        for word in words[cut:-1]:
            holder = getattr(holder, word)
        setattr(holder, words[-1], by(getattr(holder, words[-1])))
        return
    raise ModuleNotFoundError(path)


def main(report: str, command: list[str]) -> int:
    """Run the command and write the report -> the command's exit code."""
    clock = PartClock()
    batches, staged = Batches(clock), Staged()
    plain_import = builtins.__import__
    builtins.__import__ = clock.around("imports", plain_import)
    from sim.cli import main as bufferzone

    with clock.part("imports"):
        for name, functions in PARTS.items():
            if name == "report" and "--no-report" in command:
                continue
            for function in functions:
                _replace(function, functools.partial(clock.around, name))
        _replace("sim.study.replicate._batches", batches.around)
        _replace("sim.study.replicate.stage", staged.around)
    try:
        code: int = bufferzone(command)
    finally:
        builtins.__import__ = plain_import
    if code == 0:
        clock.seconds.pop("rest", None)
        batches.split(clock.seconds)
        found = {"seconds": clock.seconds, "ended": time.monotonic(), "kernel_load_s": staged.kernel_load_s()}
        pathlib.Path(report).write_text(json.dumps(found), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
