"""What can be seen: posts, sensors, patrols, aircraft and others' reports - as an author writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from sim.scenario.chance import Exponential, RandomDuration
from sim.scenario.part import Faults, Part
from sim.scenario.quantities import (
    Duration,
    PositiveDuration,
    PositiveLength,
    PositiveSpeed,
    Quantity,
    spoken,
)
from sim.scenario.where import Factor, Share

Pattern = Literal["regular", "random", "back_and_forth"]
"""How a moving watch comes by: at even intervals, at random, or up and down a beat with two unequal gaps."""


def _share_or_months(written: Any) -> str:
    return "by_month" if isinstance(written, list | tuple) else "always"


class WeatherPart(Part):
    """Days of poor visibility, drawn for each sector and day."""

    poor_share: Annotated[
        Annotated[Share, Tag("always")]
        | Annotated[tuple[Share, ...], Field(min_length=12, max_length=12), Tag("by_month")],
        Discriminator(_share_or_months),
    ] = 0.0
    """Share of days with poor visibility: one number, or twelve from January to December."""


class StandingPart(Part):
    """A watch that looks all the time over the line within reach on both sides."""

    reach: PositiveLength
    """How far along the line it sees or hears by day in clear weather."""
    detection: Share
    """Chance that an incident within reach is noticed as it happens."""
    night_factor: Factor = 0.5
    """Reach at night over reach by day."""
    poor_factor: Factor = 0.5
    """Reach in poor visibility over reach in clear weather."""
    availability: Share = 1.0
    """Share of the time that it works."""


class PostWatchPart(StandingPart):
    """The watch from manned posts."""

    reach: PositiveLength = 4.0
    """How far along the line they see or hear by day in clear weather."""
    detection: Share = 0.9
    """Chance that an incident within reach is noticed as it happens."""


class SensorWatchPart(StandingPart):
    """The watch of unmanned cameras, radars and microphones."""

    reach: PositiveLength = 8.0
    """How far along the line they see or hear by day in clear weather."""
    detection: Share = 0.6
    """Chance that an incident within reach is noticed as it happens."""
    night_factor: Factor = 0.9
    """Reach at night over reach by day."""
    poor_factor: Factor = 0.6
    """Reach in poor visibility over reach in clear weather."""
    availability: Share = 0.9
    """Share of the time that they work."""


class PatrolWatchPart(Part):
    """The moving watch on the ground."""

    pattern: Pattern = "random"
    """How it comes by; random is the cautious choice."""
    route: PositiveLength = 60.0
    """Kilometres of line that one patrol passes, both ways counted."""
    detection: Share = 0.9
    """Chance that a passing patrol notices an incident that can still be observed."""
    hours: Literal["day", "always"] = "day"
    """Unarmed missions patrol by day only."""


class OrbitWatchPart(Part):
    """Aircraft: unmanned, in orbits over a sector."""

    pattern: Pattern = "back_and_forth"
    """How it comes by."""
    speed: PositiveSpeed = 100.0
    """Ground speed while watching."""
    detection: Share = 0.7
    """Chance that a pass notices an incident that can still be observed."""
    night_factor: Share = 0.8
    """Detection at night over detection by day."""
    poor_factor: Share = 0.1
    """Share of poor-visibility flying time that is flown."""
    serviceable: Share = 0.85
    """Chance that the aircraft due is fit to fly."""
    airframes: Annotated[int, Field(ge=1, le=100)] = 4
    """Aircraft held for each orbit."""
    endurance: PositiveDuration = 6.0
    """Flight time of a sortie."""
    transit: Duration = 1.0
    """Part of a sortie spent on the way out and back."""
    turnaround: Duration = 4.0
    """Time on the ground between sorties."""
    loss: Annotated[float, Quantity("rate", at_most="1 per h")] = 0.0
    """Losses for each flying hour."""
    replacement: PositiveDuration = 720.0
    """Time until a lost aircraft is replaced."""

    @model_validator(mode="after")
    def _gets_there(self) -> Self:
        if self.transit > 0.99 * self.endurance:
            raise Faults(
                [
                    (
                        ("transit",),
                        f"takes {spoken(self.transit, 'duration')} of a flight "
                        f"that lasts {spoken(self.endurance, 'duration')}",
                        "lower transit or raise endurance",
                    )
                ]
            )
        return self


class ReportsPart(Part):
    """What others tell the mission: residents, the parties, the press."""

    probability: Share = 0.0
    """Chance that somebody reports an incident."""
    delay: RandomDuration = Exponential.model_validate({"kind": "exponential", "mean": "6 h"})
    """Time until the report arrives."""


class WatchPart(Part):
    """How each layer of watch sees, before a violation type says otherwise."""

    weather: WeatherPart = WeatherPart()
    """Poor visibility."""
    posts: PostWatchPart = PostWatchPart()
    """Manned observation posts."""
    sensors: SensorWatchPart = SensorWatchPart()
    """Unmanned cameras, radars and microphones."""
    patrols: PatrolWatchPart = PatrolWatchPart()
    """Patrols."""
    orbits: OrbitWatchPart = OrbitWatchPart()
    """Aircraft."""
    reports: ReportsPart = ReportsPart()
    """Others' reports."""
    watched_gap: PositiveDuration = 4.0
    """A cell without standing watch counts as watched when something passes at least this often."""


class StandingForType(Part):
    """How a standing watch sees one violation type; what is left out stays as in `watch`."""

    reach: PositiveLength | None = None
    """Reach for this type."""
    detection: Share | None = None
    """Detection within reach for this type."""


class PassForType(Part):
    """How a passing watch sees one violation type."""

    detection: Share | None = None
    """Detection at a pass for this type."""


class ReportsForType(Part):
    """How others report one violation type."""

    probability: Share | None = None
    """Chance of a report for this type."""


class SeenByPart(Part):
    """Where a violation type is easier or harder to see than the layers say."""

    posts: StandingForType = StandingForType()
    """By posts."""
    sensors: StandingForType = StandingForType()
    """By sensors."""
    patrols: PassForType = PassForType()
    """By patrols."""
    orbits: PassForType = PassForType()
    """By aircraft."""
    reports: ReportsForType = ReportsForType()
    """By others' reports."""
