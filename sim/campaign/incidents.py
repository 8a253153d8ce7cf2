"""What happens, as arrays: streams of candidates in time and place, reprisals, and what is listed."""

from __future__ import annotations

import csv
import datetime
import io
import math
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.campaign.ladder import Ladder
from sim.errors import Place, Problem, ScenarioError, nearest
from sim.line.daylight import months, night_h
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground
from sim.lineclock.state import INJECT, MOST_INCIDENTS, TRACE, SmallInts
from sim.lineclock.streams import stream_code
from sim.scenario.load import Document
from sim.scenario.quantities import HOURS_PER_DAY, spoken
from sim.scenario.schema import Scenario

MOST_FAULTS = 20  # of a trace that are told at once
LARGEST_TRACE_BYTES = 200_000_000
LARGEST_TRACE = 5_000_000  # rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams:
    """Streams of candidates: each type's incidents, false reports. P streams, Q pieces of day or night."""

    bounds_h: FloatArray  # (Q + 1,)
    is_night: IntArray  # (Q,)
    rate_per_h: FloatArray  # rate_per_h[p, q]
    cumulative: FloatArray  # cumulative[p, q]; Q + 1 values
    names: tuple[str, ...]
    kind: IntArray  # (P,)
    is_false: IntArray  # (P,)


def most_of(scenario: Scenario, ladder: Ladder) -> FloatArray:
    """(K,) candidates of each type for each incident at the stated rate: the highest level and the truce's
    ceiling; what is below them is thinned out.
    """
    ceiling = np.array([scenario.truce.ceiling if v.erodes else 1.0 for v in scenario.violations.values()])
    most: FloatArray = ladder.most * ceiling
    return most


def streams(
    scenario: Scenario,
    ladder: Ladder,
    recorded: frozenset[str],
    latitude_deg: float,
    sunrise: FloatArray,
    sunset: FloatArray,
    month_of_day: IntArray,
) -> Streams:
    """Pieces of constant day or night, and each stream's intensity in them; *recorded* types have none.

    A day gives three pieces: night before sunrise, day, night after sunset. Intensity is normalised over a
    whole year of the calendar, so that a type's `rate` is its yearly mean whatever its months and its night.
    Raises ScenarioError for types that can never happen, or happen more often than can be counted.
    """
    days = len(month_of_day)
    bounds = np.empty(3 * days + 1)
    midnight = np.arange(days) * HOURS_PER_DAY
    bounds[0:-1:3], bounds[1:-1:3], bounds[2:-1:3] = midnight, sunrise, sunset
    bounds[-1] = days * HOURS_PER_DAY
    bounds = np.maximum.accumulate(bounds)
    is_night = np.tile(np.array([1, 0, 1]), days)
    month = np.repeat(month_of_day, 3) - 1
    lengths = np.diff(bounds)
    most = most_of(scenario, ladder)
    names, kinds, false, rates = [], [], [], []
    never: list[Problem] = []
    for k, (name, v) in enumerate(scenario.violations.items()):
        clock = np.where(is_night == 1, v.night, 1.0)
        shape = np.array(v.months)[month] * clock
        mean = _yearly_mean(scenario, latitude_deg, np.array(v.months), v.night)
        rate = 0.0 if name in recorded else v.rate * most[k]
        if v.rate > 0 and mean <= 0:
            fact = "never happens: its months have no hour that its night factor allows"
            hint = "set rate to 0 per day, or allow more"
            never.append(Problem(path=("violations", name), fact=fact, hint=hint))
        names.append(f"incidents of {name}")
        kinds.append(k)
        false.append(0)
        rates.append(rate * shape / mean if mean > 0 else np.zeros_like(shape))
        if v.false_reports > 0:
            names.append(f"false reports of {name}")
            kinds.append(k)
            false.append(1)
            rates.append(np.full(len(shape), v.false_reports))
        for field, expected in (
            ("rate", rate * scenario.horizon),
            ("false_reports", v.false_reports * scenario.horizon),
        ):
            if expected > MOST_INCIDENTS:
                what = "incidents" if field == "rate" else "reports"
                fact = f"may give {expected:.3g} {what} in a history, over {MOST_INCIDENTS:.0e}"
                never.append(
                    Problem(path=("violations", name, field), fact=fact, hint="lower rate or horizon")
                )
    if never:
        raise ScenarioError(never)
    rate_per_h = np.array(rates).reshape(-1, len(lengths))
    cumulative = np.zeros((len(rates), len(lengths) + 1))
    np.cumsum(rate_per_h * lengths, axis=1, out=cumulative[:, 1:])
    return Streams(
        bounds_h=bounds,
        is_night=is_night,
        rate_per_h=rate_per_h,
        cumulative=cumulative,
        names=tuple(names),
        kind=np.array(kinds, dtype=np.int64),
        is_false=np.array(false, dtype=np.int64),
    )


def _yearly_mean(scenario: Scenario, latitude_deg: float, of_month: FloatArray, night: float) -> float:
    """Mean of month x night factors over the 365 days that begin with the scenario."""
    day_of_year = (np.arange(365) + scenario.start.timetuple().tm_yday - 1) % 365 + 1
    dark = night_h(latitude_deg, day_of_year) / HOURS_PER_DAY
    return float((of_month[months(scenario.start, 365) - 1] * (dark * night + 1.0 - dark)).mean())


def visibility_weight(
    scenario: Scenario,
    ground: Ground,
    flow: Streams,
    month_of_day: IntArray,
    poor: FloatArray,
    horizon_h: float,
) -> FloatArray:
    """weight[k, w, x]: how a type's expected incidents up to the horizon fall on day and night, clear and
    poor.
    """
    bounds, is_night = flow.bounds_h, flow.is_night
    lengths = np.maximum(np.minimum(bounds[1:], horizon_h) - np.minimum(bounds[:-1], horizon_h), 0.0)
    bad = poor[np.repeat(month_of_day, 3) - 1]
    weight = np.zeros((len(scenario.violations), 4, len(ground.sector_names)))
    for stream in np.flatnonzero(flow.is_false == 0):
        k = flow.kind[stream]
        expected = flow.rate_per_h[stream] * lengths
        total = expected.sum()
        for w in range(4):
            here = (is_night == w // 2) * (bad if w % 2 else 1.0 - bad)
            weight[k, w] = (
                (expected * here).sum() / total if total > 0 else (lengths * here).sum() / lengths.sum()
            )
    return weight


def places(scenario: Scenario, ground: Ground) -> tuple[FloatArray, SmallInts]:
    """place_cdf[k, c] and a guide to search it: hot spots (normal along the line, cut off at its ends) over a
    spread by terrain.
    """
    cells = ground.cells
    kinds = len(scenario.violations)
    share = np.zeros((kinds, len(cells)))
    for k, v in enumerate(scenario.violations.values()):
        weight = (
            np.array([v.terrain.get(name, 1.0) for name in cells.terrain])[cells.terrain_code]
            * cells.length_km
        )
        rest = 1.0 - sum(spot.share for spot in v.hot_spots.values())
        if weight.sum() > 0:
            share[k] = rest * weight / weight.sum()
        for spot in v.hot_spots.values():
            below = np.array(
                [math.erf((edge - spot.chainage) / (spot.spread * math.sqrt(2))) for edge in cells.edge_km]
            )
            mass = np.diff(below)
            share[k] += spot.share * mass / mass.sum()
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)  # ends of the line cut hot spots off
    cdf = np.cumsum(share, axis=1)
    cdf /= cdf[:, -1:]
    cdf[:, -1] = 1.0
    step = np.arange(len(cells)) / len(cells)
    guide = np.zeros((kinds, len(cells)), dtype=np.int32)
    for k in range(kinds):
        guide[k] = np.minimum(np.searchsorted(cdf[k], step, side="right"), len(cells) - 1)
    return cdf, guide


# Reprisals -------------------------------------------------------------------------------------------------


def breeding(scenario: Scenario) -> FloatArray:
    """mean[k, j]: incidents of type j that one of type k provokes directly, in the lowest level."""
    kinds = list(scenario.violations)
    mean = np.zeros((len(kinds), len(kinds)))
    for k, (name, v) in enumerate(scenario.violations.items()):
        if v.retaliation is not None:
            for other, share in (v.retaliation.types or {name: 1.0}).items():
                mean[k, kinds.index(other)] += v.retaliation.mean * share
    return mean


def spectral_radius(mean: FloatArray) -> float:
    """The largest eigenvalue: from 1 on, reprisals never end."""
    return float(np.abs(np.linalg.eigvals(mean)).max()) if mean.size else 0.0


def refuse_explosion(scenario: Scenario, ladder: Ladder) -> None:
    """Raise ScenarioError when every incident leads, in the end, to endlessly many others."""
    radius = spectral_radius(breeding(scenario) * ladder.breeds[0])
    if radius >= 1.0:
        worst = max(
            (v.retaliation.mean, name) for name, v in scenario.violations.items() if v.retaliation is not None
        )[1]
        fact = f"reprisals never end: the spectral radius of what provokes what is {radius:.3f}, not below 1"
        hint = "lower `mean`: of one incident, fewer than one more must follow on average"
        raise ScenarioError(
            [Problem(path=("violations", worst, "retaliation", "mean"), fact=fact, hint=hint)]
        )


def with_reprisals(scenario: Scenario, ladder: Ladder, rate_per_h: FloatArray) -> FloatArray:
    """(K,) incidents of each type per hour when so many happen unprovoked: what they provoke is added,
    calming left aside, in the lowest level (m = (I - M')^-1 rates, Hawkes 1971).
    """
    mean = breeding(scenario) * ladder.breeds[0]
    all_of: FloatArray = np.linalg.solve(np.eye(len(rate_per_h)) - mean.T, rate_per_h)
    return all_of


# What is listed --------------------------------------------------------------------------------------------


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
