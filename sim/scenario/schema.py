"""The scenario exactly as an author writes it; the docstrings of its fields are the reference.

A validated `Scenario` is also the resolved form: every default is explicit in it, and dumped as text it is a
scenario that reads back to the same values bit for bit.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.errors import Path, nearest
from sim.scenario.escalates import EscalationPart
from sim.scenario.happens import ResponsePart, ViolationPart
from sim.scenario.moments import Date
from sim.scenario.occurs import EventPart, InjectPart, TracePart, TrucePart
from sim.scenario.part import Fault, Faults, Part, Text
from sim.scenario.quantities import HOURS_PER_DAY, Quantity, spoken
from sim.scenario.watching import WatchPart
from sim.scenario.where import (
    BaseLayoutPart,
    BasePart,
    LinePart,
    Name,
    SeasonPart,
    SectorPart,
    Title,
    TravelPart,
)
from sim.scenario.who import ForcePart, ManningPart, PosturePart, overlap_fact

LONGEST_HORIZON = "100 years"
MOST_UNITS = 20_000  # of one contingent: each is one actor of the campaign


class Scenario(Part):
    """A question to the simulator: a line, a force, what happens, for how long."""

    bufferzone: Literal[1]
    """Version of the scenario language."""
    name: Title
    """Title of the scenario."""
    question: Annotated[Text, Field(max_length=2000)] = ""
    """The question it asks, in words."""
    start: Date = datetime.date(2026, 1, 1)
    """First day; the seasons follow from it."""
    horizon: Annotated[float, Quantity("duration", at_least="1 min", at_most=LONGEST_HORIZON)]
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
    truce: TrucePart = TrucePart()
    """How the ceasefire wears out between recommitments."""
    injects: dict[Name, InjectPart] = {}
    """Incidents that happen at stated times in every history, beside those that are drawn."""
    trace: TracePart | None = None
    """Recorded incidents that are replayed in place of drawn ones."""
    events: dict[Name, EventPart] = {}
    """What happens to the whole campaign, when."""
    escalation: EscalationPart | None = None
    """Tension, levels, collapse; left out, nothing escalates."""
    response: ResponsePart = ResponsePart()
    """Who goes, and when."""
    sources: dict[Text, Text] = {}
    """Where numbers come from: a path (a prefix, `*` for any one name) to a claim id, a figure id, or
    `assumption: why`.
    """

    @property
    def recommits(self) -> bool:
        """Whether an event renews the truce."""
        return any(event.recommit is not None for event in self.events.values())

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        faults = [
            *self._unknown_names(),
            *self._impossible_contingents(),
            *self._crowded_months(),
            *self._broken_chain_of_sectors(),
            *self._end_of_the_calendar(),
            *self._moments_outside(),
            *self._tension_of_nothing(),
        ]
        if faults:
            raise Faults(faults)
        return self

    def _end_of_the_calendar(self) -> Iterator[Fault]:
        days = self.horizon / HOURS_PER_DAY
        if days + 2 > (datetime.date.max - self.start).days:
            yield (("start",), "the horizon runs past the year 9999", "choose an earlier start")

    def _moments_outside(self) -> Iterator[Fault]:
        """Injects and events on days that are not simulated."""
        moments = [(("injects", n), p) for n, p in self.injects.items()]
        moments += [(("events", n), p) for n, p in self.events.items()]  # type: ignore[misc]
        for path, part in moments:
            at_h = part.moment_h(self.start)
            if at_h is not None and not 0 <= at_h < self.horizon:
                beyond = f"is not within the horizon of {spoken(self.horizon, 'duration')}"
                fact = f"lies before the start, {self.start}" if at_h < 0 else beyond
                field = "after" if part.at is None else "at"
                yield (*path, field), fact, "choose a moment within the simulated time"

    def _tension_of_nothing(self) -> Iterator[Fault]:
        for name, event in self.events.items():
            if event.tension is not None and self.escalation is None:
                fact = "raises a tension that this scenario does not have"
                yield ("events", name, "tension"), fact, "add escalation, or leave tension out"

    def _unknown_names(self) -> Iterator[Fault]:
        """Sectors and violation types that are named but nowhere described."""
        sectors, types = tuple(self.sectors) or ("line",), tuple(self.violations)
        named: list[tuple[Path, str, str, tuple[str, ...]]] = []
        for name, base in self.bases.items():
            if base.sector is not None:
                named.append((("bases", name, "sector"), base.sector, "sector", sectors))
        for name, contingent in self.force.contingents.items():
            here = ("force", "contingents", name)
            for i, sector in enumerate(contingent.sectors or ()):
                named.append(((*here, "sectors", i), sector, "sector", sectors))
            for i, kind in enumerate(contingent.caveats.no_types):
                named.append(((*here, "caveats", "no_types", i), kind, "violation type", types))
        for name, violation in self.violations.items():
            for kind in violation.retaliation.types if violation.retaliation else ():
                named.append(
                    (("violations", name, "retaliation", "types", kind), kind, "violation type", types)
                )
        for name, inject in self.injects.items():
            named.append((("injects", name, "type"), inject.type, "violation type", types))
        for name, event in self.events.items():
            for i, sector in enumerate((event.tension.sectors if event.tension else None) or ()):
                named.append((("events", name, "tension", "sectors", i), sector, "sector", sectors))
        for level, part in self.escalation.levels.items() if self.escalation else ():
            for kind in part.types:
                named.append((("escalation", "levels", level, "types", kind), kind, "violation type", types))
        if self.escalation is not None and self.escalation.collapse.sectors > len(sectors):
            fact = f"waits for {self.escalation.collapse.sectors} sectors, but the line has {len(sectors)}"
            yield ("escalation", "collapse", "sectors"), fact, f"write at most {len(sectors)}"
        for name in self.posture.sectors:
            named.append((("posture", "sectors", name), name, "sector", sectors))
        for path, word, what, known in named:
            if word not in known:
                close = nearest(word, known)
                have = f"{what}s of this scenario: {', '.join(known) or 'none'}"
                yield path, f'there is no {what} "{word}"', f'did you mean "{close}"?' if close else have

    def _impossible_contingents(self) -> Iterator[Fault]:
        for name, contingent in self.force.contingents.items():
            here = ("force", "contingents", name)
            tour = self.manning.tour if contingent.tour is None else contingent.tour
            overlap = self.manning.overlap if contingent.overlap is None else contingent.overlap
            if overlap >= tour and (contingent.tour is not None or contingent.overlap is not None):
                field = "tour" if contingent.overlap is None else "overlap"
                yield (*here, field), overlap_fact(overlap, tour), "lower overlap or raise tour"
            strength = round(contingent.strength * self.force.scale)
            units = -(-strength // contingent.unit_size)
            if units > MOST_UNITS:
                fact = f"{strength:,} soldiers in units of {contingent.unit_size} make {units:,} units"
                yield (*here, "unit_size"), f"{fact}; {MOST_UNITS:,} is the most", "raise unit_size"

    def _crowded_months(self) -> Iterator[Fault]:
        seen: dict[int, str] = {}
        for name, season in self.seasons.items():
            for i, month in enumerate(season.months):
                if month in seen:
                    fact = f"month {month} is already in season {seen[month]}"
                    yield ("seasons", name, "months", i), fact, "a month has one season"
                seen[month] = name

    def _broken_chain_of_sectors(self) -> Iterator[Fault]:
        """Sectors that do not follow one another from 0, each beginning where the one before it ends."""
        before: tuple[str, SectorPart] | None = None
        for name, part in self.sectors.items():
            from_ = spoken(part.from_, "length")
            if before is None:
                if part.from_ != 0:
                    fact = f"the first sector begins at {from_}, not at 0 km"
                    yield ("sectors", name, "from"), fact, "write `from: 0 km`"
            elif part.from_ <= before[1].from_:
                fact = f"begins at {from_}, but {before[0]} above it at {spoken(before[1].from_, 'length')}"
                yield ("sectors", name, "from"), fact, "write sectors in order of chainage"
            elif before[1].to is not None and abs(before[1].to - part.from_) > 1e-9:
                word = "a gap" if part.from_ > before[1].to else "an overlap"
                fact = f"ends at {spoken(before[1].to, 'length')} but sector {name} begins at {from_}: {word}"
                yield ("sectors", before[0], "to"), fact, "leave `to` out: a sector reaches to the next"
            if part.to is not None and part.to <= part.from_:
                fact = f"ends at {spoken(part.to, 'length')} but begins at {from_}"
                yield ("sectors", name, "to"), fact, "leave `to` out: a sector reaches to the next"
            before = (name, part)
