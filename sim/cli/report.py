"""`bufferzone report`: build the report of a run folder anew."""

from __future__ import annotations

import json
import pathlib

import click

from sim.cli.main import UserError
from sim.cli.options import json_option
from sim.results.digest import sha256_of


@click.command("report")
@click.argument("run", type=click.Path(path_type=pathlib.Path))
@json_option
def command(run: pathlib.Path, as_json: bool) -> None:
    """Build figures and report.html of the run folder RUN anew from its data."""
    if not run.is_dir():
        raise UserError(f"{run} is not a folder", "give the folder that `bufferzone run` has written")
    _refuse_what_is_no_run(run)
    from sim.report.page import build

    page = build(run)
    print(json.dumps({"report": str(page)}) if as_json else page)


def _refuse_what_is_no_run(run: pathlib.Path) -> None:
    """A run folder has a manifest, and everything in it is as the manifest says."""
    hint = "give the folder that `bufferzone run` has written"
    try:
        stored = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["results"]
    except FileNotFoundError:
        raise UserError(f"{run} is not a run folder: it lacks manifest.json", hint) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{run / 'manifest.json'} cannot be read", hint) from None
    for name, digest in stored.items():
        if not (run / name).is_file():
            raise UserError(f"{run} lacks {name}", "run the scenario again")
        if sha256_of(run / name) != digest:
            raise UserError(f"{run / name} is not as the run wrote it", "run the scenario again")
