"""Those who live on the SimPy line: teams and their depot, incidents, sectors with a tension and a level."""

from __future__ import annotations

import bisect
import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from benchmarks.simpy_full import FullLine

Process = Generator[simpy.Event, Any, None]


@dataclass(eq=False, slots=True)
class Team:
    """A response team; it drives home after each incident and may be called before it is there."""

    base: int
    home_h: float = 0.0


@dataclass(eq=False, slots=True)
class Incident:
    """Something that happens, or is falsely reported."""

    kind: int
    cell: int
    start_h: float
    is_real: bool = True
    sighted_h: float = math.inf
    arrive_h: float = math.inf


class Depot:
    """The teams of all bases. A request is answered by the free team that would be there first."""

    def __init__(self, line: FullLine) -> None:
        self.line = line
        self.free: list[list[Team]] = [[] for _ in range(line.table.bases)]
        for base, free in enumerate(self.free):
            teams = line.table.first_team[base + 1] - line.table.first_team[base]
            free.extend(Team(base) for _ in range(teams))
        self.waiting: list[tuple[float, float, int, Incident, simpy.Event]] = []
        self.asked = 0

    def request(self, incident: Incident) -> simpy.Event:
        """An event that brings a team."""
        line, answer = self.line, self.line.env.event()
        team = self.first_there(incident.cell)
        if team is not None:
            self.free[team.base].remove(team)
            return answer.succeed(team)
        self.asked += 1
        severity = line.table.severity[incident.kind]
        bisect.insort(self.waiting, (-severity, incident.start_h, self.asked, incident, answer))
        return answer

    def first_there(self, cell: int) -> Team | None:
        """The free team that would be on the spot first."""
        table, now = self.line.table, self.line.env.now
        slow = self.line.slowness()
        best, best_h = None, math.inf
        for base in table.order[cell]:
            drive_h = table.drive_h[cell][base] * slow
            if drive_h > table.reach_h or drive_h >= best_h:
                break
            for team in self.free[base]:
                there_h = max(0.0, team.home_h - now) + drive_h
                if there_h < best_h:
                    best, best_h = team, there_h
        return best

    def put(self, team: Team) -> None:
        """A team is free: it takes the gravest and oldest request within its reach."""
        slow = self.line.slowness()
        for i, (*_, incident, answer) in enumerate(self.waiting):
            if self.line.table.drive_h[incident.cell][team.base] * slow <= self.line.table.reach_h:
                del self.waiting[i]
                answer.succeed(team)
                return
        self.free[team.base].append(team)

    def cancel(self, answer: simpy.Event) -> None:
        """A request is taken back."""
        self.waiting = [entry for entry in self.waiting if entry[-1] is not answer]


class Sector:
    """A sector's tension, and the process of its level."""

    def __init__(self, line: FullLine) -> None:
        self.line = line
        self.level = 0
        self.tension = self.tension_h = 0.0
        self.entered_h = self.raised_h = 0.0
        self.rises = line.env.event()
        line.env.process(self.life())

    def tension_now(self) -> float:
        """It falls by half in every half-life."""
        return self.tension * math.exp((self.tension_h - self.line.env.now) * self.line.table.decay)

    def strain(self, by: float) -> None:
        """Add to the tension, and wake the sector when that is enough for the next level."""
        self.tension, self.tension_h = self.tension_now() + by, self.line.env.now
        if self.tension >= self.line.table.enter_at[self.level + 1] and not self.rises.triggered:
            self.rises.succeed()

    def life(self) -> Process:
        """One level after the other, until the last."""
        env, table = self.line.env, self.line.table
        while self.level < table.levels - 1:
            stays_until_h = self.entered_h + table.min_stay_h[self.level]
            below = table.leave_below[self.level]
            self.rises = env.event()
            to = self.level
            while to == self.level:
                falls_h = math.inf
                if below > 0:
                    over = math.log(max(1.0, self.tension_now() / below))
                    falls_h = max(env.now + over / table.decay, stays_until_h)
                    if falls_h <= env.now:
                        to = self.level - 1
                        continue
                    yield self.rises | env.timeout(falls_h - env.now)
                else:
                    yield self.rises
                while self.rises.triggered and self.tension_now() >= table.enter_at[to + 1]:
                    to += 1
            if self.level > 0:
                self.raised_h += env.now - self.entered_h
            self.level, self.entered_h = to, env.now
