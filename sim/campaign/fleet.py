"""The aircraft of one sector: lost by the flying hour, and replaced."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from math import log
from typing import Any

import numpy as np
import simpy

from sim.campaign.theatre import Theatre
from sim.force.manning import ORBITS
from sim.line.earth import FloatArray, IntArray
from sim.watch.layers import orbit_duty


class Fleet:
    """A sector's aircraft in one replication; *changes* is called when one is lost or has come.

    Candidates come at the rate of a sector whose wanted orbits are all held all the time, transit included;
    one is a loss with the share of these hours that are flown then.
    """

    def __init__(
        self,
        theatre: Theatre,
        env: simpy.Environment,
        sector: int,
        airframes: IntArray,
        draws: Iterator[tuple[float, float]],
        flown: Callable[[int], tuple[int, float]],
        changes: Callable[[int], None],
    ) -> None:
        """airframes (X,) is shared; flown(sector) -> (orbits held, factor on their hours aloft)."""
        self.orbits = theatre.scenario.watch.orbits
        self.wanted = int(theatre.wanted[sector, ORBITS])
        self.sector = sector
        self.lost = 0
        self._env, self._airframes, self._draws = env, airframes, draws
        self._flown, self._changes = flown, changes
        if self.wanted and self.orbits.loss > 0:
            env.process(self._losses(self._duty()))

    def _losses(self, duty: FloatArray) -> Generator[simpy.Event, Any, None]:
        orbits = self.orbits
        rate_per_h = orbits.loss * self.wanted * orbits.endurance / (orbits.endurance - orbits.transit)
        while True:
            u_gap, u_is_loss = next(self._draws)
            yield self._env.timeout(-log(u_gap) / rate_per_h)
            held, factor = self._flown(self.sector)
            flown = held * duty[held, self._airframes[self.sector]] * orbits.serviceable * factor
            if u_is_loss * self.wanted < flown:
                self.lost += 1
                self._airframes[self.sector] -= 1
                self._changes(self.sector)
                self._env.process(self._replacement())

    def _replacement(self) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(self.orbits.replacement)
        self._airframes[self.sector] += 1
        self._changes(self.sector)

    def _duty(self) -> FloatArray:
        """duty[held, airframes]: share of the time that so many orbits are flown with so many aircraft."""
        orbits = self.orbits
        airframes = np.arange(self.wanted * orbits.airframes + 1)
        rows = [
            orbit_duty(
                orbits.endurance, orbits.transit, orbits.turnaround, airframes, np.full_like(airframes, held)
            )
            for held in range(self.wanted + 1)
        ]
        return np.array(rows)
