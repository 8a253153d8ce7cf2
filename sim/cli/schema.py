"""`bufferzone schema`: the JSON Schema of scenario files."""

from __future__ import annotations

import json

import click

from sim.scenario.resolve import json_schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of scenario files, made from the same definitions that check them.

    Save it beside your scenarios, and begin each with `# yaml-language-server:
    $schema=bufferzone.schema.json`.
    """
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
