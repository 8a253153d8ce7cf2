"""`bufferzone check`: every problem at once, and what is allowed but unlikely."""

from __future__ import annotations

import json
import pathlib
import sys

import click

from sim.campaign.theatre import stage
from sim.cli.options import json_option, set_option
from sim.errors import Problem, ScenarioError
from sim.scenario.load import parse_settings
from sim.scenario.resolve import load
from sim.study.lint import unlikely


@click.command("check")
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(path_type=pathlib.Path))
@set_option
@json_option
def command(scenarios: tuple[pathlib.Path, ...], settings: tuple[str, ...], as_json: bool) -> None:
    """Check SCENARIOS without running them: every problem at once, with its place and a remedy.

    Warnings about what is allowed but unlikely do not make the check fail.
    """
    refused: list[Problem] = []
    answers = []
    for path in scenarios:
        try:
            file = load(path, set=parse_settings(settings))
            theatre = stage(file.scenario, file.document)
        except ScenarioError as bad:
            refused += bad.problems
            answers.append(
                {
                    "scenario": str(path),
                    "ok": False,
                    "problems": [str(p) for p in bad.problems],
                    "warnings": [],
                }
            )
            if not as_json:
                print(bad, file=sys.stderr)
            continue
        warnings = unlikely(theatre, file)
        answers.append(
            {"scenario": str(path), "ok": True, "problems": [], "warnings": [str(w) for w in warnings]}
        )
        if not as_json:
            for warning in warnings:
                print(f"warning: {warning}", file=sys.stderr)
            ground = theatre.ground
            nations = sum(1 for c in theatre.contingents if c.strength)
            sectors = _counted(len(ground.sector_names), "sector")
            print(
                f"{path}: sound. {ground.line.length_km:,.1f} km in {sectors}, "
                f"{sum(c.strength for c in theatre.contingents):,} soldiers in "
                f"{_counted(nations, 'contingent')}, "
                f"{_counted(len(file.scenario.violations), 'violation type')}."
            )
    if as_json:
        print(json.dumps(answers, indent=2, ensure_ascii=False))
    if refused:
        raise click.exceptions.Exit(1)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
