"""What can be wrong with an author's input, and how it is said.

A `Problem` is one fault with its place and its remedy; a `ScenarioError` carries every fault that was found,
sorted by place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a value stands in a scenario: ("force", "contingents", "uk", "strength")."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A position in a text: file name, line and column, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault: where it stands, the fact, and what to do about it."""

    path: Path
    fact: str
    hint: str | None = None
    place: Place | None = None

    def __str__(self) -> str:
        head = "" if self.place is None else f"{self.place}: "
        where = dotted(self.path)
        text = f"{head}{where}: {self.fact}" if where else f"{head}{self.fact}"
        return text if self.hint is None else f"{text}\n    hint: {self.hint}"


class ScenarioError(Exception):
    """The author's input is wrong; `problems` lists every fault found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=_reading_order))
        if not self.problems:
            raise ValueError("a ScenarioError needs at least one problem")
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return (ScenarioError, (self.problems,))


def dotted(path: Path) -> str:
    """('force', 'contingents', 'uk') -> 'force.contingents.uk'; a list index is written [2]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word most like *word*, or None when nothing is alike."""
    close = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    return next((k for k in known if k.lower() == close[0]), None) if close else None


def _reading_order(problem: Problem) -> tuple[bool, str, int, int, str, str]:
    place = problem.place
    if place is None:
        return (True, "", 0, 0, dotted(problem.path), problem.fact)
    return (False, place.file, place.line, place.column, dotted(problem.path), problem.fact)
