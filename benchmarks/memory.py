"""The memory of a process and of all that it starts, while it runs."""

from __future__ import annotations

import pathlib
import resource
import subprocess
import sys
import threading

KIB_PER_MIB = 1024.0
SAMPLES_PER_S = 20.0
_PROC = pathlib.Path("/proc")


class Peak:
    """Watches a process tree until told to stop.

    On Linux pages that processes share are counted once (proportional set size). Elsewhere only the largest
    single process that has ended is known.
    """

    def __init__(self, root: subprocess.Popen[bytes]) -> None:
        self.how = "whole tree" if (_PROC / "self/smaps_rollup").exists() else "largest process"
        self.mib = 0.0
        self._root = root.pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """No more samples -> the peak in MiB."""
        self._stop.set()
        self._thread.join()
        if self.how == "largest process":
            size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            self.mib = size / KIB_PER_MIB / (KIB_PER_MIB if sys.platform == "darwin" else 1.0)
        return self.mib

    def _watch(self) -> None:
        while self.how == "whole tree" and not self._stop.wait(1.0 / SAMPLES_PER_S):
            self.mib = max(self.mib, sum(_pss_kib(pid) for pid in _tree(self._root)) / KIB_PER_MIB)


def _tree(root: int) -> set[int]:
    """A process and all that descend from it."""
    parent_of = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it has just ended
                continue
            parent_of[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parent_of.items() if parent in found} - found:
        found |= more
    return found


def _pss_kib(pid: int) -> float:
    try:
        with (_PROC / str(pid) / "smaps_rollup").open(encoding="utf-8") as lines:
            return next(float(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0.0
