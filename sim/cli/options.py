"""Options that several commands share."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import click

from sim.scenario.load import parse_settings
from sim.scenario.resolve import ScenarioFile, load

scenario_argument = click.argument("scenario", type=click.Path(path_type=pathlib.Path))
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Put a value over the file, such as force.scale=1.5. Repeatable.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer on standard output for programs.")


def loaded(scenario: pathlib.Path, settings: tuple[str, ...]) -> ScenarioFile:
    """The scenario file with its settings, checked."""
    return load(scenario, set=parse_settings(settings))


def with_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Apply several options to a command, in their order on the help page."""

    def apply(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return apply
