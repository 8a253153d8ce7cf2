"""Contingents as the campaign sees them: units that come and go, and what of them can be put to a task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.line.earth import FloatArray
from sim.line.ground import Ground
from sim.scenario.chance import RandomDuration
from sim.scenario.schema import Scenario
from sim.scenario.who import ContingentPart


@dataclass(frozen=True, slots=True, kw_only=True)
class CaveatClass:
    """What a team may do, by its nation's rules; nations with the same rules share a class."""

    armed: bool
    no_night: bool
    no_types: tuple[str, ...]
    sectors: tuple[int, ...] | None  # sectors that it may enter; None = all


@dataclass(frozen=True, slots=True, kw_only=True)
class Contingent:
    """A national contribution. Strength counts soldiers on the line, support included."""

    name: str
    title: str
    units: tuple[int, ...]  # soldiers of each unit; the last may be smaller
    arrival_h: tuple[float, ...]  # of each unit, before any delay
    delay: RandomDuration  # lateness of the whole contingent, drawn once in a history
    leaves_after_h: float  # each unit place is kept filled this long; inf = to the end
    sectors: tuple[int, ...] | None  # sectors it serves; None = wherever needed
    effective_share: float  # part of its soldiers who can be put to tasks
    absent_share: float  # part that is on leave, sick or on courses
    tour_h: float
    dwell_h: float
    overlap_h: float
    caveats: CaveatClass

    @property
    def strength(self) -> int:
        """Soldiers pledged."""
        return sum(self.units)

    @property
    def pool_ratio(self) -> float:
        """Units that a nation needs for each one deployed: (tour + dwell) / (tour - overlap), RAND's
        identity.
        """
        return (self.tour_h + self.dwell_h) / (self.tour_h - self.overlap_h)


def contingents(scenario: Scenario, ground: Ground) -> tuple[Contingent, ...]:
    """The coalition of a scenario, in its order."""
    return tuple(
        _contingent(scenario, ground, name, part) for name, part in scenario.force.contingents.items()
    )


def _contingent(scenario: Scenario, ground: Ground, name: str, part: ContingentPart) -> Contingent:
    manning = scenario.manning
    strength = round(part.strength * scenario.force.scale)
    whole, rest = divmod(strength, part.unit_size)
    units = (part.unit_size,) * whole + ((rest,) if rest else ())
    first = part.arrival.first
    last = first if part.arrival.last is None else part.arrival.last
    arrival = np.linspace(first, last, len(units)) if len(units) > 1 else np.full(len(units), first)
    served = None if part.sectors is None else tuple(ground.sector_names.index(s) for s in part.sectors)
    support = manning.support_share if part.support_share is None else part.support_share
    absent = manning.absent_share if part.absent_share is None else part.absent_share
    own = served if part.caveats.own_sectors_only else None
    return Contingent(
        name=name,
        title=part.title or name,
        units=units,
        arrival_h=tuple(float(h) for h in arrival),
        delay=part.arrival.delay,
        leaves_after_h=np.inf if part.commitment is None else part.commitment,
        sectors=served,
        effective_share=(1.0 - support) * (1.0 - absent),
        absent_share=absent,
        tour_h=manning.tour if part.tour is None else part.tour,
        dwell_h=manning.dwell if part.dwell is None else part.dwell,
        overlap_h=manning.overlap if part.overlap is None else part.overlap,
        caveats=CaveatClass(
            armed=part.armed,
            no_night=part.caveats.no_night,
            no_types=tuple(sorted(set(part.caveats.no_types))),
            sectors=own,
        ),
    )


def share_out(
    effective: FloatArray, served: tuple[tuple[int, ...] | None, ...], wanted: FloatArray
) -> FloatArray:
    """given[i, x]: effective soldiers of contingent i who work in sector x.

    effective (I,) soldiers, wanted (X,) soldiers. Those who serve the fewest sectors come first, floating
    contingents (None) last; each goes where most is still missing, and what is left over follows what is
    wanted.
    """
    given = np.zeros((len(effective), len(wanted)))
    missing = wanted.astype(np.float64)
    everywhere = len(wanted) + 1
    for i in sorted(
        range(len(served)), key=lambda i: everywhere if served[i] is None else len(served[i] or ())
    ):
        sectors = served[i]
        chosen = np.arange(len(wanted)) if sectors is None else np.array(sorted(set(sectors)), dtype=np.int64)
        if len(chosen):
            given[i, chosen] = _spread(float(effective[i]), missing[chosen], wanted[chosen])
            missing = np.maximum(missing - given[i], 0.0)
    return given


def _spread(soldiers: float, missing: FloatArray, wanted: FloatArray) -> FloatArray:
    """So many soldiers over some sectors: in proportion to what is missing, then to what is wanted."""
    need = float(missing.sum())
    if need >= soldiers and need > 0:
        return soldiers * missing / need
    total = float(wanted.sum())
    even = wanted / total if total > 0 else np.full(len(wanted), 1 / len(wanted))
    return missing + (soldiers - need) * even
