"""The JSON Schema that editors use: made from the definitions that check a scenario, and at one with them."""

from __future__ import annotations

import copy
import pathlib
import typing
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from sim.scenario.chance import RandomDuration
from sim.scenario.load import DISTRIBUTIONS, read
from sim.scenario.resolve import json_schema, load
from sim.scenario.schema import Scenario

CASES = pathlib.Path(__file__).parents[1] / "cases" / "valid"
VALID = sorted(CASES.glob("*.yaml"))
SCHEMA = json_schema()
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def small() -> dict[str, Any]:
    return copy.deepcopy(read(CASES / "minimal.yaml").data)


def complaints(data: dict[str, Any]) -> list[str]:
    return [error.json_path for error in CHECK.iter_errors(data)]


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_a_valid_case_fits_the_schema_as_written_and_as_resolved(case: pathlib.Path) -> None:
    assert complaints(read(case).data) == []
    assert complaints(load(case).resolved()) == []


def test_a_file_that_extends_another_may_leave_sections_out() -> None:
    assert complaints({"extends": "base.yaml", "name": "child"}) == []
    assert complaints({"name": "child"}) == ["$"] * 4


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("line", "length", 800),
        ("line", "length", "800"),
        ("line", "length", "800 per day"),
        ("line", "lenght", "800 km"),
        ("line", "latitude", 91),
        ("line", "latitude", "48"),
        ("response", "policy", "neerest"),
        ("response", "preempt", "yes"),
        ("response", "reaction", {"kind": "lognormal", "mean": "5 min"}),
        ("response", "reaction", 20),
        ("travel", "terrain", {"no word": 1}),
        ("seasons", "mud", {"months": [13]}),
        ("seasons", "mud", {"road_factor": 0.5}),
        ("watch", "weather", {"poor_share": [0.1] * 11}),
    ],
)
def test_what_the_reader_refuses_the_schema_flags(section: str, key: str, value: object) -> None:
    data = small()
    data.setdefault(section, {})[key] = value
    assert complaints(data)


@pytest.mark.parametrize("value", ["800 mi", "1287.5 km", "1e3 km", " 5 km "])
def test_what_the_reader_takes_the_schema_takes(value: str) -> None:
    data = small()
    data["line"]["length"] = value
    assert complaints(data) == []


def test_an_unknown_section_is_flagged() -> None:
    assert complaints({**small(), "weather": 1}) == ["$"]


def models() -> Iterator[type[BaseModel]]:
    """Every part that a scenario is made of."""
    queue: list[Any] = [Scenario]
    seen: set[int] = set()
    while queue:
        each = queue.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
            queue += [info.annotation for info in each.model_fields.values()]
        queue += typing.get_args(each)


def test_every_part_and_every_field_is_described() -> None:
    found = list(models())
    assert len(found) > 30
    for model in found:
        assert model.__doc__, model
        assert model.__doc__ != BaseModel.__doc__, model
        for name, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{name}"
            assert info.description.rstrip().endswith((".", "`.", ")")), f"{model.__name__}.{name}"


def test_the_schema_carries_the_descriptions() -> None:
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    for part in parts:
        assert part["description"], part.get("title")
        for name, entry in part.get("properties", {}).items():
            meant = SCHEMA["$defs"].get(entry.get("$ref", "").removeprefix("#/$defs/"), {})
            assert entry.get("description") or meant.get("description"), f"{part['title']}.{name}"


def test_defaults_are_written_as_an_author_would() -> None:
    manning = SCHEMA["$defs"]["ManningPart"]["properties"]
    assert manning["tour"]["default"] == "4383 h"
    assert manning["support_share"]["default"] == 0.35


def test_the_kinds_of_distribution_are_those_that_a_child_replaces_whole() -> None:
    union = typing.get_args(typing.get_args(RandomDuration)[0])
    kinds = [typing.get_args(each.model_fields["kind"].annotation)[0] for each in union]
    assert tuple(kinds) == DISTRIBUTIONS
