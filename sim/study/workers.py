"""Worker processes of our own: spawned, started before they are needed, and gone when we go."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.reduction import ForkingPickler
from typing import Any

LOOK_AROUND_S = 2.0

_job: list[Any] = []  # what a worker works on; set once, when it starts


class WorkerLost(Exception):
    """A worker process was killed from outside; the usual reason is memory."""

    def __init__(self) -> None:
        super().__init__("a worker process was killed (out of memory?)\n    hint: try --jobs 1")


class Crew:
    """Processes that each hold one job."""

    def __init__(self, pool: ProcessPoolExecutor, size: int) -> None:
        self._pool = pool
        with undisturbed():
            self._started = [pool.submit(_is_there) for _ in range(size)]
        self._processes = list((getattr(pool, "_processes", None) or {}).values())

    def gets_ready(self) -> None:
        """Wait until every process is there; raises WorkerLost when one died on the way."""
        for one in self._started:
            self.result(one)

    def submit(self, function: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Have *function* called with the job and the arguments."""
        try:
            return self._pool.submit(_work, function, arguments)
        except BrokenProcessPool:
            raise WorkerLost from None

    def result(self, future: Future[Any]) -> Any:
        """What a future gives; raises WorkerLost once a worker has died.

        A pool learns of a death by itself, but not of one in the middle of a result: it waits for the rest.
        """
        suspect = False
        while True:
            try:
                return future.result(timeout=LOOK_AROUND_S)
            except BrokenProcessPool:
                raise WorkerLost from None
            except TimeoutError:
                if future.done():
                    raise
                if suspect:
                    raise WorkerLost from None
                suspect = any(not process.is_alive() for process in self._processes)

    def forget(self, futures: Iterable[Future[Any]]) -> None:
        """These results are not wanted any more: the crew is about to be dismissed with them."""

    def dismiss(self) -> None:
        """Kill the processes, and let the pool's own thread see that nothing more will come."""
        current = list((getattr(self._pool, "_processes", None) or {}).values())
        for process in {id(p): p for p in [*self._processes, *current]}.values():
            process.kill()
            process.join(LOOK_AROUND_S)
        results = getattr(self._pool, "_result_queue", None)
        writer = getattr(results, "_writer", None)
        if writer is not None:
            writer.close()
        self._pool.shutdown(wait=False)


@contextmanager
def workers(jobs: int, job: object) -> Iterator[Crew]:
    """So many processes that each hold *job*; leaving by an exception kills them at once.

    Spawned, not forked: the same on every platform, and safe beside threads.
    """
    context = multiprocessing.get_context("spawn")
    # The job goes by way of a file of ours: handed over at the start, it would hang the parent for good if a
    # process died before it had read all of it, since the parent itself keeps the pipe open.
    with tempfile.NamedTemporaryFile(prefix="bufferzone-") as shelf:
        shelf.write(ForkingPickler.dumps(job))
        shelf.flush()
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_adopt, initargs=(shelf.name,))
        crew = Crew(pool, jobs)
        try:
            crew.gets_ready()
            yield crew
        except BaseException:
            crew.dismiss()
            raise
        pool.shutdown(wait=True)


@contextmanager
def undisturbed(is_wanted: bool = True) -> Iterator[None]:
    """Ctrl-C waits until this is over, and does not reach processes that are started meanwhile."""
    if not is_wanted or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    # Processes inherit what is blocked; that another thread takes the signal does no harm.
    held = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if held else set()
    try:
        yield
    finally:
        if held:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _adopt(shelf: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job[:] = [ForkingPickler.loads(pathlib.Path(shelf).read_bytes())]
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
