"""The levels of escalation as arrays: what each changes, and how a sector gets there. V levels, K types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.line.earth import FloatArray
from sim.scenario.chance import RandomDuration
from sim.scenario.escalates import LevelPart
from sim.scenario.schema import Scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """Levels from the lowest to the last, which is collapse; one that changes nothing where none are asked
    for.
    """

    names: tuple[str, ...]
    enter_at: FloatArray  # (V,) tension; inf = never by tension
    leave_below: FloatArray  # (V,) tension; 0 = never by tension
    min_stay_h: FloatArray  # (V,)
    incidents: FloatArray  # incidents[k, v] multiplier on the rates
    breeds: FloatArray  # (V,) multiplier on what incidents provoke
    most: FloatArray  # (K,) the highest of these that is ever counted
    speed: FloatArray  # (V,) of teams
    passes: FloatArray  # passes[l, v] share of patrols, of orbits, that still go out
    needs_arms: tuple[bool, ...]
    closed: tuple[bool, ...]
    hazards: tuple[tuple[tuple[int, RandomDuration], ...], ...]  # of each level: (to, time until then)

    @property
    def last(self) -> int:
        """The level of collapse."""
        return len(self.names) - 1

    @property
    def climbs(self) -> bool:
        """Whether there is more than one level."""
        return self.last > 0


def ladder(scenario: Scenario) -> Ladder:
    """The levels of a scenario."""
    levels = {"as stated": LevelPart()} if scenario.escalation is None else scenario.escalation.levels
    names, parts = tuple(levels), tuple(levels.values())
    kinds = tuple(scenario.violations)
    counted = _counted(scenario, parts)
    factors = [[part.incidents * part.types.get(kind, 1.0) for part in parts] for kind in kinds]
    incidents = np.array(factors, dtype=float).reshape(len(kinds), len(parts))
    return Ladder(
        names=names,
        enter_at=np.array([np.inf if part.enter_at is None else part.enter_at for part in parts]),
        leave_below=np.array([part.leave_below or 0.0 for part in parts]),
        min_stay_h=np.array([part.min_stay for part in parts]),
        incidents=incidents,
        most=incidents[:, counted].max(axis=1, initial=0.0),
        breeds=np.array([part.retaliation for part in parts]),
        speed=np.array([part.speed for part in parts]),
        passes=np.array([[part.patrols for part in parts], [part.orbits for part in parts]]),
        needs_arms=tuple(part.needs_arms for part in parts),
        closed=tuple(part.closed for part in parts),
        hazards=tuple(tuple((names.index(to), law) for to, law in part.hazards.items()) for part in parts),
    )


def _counted(scenario: Scenario, parts: tuple[LevelPart, ...]) -> list[int]:
    """Levels in which anything is counted: those that something leads to, but no last one that ends all."""
    if scenario.escalation is None:
        return [0]
    names, rule = list(scenario.escalation.levels), scenario.escalation.collapse
    led_to = {names.index(to) for part in parts for to in part.hazards}
    reached = [v for v, part in enumerate(parts) if v == 0 or part.enter_at is not None or v in led_to]
    return [v for v in reached if v < len(parts) - 1 or rule.sectors > 1 or rule.lasting > 0]
