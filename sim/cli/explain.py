"""`bufferzone explain`: the resolved scenario with every default, its unit and its source."""

from __future__ import annotations

import json
import pathlib

import click

from sim.cli.options import json_option, loaded, scenario_argument, set_option
from sim.errors import dotted


@click.command("explain")
@scenario_argument
@set_option
@click.option("--yaml", "as_yaml", is_flag=True, help="Print the resolved scenario as a scenario file.")
@click.option("--written", "only_written", is_flag=True, help="Leave defaults out.")
@json_option
def command(
    scenario: pathlib.Path, settings: tuple[str, ...], as_yaml: bool, only_written: bool, as_json: bool
) -> None:
    """Print every value of SCENARIO, whether it is written or a default, and where it comes from."""
    file = loaded(scenario, settings)
    if as_yaml:
        print(file.resolved_text(), end="")
        return
    rows = [e for e in file.explained() if e.is_written or not only_written]
    if as_json:
        told = [
            {
                "path": dotted(e.path),
                "value": e.value,
                "written": e.is_written,
                "place": str(e.place) if e.place else None,
                "source": e.source,
                "says": e.says,
            }
            for e in rows
        ]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    section = None
    for e in rows:
        if e.path[0] != section:
            section = e.path[0]
            print(f"\n{section}")
        name = dotted(e.path[1:]) or str(e.path[0])
        mark = " " if e.is_written else "*"
        print(f" {mark} {name}: {_short(e.value)}")
        if e.source is not None:
            print(f"       source: {e.source}")
    for change in file.document.overrides:
        print(f"\nset: {change}")
    print("\n* default, or from the library; everything else is written in the scenario")


def _short(text: str, width: int = 100) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
