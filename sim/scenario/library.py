"""The library of violation types: `like: shelling` lends a type what its author did not write.

It is done on plain data, before anything is checked, so what is lent is held to the same rules as what is
written, and the resolved scenario stands without the library.
"""

from __future__ import annotations

import copy
import functools
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sim.errors import Path, Problem, nearest
from sim.scenario.claims import data_root, register, source_for
from sim.scenario.load import DISTRIBUTIONS, Document, Span, read
from sim.scenario.part import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A violation type that can be lent."""

    values: Mapping[str, Any]  # as an author would write them
    sources: Mapping[str, str]  # path below the type -> citation

    def source_of(self, path: Path) -> str:
        """The citation of a value; a title needs none and has none."""
        return source_for(path, self.sources) or "assumption: a name for people"


@functools.cache
def types() -> Mapping[str, Type]:
    """The library that comes with the package, read once."""
    return library(data_root() / "seeds" / "violations.yaml")


def library(file: pathlib.Path) -> Mapping[str, Type]:
    """The violation types in *file* by name; raises ValueError for a citation that nothing backs."""
    entries: dict[str, Type] = {}
    for name, entry in read(file).data.items():
        sources = entry.pop("sources")
        for citation in sources.values():
            register().cite(citation)
        entries[name] = Type(values=MappingProxyType(entry), sources=MappingProxyType(sources))
    return MappingProxyType(entries)


def filled(document: Document) -> tuple[Document, tuple[Problem, ...]]:
    """*document* with what the library lends to its violation types in place of `like`, and what is wrong."""
    violations = document.data.get("violations")
    if not isinstance(violations, dict):
        return document, ()
    problems: list[Problem] = []
    lent: dict[Path, str] = {}
    places = dict(document.places)
    now: dict[str, Any] = {}
    for name, written in violations.items():
        now[name] = written
        if not isinstance(written, dict) or "like" not in written:
            continue
        here: Path = ("violations", name)
        now[name] = {key: value for key, value in written.items() if key != "like"}
        wrong = _unknown(written["like"], (*here, "like"))
        if wrong is not None:
            problems.append(replace(wrong, place=document.place(wrong.path)))
            continue
        type_ = types()[written["like"]]
        now[name] = _lend(type_.values, now[name])
        for path in _new(type_.values, written, ()):
            lent[(*here, *path)] = type_.source_of(path)
            places[(*here, *path)] = Span(key=None, value=document.place((*here, "like")))
    data = {**document.data, "violations": now}
    return replace(document, data=data, places=places, lent=lent), tuple(problems)


def _unknown(name: Any, path: Path) -> Problem | None:
    """What is wrong with the name of a type of the library, if anything is."""
    known = tuple(types())
    if name in known:
        return None
    have = f"the library has {', '.join(known)}"
    if not isinstance(name, str):
        return Problem(path=path, fact=f"expected a type of the library, got {shown(name)}", hint=have)
    close = nearest(name, known)
    hint = f'did you mean "{close}"? {have}' if close else have
    return Problem(path=path, fact=f"the library has no violation type {shown(name)}", hint=hint)


def _lend(values: Mapping[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """*written* with *values* wherever it says nothing; mappings are filled key by key."""
    both = dict(written)
    for key, value in values.items():
        if key not in written:
            both[key] = copy.deepcopy(value)
        elif _is_filled(value, written[key]):
            both[key] = _lend(value, written[key])
    return both


def _new(values: Mapping[str, Any], written: Mapping[str, Any], here: Path) -> Iterator[Path]:
    """Paths of the values that `_lend` takes from *values*."""
    for key, value in values.items():
        if key not in written and isinstance(value, dict):
            yield from _new(value, {}, (*here, key))
        elif key not in written:
            yield (*here, key)
        elif _is_filled(value, written[key]):
            yield from _new(value, written[key], (*here, key))


def _is_filled(value: Any, written: Any) -> bool:
    """Whether what is written leaves room: a mapping does, but no distribution for one of another kind."""
    if not isinstance(value, dict) or not isinstance(written, dict):
        return False
    kind, own = value.get("kind"), written.get("kind")
    return own is None or own == kind or own not in DISTRIBUTIONS
