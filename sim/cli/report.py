"""`bufferzone report`: build the report of a run folder anew."""

from __future__ import annotations

import json
import pathlib

import click

from sim.cli.main import UserError
from sim.cli.options import json_option


@click.command("report")
@click.argument("run", type=click.Path(path_type=pathlib.Path))
@json_option
def command(run: pathlib.Path, as_json: bool) -> None:
    """Build figures and report.html of the run folder RUN anew from its data."""
    if not run.is_dir():
        raise UserError(f"{run} is not a folder", "give the folder that `bufferzone run` has written")
    missing = [
        name
        for name in ("summary.json", "manifest.json", "scenario.resolved.yaml", "replications.parquet")
        if not (run / name).is_file()
    ]
    if missing:
        raise UserError(
            f"{run} is not a run folder: it lacks {', '.join(missing)}",
            "give the folder that `bufferzone run` has written",
        )
    from sim.report.page import build

    page = build(run)
    print(json.dumps({"report": str(page)}) if as_json else page)
