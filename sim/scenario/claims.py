"""Where numbers come from: the register of claims and figures, and how a scenario cites it.

A claim is what somebody was reported to have said, a figure what somebody published; neither is a truth, and
they contradict one another. The register lies in `seeds/`, whose README says how to read and how to cite it.
"""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import Field, ValidationError, model_validator

from sim.errors import Path, Problem, ScenarioError, nearest
from sim.scenario.load import Document, read
from sim.scenario.part import Fault, Faults, Part

__all__ = ["Citation", "Claim", "Figure", "Register", "data_root", "load", "register", "source_for"]

Text: TypeAlias = Annotated[str, Field(min_length=1)]
Confidence: TypeAlias = Literal["reported", "anonymous", "disputed", "stance"]
Flag: TypeAlias = Literal["primary", "secondary", "state_media", "wiki", "derived", "unverified"]
_Entry = TypeVar("_Entry", bound=Part)

# fmt: off
SECTIONS: Final = (
    "1a", "1b", "2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d", "3e", "3f",
    "4a", "4b", "4c", "4d", "5", "6", "7", "8", "9", "10",
)
# fmt: on
_CLAIM_ID: Final = re.compile(r"C[0-9]{2}")
_FIGURE_ID: Final = re.compile(r"F-([0-9]+[a-z]?)-[a-z0-9]+(?:-[a-z0-9]+)*")
_DERIVED: Final = re.compile(r"derived from ([^:]+)(?:: .+)?")


class Claim(Part):
    """What a press report says that somebody said."""

    says: Text
    """The claim, in our words."""
    by: Text
    """Who is reported to have made it."""
    outlet: Text
    """Where it was reported."""
    date: Text
    """When, as exactly as is known."""
    parametrises: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Paths of a scenario, or matters, that it bears upon."""
    confidence: Confidence
    """What the report rests on."""
    note: Text
    """What it contradicts, or asks of the simulator."""

    def __str__(self) -> str:
        return f"{self.says} ({self.by}; {self.outlet}, {self.date}; {self.confidence})"


class Figure(Part):
    """A number, or a few, that somebody published, or that follows from others."""

    fact: Text
    """What was measured or said."""
    value: int | float | Text | None = None
    """How much: a number, or a text where one number would mislead."""
    low: float | None = None
    """Lower end of a range, in units of `unit`."""
    mid: float | None = None
    """Middle of a range, where one is named."""
    high: float | None = None
    """Upper end of a range."""
    unit: str = ""
    """What it is counted in."""
    flag: Flag
    """How near the source is to the fact."""
    source: Text
    """Addresses joined by ` ; `, or `derived from` the ids of other entries."""
    date: str = ""
    """When it held or was published; a derived figure has the dates of its parents."""
    section: Text
    """The part of the register that it belongs to."""
    note: str = ""
    """What to know before relying on it."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        faults: list[Fault] = []
        ends = [end for end in (self.low, self.mid, self.high) if end is not None]
        if self.value is None and len(ends) < 2:
            faults.append(((), "has neither a value nor a range", "write value, or low and high"))
        if ends != sorted(ends):
            shown = " / ".join(f"{end:g}" for end in ends)
            faults.append((("low",), f"the range {shown} does not rise", "write low, then mid, then high"))
        if (self.flag == "derived") != (_DERIVED.fullmatch(self.source) is not None):
            fact = f'the flag is {self.flag} but the source is "{self.source}"'
            faults.append(
                (("source",), fact, 'a derived figure, and no other, is "derived from F-..., F-..."')
            )
        if not self.date and self.flag != "derived":
            faults.append(((), '"date" is missing', 'write "undated" if the source has none'))
        if faults:
            raise Faults(faults)
        return self

    @property
    def parents(self) -> tuple[str, ...]:
        """Ids of the entries that a derived figure follows from; none for any other."""
        found = _DERIVED.fullmatch(self.source)
        return tuple(found[1].split(", ")) if found else ()

    @property
    def amount(self) -> str:
        """How much, with its unit: "25,000 to 30,000 soldiers", or with a middle "4 / 12.5 / 40 km"."""
        if self.value is not None:
            much = self.value if isinstance(self.value, str) else _number(self.value)
        else:
            ends = [_number(end) for end in (self.low, self.mid, self.high) if end is not None]
            much = (" to " if self.mid is None else " / ").join(ends)
        return f"{much} {self.unit}".strip()

    def __str__(self) -> str:
        told = ", ".join(text for text in (self.flag, self.date) if text)
        return f"{self.fact}: {self.amount} ({told})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A source as a scenario names it, looked up."""

    kind: Literal["claim", "figure", "mixed", "assumption"]
    ids: tuple[str, ...]
    text: str  # as written
    says: str  # what the entries say, or why the assumption is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All claims and figures by id, in the order of the register."""

    claims: Mapping[str, Claim]
    figures: Mapping[str, Figure]

    def cite(self, text: str) -> Citation:
        """Look up `C14`, `C14, F-3b-hot-spots`, `C14: a remark` or `assumption: why`.

        Raises ValueError, in one sentence with its remedy, when the text is none of these.
        """
        written = text.strip()
        head, _, remark = (piece.strip() for piece in written.partition(":"))
        if not head:
            raise ValueError('names no source; write an id such as C14, or "assumption: why"')
        if head == "assumption":
            if not remark:
                raise ValueError('an assumption must give its reason; write "assumption: why"')
            return Citation(kind="assumption", ids=(), text=written, says=remark)
        ids = tuple(dict.fromkeys(piece.strip() for piece in head.split(",")))
        for id in ids:
            if id not in self.claims and id not in self.figures:
                raise ValueError(f'no claim or figure is called "{id}"; {self._remedy(id)}')
        kinds: set[Literal["claim", "figure"]] = {"claim" if id in self.claims else "figure" for id in ids}
        entries = [self.claims.get(id) or self.figures[id] for id in ids]
        says = "; ".join(str(entry) for entry in entries)
        return Citation(kind=kinds.pop() if len(kinds) == 1 else "mixed", ids=ids, text=written, says=says)

    def _remedy(self, id: str) -> str:
        close = nearest(id, [*self.claims, *self.figures, "assumption"])
        if close is None:
            return 'write an id such as C14, or "assumption: why"'
        return f'did you mean "{close}"?'


def data_root() -> pathlib.Path:
    """The directory that holds `seeds/`, `geodata/`, `scenarios/`: the checkout, or a wheel's `sim/data`."""
    package = pathlib.Path(__file__).resolve().parents[1]
    checkout = package.parent
    return checkout if (checkout / "seeds" / "claims.yaml").is_file() else package / "data"


@functools.cache
def register() -> Register:
    """The register that comes with the package, read once."""
    return load(data_root() / "seeds")


@functools.cache
def default_sources() -> Mapping[str, str]:
    """Where the defaults of the scenario language come from: path pattern to citation, as in a scenario's
    `sources`.
    """
    sources = read(data_root() / "seeds" / "defaults.yaml").data
    for citation in sources.values():
        register().cite(citation)
    return MappingProxyType(sources)


def load(folder: pathlib.Path) -> Register:
    """The register in *folder*; a ScenarioError tells all that is wrong with it, as far as it can be read."""
    problems: list[Problem] = []
    claims, claims_file = _entries(folder / "claims.yaml", Claim, problems)
    figures, figures_file = _entries(folder / "figures.yaml", Figure, problems)
    if not problems:
        problems += (_problem(claims_file, fault) for fault in _claim_faults(claims))
        problems += (_problem(figures_file, fault) for fault in _figure_faults(figures, claims))
    if problems:
        raise ScenarioError(problems)
    return Register(claims=MappingProxyType(claims), figures=MappingProxyType(figures))


def pattern_steps(written: str) -> tuple[str, ...]:
    """The steps of a source's path: "violations.*.months[2]" -> ("violations", "*", "months", "2")."""
    return tuple(re.findall(r"[^.\[\]]+", written))


def source_for(path: Path, sources: Mapping[str, str]) -> str | None:
    """The citation that covers the value at *path*, or None.

    A source covers its path and all beneath it; `*` fits any one step. The longest path that fits wins, then
    the one with fewer `*`, then the one whose `*` comes later.
    """
    steps = tuple(str(step) for step in path)
    best: tuple[int, int, tuple[bool, ...]] = (0, 0, ())
    found = None
    for written, citation in sources.items():
        wanted = pattern_steps(written)
        exact = tuple(step != "*" for step in wanted)
        rank = (len(wanted), sum(exact), exact)
        fits = all(step in ("*", here) for step, here in zip(wanted, steps, strict=False))
        if fits and len(wanted) <= len(steps) and rank > best:
            best, found = rank, citation
    return found


def _entries(
    file: pathlib.Path, kind: type[_Entry], problems: list[Problem]
) -> tuple[dict[str, _Entry], Document]:
    """The entries of one file by id; what is wrong with any of them is added to *problems*."""
    document = read(file)
    entries: dict[str, _Entry] = {}
    for id, written in document.data.items():
        try:
            entries[id] = kind.model_validate(written)
        except ValidationError as error:
            problems += (_problem(document, fault) for fault in _told(error, (id,), kind))
    return entries, document


def _told(error: ValidationError, here: Path, kind: type[Part]) -> Iterator[Fault]:
    """What pydantic found, in the words of this project."""
    for found in error.errors():
        path: Path = (*here, *found["loc"][:1])
        cause = found.get("ctx", {}).get("error")
        if isinstance(cause, Faults):
            yield from (((*here, *below), fact, hint) for below, fact, hint in cause.faults)
        elif found["type"] == "missing":
            yield here, f'"{path[-1]}" is missing', f"every {kind.__name__.lower()} states it"
        elif found["type"] == "extra_forbidden":
            close = nearest(str(path[-1]), tuple(kind.model_fields))
            yield path, "no such key here", f'did you mean "{close}"?' if close else None
        else:
            message = found["msg"]
            yield path, f"{message[:1].lower()}{message[1:]}, got {found['input']!r}", None


def _claim_faults(claims: Mapping[str, Claim]) -> Iterator[Fault]:
    for id, before in zip(claims, ("", *claims), strict=False):
        if not _CLAIM_ID.fullmatch(id):
            yield (id,), "is not an id", "write C and two digits"
        elif id < before:
            yield (id,), f"stands after {before}", "keep claims in the order of their ids"


def _figure_faults(figures: Mapping[str, Figure], claims: Mapping[str, Claim]) -> Iterator[Fault]:
    reached = 0
    for id, figure in figures.items():
        parts = _FIGURE_ID.fullmatch(id)
        if parts is None or parts[1] not in SECTIONS:
            yield (id,), "is not an id", "write F-, a section, and words, such as F-3b-hot-spots"
            continue
        if figure.section != parts[1]:
            yield (id, "section"), f"is {figure.section}, but the id says {parts[1]}", "make them agree"
        if SECTIONS.index(parts[1]) < reached:
            yield (id,), f"stands after section {SECTIONS[reached]}", "move it to its own section"
        reached = max(reached, SECTIONS.index(parts[1]))
        for parent in figure.parents:
            if parent not in figures and parent not in claims:
                close = nearest(parent, [*figures, *claims])
                hint = f'did you mean "{close}"?' if close else "enter it first"
                yield (id, "source"), f'is derived from "{parent}", which is not in the register', hint


def _problem(document: Document, fault: Fault) -> Problem:
    path, fact, hint = fault
    span = document.places.get(path)
    return Problem(path=path, fact=fact, hint=hint, place=None if span is None else span.key or span.value)


def _number(value: Any) -> str:
    return f"{value:,.10g}"
