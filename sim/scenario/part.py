"""What every piece of a scenario shares: `Part`, its base, and `Faults`, its way to say what is wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sim.errors import Path, dotted

Fault: TypeAlias = tuple[Path, str, str | None]
"""A path below the part that is at fault, the fact, and a hint or None."""

_EXACT = frozenset({"bool", "float", "int", "str"})
_TURNS_TEXT = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_NOT_SCHEMAS = frozenset({"cls", "config", "default", "expected", "metadata", "ref", "serialization"})


class Faults(ValueError):
    """Several faults that a part found in itself, for a validator to raise.

    >>> raise Faults([(("posts", 2, "chainage"), "stands at 90 km but the line ends at 80 km", None)])
    Traceback (most recent call last):
    sim.scenario.part.Faults: posts[2].chainage: stands at 90 km but the line ends at 80 km
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        if not self.faults:
            raise ValueError("Faults needs at least one fault")
        super().__init__("\n".join(_told(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[Faults], tuple[tuple[Fault, ...]]]:
        return (Faults, (self.faults,))


def _make_exact(schema: Any) -> None:
    """Turn off pydantic's conversions between sorts of scalar, but not those between sorts of container."""
    if isinstance(schema, dict):
        kind = schema.get("type")  # or what a field called `type` is
        if isinstance(kind, str) and kind in _EXACT:
            schema["strict"] = True
        for name, inner in schema.items():
            if name not in _NOT_SCHEMAS:
                _make_exact(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            _make_exact(inner)


class Part(BaseModel):
    """A piece of a scenario: frozen, refusing unknown keys, described by the docstrings of its fields.

    Numbers, truth values and texts are taken as written: "yes" is not true, 3.0 is not a whole number.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_exact(schema)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema, its defaults written as an author would write them: "20 km", not 20.0."""
        schema = handler(core)
        defaults = cls.model_construct().model_dump(mode="json", by_alias=True, warnings=False)
        for name, entry in handler.resolve_ref_schema(schema).get("properties", {}).items():
            if "default" in entry and name in defaults:
                entry["default"] = defaults[name]
            if "patternProperties" in entry:  # a name of another form is no name
                entry.setdefault("additionalProperties", False)
        return schema


def shown(value: object) -> str:
    """A value for a message: text in quotes and cut short, no brackets."""
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list | tuple) else str(value)


def _told(fault: Fault) -> str:
    path, fact, hint = fault
    where = f"{dotted(path)}: " if path else ""
    return f"{where}{fact}" if hint is None else f"{where}{fact} ({hint})"


def _printable(text: str) -> str:
    """*text*, unless it holds characters that no page can show: controls other than a new line,
    noncharacters.
    """
    for character in text:
        is_control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t"
        is_control |= (
            unicodedata.bidirectional(character) in _TURNS_TEXT
        )  # would turn the words after it round
        if is_control or ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF:
            raise ValueError(f"holds the character U+{ord(character):04X}, which cannot be shown")
    return text


Text = Annotated[str, AfterValidator(_printable)]
"""Words for people: any characters that can be shown."""
