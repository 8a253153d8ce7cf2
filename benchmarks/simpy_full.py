"""The whole model as SimPy users write it: a process for each incident, each team's job, each sector's level.

Incidents come by thinning. A team that is asked for is an event; requests that nobody can answer at once
stand in order of severity and age, as SimPy's own priority resources keep theirs. A sector's process sleeps
until its tension crosses a threshold.
"""

from __future__ import annotations

import bisect
import math
import random
from types import SimpleNamespace

import simpy

from benchmarks.full_tables import Outcome
from benchmarks.simpy_actors import Depot, Incident, Process, Sector


class FullLine:
    """The line: incidents, who sees them, who goes, what follows."""

    def __init__(self, table: SimpleNamespace, seed: int) -> None:
        self.env = simpy.Environment()
        self.rng = random.Random(seed)
        self.table = table
        self.depot = Depot(self)
        self.sectors = [Sector(self) for _ in range(table.sectors)]
        self.truce, self.truce_h = table.truce_start, 0.0
        self.happened = self.sighted = self.attended = self.in_time = self.attributed = 0
        self.response_h = 0.0

    def run(self, horizon_h: float) -> Outcome:
        """Simulate up to the horizon."""
        for kind in range(self.table.kinds):
            self.env.process(self.incidents(kind))
            if self.table.false_per_h[kind] > 0:
                self.env.process(self.false_reports(kind))
        self.env.process(self.recommitments())
        self.env.run(until=horizon_h)
        raised_h = sum(s.raised_h + (horizon_h - s.entered_h if s.level > 0 else 0.0) for s in self.sectors)
        return Outcome(
            happened=self.happened,
            sighted=self.sighted,
            attended=self.attended,
            in_time=self.in_time,
            attributed=self.attributed,
            response_h=self.response_h,
            raised_share=raised_h / horizon_h / self.table.sectors,
        )

    # Chance and light --------------------------------------------------------------------------------------

    def lasting(self, law: list[float]) -> float:
        """A duration: fixed, exponential, lognormal or uniform."""
        which, first, second = law
        if which == 0:
            return first
        if which == 1:
            return self.rng.expovariate(1.0 / first)
        if which == 2:
            return self.rng.lognormvariate(first, second)
        return self.rng.uniform(first, second)

    def is_night(self) -> bool:
        """Whether the sun is down."""
        now = self.env.now
        day = int(now / 24.0)
        return bool(now < self.table.sunrise_h[day] or now >= self.table.sunset_h[day])

    def slowness(self) -> float:
        """Driving time over driving time by day."""
        return float(self.table.night_slowness) if self.is_night() else 1.0

    # What happens ------------------------------------------------------------------------------------------

    def incidents(self, kind: int) -> Process:
        """Candidates at the highest rate there is, thinned by light, truce and level."""
        env, table, rng = self.env, self.table, self.rng
        by_light = table.most_per_h[kind]
        most_per_h = max(by_light)
        while True:
            yield env.timeout(rng.expovariate(most_per_h))
            cell = bisect.bisect_right(table.place_cdf[kind], rng.random())
            truce = self.truce * math.exp(table.truce_growth * (env.now - self.truce_h)) / table.truce_ceiling
            happens = by_light[self.is_night()] / most_per_h * min(truce, 1.0)
            happens *= table.happens_p[kind][self.sectors[table.cell_sector[cell]].level]
            if rng.random() < happens:
                env.process(self.incident(Incident(kind, cell, env.now)))

    def false_reports(self, kind: int) -> Process:
        """Reports with nothing behind them."""
        while True:
            yield self.env.timeout(self.rng.expovariate(self.table.false_per_h[kind]))
            cell = bisect.bisect_right(self.table.place_cdf[kind], self.rng.random())
            report = Incident(kind, cell, self.env.now, is_real=False)
            self.is_sighted(report)

    def recommitments(self) -> Process:
        """The parties bind themselves anew."""
        for at_h in self.table.recommit_h[:-1]:
            yield self.env.timeout(at_h - self.env.now)
            grown = self.truce * math.exp(self.table.truce_growth * (at_h - self.truce_h))
            self.truce = min(grown, self.table.truce_ceiling) * (1.0 - self.table.drop)
            self.truce_h = at_h

    def incident(self, incident: Incident) -> Process:
        """One incident: it provokes others, strains its sector, and is seen or not."""
        table, kind = self.table, incident.kind
        self.happened += 1
        sector = self.sectors[table.cell_sector[incident.cell]]
        self.provokes(incident, sector)
        sector.strain(table.severity[kind])
        if table.teams_wanted[kind] > 0:
            self.env.process(self.deadline(incident, sector))
        delay_h = self.seen_after_h(kind, incident.cell)
        if delay_h < math.inf:
            if delay_h > 0:
                yield self.env.timeout(delay_h)
            self.is_sighted(incident)

    def provokes(self, incident: Incident, sector: Sector) -> None:
        """Reprisals, near and soon (a branching process)."""
        table, rng, kind = self.table, self.rng, incident.kind
        left = math.exp(-table.breeds_mean[kind] * table.level_breeds[sector.level])
        chance = rng.random()
        while chance > left:
            self.env.process(self.reprisal(incident))
            chance *= rng.random()

    def reprisal(self, parent: Incident) -> Process:
        """One incident that another provokes, unless a team is there and calms the place."""
        table, rng, kind = self.table, self.rng, parent.kind
        yield self.env.timeout(self.lasting(table.breeds_law[kind]))
        if parent.arrive_h <= self.env.now and rng.random() < table.calming[kind]:
            return
        away_km = rng.expovariate(1.0 / table.breeds_km[kind]) * rng.choice((-1, 1))
        at_km = abs(min((parent.cell + 0.5) * table.cell_km, table.length_km) + away_km)
        at_km = min(at_km, 2.0 * table.length_km - at_km)
        cell = min(int(at_km / table.cell_km), table.cells - 1)
        its_kind = bisect.bisect_right(table.breeds_cdf[kind], rng.random())
        yield from self.incident(Incident(its_kind, cell, self.env.now))

    def deadline(self, incident: Incident, sector: Sector) -> Process:
        """Nobody there in time: the sector is strained once more."""
        yield self.env.timeout(self.table.standard_h[incident.kind])
        if incident.arrive_h > self.env.now:
            sector.strain(self.table.extra * self.table.severity[incident.kind])

    def seen_after_h(self, kind: int, cell: int) -> float:
        """Hours until posts or sensors, patrols, orbits or others notice it; inf = nobody does."""
        table, rng = self.table, self.rng
        night = int(self.is_night())
        if rng.random() < table.stand_p[kind][night][cell]:
            return 0.0
        lasts_h = self.lasting(table.duration[kind])
        seen_h = math.inf
        patrols_h = table.gap_h[0][night][cell] / table.detection[0][kind][night]
        for pass_h in (rng.expovariate(1.0 / patrols_h), self.orbit_after_h(kind, cell, night)):
            if pass_h < lasts_h:
                seen_h = min(seen_h, pass_h)
        if rng.random() < table.reports_p[kind]:
            seen_h = min(seen_h, self.lasting(table.report_law))
        return seen_h

    def orbit_after_h(self, kind: int, cell: int, night: int) -> float:
        """Hours until a drone that flies up and down its beat notices it: two gaps in turn."""
        table, rng = self.table, self.rng
        if rng.random() >= table.up[night][table.cell_sector[cell]]:
            return math.inf
        cycle_h = 2.0 * table.gap_h[1][night][cell]
        first_h = table.split[cell] * cycle_h
        at_h = rng.random() * cycle_h
        passes = (first_h, cycle_h) if at_h < first_h else (cycle_h, cycle_h + first_h)
        misses = table.detection[1][kind][night]
        missed = math.floor(math.log(1.0 - rng.random()) / math.log1p(-misses))
        return float(passes[missed % 2] - at_h + missed // 2 * cycle_h)

    # What is answered --------------------------------------------------------------------------------------

    def is_sighted(self, incident: Incident) -> None:
        """The mission knows, and asks for teams."""
        incident.sighted_h = self.env.now
        self.sighted += incident.is_real
        for _ in range(self.table.teams_wanted[incident.kind]):
            self.env.process(self.job(incident))

    def job(self, incident: Incident) -> Process:
        """One team's job: it is found or waited for, drives, works, and drives home."""
        env, table = self.env, self.table
        request = self.depot.request(incident)
        if not request.triggered:
            yield request | env.timeout(table.give_up_h)
            if not request.triggered:
                self.depot.cancel(request)
                return
        team = yield request
        drive_h = table.drive_h[incident.cell][team.base]
        wait_h = max(0.0, team.home_h - env.now, self.lasting(table.reaction_law))
        yield env.timeout(wait_h + drive_h * self.slowness())
        if env.now < incident.arrive_h:
            incident.arrive_h = env.now
            if incident.is_real:
                self.first_team_is_there(incident)
        yield env.timeout(self.lasting(table.on_scene[incident.kind]))
        team.home_h = env.now + min(drive_h * self.slowness(), table.reach_h)
        self.depot.put(team)

    def first_team_is_there(self, incident: Incident) -> None:
        """It looks for who did it."""
        table, kind = self.table, incident.kind
        took_h = incident.arrive_h - incident.start_h
        self.attended += 1
        self.response_h += incident.arrive_h - incident.sighted_h
        self.in_time += took_h <= table.standard_h[kind]
        if took_h <= self.lasting(table.evidence[kind]):
            self.attributed += self.rng.random() < table.attribution[kind]
