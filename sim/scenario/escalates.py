"""How a ceasefire escalates: tension, levels, hazards and collapse - as an author writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.errors import Path, nearest
from sim.scenario.chance import RandomDuration, size_h
from sim.scenario.part import Fault, Faults, Part
from sim.scenario.quantities import Duration, Quantity
from sim.scenario.where import Factor, Name, Share, Title

Tension = Annotated[float, Field(gt=0, le=1_000_000)]
MOST_LEVELS = 20
SHORTEST_HAZARD_H = 1.0


class LevelPart(Part):
    """One level of escalation of a sector, and what it changes there."""

    title: Title | None = None
    """Name for people, used in reports."""
    enter_at: Tension | None = None
    """Tension that puts a sector into this level; left out, tension never does."""
    leave_below: Tension | None = None
    """Tension below which a sector falls back to the level before; left out, it never does. Under `enter_at`,
    unless there is a `min_stay`.
    """
    min_stay: Duration = 0.0
    """It falls back no sooner than this."""
    hazards: dict[Name, RandomDuration] = {}
    """What may move the sector to another level for reasons outside the model: level and time until then,
    drawn on entering; the soonest wins.
    """
    incidents: Factor = 1.0
    """Multiplier on the rates of all types."""
    types: dict[Name, Factor] = {}
    """Further multipliers by violation type."""
    retaliation: Factor = 1.0
    """Multiplier on what incidents provoke."""
    speed: Annotated[float, Field(ge=0.01, le=1)] = 1.0
    """Speed of teams in the sector over the usual speed."""
    patrols: Share = 1.0
    """Share of the patrols that still go out."""
    orbits: Share = 1.0
    """Share of the orbits that are still flown."""
    needs_arms: bool = False
    """Only armed teams enter the sector."""
    closed: bool = False
    """No team enters the sector."""


class CollapsePart(Part):
    """When the ceasefire as a whole has collapsed."""

    sectors: Annotated[int, Field(ge=1)] = 1
    """Sectors that are in the last level ..."""
    lasting: Duration = 0.0
    """... together for this long."""


class EscalationPart(Part):
    """Each sector has a tension that incidents raise and time lowers, and a level that follows from it."""

    half_life: Annotated[float, Quantity("duration", at_least="1 min")] = 168.0
    """Time in which tension falls by half when nothing happens."""
    unanswered_factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """An incident adds its severity to the tension, and as much again times this minus 1 when nobody attended
    it in time.
    """
    levels: dict[Name, LevelPart]
    """From the lowest to the last, which is collapse: a sector never leaves it."""
    collapse: CollapsePart = CollapsePart()
    """When the ceasefire as a whole has collapsed: every sector has, and nothing more is counted."""

    @model_validator(mode="after")
    def _is_a_ladder(self) -> Self:
        if len(self.levels) < 2:
            fact = f"needs at least two levels, and has {len(self.levels)}"
            raise Faults([(("levels",), fact, "the first is the lowest, the last is collapse")])
        if len(self.levels) > MOST_LEVELS:
            fact = f"has {len(self.levels):,} levels, more than {MOST_LEVELS}"
            raise Faults([(("levels",), fact, "nobody could tell them apart: merge some")])
        faults = [*self._rungs(), *self._hazards()]
        if faults:
            raise Faults(faults)
        return self

    def _rungs(self) -> Iterator[Fault]:
        names = list(self.levels)
        reached: tuple[str, float] | None = None
        for i, (name, level) in enumerate(self.levels.items()):
            here = ("levels", name)
            if i == 0:
                fact = "the lowest level is where a sector is by itself"
                for field in ("enter_at", "leave_below"):
                    if getattr(level, field) is not None:
                        yield (*here, field), fact, "leave it out"
            elif level.enter_at is not None:
                if reached is not None and level.enter_at <= reached[1]:
                    lower = f"{reached[0]}, a lower level, at {reached[1]:g}"
                    fact = f"is entered at {level.enter_at:g}, but {lower}"
                    yield (*here, "enter_at"), fact, "write levels in order of tension"
                reached = (name, level.enter_at)
            if i and name != names[-1] and level.leave_below is not None:
                yield from self._way_back(here, level, level.leave_below)
            if name == names[-1]:
                for field in ("leave_below", "hazards", "min_stay"):
                    if getattr(level, field):
                        yield (*here, field), "the last level is never left", "leave it out"

    @staticmethod
    def _way_back(here: Path, level: LevelPart, leave_below: float) -> Iterator[Fault]:
        """A level that is left as soon as it is entered is none."""
        if level.enter_at is not None and leave_below > level.enter_at:
            fact = f"is left below {leave_below:g} but entered at {level.enter_at:g}"
            yield (*here, "leave_below"), fact, "write leave_below under enter_at"
        elif level.min_stay >= SHORTEST_HAZARD_H:
            return
        elif level.enter_at == leave_below:
            fact = f"is left below {leave_below:g}, just where it is entered: it may last no time"
            yield (
                (*here, "leave_below"),
                fact,
                "write leave_below under enter_at, or a min_stay of at least 1 h",
            )
        elif level.enter_at is None:
            fact = f"is left below {leave_below:g}, at once if a hazard leads here while tension is lower"
            yield (*here, "leave_below"), fact, "add enter_at, or a min_stay of at least 1 h"

    def _hazards(self) -> Iterator[Fault]:
        for name, level in self.levels.items():
            for to, law in level.hazards.items():
                here = ("levels", name, "hazards", to)
                if to not in self.levels:
                    close = nearest(to, list(self.levels))
                    hint = f'did you mean "{close}"?' if close else f"levels: {', '.join(self.levels)}"
                    yield here, f'there is no level "{to}"', hint
                elif to == name:
                    yield here, "leads back to the same level", "leave it out"
                if size_h(law) < SHORTEST_HAZARD_H:
                    yield here, "comes within the hour", "write at least 1 h; what comes at once is no level"
