"""The report: one file that opens offline, and the figures beside it."""

from __future__ import annotations

import hashlib
import os
import pathlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sim.report.answer import cards, sentences
from sim.report.assumptions import Assumption, assumptions
from sim.report.figures.basemap import ATTRIBUTION, is_covered
from sim.report.limits import limits
from sim.report.run import Run
from sim.report.sheets import Sheet, sheets
from sim.report.tables import figure_rows, metric_rows, sector_rows, type_rows
from sim.report.words import number
from sim.results.store import SCENARIO
from sim.scenario.quantities import spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT, FIGURES = "report.html", "figures"


def build(folder: str | pathlib.Path) -> pathlib.Path:
    """Write `report.html` and `figures/*.svg`, `.png` into a run folder -> the report's path.

    Reads the folder and the files that its scenario names. The same run gives the same bytes, and each file
    appears whole.
    """
    run = Run.open(folder)
    drawn = list(sheets(run))
    text = page(run, drawn)
    figures = run.folder / FIGURES
    figures.mkdir(exist_ok=True)
    for sheet in drawn:
        if sheet.drawn is not None:
            _write(figures / f"{sheet.key}.svg", sheet.drawn.svg.encode())
            _write(figures / f"{sheet.key}.png", sheet.drawn.png)
    target = run.folder / REPORT
    _write(target, text.encode())
    return target


def page(run: Run, drawn: list[Sheet]) -> str:
    """The report as text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    listed = assumptions(run.scenario_file, run.manifest.get("values", {}))
    return environment.get_template("report.html.j2").render(
        name=run.name,
        question=run.answer.get("question", ""),
        said=sentences(run),
        basis=basis(run),
        cards=cards(run),
        sheets=[(sheet, [figure_rows(table, file) for table, file in sheet.tables]) for sheet in drawn],
        metrics=metric_rows(run),
        types=type_rows(run) if len(run.types) else None,
        sectors=sector_rows(run),
        set_values=list(_by_section(one for one in listed if one.is_set and not one.is_silent)),
        default_values=list(_by_section(one for one in listed if not one.is_set and not one.is_silent)),
        silent=sum(one.is_silent for one in listed),
        unsourced=sum(1 for one in listed if one.is_set and one.needs_source and not one.source),
        limits=limits(run),
        facts=facts(run),
        attribution=ATTRIBUTION if is_covered(run.setting.line) else "",
    )


def basis(run: Run) -> str:
    """How many histories of what length the numbers rest on; said wherever they are."""
    count, horizon = run.replication_count, spoken(run.setting.scenario.horizon, "duration")
    length = f"{number(run.setting.length_km, 0)} km of line, {horizon} from {run.setting.start.isoformat()}"
    if count == 1:
        return f"One replication, so no intervals: {length}."
    return f"{count:,} replications of {length}. Intervals are 95 % intervals of the mean over replications."


def facts(run: Run) -> list[tuple[str, str]]:
    """How to get the same numbers again."""
    manifest = run.manifest
    count = run.replication_count
    seed = manifest.get("seed", run.answer.get("seed"))
    digest = hashlib.sha256((run.folder / SCENARIO).read_bytes()).hexdigest()
    first = int(manifest.get("first_replication", 0))
    replications = (
        f"{count:,}"
        + (f", from number {first}" if first else "")
        + (", interrupted" if manifest.get("interrupted") else "")
    )
    which = f"--replication {first}" if first else f"--replications {count}"
    out = [
        ("Run again", f"bufferzone run RUN/{SCENARIO} --seed {seed} {which}"),
        ("Command", str(manifest.get("command") or "not recorded")),
        ("Scenario file", pathlib.PurePath(str(manifest.get("scenario_file", ""))).name or "not recorded"),
        ("Overrides", "; ".join(map(str, manifest.get("overrides", []))) or "none"),
        ("Seed", str(seed)),
        ("Replications", replications),
        ("Resolved scenario, sha256", digest),
        (
            "Version",
            f"bufferzone {manifest.get('bufferzone', 'unknown')}, Python {manifest.get('python', 'unknown')}",
        ),
        (
            "Packages",
            ", ".join(f"{name} {version}" for name, version in manifest.get("packages", {}).items())
            or "not recorded",
        ),
        (
            "Simulated",
            (
                f"{manifest.get('started', 'unknown')}, {manifest.get('seconds_simulating', 'unknown')} s of "
                "computing"
            ),
        ),
    ]
    data: dict[str, Any] = manifest.get("geodata", {})
    out += [
        (f"Data file {pathlib.PurePath(name).name}, sha256", str(digest)) for name, digest in data.items()
    ]
    return out


def _by_section(values: Iterator[Assumption]) -> Iterator[tuple[str, list[Assumption]]]:
    for section, some in groupby(values, key=lambda one: one.section):
        yield section, list(some)


def _write(path: pathlib.Path, data: bytes) -> None:
    """A file that is whole or not there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
