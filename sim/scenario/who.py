"""Who: contingents, the price of tasks in soldiers, the laydown wanted - as an author writes them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.chance import Fixed, RandomDuration
from sim.scenario.part import Faults, Part
from sim.scenario.quantities import Duration, PositiveDuration, Quantity, spoken
from sim.scenario.where import Name, Share, Title

Spacing = Annotated[float, Quantity("length", at_least="10 m")]
"""A distance from one to the next."""

Task = Literal["headquarters", "posts", "patrols", "teams", "orbits", "sensors"]
"""What soldiers are asked for; the order in which tasks are manned is `manning.keep`."""


def overlap_fact(overlap_h: float, tour_h: float) -> str:
    """What is wrong with a relief in place that lasts as long as the tour."""
    return (
        f"a relief in place of {spoken(overlap_h, 'duration')} does not fit into "
        f"a tour of {spoken(tour_h, 'duration')}"
    )


class ArrivalPart(Part):
    """How a contingent's units reach the line: the first and the last at stated times, the others evenly
    between.
    """

    first: Duration = 0.0
    """First unit on station, counted from the start."""
    last: Duration | None = None
    """Last unit on station; left out, all arrive with the first."""
    delay: RandomDuration = Fixed.model_validate({"value": "0 h"})
    """Lateness of the whole contingent, drawn once in each history."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise Faults(
                [
                    (
                        ("last",),
                        f"the last unit arrives after {spoken(self.last, 'duration')}, "
                        f"before the first after {spoken(self.first, 'duration')}",
                        "leave `last` out if all come together",
                    )
                ]
            )
        return self


class CaveatsPart(Part):
    """What a nation does not let its teams do."""

    no_night: bool = False
    """Teams do not set out at night."""
    no_types: tuple[Name, ...] = ()
    """Violation types that its teams do not attend."""
    own_sectors_only: bool = False
    """Teams do not leave the sectors that the contingent serves."""


class ContingentPart(Part):
    """A nation's contribution. Strength counts soldiers on the line, support included; it arrives in whole
    units.
    """

    title: Title | None = None
    """Name for people, used in reports."""
    kind: Literal["nato", "non_nato", "host_nation"] = "nato"
    """Whose soldiers they are, for the record: nothing is computed from it."""
    strength: Annotated[int, Field(ge=0, le=5_000_000)]
    """Soldiers pledged."""
    unit_size: Annotated[int, Field(gt=0, le=50_000)] = 600
    """Soldiers in a unit (company- or battalion-sized) that moves as one (default: a battalion)."""
    sectors: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Sectors it serves, in proportion to what they still lack; left out, wherever something is lacking."""
    arrival: ArrivalPart = ArrivalPart()
    """When its units come."""
    commitment: PositiveDuration | None = None
    """How long each unit place is kept filled, from its own arrival; left out, to the end."""
    armed: bool = True
    """Whether its teams may attend types that need arms."""
    caveats: CaveatsPart = CaveatsPart()
    """National caveats."""
    support_share: Share | None = None
    """Part that feeds, drives, mends and commands; left out, `manning.support_share`."""
    absent_share: Share | None = None
    """Part on leave, sick or on courses; left out, `manning.absent_share`."""
    tour: PositiveDuration | None = None
    """Length of a tour; left out, `manning.tour`."""
    dwell: Duration | None = None
    """Time at home between tours; left out, `manning.dwell`."""
    overlap: Duration | None = None
    """Relief in place during which both units are there; left out, `manning.overlap`."""


class ForcePart(Part):
    """The coalition."""

    scale: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Multiplies every contingent's strength: the lever for what-if questions."""
    contingents: dict[Name, ContingentPart] = Field(min_length=1)
    """Contributions by nation."""


class SeatPrice(Part):
    """Price of a post."""

    seats: Annotated[float, Field(ge=0.01, le=100)] = 2.0
    """Watch-keepers on duty at any moment."""
    persons_per_seat: Annotated[float, Field(ge=1, le=20)] = 3.0
    """Soldiers needed to fill one seat day and night (range 2.3 to 4.7)."""


class PatrolPrice(Part):
    """Price of patrols."""

    persons: Annotated[float, Field(ge=0.01, le=1000)] = 8.0
    """Soldiers in a patrol."""
    sorties_per_day: Annotated[float, Field(ge=0.01, le=10)] = 1.0
    """Patrols that one crew makes in a day."""


class TeamPrice(Part):
    """Price of a response team that is ready day and night."""

    persons: Annotated[float, Field(ge=0.01, le=1000)] = 12.0
    """Soldiers who set out."""
    shifts: Annotated[float, Field(ge=1, le=10)] = 3.0
    """Crews needed so that one is always ready."""


class PricesPart(Part):
    """What a task costs in soldiers who are present and free of support duties."""

    headquarters: Annotated[float, Field(ge=0, le=100_000)] = 120.0
    """Soldiers in a sector's headquarters and its communications."""
    post: SeatPrice = SeatPrice()
    """A manned observation post."""
    patrol: PatrolPrice = PatrolPrice()
    """A patrol a day."""
    team: TeamPrice = TeamPrice()
    """A response team."""
    orbit: Annotated[float, Field(ge=0.01, le=1000)] = 9.0
    """Operators and technicians who keep one aircraft orbit going."""
    sensor: Annotated[float, Field(ge=0.01, le=100)] = 0.25
    """Soldiers who tend one unmanned sensor."""


class ManningPart(Part):
    """From soldiers to watch: effective strength, prices, and what is kept longest when there are too few."""

    support_share: Share = 0.35
    """Part of a contingent that is not free for tasks on the line."""
    absent_share: Share = 0.077
    """Part that is on leave, sick or on courses (14 nights of leave in a six-month tour)."""
    tour: PositiveDuration = 4383.0
    """Length of a tour (default six months)."""
    dwell: Duration = 17532.0
    """Time at home between tours (default 24 months)."""
    overlap: Duration = 168.0
    """Relief in place: days on which both units are there (default a week)."""
    prices: PricesPart = PricesPart()
    """What each task costs."""
    keep: tuple[Task, ...] = ("headquarters", "teams", "posts", "orbits", "patrols", "sensors")
    """Tasks in the order in which they are manned: the last is given up first."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults = []
        wanted = {"headquarters", "posts", "patrols", "teams", "orbits", "sensors"}
        if sorted(self.keep) != sorted(wanted):
            missing = sorted(wanted - set(self.keep))
            twice = [task for task in dict.fromkeys(self.keep) if self.keep.count(task) > 1]
            told = ((missing, "missing"), (twice, "repeated"))
            said = [f"{', '.join(words)} {what}" for words, what in told if words]
            fact = f"must name each of the six tasks once: {' and '.join(said)}"
            faults.append((("keep",), fact, "a task that is not wanted belongs here as well"))
        if self.overlap >= self.tour:
            faults.append(
                (
                    ("overlap",),
                    overlap_fact(self.overlap, self.tour),
                    "lower overlap or raise tour",
                )
            )
        if faults:
            raise Faults(faults)
        return self


class HowMany(Part):
    """A number in each sector: a count, or one for every so many kilometres."""

    count: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """How many in the sector."""
    every: Spacing | None = None
    """One for every such stretch begun."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.count is None) == (self.every is None):
            said = "both are given" if self.every is not None else "neither is given"
            raise Faults(
                [((), f"needs either count or every, and {said}", "write `count: 12` or `every: 10 km`")]
            )
        return self


class PatrolsWanted(Part):
    """Patrols wanted in each sector: a daily number, or kilometres of line for each daily patrol."""

    rate: Annotated[float, Quantity("rate", at_most="100000 per day")] | None = None
    """Patrols in the sector, such as `24 per day`."""
    every: Spacing | None = None
    """One patrol a day for every such stretch begun."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rate is None) == (self.every is None):
            said = "both are given" if self.every is not None else "neither is given"
            raise Faults(
                [
                    (
                        (),
                        f"needs either rate or every, and {said}",
                        "write `rate: 24 per day` or `every: 10 km`",
                    )
                ]
            )
        return self


class LaydownPart(Part):
    """What is wanted in a sector; a task left out is not wanted."""

    NAMED_ELSEWHERE: ClassVar = True  # by a sector, so that a setting may begin an entry
    posts: HowMany | None = None
    """Manned observation posts, evenly spaced."""
    patrols: PatrolsWanted | None = None
    """Moving watch on the ground."""
    teams: HowMany | None = None
    """Response teams, shared out over the sector's bases."""
    orbits: HowMany | None = None
    """Aircraft orbits, each keeping one drone in the air."""
    sensors: HowMany | None = None
    """Unmanned cameras and radars, evenly spaced."""


class PosturePart(Part):
    """The laydown that the force wants to man."""

    everywhere: LaydownPart = LaydownPart()
    """Wanted in every sector."""
    sectors: dict[Name, LaydownPart] = {}
    """Wanted in a named sector, task by task in place of `everywhere`."""
