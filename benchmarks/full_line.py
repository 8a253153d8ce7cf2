"""The whole model in C, compiled by the system's compiler when the benchmark runs."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compiling import compiled
from benchmarks.full_tables import Outcome, Tables

WHOLE = ("order", "first_team", "cell_sector", "teams_wanted", "place_guide")
"""Arrays that C reads as 32-bit whole numbers; all others are doubles."""

_IN_C: dict[str, Any] = {"int": ctypes.c_int64, "Array": ctypes.c_void_p, "float": ctypes.c_double}


class Line(ctypes.Structure):
    """`Line` of full_line.h."""

    _fields_ = tuple((field.name, _IN_C[str(field.type)]) for field in dataclasses.fields(Tables))


def full_line(table: Tables) -> Callable[[float, int], Outcome] | None:
    """The line as a function of horizon and seed, or None where there is no compiler that works."""
    library = compiled("full_line.c")
    if library is None:
        return None
    held: dict[str, Any] = {}
    line = Line()
    for name, value in vars(table).items():
        if isinstance(value, np.ndarray):
            held[name] = np.ascontiguousarray(value, dtype=np.int32 if name in WHOLE else np.float64)
            value = held[name].ctypes.data
        setattr(line, name, value)

    def call(horizon_h: float, seed: int, *, kept: object = held) -> Outcome:  # the arrays must stay
        out = np.zeros(7)
        if library.full_line(
            ctypes.byref(line),
            ctypes.c_double(horizon_h),
            ctypes.c_uint64(seed),
            ctypes.c_void_p(out.ctypes.data),
        ):
            raise MemoryError("the line in C ran out of memory")
        happened, sighted, attended, in_time, attributed, response_h, raised_h = out.tolist()
        return Outcome(
            happened=happened,
            sighted=sighted,
            attended=attended,
            in_time=in_time,
            attributed=attributed,
            response_h=response_h,
            raised_share=raised_h / horizon_h / table.sectors,
        )

    return call
