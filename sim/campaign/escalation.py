"""The levels of the sectors: the line clock says when one is due to turn, SimPy turns it at that moment."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import simpy

from sim.campaign.history import Turns
from sim.campaign.theatre import Theatre
from sim.lineclock.draws import Chance
from sim.lineclock.state import FALLS, NEXT_TURN, RISES, TURNS, Laydown, Plan, State
from sim.lineclock.streams import stream_code
from sim.lineclock.tension import falls_at_h, tension_now
from sim.watch.coverage import duration_quantiles

BY_EVENT, LINE_WIDE = len(TURNS), len(TURNS) + 1
CAUSES_OF_TURNS = (*TURNS, "event", "collapse of the line")
"""Why a sector changed its level."""

# The formulas of the kernel, in plain Python.
_falls_at_h, _tension_now = falls_at_h.py_func, tension_now.py_func


class Escalation:
    """The levels of all sectors in one replication. Calls *turned* with (sector, old level, new level)."""

    def __init__(self, theatre: Theatre, env: simpy.Environment, chance: Chance, turned: Any) -> None:
        sectors = len(theatre.ground.sector_names)
        self.theatre = theatre
        self.ladder = theatre.ladder
        self.env = env
        self.level = np.zeros(sectors, dtype=np.int64)
        self.collapsed_h = np.inf
        self.is_turning = False  # a sector's process is about to wake: the line clock stands still
        self._chance = chance
        self._turned = turned
        self._visits = np.zeros((sectors, len(self.ladder.names)), dtype=np.int64)
        self._due = [env.event() for _ in range(sectors)]
        self._rows: list[tuple[float, int, int, int, int]] = []
        self._collapsing = False
        self._hazard_to = np.zeros(sectors, dtype=np.int64)
        self._plan: Plan = theatre.plan
        self._laydown: Laydown
        self._state: State

    def begins(self, laydown: Laydown, state: State) -> None:
        """Every sector enters the lowest level; the arrays are the line clock's, changed in place."""
        self._laydown, self._state = laydown, state
        if self.ladder.climbs:
            for x in range(len(self.level)):
                self._enters(x, 0, 0.0)
                self.env.process(self._life(x))

    def is_due(self, x: int, cause: int, at_h: float) -> None:
        """The line clock has come to the moment at which a sector turns: wake its process then."""
        self.is_turning = True
        moment = self.env.timeout(max(0.0, at_h - self.env.now))
        assert moment.callbacks is not None, "it has not happened yet"
        moment.callbacks.append(lambda _: self._wakes(x, cause, at_h))

    def _wakes(self, x: int, cause: int, at_h: float) -> None:
        self._due[x].succeed((cause, at_h))

    def _life(self, x: int) -> Generator[simpy.Event, Any, None]:
        """One sector, up and down, until it collapses."""
        while self.level[x] < self.ladder.last:
            cause, at_h = yield self._due[x]
            self._due[x] = self.env.event()
            self.is_turning = False
            if not self._still_turns(x, cause, at_h):
                continue  # an event of the same moment was first
            tension = float(_tension_now(self._plan, self._state, x, at_h))
            if cause == RISES:
                to = self._rises_to(tension)
            elif cause == FALLS:
                to = int(self.level[x]) - 1
            else:
                to = int(self._hazard_to[x])
                tension = self._after_hazard(tension, int(self.level[x]), to)
            self._turns(x, to, cause, at_h, tension)

    def _still_turns(self, x: int, cause: int, at_h: float) -> bool:
        if self.level[x] == self.ladder.last:
            return False
        if cause == RISES:
            return bool(_tension_now(self._plan, self._state, x, at_h) >= self._laydown.rise_at[x])
        due_h = self._state.fall_h[x] if cause == FALLS else self._laydown.hazard_h[x]
        return bool(due_h <= at_h)

    def _rises_to(self, tension: float) -> int:
        return int(np.flatnonzero(self.ladder.enter_at <= tension)[-1])

    def _after_hazard(self, tension: float, old: int, new: int) -> float:
        """A level that was reached without tension brings the tension that belongs to it."""
        if new > old:
            brought = float(self.ladder.enter_at[new])
            return max(tension, brought) if math.isfinite(brought) else tension
        # It may leave several levels at once; one that tension only enters counts as left at half of that.
        rungs = slice(new + 1, old + 1)
        left, entered = self.ladder.leave_below[rungs], self.ladder.enter_at[rungs]
        return min(tension, float(np.where(left > 0, left, entered / 2).min(initial=np.inf)))

    def _turns(self, x: int, to: int, cause: int, at_h: float, tension: float) -> None:
        old = int(self.level[x])
        self._rows.append((at_h, x, old, to, cause))
        self._state.tension[x], self._state.tension_h[x] = tension, at_h
        self.level[x] = to
        self._enters(x, to, at_h)
        self._turned(x, old, to)
        if to == self.ladder.last:
            self._may_collapse()

    def _enters(self, x: int, level: int, at_h: float) -> None:
        """What the line clock has to know about a sector's new level."""
        ladder, laydown, state = self.ladder, self._laydown, self._state
        laydown.level[x] = level
        laydown.breeds_factor[x] = ladder.breeds[level]
        laydown.rise_at[x] = ladder.enter_at[level + 1 :].min(initial=np.inf)
        laydown.leave_below[x] = ladder.leave_below[level]
        laydown.stay_until_h[x] = at_h + ladder.min_stay_h[level]
        laydown.hazard_h[x], self._hazard_to[x] = self._next_hazard(x, level, at_h)
        state.fall_h[x] = np.inf
        if ladder.leave_below[level] > 0:
            state.fall_h[x] = _falls_at_h(self._plan, laydown, state, x)
        state.now[NEXT_TURN] = min(state.now[NEXT_TURN], state.fall_h[x], laydown.hazard_h[x])

    def _next_hazard(self, x: int, level: int, at_h: float) -> tuple[float, int]:
        """Competing risks: each draws its own time, the soonest wins."""
        visit = int(self._visits[x, level])
        self._visits[x, level] += 1
        soonest, to = np.inf, level
        name = f"hazards of {self.theatre.ground.sector_names[x]}"
        for other, law in self.ladder.hazards[level]:
            block = stream_code(f"{self.ladder.names[level]} to {self.ladder.names[other]}")
            u = self._chance.uniforms(name, 1, first=visit, block=block)[0, :1]
            lasts_h = float(duration_quantiles(law, u)[0])
            if at_h + lasts_h < soonest:
                soonest, to = at_h + lasts_h, other
        return soonest, to

    def shock(self, sectors: Iterable[int], by: float) -> None:
        """Tension rises for a reason outside the line."""
        laydown, state = self._laydown, self._state
        at_h = float(self.env.now)
        for x in sectors:
            if self.level[x] == self.ladder.last:
                continue
            tension = float(_tension_now(self._plan, state, x, at_h)) + by
            state.tension[x], state.tension_h[x] = tension, at_h
            if tension >= laydown.rise_at[x]:
                self._turns(x, self._rises_to(tension), BY_EVENT, at_h, tension)
            elif laydown.leave_below[x] > 0:
                state.fall_h[x] = _falls_at_h(self._plan, laydown, state, x)

    # Collapse ----------------------------------------------------------------------------------------------

    def _may_collapse(self) -> None:
        rule = self.theatre.scenario.escalation
        assert rule is not None, "without levels nothing reaches the last one"
        if not self._collapsing and np.count_nonzero(self.level == self.ladder.last) >= rule.collapse.sectors:
            self._collapsing = True
            self.env.process(self._collapses(rule.collapse.lasting))

    def _collapses(self, lasting_h: float) -> Generator[simpy.Event, Any, None]:
        """Sectors that have collapsed stay so: the rule holds from now on, and is over after its time."""
        yield self.env.timeout(lasting_h)
        self.collapsed_h = float(self.env.now)
        for x in np.flatnonzero(self.level < self.ladder.last):
            self._rows.append((self.collapsed_h, int(x), int(self.level[x]), self.ladder.last, LINE_WIDE))
            self.level[x] = self.ladder.last

    def turns(self) -> Turns:
        """All changes of level, in order of time."""
        rows = np.array(self._rows, dtype=float).reshape(-1, 5)
        whole = rows[:, 1:].astype(np.int64)
        return Turns(
            at_h=rows[:, 0],
            sector=whole[:, 0],
            from_level=whole[:, 1],
            to_level=whole[:, 2],
            cause=whole[:, 3],
        )
