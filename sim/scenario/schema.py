"""The scenario exactly as an author writes it; the docstrings of its fields are the reference.

A validated `Scenario` is also the resolved form: every default is explicit in it, and dumped as text it is a
scenario that reads back to the same values bit for bit.
"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.happens import ResponsePart, ViolationPart
from sim.scenario.part import Faults, Part
from sim.scenario.quantities import PositiveDuration
from sim.scenario.watching import WatchPart
from sim.scenario.where import BaseLayoutPart, BasePart, LinePart, Name, SeasonPart, SectorPart, TravelPart
from sim.scenario.who import ForcePart, ManningPart, PosturePart


def _date(written: Any) -> Any:
    if isinstance(written, datetime.date):
        return written
    if not isinstance(written, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
        raise PydanticCustomError(
            "date", "expected a date, got {got}", {"got": repr(written), "hint": "write it as 2026-01-31"}
        )
    try:
        return datetime.date.fromisoformat(written)
    except ValueError:
        raise PydanticCustomError(
            "date",
            "{got} is not a day of the calendar",
            {"got": repr(written), "hint": "write it as 2026-01-31"},
        ) from None


Date = Annotated[
    datetime.date,
    BeforeValidator(_date),
    PlainSerializer(datetime.date.isoformat),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "examples": ["2026-01-31"]}),
]


class Scenario(Part):
    """A question to the simulator: a line, a force, what happens, for how long."""

    bufferzone: Literal[1]
    """Version of the scenario language."""
    name: Annotated[str, Field(min_length=1, max_length=200)]
    """Title of the scenario."""
    question: Annotated[str, Field(max_length=2000)] = ""
    """The question it asks, in words."""
    start: Date = datetime.date(2026, 1, 1)
    """First day; the seasons follow from it."""
    horizon: PositiveDuration
    """How long is simulated, such as `5 years`."""
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 1
    """Root of all chance; the same seed gives the same histories bit for bit."""
    replications: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """Histories to simulate when the command does not say."""
    line: LinePart
    """Where the line runs."""
    sectors: dict[Name, SectorPart] = {}
    """Sectors in order of chainage; left out, the line is one sector."""
    bases: dict[Name, BasePart] = {}
    """Camps of response teams; left out, `base_layout` places them."""
    base_layout: BaseLayoutPart = BaseLayoutPart()
    """Where bases stand when none is named."""
    travel: TravelPart = TravelPart()
    """How fast teams move."""
    seasons: dict[Name, SeasonPart] = {}
    """Mud and snow."""
    force: ForcePart
    """Who comes."""
    manning: ManningPart = ManningPart()
    """From soldiers to watch."""
    posture: PosturePart = PosturePart()
    """The laydown that is wanted."""
    watch: WatchPart = WatchPart()
    """What each layer of watch sees."""
    violations: dict[Name, ViolationPart] = {}
    """What the parties do."""
    response: ResponsePart = ResponsePart()
    """Who goes, and when."""
    sources: dict[str, str] = {}
    """Where numbers come from: a path (a prefix, `*` for any one name) to a claim id, a figure id, or `assumption: why`."""

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults: list[tuple[tuple[str | int, ...], str, str | None]] = []

        def known(path: tuple[str | int, ...], word: str, names: Any, what: str) -> None:
            if word not in names:
                have = ", ".join(names) or "none"
                faults.append((path, f'there is no {what} "{word}"', f"{what}s of this scenario: {have}"))

        sectors = tuple(self.sectors) or ("line",)
        types = tuple(self.violations)
        for name, base in self.bases.items():
            if base.sector is not None:
                known(("bases", name, "sector"), base.sector, sectors, "sector")
        for name, contingent in self.force.contingents.items():
            here: tuple[str | int, ...] = ("force", "contingents", name)
            for i, sector in enumerate(contingent.sectors or ()):
                known((*here, "sectors", i), sector, sectors, "sector")
            for i, kind in enumerate(contingent.caveats.no_types):
                known((*here, "caveats", "no_types", i), kind, types, "violation type")
            tour = contingent.tour if contingent.tour is not None else self.manning.tour
            overlap = contingent.overlap if contingent.overlap is not None else self.manning.overlap
            if overlap >= tour and (contingent.tour is not None or contingent.overlap is not None):
                field = "overlap" if contingent.overlap is not None else "tour"
                faults.append(
                    (
                        (*here, field),
                        f"an overlap of {overlap:g} h does not fit into a tour of {tour:g} h",
                        None,
                    )
                )
        for name in self.posture.sectors:
            known(("posture", "sectors", name), name, sectors, "sector")
        seen: dict[int, str] = {}
        for name, season in self.seasons.items():
            for i, month in enumerate(season.months):
                if month in seen:
                    faults.append(
                        (
                            ("seasons", name, "months", i),
                            f"month {month} is already in season {seen[month]}",
                            None,
                        )
                    )
                seen[month] = name
        previous_km, previous = -1.0, ""
        for i, (name, sector_part) in enumerate(self.sectors.items()):
            here = ("sectors", name)
            if i == 0 and sector_part.from_ != 0:
                faults.append(
                    (
                        (*here, "from"),
                        f"the first sector begins at {sector_part.from_:g} km, not at 0 km",
                        None,
                    )
                )
            if i and sector_part.from_ <= previous_km:
                faults.append(
                    (
                        (*here, "from"),
                        f"begins at {sector_part.from_:g} km, not after sector {previous} ({previous_km:g} km)",
                        None,
                    )
                )
            if sector_part.to is not None and sector_part.to <= sector_part.from_:
                faults.append(
                    (
                        (*here, "to"),
                        f"the sector ends at {sector_part.to:g} km but begins at {sector_part.from_:g} km",
                        None,
                    )
                )
            previous_km, previous = sector_part.from_, name
        names = list(self.sectors.items())
        for (name, part), (after, following) in zip(names, names[1:], strict=False):
            if part.to is not None and abs(part.to - following.from_) > 1e-9 and following.from_ > part.from_:
                word = "gap" if following.from_ > part.to else "overlap"
                faults.append(
                    (
                        ("sectors", name, "to"),
                        f"ends at {part.to:g} km but sector {after} begins at {following.from_:g} km: {word}",
                        "leave `to` out: a sector reaches to the next",
                    )
                )
        if faults:
            raise Faults(faults)
        return self
