"""The spatial queue as SimPy users write it: a process for each incident, a store of free teams."""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy


@dataclass(eq=False)
class Team:
    """A response team; it drives home after each incident and may be called before it is there."""

    base: int
    home_h: float = 0.0


class SpatialQueue:
    """Incidents anywhere on a line; whoever would be there first goes; if all are out, they wait in turn."""

    def __init__(
        self,
        drive_h: Sequence[Sequence[float]],
        base_of_team: Sequence[int],
        rate_per_h: float,
        on_scene_h: float,
        seed: int,
    ) -> None:
        """drive_h[cell][base] in hours."""
        self.env = simpy.Environment()
        self.rng = random.Random(seed)
        self.drive_h = drive_h
        self.rate_per_h = rate_per_h
        self.on_scene_h = on_scene_h
        self.teams = simpy.FilterStore(self.env)
        self.teams.items = [Team(base) for base in base_of_team]
        self.happened = 0
        self.attended = 0
        self.response_h = 0.0
        self.waited = 0

    def run(self, horizon_h: float) -> None:
        """Simulate up to the horizon."""
        self.env.process(self.incidents())
        self.env.run(until=horizon_h)

    def incidents(self) -> Generator[simpy.Event, Any, None]:
        """Incidents begin at random, anywhere."""
        while True:
            yield self.env.timeout(self.rng.expovariate(self.rate_per_h))
            self.env.process(self.incident(self.rng.randrange(len(self.drive_h))))

    def incident(self, cell: int) -> Generator[simpy.Event, Any, None]:
        """One incident: a team is found or waited for, drives, works, and drives home."""
        env, drive_h = self.env, self.drive_h[cell]
        began_h = env.now
        self.happened += 1
        if self.teams.items:

            def there_in_h(team: Team) -> float:
                return max(0.0, team.home_h - env.now) + drive_h[team.base]

            nearest = min(self.teams.items, key=there_in_h)
            team = yield self.teams.get(lambda team: team is nearest)
        else:
            self.waited += 1
            team = yield self.teams.get()
        yield env.timeout(max(0.0, team.home_h - env.now) + drive_h[team.base])
        self.attended += 1
        self.response_h += env.now - began_h
        yield env.timeout(self.rng.expovariate(1.0 / self.on_scene_h))
        team.home_h = env.now + drive_h[team.base]
        yield self.teams.put(team)
