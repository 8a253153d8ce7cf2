"""A scenario as written and as resolved: defaults explicit, every number with place and source."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim.errors import Path, Place, Problem, ScenarioError, nearest
from sim.scenario.claims import default_sources, pattern_steps, register, source_for
from sim.scenario.library import filled, types
from sim.scenario.load import Document, dump, read
from sim.scenario.schema import Scenario
from sim.scenario.validate import validated

_NO_CLAIM = ("bufferzone", "replications", "seed", "start")
_NO_NUMBER = (
    "crs",
    "edges",
    "file",
    "kind",
    "layer",
    "name",
    "nodes",
    "question",
    "sector",
    "sectors",
    "title",
    "type",
)
"""Values that state nothing about the world, and values that are names: neither needs a source."""


_FILES = (("line", "file"), ("travel", "roads", "edges"), ("travel", "roads", "nodes"), ("trace", "file"))
"""Where a scenario names other files that a run reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One value of a resolved scenario."""

    path: Path
    value: str
    is_written: bool  # by the author, in a parent file or by --set; otherwise a default, or from the library
    place: Place | None  # where it, or the `like` that brought it, is written
    source: str | None  # citation that covers it
    says: str | None  # what the cited entries say

    @property
    def is_claim(self) -> bool:
        """Whether it states a number about the world, which needs a source; names and seeds do not."""
        has_number = any(character.isdigit() for character in self.value)
        return has_number and self.path[0] not in _NO_CLAIM and self.path[-1] not in _NO_NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """A checked scenario and the text that it came from."""

    scenario: Scenario
    document: Document

    @property
    def path(self) -> pathlib.Path:
        """The scenario file."""
        return self.document.files[0]

    def resolved(self) -> dict[str, Any]:
        """Plain data with every default explicit and file names absolute; reads back to the same scenario bit
        for bit.
        """
        data: dict[str, Any] = self.scenario.model_dump(mode="json", by_alias=True)
        for where in _FILES:
            holder = _holder(data, where)
            if holder.get(where[-1]):
                holder[where[-1]] = str((self.document.base_dir(where) / holder[where[-1]]).resolve())
        return data

    def resolved_text(self) -> str:
        """The resolved scenario as a scenario file."""
        return dump(self.resolved())

    def data_files(self) -> tuple[pathlib.Path, ...]:
        """Every file besides scenario files that a run reads."""
        data = self.resolved()
        names = (_holder(data, where).get(where[-1]) for where in _FILES)
        return tuple(pathlib.Path(name) for name in names if name)

    def explained(self) -> tuple[Explained, ...]:
        """Every value with its source, in the order of the schema."""
        return tuple(self._explained((), self.scenario.model_dump(mode="json", by_alias=True)))

    def _explained(self, path: Path, value: Any) -> Iterator[Explained]:
        if path == ("sources",):
            return
        if isinstance(value, dict) and value:
            for key, below in value.items():
                yield from self._explained((*path, key), below)
            return
        lent = self._lent(path)
        written = lent is None and self._is_written(path)
        own = source_for(path, self.scenario.sources)
        # What the author left alone has its own reason, whatever is said of the section around it.
        citation = own if written else lent or source_for(path, default_sources()) or own
        says = None if citation is None else register().cite(citation).says
        yield Explained(
            path=path,
            value=_shown(value),
            is_written=written,
            place=self._place(path) if written or lent else None,
            source=citation,
            says=says,
        )

    def _lent(self, path: Path) -> str | None:
        """The source of a value that the library lent, maybe in a short form; None for any other."""
        above = (path[:end] for end in range(len(path), 0, -1))
        return next((self.document.lent[p] for p in above if p in self.document.lent), None)

    def _is_written(self, path: Path) -> bool:
        """Whether the author wrote the value at *path*, if only in a short form such as `20 min` for a fixed
        duration.
        """
        data: Any = self.document.data
        for step in path:
            if not isinstance(data, dict):
                return True
            if step not in data:
                return False
            data = data[step]
        return True

    def _place(self, path: Path) -> Place:
        """Where the value, or the short form that stands for it, is written."""
        while path not in self.document.places:
            path = path[:-1]
        return self.document.places[path].value

    def unsourced(self) -> tuple[Explained, ...]:
        """Written numbers without a source: what a reader cannot check."""
        return tuple(e for e in self.explained() if e.is_written and e.source is None and e.is_claim)


def load(path: str | pathlib.Path, *, set: Mapping[str, object] | None = None) -> ScenarioFile:
    """Read and check a scenario file; *set* puts values over it by dotted path.

    Raises ScenarioError with every problem found.
    """
    document, unknown = filled(read(path, set=set))
    try:
        scenario = validated(Scenario, document)
    except ScenarioError as refused:
        raise ScenarioError([*unknown, *refused.problems]) from None
    problems = [*unknown, *_source_problems(scenario)]
    if problems:
        raise document.refusal(problems)
    return ScenarioFile(scenario=scenario, document=document)


def _source_problems(scenario: Scenario) -> Iterator[Problem]:
    values = scenario.model_dump(mode="json", by_alias=True)
    for pattern, citation in scenario.sources.items():
        try:
            register().cite(citation)
        except ValueError as bad:
            fact, _, hint = str(bad).partition("; ")
            yield Problem(path=("sources", pattern), fact=fact, hint=hint or None)
        unknown = _unknown_step(pattern, values)
        if unknown is not None:
            step, siblings = unknown
            close = nearest(step, siblings)
            hint = f'did you mean "{close}"?' if close else f"known keys: {', '.join(siblings)}"
            yield Problem(path=("sources", pattern), fact=f'covers nothing: there is no "{step}"', hint=hint)


def _unknown_step(pattern: str, data: Any) -> tuple[str, list[str]] | None:
    """The first step of a source's path that leads nowhere, with the keys that stand there, or None.

    A `*` covers whatever there is, also when there is nothing.
    """
    here = [data]
    for step in pattern_steps(pattern):
        below = [
            v for d in here if isinstance(d, dict | list) for v in (d.values() if isinstance(d, dict) else d)
        ]
        if step == "*":
            found = below
        else:
            found = [d[step] for d in here if isinstance(d, dict) and step in d]
            found += [
                d[int(step)] for d in here if isinstance(d, list) and step.isdigit() and int(step) < len(d)
            ]
            if not found and here:
                return step, sorted({str(k) for d in here if isinstance(d, dict) for k in d})
        here = [v for v in found if v is not None]
        if not here:
            return None
    return None


def _holder(data: dict[str, Any], where: tuple[str, ...]) -> dict[str, Any]:
    """The mapping in which the last step of *where* stands; an empty one if there is none."""
    for step in where[:-1]:
        data = data.get(step) or {}
    return data


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{}"
    return str(value)


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file; editors complete and check with it. `extends` may stand
    beside the sections.
    """
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "bufferzone scenario, language version 1"
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "Scenario file that this one changes, relative to this file.",
    }
    schema["$defs"]["ViolationPart"]["properties"]["like"]["enum"] = list(types())
    # What a file leaves out may stand in the file that it extends.
    schema["if"] = {"required": ["extends"]}
    schema["else"] = {"required": schema.pop("required")}
    return schema
