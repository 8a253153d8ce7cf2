"""The C queue, compiled by the system's compiler when the benchmark runs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.compiling import compiled

Result = tuple[float, float, float, float]
"""Happened, attended, waited, sum of hours until a team was there."""


def lean_queue(
    drive_h: NDArray[np.float64],
    first_team: NDArray[np.int32],
    rate_per_h: float,
    on_scene_h: float,
    *,
    keyed: bool,
) -> Callable[[float, int], Result] | None:
    """The queue as a function of horizon and seed.

    drive_h[cell, base]; the teams of base b are first_team[b] .. first_team[b + 1] - 1. *keyed*: with the
    line clock's keyed draws in place of a generator of its own.
    """
    library = compiled("lean_queue.c", *(("KEYED",) if keyed else ()))
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
