"""What happens at stated times: injects, and a trace of recorded incidents."""

from __future__ import annotations

import csv
import datetime
import io
import math
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.errors import Place, Problem, nearest
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground
from sim.lineclock.state import INJECT, TRACE, SmallInts
from sim.lineclock.streams import stream_code
from sim.scenario.load import Document
from sim.scenario.quantities import spoken
from sim.scenario.schema import Scenario

MOST_FAULTS = 20  # of a trace that are told at once
LARGEST_TRACE_BYTES = 200_000_000
LARGEST_TRACE = 5_000_000  # rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listed:
    """Injects and recorded incidents in order of time; the last is at infinity."""

    at_h: FloatArray
    kind: SmallInts
    cell: SmallInts
    cause: SmallInts
    code: IntArray
    index: IntArray
    recorded: frozenset[str]  # types that are replayed and not drawn


def listed(scenario: Scenario, document: Document, ground: Ground) -> Listed:
    """All that happens at a stated time; raises ScenarioError for places and times off the scenario."""
    kinds = list(scenario.violations)
    rows: list[tuple[float, int, int, int, int, int]] = []
    problems: list[Problem] = []
    for name, inject in scenario.injects.items():
        if inject.chainage > ground.line.length_km:
            fact = f"lies at {_at(inject.chainage)} but the line ends at {_at(ground.line.length_km)}"
            hint = "chainage is counted along the line from its northern or western end"
            problems.append(Problem(path=("injects", name, "chainage"), fact=fact, hint=hint))
            continue
        first_h = inject.moment_h(scenario.start)
        assert first_h is not None, "the schema lets no inject pass without a moment"
        for i in range(inject.count):
            at_h = first_h + inject.over * i / inject.count
            if at_h < scenario.horizon:
                cell = _cell_at(ground, inject.chainage)
                rows.append((at_h, kinds.index(inject.type), cell, INJECT, stream_code(f"inject {name}"), i))
    recorded: set[str] = set()
    if scenario.trace is not None:
        path = document.base_dir(("trace", "file")) / scenario.trace.file
        code = stream_code("trace")
        for i, (at_h, kind, km) in enumerate(_read_trace(path, scenario, ground.line.length_km, problems)):
            recorded.add(kind)
            if at_h < scenario.horizon:
                rows.append((at_h, kinds.index(kind), _cell_at(ground, km), TRACE, code, i))
    if problems:
        raise document.refusal(problems)
    rows.sort()
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return Listed(
        at_h=np.append(np.array(columns[0], dtype=float), np.inf),
        kind=np.array(columns[1], dtype=np.int32),
        cell=np.array(columns[2], dtype=np.int32),
        cause=np.array(columns[3], dtype=np.int32),
        code=np.array(columns[4], dtype=np.int64),
        index=np.array(columns[5], dtype=np.int64),
        recorded=frozenset(recorded),
    )


def _cell_at(ground: Ground, km: float) -> int:
    return int(np.clip(np.searchsorted(ground.cells.edge_km, km, side="right") - 1, 0, len(ground.cells) - 1))


def _at(km: float) -> str:
    """A chainage for a message, to 100 m unless its author was more exact."""
    text = spoken(km, "length")
    return text if len(text) <= 10 else f"{km:.1f} km"


def _read_trace(
    path: pathlib.Path, scenario: Scenario, length_km: float, problems: list[Problem]
) -> Iterator[tuple[float, str, float]]:
    """(hours since the start, type, chainage) of each row; what is wrong with any is added to *problems*."""

    def wrong(line: int, fact: str, hint: str | None = None) -> None:
        place = Place(file=str(path), line=line, column=1) if line else None
        if len(problems) < MOST_FAULTS:
            problems.append(Problem(path=("trace", "file"), fact=fact, hint=hint, place=place))

    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            wrong(0, f"{path}: not a file with text in it", "name a CSV file")
            return
        if path.exists() and path.stat().st_size > LARGEST_TRACE_BYTES:
            wrong(0, f"{path}: over {LARGEST_TRACE_BYTES // 10**6} MB", "keep the rows within the horizon")
            return
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        wrong(0, f"{path}: no such file", "paths are relative to the scenario file")
        return
    except OSError as bad:
        wrong(0, f"{path}: {(bad.strerror or str(bad)).lower()}", "name a CSV file")
        return
    except UnicodeDecodeError as bad:
        line = bad.object.count(b"\n", 0, bad.start) + 1
        wrong(line, f"the byte 0x{bad.object[bad.start]:02x} is not UTF-8", "save the file as UTF-8")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = tuple(reader.fieldnames or ())
        needs = [name for name in ("type", "chainage_km") if name not in columns]
        if not needs and "time" not in columns and "start_h" not in columns:
            needs = ["time"]
        twice = [name for name in columns if columns.count(name) > 1]
        if twice:
            wrong(1, f"says twice when or what: {twice[0]}", "keep one column of each kind")
            return
        if needs:
            fact = f"no column {', '.join(needs)}; there is {', '.join(columns) or 'none'}"
            wrong(1, fact, "the columns are type, chainage_km, and time or start_h")
            return
        for row in reader:
            if reader.line_num > LARGEST_TRACE:
                wrong(reader.line_num, f"more than {LARGEST_TRACE:,} lines", "keep those within the horizon")
                return
            if None in row:
                wrong(reader.line_num, "has more values than there are columns", "write numbers as 10.5")
                continue
            at_h, told = _trace_time(row, scenario)
            kind = (row["type"] or "").strip()
            km = _number(row["chainage_km"])
            if told is not None:
                wrong(reader.line_num, *told)
            if kind not in scenario.violations:
                close = nearest(kind, list(scenario.violations))
                known = f"violation types of this scenario: {', '.join(scenario.violations) or 'none'}"
                fact = f'there is no violation type "{kind[:60]}"' if kind else "type is empty"
                wrong(reader.line_num, fact, f'did you mean "{close}"?' if close else known)
            if km is None:
                fact = f"chainage_km is {_cell(row['chainage_km'])}"
                wrong(reader.line_num, fact, "write kilometres, such as 36.5")
            elif not 0 <= km <= length_km:
                fact = f"chainage_km is {km:g}, but the line runs from 0 km to {_at(length_km)}"
                wrong(reader.line_num, fact, "leave the row out, or correct it")
            elif at_h is not None and kind in scenario.violations:
                yield at_h, kind, km
    except csv.Error as bad:
        wrong(reader.line_num + 1, str(bad), "save it as comma-separated values")


def _trace_time(
    row: dict[str, str | None], scenario: Scenario
) -> tuple[float | None, tuple[str, str] | None]:
    """Hours since the start, or what is wrong with the time of a row and what to do about it."""
    if row.get("start_h") or "time" not in row:
        hours = _number(row.get("start_h"))
        if hours is None:
            fact = f"start_h is {_cell(row.get('start_h'))}"
            return None, (fact, "write hours since the start, such as 36.5")
    else:
        written = (row["time"] or "").strip()
        try:
            moment = datetime.datetime.fromisoformat(written)
            if moment.tzinfo is not None:
                moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            return None, (f"time is {_cell(written)}", "write it as 2026-05-01T13:30")
        start = datetime.datetime.combine(scenario.start, datetime.time())
        hours = (moment - start).total_seconds() / 3600.0
    if hours < 0:
        hint = "leave the row out, or choose an earlier start"
        return None, (f"lies before the start, {scenario.start}", hint)
    return hours, None


def _cell(written: str | None) -> str:
    """What stands in a table, for a message."""
    return f'"{written[:60]}"' if written else "empty"


def _number(written: str | None) -> float | None:
    try:
        value = float((written or "").replace("_", "?"))  # 1_0 is ten to Python and to nobody else
    except ValueError:
        return None
    return value if math.isfinite(value) else None
