"""What happens and what is answered: violation types and the response - as an author writes them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.chance import Exponential, Lognormal, RandomDuration, size_h
from sim.scenario.part import Fault, Faults, Part
from sim.scenario.quantities import Duration, Length, PositiveDuration, PositiveLength, Rate
from sim.scenario.watching import SeenByPart
from sim.scenario.where import Factor, Name, Share, Title

SOONEST_REPRISAL_H = 1 / 60


class HotSpotPart(Part):
    """A place where a violation type gathers."""

    chainage: Length
    """Middle of the hot spot along the line."""
    share: Share
    """Part of the type's incidents that happen here."""
    spread: PositiveLength = 5.0
    """Standard deviation along the line."""


class RetaliationPart(Part):
    """What one incident provokes: further incidents nearby and soon after (a branching process)."""

    mean: Annotated[float, Field(ge=0, le=5)]
    """Mean number of incidents that one incident provokes directly, in the lowest escalation level."""
    delay: RandomDuration = Exponential.model_validate({"kind": "exponential", "mean": "12 h"})
    """How long after the beginning of what provoked it."""
    spread: Length = 5.0
    """Mean distance along the line, to either side with the same chance (Laplace)."""
    types: dict[Name, Share] = {}
    """What is provoked: shares by violation type that add up to 1; left out, more of the same type."""
    calming: Share = 0.0
    """Chance that a team which is on the spot before a reprisal is due prevents it. 0 unless the author
    believes in it.
    """

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        faults: list[Fault] = []
        if size_h(self.delay) < SOONEST_REPRISAL_H:
            faults.append((("delay",), "reprisals come at once", "write at least 1 min"))
        total = sum(self.types.values())
        if self.types and abs(total - 1.0) > 1e-6:
            fact = f"the shares of what is provoked add up to {total:g}, not to 1"
            faults.append((("types",), fact, "make them add up to 1"))
        if faults:
            raise Faults(faults)
        return self


class ViolationPart(Part):
    """An incident of a kind that the agreement forbids."""

    like: Annotated[Name | None, Field(exclude=True)] = None
    """A type of the library (`seeds/violations.yaml`), which lends what is not written here, but no rate."""
    title: Title | None = None
    """Name for people, used in reports."""
    severity: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Weight; waiting incidents are answered by severity, then by age, and each adds it to the tension."""
    rate: Rate
    """Mean over a whole year for the whole line, such as `12 per day`: while the truce is at 1, in the lowest
    level of escalation, reprisals not counted.
    """
    night: Factor = 1.0
    """Intensity at night over intensity by day; the mean stays `rate`."""
    months: Annotated[tuple[Factor, ...], Field(min_length=12, max_length=12)] = (1.0,) * 12
    """Relative intensity from January to December; the mean stays `rate`."""
    hot_spots: dict[Name, HotSpotPart] = {}
    """Where part of the incidents gather; the rest is spread by `terrain`."""
    terrain: dict[Name, Factor] = {}
    """Relative intensity per kilometre by kind of ground, outside the hot spots; 1 where nothing is said."""
    duration: RandomDuration = Exponential.model_validate({"kind": "exponential", "mean": "30 min"})
    """How long it can be observed."""
    teams: Annotated[int, Field(ge=0, le=8)] = 1
    """Response teams that it asks for; 0 is noted and not attended."""
    standard: PositiveDuration = 2.0
    """A team on the spot within this time from the beginning counts as in time."""
    on_scene: RandomDuration = Lognormal.model_validate({"kind": "lognormal", "median": "2 h", "p90": "5 h"})
    """How long a team stays."""
    evidence: RandomDuration = Exponential.model_validate({"kind": "exponential", "mean": "24 h"})
    """How long evidence lasts, from the beginning."""
    attribution: Share = 0.7
    """Chance that a team which finds evidence can say who did it."""
    needs_arms: bool = False
    """Only armed teams may attend."""
    false_reports: Rate = 0.0
    """Reports of this type, line-wide, with nothing behind them; they cost team time."""
    deterrence: Share = 0.0
    """Part of the intensity that vanishes where every incident would be seen. 0 unless the author believes in
    it.
    """
    retaliation: RetaliationPart | None = None
    """What an incident of this type provokes; left out, nothing."""
    erodes: bool = True
    """Whether its rate follows the truce: falls with a recommitment and rises as the truce wears out."""
    against_force: bool = False
    """Directed at the mission: those who are its target know at once."""
    casualties: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Mean number of the mission's dead and wounded in an incident."""
    seen_by: SeenByPart = SeenByPart()
    """Where this type is easier or harder to see."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = sum(spot.share for spot in self.hot_spots.values())
        faults = []
        if total > 1 + 1e-9:
            faults.append(
                (
                    ("hot_spots",),
                    f"the shares of the hot spots add up to {total:g}, more than 1",
                    "lower one of them",
                )
            )
        if not any(self.months):
            faults.append(
                (("months",), "every month has intensity 0", "leave months out, or set rate to 0 per day")
            )
        if faults:
            raise Faults(faults)
        return self


class ResponsePart(Part):
    """Who goes, and when."""

    policy: Literal["nearest", "own_sector_first", "hold_reserve"] = "nearest"
    """Which free team is sent: the nearest; one of the sector if any is free; or the nearest while keeping a
    reserve.
    """
    reserve: Annotated[int, Field(ge=0, le=100)] = 1
    """With `hold_reserve`: free teams kept in each sector for grave incidents."""
    reserve_severity: Annotated[float, Field(ge=0, le=100)] = 3.0
    """With `hold_reserve`: severity from which the reserve may be used."""
    preempt: bool = False
    """Whether a graver incident may recall a team that is still on its way to a lesser one."""
    reaction: RandomDuration = Lognormal.model_validate(
        {"kind": "lognormal", "median": "15 min", "p90": "30 min"}
    )
    """From the order to wheels rolling."""
    reach: PositiveDuration = 6.0
    """Longest drive on which a team is sent."""
    move_up: bool = False
    """Whether a team of a base that has several stands in at a base of its sector that has none left."""
    give_up_after: Duration = 12.0
    """An incident that has waited this long for a free team is closed unattended."""
