"""Worker processes of our own: spawned, started before they are needed, and gone when we go."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

LONGEST_START_S = 120.0

_job: list[Any] = []  # what a worker works on; set once, when it starts


class WorkerLost(Exception):
    """A worker process was killed from outside; the usual reason is memory."""

    def __init__(self) -> None:
        super().__init__("a worker process was killed (out of memory?)\n    hint: try --jobs 1")


@contextmanager
def workers(jobs: int, job: object) -> Iterator[Callable[..., Future[Any]]]:
    """Processes that each hold *job* -> a function that submits (function, *arguments) to them.

    The function is called with the job and the arguments. Leaving by an exception kills the workers at once;
    a worker that dies raises WorkerLost from the future's result.
    Spawned, not forked: the same on every platform, and safe beside threads.
    """
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_adopt, initargs=(job,)
    )
    try:
        with undisturbed():
            ready = [pool.submit(_is_there) for _ in range(jobs)]
        for one in ready:
            one.result(timeout=LONGEST_START_S)
        yield lambda function, *arguments: pool.submit(_work, function, arguments)
    except BaseException as stopped:
        _kill(pool)
        pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(stopped, BrokenProcessPool):
            raise WorkerLost from None
        raise
    pool.shutdown(wait=True)


def _kill(pool: ProcessPoolExecutor) -> None:
    """Kill a pool's processes; those that a broken pool has just started as well."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.kill()


@contextmanager
def undisturbed(is_wanted: bool = True) -> Iterator[None]:
    """Ctrl-C is ignored meanwhile, also by processes that are started: what it means is for the parent to
    say.
    """
    if not is_wanted or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _adopt(job: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job[:] = [job]
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A worker whose parent is gone has nobody to work for."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _is_there() -> None:
    """Nothing; but to do it a worker has to be there."""


def _work(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    return function(_job[0], *arguments)
