"""What occurs beside drawn incidents: a truce that wears out, injects, recorded traces, campaign events."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.scenario.moments import MomentPart
from sim.scenario.part import Fault, Faults, Part, Text
from sim.scenario.quantities import Duration, Length, Quantity
from sim.scenario.where import Name


class TrucePart(Part):
    """How the ceasefire wears out: a multiplier on the rates, min(ceiling, start x 2^(time / doubling)).

    A recommitment (an event) multiplies what it has grown to by 1 - drop, and it grows anew from there.
    """

    start: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Multiplier on the first day: 1 are the rates as stated."""
    doubling: Annotated[float, Quantity("duration", at_least="1 h")] | None = None
    """Time in which the multiplier doubles; left out, it stays as it is."""
    ceiling: Annotated[float, Field(gt=0, le=100)] = 1.0
    """The multiplier grows no further than this."""

    @model_validator(mode="after")
    def _below_its_ceiling(self) -> Self:
        if self.start > self.ceiling:
            fact = f"starts at {self.start:g}, above its ceiling of {self.ceiling:g}"
            raise Faults([(("start",), fact, "lower start or raise ceiling")])
        return self

    @property
    def grows(self) -> bool:
        """Whether the multiplier rises before anybody recommits: one that begins at its ceiling cannot."""
        return self.doubling is not None and self.start < self.ceiling


class InjectPart(MomentPart):
    """Incidents at a stated time and place, in every history."""

    type: Name
    """Violation type."""
    chainage: Length
    """Where along the line."""
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many incidents."""
    over: Duration = 0.0
    """The time over which they are spread evenly, from the stated moment on."""

    @model_validator(mode="after")
    def _has_a_moment(self) -> Self:
        if self.at is None and self.after is None:
            raise Faults([((), "does not say when", "add `at: 2026-05-01` or `after: 120 days`")])
        return self


class TracePart(Part):
    """Incidents recorded in a CSV file: columns `type`, `chainage_km`, and `time` (2026-05-01T13:30) or
    `start_h`, hours since the start.

    Types that occur in it are not drawn, and what is recorded provokes nothing: its reprisals are in the
    record. A time with a zone is turned into UTC; what lies after the horizon is left out.
    """

    file: Text
    """The CSV file, relative to this scenario file."""


class RecommitPart(Part):
    """The parties bind themselves anew."""

    drop: Annotated[float, Field(ge=0, lt=1)]
    """Part of the incidents that ceases at once; not all, for from nothing nothing grows."""


class ShockPart(Part):
    """Tension rises for a reason outside the line."""

    by: Annotated[float, Field(gt=0, le=1_000_000)]
    """How much is added."""
    sectors: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Where; left out, everywhere."""

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        named = self.sectors or ()
        twice = [i for i, name in enumerate(named) if name in named[:i]]
        if twice:
            raise Faults([(("sectors", i), f"names {named[i]} again", "leave it out") for i in twice])
        return self


class EventPart(MomentPart):
    """Something that happens to the whole campaign: one trigger, and at least one effect."""

    every: Annotated[float, Quantity("duration", at_least="1 h")] | None = None
    """It comes again and again, first after this time."""
    rate: Annotated[float, Quantity("rate", at_most="1 per h")] | None = None
    """It comes at random, so often on average."""
    recommit: RecommitPart | None = None
    """The parties bind themselves anew."""
    tension: ShockPart | None = None
    """Tension rises for a reason outside the line."""

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        faults: list[Fault] = []
        said = [name for name in ("at", "after", "every", "rate") if getattr(self, name) is not None]
        if not said:
            faults.append(((), "has no trigger", "add one of at, after, every, rate"))
        elif len(said) > 1:
            faults.append(((said[1],), f"has two triggers, {said[0]} and {said[1]}", "keep one of them"))
        if self.recommit is None and self.tension is None:
            faults.append(((), "has no effect", "add recommit or tension"))
        if faults:
            raise Faults(faults)
        return self
