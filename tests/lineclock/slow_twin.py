"""The line clock once more, in plain Python: lists, dictionaries and `heapq`, one incident after the other,
with the same keyed draws.

It covers a force that does not change: standing watch, patrols, orbits and reports; false reports; any number of teams for an incident;
the three policies; caveats; the queue by severity and age; giving up. Recalls (`preempt`) it does not know.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from typing import Any

import oracles

INF = math.inf
NORMAL_P = oracles.stats.norm.ppf


@dataclass
class Incident:
    stream: int
    index: int
    kind: int
    cell: int
    start_h: float
    is_false: bool
    layer: int = -1
    sighted_h: float = INF
    ordered_h: float = INF
    arrived_h: float = INF
    ended_h: float = INF
    station: int = -1
    need: int = 0
    out: int = 0
    sent: int = 0
    outcome: str = ""
    attributed: bool = False


@dataclass
class Team:
    number: int
    station: int
    home_h: float = 0.0
    arrive_h: float = INF
    job: Incident | None = None


@dataclass
class Twin:
    """One replication over [0, horizon_h) with the plan and the laydown that the kernel was given."""

    plan: Any
    laydown: Any
    is_poor: Any
    seed: int
    replication: int
    horizon_h: float
    newest_first: bool = False  # the broken twin: the latest incident of a severity goes first
    incidents: list[Incident] = field(default_factory=list)
    waiting: list[Incident] = field(default_factory=list)
    events: list[tuple[float, int, int, Any]] = field(default_factory=list)
    counter: int = 0

    def draw(self, incident: Incident, block: int) -> tuple[float, ...]:
        code = int(self.plan.stream_code[incident.stream])
        return oracles.keyed(self.seed, self.replication, code, incident.index, block)

    def duration(self, law: Any, u: float) -> float:
        kind, first, second = law
        match int(kind):
            case 0:
                return float(first)
            case 1:
                return -first * math.log(u)
            case 2:
                return math.exp(first + second * float(NORMAL_P(u)))
        return float(first + (second - first) * u)

    def is_night(self, at_h: float) -> bool:
        day = int(at_h // 24)
        return not self.plan.sunrise_h[day] <= at_h < self.plan.sunset_h[day]

    def wait_for_light(self, station: int, at_h: float) -> float:
        if not self.plan.station_no_night[station] or not self.is_night(at_h):
            return 0.0
        return float(min(rise for rise in self.plan.sunrise_h if rise >= at_h) - at_h)

    def drive(self, station: int, cell: int, at_h: float) -> float:
        is_slow = self.is_night(at_h) and not self.plan.station_no_night[station]
        slow = self.plan.night_slowness if is_slow else 1.0
        return float(self.laydown.travel_h[cell, station] * slow)

    # What happens ----------------------------------------------------------------------------------------------

    def happens(self) -> None:
        """All incidents of the horizon: unit exponential steps of the expected number, turned back into time."""
        plan = self.plan
        for stream in range(len(plan.stream_type)):
            code = int(plan.stream_code[stream])
            level, index, step = 0.0, 0, oracles.keyed(self.seed, self.replication, code, -1, 0)[0]
            while True:
                level -= math.log(step)
                piece = next(
                    (q for q in range(len(plan.piece_is_night)) if plan.cumulative[stream, q + 1] > level),
                    None,
                )
                if piece is None:
                    break
                into = (level - plan.cumulative[stream, piece]) / plan.rate_per_h[stream, piece]
                start_h = float(plan.piece_start_h[piece] + into)
                if start_h >= self.horizon_h:
                    break
                step, place, _, _ = oracles.keyed(self.seed, self.replication, code, index, 0)
                kind = int(plan.stream_type[stream])
                cell = next(c for c, share in enumerate(plan.place_cdf[kind]) if share > place)
                self.incidents.append(
                    Incident(stream, index, kind, cell, start_h, bool(plan.stream_is_false[stream]))
                )
                index += 1

    # What is seen ----------------------------------------------------------------------------------------------

    def looks(self, incident: Incident) -> None:
        plan, laydown, kind, cell = self.plan, self.laydown, incident.kind, incident.cell
        if incident.is_false:
            incident.layer, incident.sighted_h = 4, incident.start_h
            return
        night = int(self.is_night(incident.start_h))
        sector = int(plan.cell_sector[cell])
        weather = 2 * night + int(self.is_poor[sector, int(incident.start_h // 24)])
        u_standing, u_report, u_delay, _ = self.draw(incident, 1)
        ways: list[tuple[float, int]] = []
        if u_standing < laydown.stand_p[kind, weather, cell]:
            ways.append((0.0, 0))
        lasts_h = self.duration(plan.duration_law[kind], self.draw(incident, 0)[2])
        for layer in range(2):
            u_phase, u_miss, u_up, _ = self.draw(incident, 2 + layer)
            if u_up < laydown.pass_up[layer, weather, sector]:
                for at_h in self.passes(layer, kind, night, cell, u_phase, u_miss):
                    if at_h < lasts_h:
                        ways.append((at_h, 1 + layer))
        if u_report < plan.reports_p[kind]:
            ways.append((self.duration(plan.report_law, u_delay), 3))
        if ways:
            delay_h, incident.layer = min(ways)
            incident.sighted_h = incident.start_h + delay_h

    def passes(
        self, layer: int, kind: int, night: int, cell: int, u_phase: float, u_miss: float
    ) -> list[float]:
        """When the passing watch notices, pass by pass; at most one time."""
        gap_h = float(self.laydown.pass_gap_h[layer, night, cell])
        notices = float(self.plan.pass_detection[layer, kind, night])
        if gap_h == INF or notices == 0:
            return []
        pattern = int(self.plan.pass_pattern[layer])
        if pattern == 1:
            return [-math.log(u_phase) * gap_h / notices]
        split = float(self.laydown.pass_split[layer, cell])
        # The gaps between passes in turn, and the time to the first.
        gaps = [gap_h, gap_h] if pattern == 0 else [2 * gap_h * split, 2 * gap_h * (1 - split)]
        phase = u_phase * sum(gaps)
        if pattern == 0:
            at_h, turn = u_phase * gap_h, 0
        elif phase < gaps[0]:
            at_h, turn = gaps[0] - phase, 1
        else:
            at_h, turn = sum(gaps) - phase, 0
        still_missed = 1.0 - notices  # chance that all passes up to and with this one miss
        while u_miss <= still_missed:
            still_missed *= 1.0 - notices
            at_h += gaps[turn]
            turn = 1 - turn
        return [at_h]

    # Who goes --------------------------------------------------------------------------------------------------

    def may(self, team: Team, incident: Incident, at_h: float, own_only: bool) -> bool:
        plan, sector = self.plan, int(self.plan.cell_sector[incident.cell])
        own = int(plan.station_sector[team.station])
        free_there = sum(t.job is None and int(plan.station_sector[t.station]) == own for t in self.teams)
        keeps = (
            plan.policy == 2
            and plan.severity[incident.kind] < plan.reserve_severity
            and free_there <= plan.reserve
        )
        return bool(
            plan.station_may_attend[team.station, incident.kind]
            and plan.station_may_enter[team.station, sector]
            and self.drive(team.station, incident.cell, at_h) <= plan.reach_h
            and not keeps
            and not (own_only and own != sector)
        )

    def wait(self, team: Team, at_h: float) -> float:
        return max(0.0, team.home_h - at_h, self.wait_for_light(team.station, at_h))

    def choose(self, incident: Incident, at_h: float) -> Team | None:
        for own_only in (True, False) if self.plan.policy == 1 else (False,):
            free = [t for t in self.teams if t.job is None and self.may(t, incident, at_h, own_only)]
            if free:
                nearness = {s: j for j, s in enumerate(self.laydown.order[incident.cell])}
                return min(
                    free,
                    key=lambda t: (
                        self.wait(t, at_h) + self.drive(t.station, incident.cell, at_h),
                        nearness[t.station],
                        t.number,
                    ),
                )
        return None

    def anybody(self, incident: Incident, at_h: float) -> bool:
        plan, sector = self.plan, int(self.plan.cell_sector[incident.cell])
        return any(
            plan.station_may_attend[t.station, incident.kind]
            and plan.station_may_enter[t.station, sector]
            and self.drive(t.station, incident.cell, at_h) <= plan.reach_h
            for t in self.teams
        )

    def sends(self, team: Team, incident: Incident, at_h: float) -> None:
        u_reaction, u_stay, _, _ = self.draw(incident, 8 + incident.sent)
        depart_h = at_h + max(self.wait(team, at_h), self.duration(self.plan.reaction_law, u_reaction))
        team.arrive_h = depart_h + self.drive(team.station, incident.cell, at_h)
        team.job = incident
        incident.need -= 1
        incident.out += 1
        incident.sent += 1
        incident.ordered_h = min(incident.ordered_h, at_h)
        self.later(team.arrive_h + self.duration(self.plan.on_scene_law[incident.kind], u_stay), team)

    # The order of things ---------------------------------------------------------------------------------------

    def later(self, at_h: float, what: Any) -> None:
        """Simultaneous ends of work come in the order of the teams."""
        self.counter += 1
        first = what.number if isinstance(what, Team) else -1
        heapq.heappush(self.events, (at_h, first, self.counter, what))

    def play(self) -> list[Incident]:
        stations = [int(s) for s in self.plan.team_station]
        self.teams = [Team(m, s) for m, s in enumerate(stations) if self.laydown.on_duty[m]]
        self.happens()
        for incident in self.incidents:
            self.looks(incident)
            if incident.sighted_h < self.horizon_h:
                self.later(incident.sighted_h, incident)
        while self.events and self.events[0][0] < self.horizon_h:
            at_h, _, _, what = heapq.heappop(self.events)
            if isinstance(what, Incident):
                self.is_sighted(what, at_h)
            else:
                self.is_done(what, at_h)
        self.closes()
        return self.incidents

    def is_sighted(self, incident: Incident, at_h: float) -> None:
        incident.need = int(self.plan.teams_wanted[incident.kind])
        if incident.need == 0:
            self.ends(incident, "noted", at_h)
        while incident.need:
            team = self.choose(incident, at_h)
            if team is not None:
                self.sends(team, incident, at_h)
            elif self.anybody(incident, at_h) and self.plan.give_up_h > 0:
                self.waiting.append(incident)
                break
            elif incident.out:
                incident.need = 0
            else:
                self.ends(incident, "gave_up" if self.anybody(incident, at_h) else "none_in_reach", at_h)
                break

    def is_done(self, team: Team, at_h: float) -> None:
        incident = team.job
        assert incident is not None
        self.was_there(team, incident)
        incident.out -= 1
        team.job = None
        team.home_h = at_h + min(self.drive(team.station, incident.cell, at_h), self.plan.reach_h)
        if incident.need == 0 and incident.out == 0:
            self.was_attended(incident, at_h)
        age = -1 if self.newest_first else 1
        self.waiting.sort(key=lambda i: (-self.plan.severity[i.kind], age * i.start_h))
        for own_only in (True, False) if self.plan.policy == 1 else (False,):
            for other in list(self.waiting):
                if at_h > other.sighted_h + self.plan.give_up_h:
                    self.waiting.remove(other)
                    self.gives_up(other)
                while other.need and self.may(team, other, at_h, own_only):
                    chosen = self.choose(other, at_h)
                    assert chosen is not None
                    self.sends(chosen, other, at_h)
                    if other.need == 0:
                        self.waiting.remove(other)
                    if chosen is team:
                        return

    def gives_up(self, incident: Incident) -> None:
        incident.need = 0
        until_h = incident.sighted_h + self.plan.give_up_h
        if incident.out == 0 and incident.arrived_h < INF:
            self.was_attended(incident, until_h)
        elif incident.out == 0:
            self.ends(incident, "gave_up", until_h)

    def was_there(self, team: Team, incident: Incident) -> None:
        if team.arrive_h < incident.arrived_h:
            incident.arrived_h, incident.station = team.arrive_h, team.station

    def was_attended(self, incident: Incident, at_h: float) -> None:
        took_h = incident.arrived_h - incident.start_h
        u_life, u_says, _, _ = self.draw(incident, 4)
        fresh = took_h <= self.duration(self.plan.evidence_law[incident.kind], u_life)
        incident.attributed = bool(
            not incident.is_false and fresh and u_says < self.plan.attribution[incident.kind]
        )
        self.ends(incident, "in_time" if took_h <= self.plan.standard_h[incident.kind] else "late", at_h)

    def ends(self, incident: Incident, outcome: str, at_h: float) -> None:
        incident.outcome, incident.ended_h = outcome, at_h

    def closes(self) -> None:
        """The horizon: who has arrived has attended; the rest stays open, was given up, or was never seen."""
        for team in self.teams:
            if team.job is not None and team.arrive_h < self.horizon_h:
                self.was_there(team, team.job)
        for incident in self.incidents:
            until_h = incident.sighted_h + self.plan.give_up_h
            if incident.outcome:
                continue
            if incident.arrived_h < INF:
                self.was_attended(incident, self.horizon_h)
            elif incident.layer < 0:
                self.ends(incident, "unseen", incident.start_h)
            elif incident.sighted_h >= self.horizon_h:
                incident.sighted_h = INF
                self.ends(incident, "open", self.horizon_h)
            elif incident.out == 0 and self.horizon_h > until_h:
                self.ends(incident, "gave_up", until_h)
            else:
                self.ends(incident, "open", self.horizon_h)
