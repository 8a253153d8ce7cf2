"""What a run assumes: every value of its resolved scenario, set or left at its default, with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sim.errors import Path, dotted
from sim.report.words import said
from sim.scenario.claims import default_sources, register, source_for

if TYPE_CHECKING:
    from sim.scenario.resolve import ScenarioFile
    from sim.scenario.schema import Scenario

SILENT = ("none", "[]", "{}", "")
"""What a value that says nothing looks like; such defaults are counted, not listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One value of the resolved scenario."""

    path: str
    section: str
    means: str  # what the field is, in the words of the reference
    value: str
    is_set: (
        bool  # the author wrote it; where a run does not tell, it is no default, or has a source of its own
    )
    source: str  # citation, or ""
    says: str  # what the cited entries say
    is_assumption: bool  # its source is somebody's judgement, and says so
    is_silent: bool  # says nothing
    needs_source: bool  # states a number about the world


Kept = Mapping[str, tuple[str | None, str | None, bool]]
"""By path: source of a value, what it says, whether the author wrote the value."""


def assumptions(file: ScenarioFile, kept: Kept) -> tuple[Assumption, ...]:
    """Every value of a resolved scenario in the order of the schema, but for name and question.

    In *file* every value looks written, so *kept*, what the run knew of the author's own file, says where
    each comes from. An older run has kept nothing: then values that differ from the default count as set.
    """
    out = []
    for one in file.explained():
        if one.path[0] in ("bufferzone", "name", "question"):
            continue
        at_hand = kept.get(dotted(one.path))
        source, says, is_set = at_hand or _guessed(file.scenario, one.path)
        is_assumption = source is not None and source.partition(":")[0].strip() == "assumption"
        out.append(
            Assumption(
                path=dotted(one.path),
                section=str(one.path[0]),
                means=_looked_up(file.scenario, one.path)[1],
                value=_shown(one.path, one.value),
                is_set=is_set,
                source="assumption" if is_assumption else source or "",
                says=says or "",
                is_assumption=is_assumption,
                is_silent=one.value in SILENT,
                needs_source=one.is_claim,
            )
        )
    return tuple(out)


def _guessed(scenario: Scenario, path: Path) -> tuple[str | None, str | None, bool]:
    """Source, what it says, and whether it was set, as far as the resolved scenario tells."""
    own = source_for(path, scenario.sources)
    is_set = own is not None or not _looked_up(scenario, path)[0]
    source = own if is_set else source_for(path, _default_sources())
    return source, None if source is None else register().cite(source).says, is_set


def _shown(path: Path, value: str) -> str:
    """A value in an author's units; of a file only its name, since folders are nobody's business."""
    if path[-1] in ("file", "edges", "nodes") and value != "none":
        return re.split(r"[/\\]", value)[-1]
    if value.startswith("[") and value.endswith("]"):
        inner = [said(part) for part in value[1:-1].split(", ")] if value != "[]" else []
        if len(inner) > 2 and len(set(inner)) == 1:
            return f"{inner[0]} each ({len(inner)})"
        return ", ".join(inner) or "none"
    if re.fullmatch(r"[0-9]{5,}", value) and path[-1] != "seed":
        return f"{int(value):,}"
    if path[-1] == "loss":  # counted by flying hours, of which a day has fewer than 24
        return value
    return "none" if value in SILENT else said(value)


@lru_cache(maxsize=1)
def _default_sources() -> dict[str, str]:
    return dict(default_sources())


def _looked_up(scenario: Scenario, path: Path) -> tuple[bool, str]:
    """Whether a value, or a part that holds it, is what nobody need write; and what its field means."""
    here: Any = scenario
    is_default, means = False, ""
    for step in path:
        if isinstance(here, dict):
            here = here[step]
        elif isinstance(here, BaseModel):
            fields = type(here).model_fields
            name = next((n for n, field in fields.items() if str(step) in (n, field.alias)), None)
            if name is None:
                break
            default = fields[name].get_default(call_default_factory=True)
            here = getattr(here, name)
            is_default = is_default or (default is not PydanticUndefined and here == default)
            means = fields[name].description or ""
    return is_default, means
