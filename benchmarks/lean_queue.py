"""The C queue, compiled by the system's compiler when the benchmark runs."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SOURCE = pathlib.Path(__file__).with_suffix(".c")
Result = tuple[float, float, float, float]
"""Happened, attended, waited, sum of hours until a team was there."""


def compiled(folder: pathlib.Path) -> ctypes.CDLL | None:
    """The C queue, or None where there is no compiler that works."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    library = folder / "lean_queue.so"
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-lm"]
    for flags in (command, [word for word in command if word != "-march=native"]):
        if subprocess.run(flags, capture_output=True, check=False).returncode == 0:
            return ctypes.CDLL(str(library))
    return None


def lean_queue(
    drive_h: NDArray[np.float64], first_team: NDArray[np.int32], rate_per_h: float, on_scene_h: float
) -> Callable[[float, int], Result] | None:
    """The queue as a function of horizon and seed.

    drive_h[cell, base]; the teams of base b are first_team[b] .. first_team[b + 1] - 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(pathlib.Path(folder))
    if library is None:
        return None
    drive_h = np.ascontiguousarray(drive_h, dtype=np.float64)
    order = np.ascontiguousarray(np.argsort(drive_h, axis=1, kind="stable"), dtype=np.int32)
    first = np.ascontiguousarray(first_team, dtype=np.int32)

    def call(horizon_h: float, seed: int) -> Result:
        out = np.zeros(4)
        why = library.lean_queue(
            ctypes.c_int(drive_h.shape[0]),
            ctypes.c_int(drive_h.shape[1]),
            ctypes.c_void_p(drive_h.ctypes.data),
            ctypes.c_void_p(order.ctypes.data),
            ctypes.c_void_p(first.ctypes.data),
            ctypes.c_double(rate_per_h),
            ctypes.c_double(on_scene_h),
            ctypes.c_double(horizon_h),
            ctypes.c_uint64(seed),
            ctypes.c_void_p(out.ctypes.data),
        )
        if why != 0:
            raise MemoryError("the C queue ran out of memory")
        happened, attended, waited, response_h = out.tolist()
        return happened, attended, waited, response_h

    return call
