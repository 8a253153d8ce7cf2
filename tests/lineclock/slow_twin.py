"""The line clock and what the campaign does to it once more, in plain Python: objects, lists and `heapq`, one event after the other, with the
same keyed draws.

It covers a force that does not change, on roads that do not change: the truce and its recommitments, levels, reprisals, injects and traces;
standing watch, patrols, orbits, reports and attacks; any number of teams, the three policies, caveats, recalls, move-up; the queue by severity
and age; giving up; findings; tension, turns, hazards and collapse. Of what the kernel was given it reads the fixed arrays only; what a level
or the truce changes it reckons from the scenario.
"""

from __future__ import annotations

import bisect
import dataclasses
import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracles

from sim.lineclock.streams import stream_code
from sim.watch.coverage import seen_share

INF = math.inf
NORMAL_P = oracles.stats.norm.ppf
POISSON_P = oracles.stats.poisson.ppf
CAMPAIGN, BEGINS, COMES = (
    0,
    2,
    3,
)  # simultaneous: campaign events, then turns, then what begins, then the rest
TEAM_IS_DONE, IS_NOTICED, DEADLINE, IS_PROVOKED = range(4)
NOT_SEEN, STANDING, PATROLS, REPORTS, ATTACKED, FALSE = -1, 0, 1, 3, 4, 5


@dataclass(eq=False)
class Trip:
    """One team on one errand."""

    team: Team
    station: int
    incident: Incident
    ordered_h: float
    departs_h: float
    arrives_h: float
    home_before_h: float  # at its base from then on, had it not been sent
    end: str = ""
    ended_h: float = INF


@dataclass(eq=False)
class Incident:
    id: tuple[int, int]
    kind: int
    cause: str
    cell: int
    start_h: float
    parent: Incident | None = None
    child: int = 0
    number: int = -1
    level: int = -1
    children: int = 0
    layer: int = NOT_SEEN
    sighted_h: float = INF
    ordered_h: float = INF
    left_h: float = -INF
    ended_h: float = INF
    need: int = 0
    sent: int = 0
    trips: list[Trip] = field(default_factory=list)
    outcome: str = ""
    finding: str = "not_looked"

    def first(self) -> tuple[float, int]:
        """When, and from which station, the first team comes of those that were not called back."""
        came = [trip for trip in self.trips if trip.end != "recalled"]
        best = min(came, key=lambda trip: trip.arrives_h, default=None)
        return (INF, -1) if best is None else (best.arrives_h, best.station)

    def out(self) -> int:
        return sum(not trip.end for trip in self.trips)


@dataclass(eq=False)
class Team:
    """A team place; `station` is its own, `at` where it is counted now, `place` its number there."""

    number: int
    station: int
    at: int
    place: int
    home_h: float = 0.0
    trip: Trip | None = None


@dataclass(eq=False)
class Sector:
    level: int = 0
    tension: float = 0.0
    since_h: float = 0.0
    stays_h: float = 0.0
    falls_h: float = INF
    hazard_h: float = INF
    hazard_to: int = 0
    visits: Counter[int] = field(default_factory=Counter)  # by level


@dataclass
class Twin:
    """One replication of what a campaign that has run was given; `broken` is the fault that a broken twin has."""

    campaign: Any
    seed: int
    broken: str = ""

    def __post_init__(self) -> None:
        theatre = self.campaign.theatre
        self.theatre, self.scenario, self.plan, self.ladder = (
            theatre,
            theatre.scenario,
            theatre.plan,
            theatre.ladder,
        )
        lookout = self.campaign.lookout
        # What posts, patrols and orbits do at the lowest level: levels do not touch it.
        self.watch = theatre.watchers.watch(self.campaign.roster.manned, lookout.airframes)
        self.is_poor = self.campaign._state.is_poor
        self.names = theatre.ground.sector_names
        self.horizon_h = theatre.horizon_h
        self.violations = list(self.scenario.violations.values())
        levels = {} if self.scenario.escalation is None else self.scenario.escalation.levels
        self.level_names = list(levels) or ["as stated"]
        self.levels = list(levels.values()) or [None]
        self.last = len(self.levels) - 1
        self.sectors = [Sector() for _ in self.names]
        duty = self.campaign._laydown.on_duty
        self.teams = [Team(m, s, s, m) for m, s in enumerate(map(int, self.plan.team_station)) if duty[m]]
        self.truce = (self.scenario.truce.start, 0.0)
        self.seen: dict[tuple[int, int], Any] = {}
        self.events: list[tuple[Any, ...]] = []
        self.counter = 0
        self.incidents: list[Incident] = []
        self.trips: list[Trip] = []
        self.waiting: list[Incident] = []
        self.turns: list[tuple[float, int, int, int, str]] = []
        self.counts: Counter[str] = Counter()
        self.casualties = [0] * len(self.names)
        self.ends_h = INF  # of the ceasefire
        self.serves = False
        self.now_h = 0.0

    # Chance ----------------------------------------------------------------------------------------------------

    def keyed(self, code: int, index: int, block: int) -> tuple[float, ...]:
        return oracles.keyed(self.seed, self.campaign.replication, code, index, block)

    def draw(self, incident: Incident, block: int) -> tuple[float, ...]:
        return self.keyed(incident.id[1], incident.id[0], block)

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

    # Day and night, near and far -------------------------------------------------------------------------------

    def is_night(self, at_h: float) -> bool:
        day = int(at_h // 24)
        return not self.plan.sunrise_h[day] <= at_h < self.plan.sunset_h[day]

    def wait_for_light(self, station: int, at_h: float) -> float:
        if not self.plan.station_no_night[station] or not self.is_night(at_h):
            return 0.0
        return float(min(rise for rise in self.plan.sunrise_h if rise >= at_h) - at_h)

    def sector_of(self, incident: Incident) -> int:
        return int(self.plan.cell_sector[incident.cell])

    def counted(self) -> list[Any]:
        """Levels in which something may happen: reached by tension or a hazard, and not the end of everything."""
        if self.levels == [None]:
            return self.levels
        targets = {to for level in self.levels for to in level.hazards}
        rule = self.scenario.escalation.collapse
        ends_all = rule.sectors == 1 and rule.lasting == 0
        reached = [
            (name, level)
            for v, (name, level) in enumerate(zip(self.level_names, self.levels, strict=True))
            if v == 0 or level.enter_at is not None or name in targets
        ]
        return [level for name, level in reached if not (ends_all and name == self.level_names[-1])]

    def level_at(self, x: int) -> Any:
        return self.levels[self.sectors[x].level]

    def speed(self, x: int) -> float:
        level = self.level_at(x)
        return 1.0 if level is None else float(level.speed)

    def drive(self, station: int, cell: int, at_h: float) -> float:
        level = self.level_at(int(self.plan.cell_sector[cell]))
        by_day_h = self.theatre.station_travel[0][cell, station] / (1.0 if level is None else level.speed)
        is_slow = self.is_night(at_h) and not self.plan.station_no_night[station]
        return float(by_day_h * (self.plan.night_slowness if is_slow else 1.0))

    # What happens ----------------------------------------------------------------------------------------------

    def candidates(self) -> None:
        """All candidates of the horizon: unit exponential steps of the expected number, turned back into time."""
        plan = self.plan
        for stream in range(len(plan.stream_type)):
            code = int(plan.stream_code[stream])
            level, index, step = 0.0, 0, self.keyed(code, -1, 0)[0]
            while True:
                level -= math.log(step)
                piece = bisect.bisect_right(plan.cumulative[stream], level) - 1
                if piece >= len(plan.piece_is_night):
                    break
                into = (level - plan.cumulative[stream, piece]) * plan.mean_gap_h[stream, piece]
                start_h = float(plan.piece_start_h[piece] + into)
                if start_h >= self.horizon_h:
                    break
                step, place, _, u_accept = self.keyed(code, index, 0)
                kind = int(plan.stream_type[stream])
                cell = next(c for c, share in enumerate(plan.place_cdf[kind]) if share > place)
                cause = "false_report" if plan.stream_is_false[stream] else "background"
                candidate = Incident((index, code), kind, cause, cell, start_h)
                self.later(start_h, BEGINS, (1, stream), self.may_happen, candidate, u_accept)
                index += 1

    def listed(self) -> None:
        plan = self.plan
        for i, at_h in enumerate(plan.listed_h[:-1]):
            key = (int(plan.listed_index[i]), int(plan.listed_code[i]))
            cause = ("inject", "trace")[int(plan.listed_cause[i]) - 2]
            what = Incident(key, int(plan.listed_type[i]), cause, int(plan.listed_cell[i]), float(at_h))
            self.later(float(at_h), BEGINS, (0, i), self.begins, what)

    def rate_over_stated(self, kind: int, x: int, at_h: float) -> float:
        """Incidents per incident of the stated rate now."""
        level, violation = self.level_at(x), self.violations[kind]
        factor = 1.0 if level is None else self.level_factor(kind, level)
        return factor * self.truce_at(at_h) if violation.erodes else factor

    def level_factor(self, kind: int, level: Any) -> float:
        return float(level.incidents * level.types.get(list(self.scenario.violations)[kind], 1.0))

    def truce_at(self, at_h: float) -> float:
        grown, since_h = self.truce
        if self.scenario.truce.doubling is not None:
            grown *= 2.0 ** ((at_h - since_h) / self.scenario.truce.doubling)
        return float(min(grown, self.scenario.truce.ceiling))

    def may_happen(self, candidate: Incident, u: float, at_h: float) -> None:
        """There are as many candidates as the worst level and the weakest truce could ever bring."""
        if candidate.cause == "background":
            kind, x = candidate.kind, self.sector_of(candidate)
            most = max(1.0 if level is None else self.level_factor(kind, level) for level in self.counted())
            if self.violations[kind].erodes:
                most *= self.scenario.truce.ceiling
            share = self.rate_over_stated(kind, x, at_h) / most if most > 0 else 0.0
            if u >= share:
                return
            if self.violations[kind].deterrence > 0:
                share *= 1.0 - self.violations[kind].deterrence * self.seen_share(kind, candidate.cell, x)
            if u >= share:
                self.counts["deterred"] += 1
                return
        self.begins(candidate, at_h)

    def seen_share(self, kind: int, cell: int, x: int) -> float:
        key = (x, self.sectors[x].level)
        if key not in self.seen:
            gap_h = np.stack(
                [self.watch.pass_gap_h[layer] / self.share_of_passes(layer, x) for layer in range(2)]
            )
            watch = dataclasses.replace(self.watch, pass_gap_h=gap_h)
            self.seen[key] = seen_share(self.scenario, self.theatre.ground, watch, self.theatre.weight)
        return float(self.seen[key][kind, cell])

    def share_of_passes(self, layer: int, x: int) -> float:
        level = self.level_at(x)
        share = 1.0 if level is None else (level.patrols, level.orbits)[layer]
        return max(share, 1e-300)

    def begins(self, incident: Incident, at_h: float) -> None:
        x, violation = self.sector_of(incident), self.violations[incident.kind]
        incident.number = len(self.incidents)
        incident.level = self.sectors[x].level
        incident.need = violation.teams
        self.incidents.append(incident)
        is_due = False
        if incident.cause == "false_report":
            self.counts["false_reports"] += 1
            incident.layer, incident.sighted_h = FALSE, at_h
        else:
            is_due = self.strains(x, violation.severity, at_h)
            rule = self.scenario.escalation
            if rule is not None and rule.unanswered_factor > 1 and violation.teams:
                self.comes(at_h + violation.standard, incident, DEADLINE)
            if incident.cause != "trace":
                self.provokes(incident)
            u = self.draw(incident, 5)[1]
            self.casualties[x] += (
                int(min(POISSON_P(u, violation.casualties), 1000)) if violation.casualties else 0
            )
            if violation.against_force:
                incident.layer, incident.sighted_h = ATTACKED, at_h
            else:
                self.looks(incident)
        if incident.sighted_h == at_h:
            self.is_sighted(incident, at_h)
        elif incident.sighted_h < INF:
            self.comes(incident.sighted_h, incident, IS_NOTICED)
        else:
            self.ends(incident, "unseen", at_h)
        if is_due:
            self.turn(x, "tension rises", at_h)

    def provokes(self, incident: Incident) -> None:
        reply = self.violations[incident.kind].retaliation
        if reply is None:
            return
        level = self.level_at(self.sector_of(incident))
        mean = reply.mean * (1.0 if level is None else level.retaliation)
        incident.children = int(min(POISSON_P(self.draw(incident, 5)[0], mean), 128)) if mean > 0 else 0
        names = list(self.scenario.violations)
        shares = reply.types or {names[incident.kind]: 1.0}
        for i in range(incident.children):
            u_delay, u_place, u_type, _ = self.draw(incident, 65536 + i)
            upto = np.cumsum([shares.get(name, 0.0) for name in names]) / sum(shares.values())
            upto[-1] = 1.0
            kind = next(k for k, share in enumerate(upto) if share > u_type)
            due_h = incident.start_h + self.duration(self.plan.breeds_law[incident.kind], u_delay)
            cell = self.displaced(incident.cell, reply.spread, u_place)
            key = (math.floor(u_delay * 2**32), math.floor(u_place * 2**32))
            child = Incident(key, kind, "retaliation", cell, due_h, parent=incident, child=i)
            self.comes(due_h, child, IS_PROVOKED)

    def displaced(self, cell: int, spread_km: float, u: float) -> int:
        """Laplace along the line, thrown back from its ends."""
        length_km = self.plan.length_km
        at_km = min((cell + 0.5) * self.plan.cell_km, length_km)
        at_km += spread_km * (math.log(2 * u) if u < 0.5 else -math.log(2 * (1 - u)))
        while not 0 <= at_km <= length_km:
            at_km = -at_km if at_km < 0 else 2 * length_km - at_km
        return min(int(at_km / self.plan.cell_km), len(self.plan.cell_sector) - 1)

    def is_provoked(self, child: Incident, at_h: float) -> None:
        assert child.parent is not None
        there_h = (
            -INF
            if self.broken == "calms before it arrives" and child.parent.sent
            else child.parent.first()[0]
        )
        if (
            there_h <= at_h
            and self.draw(child, 0)[3] < self.violations[child.parent.kind].retaliation.calming
        ):
            self.counts["prevented"] += 1
        else:
            self.begins(child, at_h)

    # What is seen ----------------------------------------------------------------------------------------------

    def looks(self, incident: Incident) -> None:
        plan, kind, cell = self.plan, incident.kind, incident.cell
        night = int(self.is_night(incident.start_h))
        x = self.sector_of(incident)
        weather = 2 * night + int(self.is_poor[x, int(incident.start_h // 24)])
        u_standing, u_report, u_delay, _ = self.draw(incident, 1)
        ways: list[tuple[float, int]] = []
        if u_standing < self.watch.stand_p[kind, weather, cell]:
            ways.append((0.0, STANDING))
        lasts_h = self.duration(plan.duration_law[kind], self.draw(incident, 0)[2])
        for layer in range(2):
            u_phase, u_miss, u_up, _ = self.draw(incident, 2 + layer)
            gap_h = float(self.watch.pass_gap_h[layer, night, cell] / self.share_of_passes(layer, x))
            if u_up < self.watch.pass_up[layer, weather, x] and gap_h < 1e200:
                for at_h in self.passes(layer, kind, night, cell, gap_h, u_phase, u_miss):
                    if at_h < lasts_h:
                        ways.append((at_h, PATROLS + layer))
        if u_report < plan.reports_p[kind]:
            ways.append((self.duration(plan.report_law, u_delay), REPORTS))
        if ways:
            delay_h, incident.layer = min(ways)
            incident.sighted_h = incident.start_h + delay_h

    def passes(
        self, layer: int, kind: int, night: int, cell: int, gap_h: float, u_phase: float, u_miss: float
    ) -> list[float]:
        """When the passing watch notices, pass by pass; at most one time."""
        notices = float(self.plan.pass_detection[layer, kind, night])
        if notices == 0:
            return []
        pattern = int(self.plan.pass_pattern[layer])
        if pattern == 1:
            return [-math.log(u_phase) * gap_h / notices]
        split = float(self.watch.pass_split[layer, cell])
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

    def is_let(self, station: int, incident: Incident) -> bool:
        """Caveats, mandate, and what the sector's level allows."""
        level = self.level_at(self.sector_of(incident))
        armed = self.theatre.classes[self.theatre.station_class[station]].armed
        if level is not None and (level.closed or (level.needs_arms and not armed)):
            return False
        return self.is_let_by_nation(station, incident)

    def is_let_by_nation(self, station: int, incident: Incident) -> bool:
        plan = self.plan
        return bool(
            plan.station_may_attend[station, incident.kind]
            and plan.station_may_enter[station, self.sector_of(incident)]
        )

    def is_near(self, station: int, incident: Incident, at_h: float) -> bool:
        return bool(self.drive(station, incident.cell, at_h) <= self.scenario.response.reach)

    def may(self, team: Team, incident: Incident, at_h: float, own_only: bool) -> bool:
        response, own = self.scenario.response, int(self.plan.station_sector[team.at])
        free_there = sum(t.trip is None and int(self.plan.station_sector[t.at]) == own for t in self.teams)
        keeps = (
            response.policy == "hold_reserve"
            and self.violations[incident.kind].severity < response.reserve_severity
            and free_there <= response.reserve
        )
        is_able = self.is_let(team.at, incident) and self.is_near(team.at, incident, at_h)
        return is_able and not keeps and not (own_only and own != self.sector_of(incident))

    def wait(self, team: Team, at_h: float) -> float:
        return max(0.0, team.home_h - at_h, self.wait_for_light(team.at, at_h))

    def rounds(self) -> tuple[bool, ...]:
        """Whether only the own sector's, in each round of looking."""
        return (True, False) if self.scenario.response.policy == "own_sector_first" else (False,)

    def soonest(self, waits: dict[Team, float], cell: int, at_h: float) -> Team:
        near = {int(s): j for j, s in enumerate(self.theatre.station_order[0][cell])}
        return min(waits, key=lambda t: (waits[t] + self.drive(t.at, cell, at_h), near[t.at], t.place))

    def choose(self, incident: Incident, at_h: float) -> Team | None:
        for own_only in self.rounds():
            free = {
                t: self.wait(t, at_h)
                for t in self.teams
                if t.trip is None and self.may(t, incident, at_h, own_only)
            }
            if free:
                return self.soonest(free, incident.cell, at_h)
        return None

    def anybody(self, incident: Incident, at_h: float) -> bool:
        return any(
            self.is_let(t.station, incident) and self.is_near(t.station, incident, at_h) for t in self.teams
        )

    def why_nobody(self, incident: Incident, at_h: float) -> str:
        near = [t for t in self.teams if self.is_near(t.station, incident, at_h)]
        if not near:
            return "too_far" if self.teams else "nobody_there"
        return "denied" if any(self.is_let_by_nation(t.station, incident) for t in near) else "caveat"

    def recallable(self, incident: Incident, at_h: float) -> tuple[Team, float] | None:
        """Who is on the way to something lesser, and how long until it sets out from its base again."""
        waits = {}
        for team in self.teams:
            trip = team.trip
            if (
                trip is not None
                and trip.arrives_h > at_h
                and self.violations[trip.incident.kind].severity < self.violations[incident.kind].severity
                and self.is_let(team.at, incident)
                and self.is_near(team.at, incident, at_h)
            ):
                back_h = max(at_h - trip.departs_h, trip.home_before_h - at_h)
                waits[team] = max(0.0, back_h, self.wait_for_light(team.at, at_h))
        if not waits:
            return None
        team = self.soonest(waits, incident.cell, at_h)
        return team, waits[team]

    def sends(self, team: Team, incident: Incident, at_h: float, wait_h: float | None = None) -> None:
        u_reaction, u_stay, _, _ = self.draw(incident, 8 + incident.sent)
        waits_h = self.wait(team, at_h) if wait_h is None else wait_h
        home_h = team.home_h if wait_h is None else INF
        departs_h = at_h + max(waits_h, self.duration(self.plan.reaction_law, u_reaction))
        arrives_h = departs_h + self.drive(team.at, incident.cell, at_h)
        before_h = max(at_h, min(home_h, at_h + waits_h))
        trip = Trip(team, team.at, incident, at_h, departs_h, arrives_h, before_h)
        team.trip = trip
        incident.trips.append(trip)
        incident.need -= 1
        incident.sent += 1
        incident.ordered_h = min(incident.ordered_h, at_h)
        self.counts["teams_sent"] += 1
        done_h = arrives_h + self.duration(self.plan.on_scene_law[incident.kind], u_stay)
        self.later(done_h, COMES, (0, team.place), self.is_done, trip)
        self.moves_up(team.at, at_h)

    def ends_trip(self, trip: Trip, end: str, at_h: float) -> None:
        trip.end, trip.ended_h = end, at_h
        trip.incident.left_h = at_h
        trip.team.trip = None
        self.trips.append(trip)

    # Move-up ---------------------------------------------------------------------------------------------------

    def guest_of(self, station: int) -> Team | None:
        return next((t for t in self.teams if t.at == station and t.station != station), None)

    def moves_up(self, station: int, at_h: float) -> None:
        """A base that has sent its last team gets one from the nearest of its sector and caveats that has two at home."""
        plan, between_h = self.plan, self.theatre.station_between[0]
        own_free = any(t.station == t.at == station and t.trip is None for t in self.teams)
        if not self.scenario.response.move_up or own_free or self.guest_of(station) is not None:
            return
        slow = 1.0
        if self.is_night(at_h):
            if plan.station_no_night[station]:
                return
            slow = float(plan.night_slowness)
        slow /= self.speed(int(plan.station_sector[station]))
        lenders = []
        for other in range(len(plan.station_sector)):
            home = [
                t for t in self.teams if t.station == t.at == other and t.trip is None and t.home_h <= at_h
            ]
            if (
                other != station
                and plan.station_sector[other] == plan.station_sector[station]
                and plan.station_class[other] == plan.station_class[station]
                and between_h[other, station] * slow <= self.scenario.response.reach
                and len(home) >= 2
            ):
                lenders.append((float(between_h[other, station]) * slow, other, home[-1]))
        if lenders:
            drive_h, _, team = min(lenders, key=lambda lender: lender[:2])
            team.at, team.place = station, int(plan.station_guest[station])
            team.home_h = at_h + drive_h
            self.counts["stood_in"] += 1

    def guest_goes_home(self, station: int, at_h: float) -> None:
        guest = self.guest_of(station)
        if guest is not None and guest.trip is None and self.broken != "guests stay":
            drive_h = float(self.theatre.station_between[0][station, guest.station])
            drive_h /= self.speed(int(self.plan.station_sector[station]))
            if self.is_night(at_h) and not self.plan.station_no_night[station]:
                drive_h *= float(self.plan.night_slowness)
            leaves_h = at_h + self.wait_for_light(station, at_h)
            guest.home_h = max(leaves_h, guest.home_h) + min(drive_h, self.scenario.response.reach)
            guest.at, guest.place = guest.station, guest.number

    # What is answered ------------------------------------------------------------------------------------------

    def is_sighted(self, incident: Incident, at_h: float) -> None:
        if incident.need == 0:
            self.ends(incident, "noted", at_h)
        else:
            self.counts["asked_for_teams"] += 1
        patient = self.scenario.response.give_up_after > 0
        while incident.need:
            team = self.choose(incident, at_h)
            anybody = team is not None or self.anybody(incident, at_h)
            called = None
            if team is None and anybody and self.scenario.response.preempt:
                called = self.recallable(incident, at_h)
            if team is not None:
                self.sends(team, incident, at_h)
            elif called is not None:
                robbed = self.is_called_back(called[0], at_h)
                self.sends(called[0], incident, at_h, called[1])
                self.looks_for_another(robbed, at_h)
            elif anybody and patient:
                self.counts["waited"] += 1
                self.queues(incident)
                break
            elif incident.out():
                incident.need = 0
            else:
                self.ends(incident, "gave_up" if anybody else self.why_nobody(incident, at_h), at_h)
                break

    def is_called_back(self, team: Team, at_h: float) -> Incident:
        trip = team.trip
        assert trip is not None
        self.counts["recalled"] += 1
        self.ends_trip(trip, "recalled", at_h)
        trip.incident.need += 1
        return trip.incident

    def looks_for_another(self, incident: Incident, at_h: float) -> None:
        team = self.choose(incident, at_h)
        if team is not None:
            self.sends(team, incident, at_h)
        elif incident not in self.waiting:
            self.queues(incident)

    def queues(self, incident: Incident) -> None:
        age = -1 if self.broken == "newest first" else 1
        self.waiting.append(incident)
        self.waiting.sort(key=lambda i: (-self.violations[i.kind].severity, age * i.start_h))

    def is_done(self, trip: Trip, at_h: float) -> None:
        if trip.end:
            return  # it was called back
        team, incident = trip.team, trip.incident
        self.ends_trip(trip, "done", at_h)
        if incident.need == 0 and incident.out() == 0:
            self.was_attended(incident, at_h)
        team.at, team.place = team.station, team.number
        team.home_h = at_h + min(self.drive(team.at, incident.cell, at_h), self.scenario.response.reach)
        self.guest_goes_home(team.station, at_h)
        for own_only in self.rounds():
            for other in list(self.waiting):
                self.is_given_up(other, at_h)
                while other.need and self.may(team, other, at_h, own_only):
                    chosen = self.choose(other, at_h)
                    assert chosen is not None
                    self.sends(chosen, other, at_h)
                    if other.need == 0:
                        self.waiting.remove(other)
                    if chosen is team:
                        return

    def serves_waiting(self, at_h: float) -> None:
        """What a level lets pass has changed: who may go now goes."""
        for incident in list(self.waiting):
            self.is_given_up(incident, at_h)
            while incident.need and (team := self.choose(incident, at_h)) is not None:
                self.sends(team, incident, at_h)
                if incident.need == 0:
                    self.waiting.remove(incident)
            shut = incident.need and not self.anybody(incident, at_h)
            if shut and incident in self.waiting and self.why_nobody(incident, at_h) == "denied":
                self.waiting.remove(incident)
                incident.need = 0
                if incident.out() == 0 and incident.first()[0] < INF:
                    self.was_attended(incident, at_h)
                elif incident.out() == 0:
                    self.ends(incident, "denied", at_h)

    def is_given_up(self, incident: Incident, at_h: float) -> None:
        until_h = incident.sighted_h + self.scenario.response.give_up_after
        if at_h <= until_h:
            return
        self.waiting.remove(incident)
        incident.need = 0
        if incident.out() == 0:
            self.is_closed(incident, max(until_h, incident.left_h))

    def is_closed(self, incident: Incident, at_h: float) -> None:
        if incident.first()[0] < INF:
            self.was_attended(incident, at_h)
        else:
            self.ends(incident, "gave_up", at_h)

    def was_attended(self, incident: Incident, at_h: float) -> None:
        took_h, violation = incident.first()[0] - incident.start_h, self.violations[incident.kind]
        u_life, u_says, _, _ = self.draw(incident, 4)
        if incident.layer != FALSE:
            incident.finding = "attributed" if u_says < violation.attribution else "inconclusive"
            gone = took_h > self.duration(self.plan.evidence_law[incident.kind], u_life)
            if gone and violation.attribution > 0:
                incident.finding = "evidence_gone"
        self.ends(incident, "in_time" if took_h <= violation.standard else "late", at_h)

    def ends(self, incident: Incident, outcome: str, at_h: float) -> None:
        incident.outcome, incident.ended_h = outcome, at_h

    # What it leads to ------------------------------------------------------------------------------------------

    def tension_at(self, x: int, at_h: float) -> float:
        sector, rule = self.sectors[x], self.scenario.escalation
        if self.broken == "tension stays":
            return sector.tension
        return float(sector.tension * 0.5 ** ((at_h - sector.since_h) / rule.half_life))

    def strains(self, x: int, by: float, at_h: float) -> bool:
        """Tension rises -> whether the level is due to rise."""
        if self.scenario.escalation is None:
            return False
        sector = self.sectors[x]
        sector.tension, sector.since_h = self.tension_at(x, at_h) + by, at_h
        self.awaits_fall(x)
        return self.level_by_tension(x) > sector.level

    def level_by_tension(self, x: int) -> int:
        """The highest level whose threshold is reached."""
        reached = [
            v
            for v, level in enumerate(self.levels)
            if level.enter_at is not None and level.enter_at <= self.sectors[x].tension
        ]
        return max(reached, default=0)

    def awaits_fall(self, x: int) -> None:
        sector, level = self.sectors[x], self.level_at(x)
        below = level.leave_below
        if self.broken == "no hysteresis" and below:
            below = level.enter_at or below
        if not below:
            sector.falls_h = INF
            return
        lasts_h = self.scenario.escalation.half_life * math.log2(max(sector.tension / below, 1.0))
        sector.falls_h = max(sector.since_h + lasts_h, sector.stays_h)

    def deadline(self, incident: Incident, at_h: float) -> None:
        extra = (self.scenario.escalation.unanswered_factor - 1) * self.violations[incident.kind].severity
        x = self.sector_of(incident)
        if incident.first()[0] > at_h and self.strains(x, extra, at_h):
            self.turn(x, "tension rises", at_h)

    def enters(self, x: int, level: int, at_h: float) -> None:
        sector, part = self.sectors[x], self.levels[level]
        sector.level, sector.stays_h = level, at_h + part.min_stay
        sector.hazard_h, sector.hazard_to = INF, level
        for to in part.hazards:
            block = stream_code(f"{self.level_names[level]} to {to}")
            u = self.keyed(stream_code(f"hazards of {self.names[x]}"), sector.visits[level], block)[0]
            _, first, second = law = self.law_of(part.hazards[to])
            lasts_h = -first * math.log1p(-u) if law[0] == 1 else self.duration((law[0], first, second), u)
            if at_h + lasts_h < sector.hazard_h:
                sector.hazard_h, sector.hazard_to = at_h + lasts_h, self.level_names.index(to)
        sector.visits[level] += 1
        self.awaits_fall(x)

    def law_of(self, law: Any) -> tuple[int, float, float]:
        match law.kind:
            case "fixed":
                return 0, law.value, 0.0
            case "exponential":
                return 1, law.mean, 0.0
            case "lognormal":
                return 2, math.log(law.median), math.log(law.p90 / law.median) / float(NORMAL_P(0.9))
        return 3, law.low, law.high

    def turn(self, x: int, why: str, at_h: float) -> None:
        sector, old = self.sectors[x], self.level_at(x)
        came_from = sector.level
        sector.tension, sector.since_h = self.tension_at(x, at_h), at_h
        if why in ("tension rises", "event"):
            to = self.level_by_tension(x)
        elif why == "tension falls":
            to = came_from - 1
        else:
            to = sector.hazard_to
            if to > came_from:
                sector.tension = max(sector.tension, self.levels[to].enter_at or 0.0)
            else:
                rungs = self.levels[to + 1 : came_from + 1]
                left = [level.leave_below or (level.enter_at or INF) / 2 for level in rungs]
                sector.tension = min(sector.tension, *left, INF)
        self.turns.append((at_h, x, came_from, to, why))
        self.enters(x, to, at_h)
        new = self.level_at(x)
        self.serves |= (old.speed, old.needs_arms, old.closed) != (new.speed, new.needs_arms, new.closed)
        rule = self.scenario.escalation.collapse
        collapsed = sum(s.level == self.last for s in self.sectors)
        if to == self.last and collapsed >= rule.sectors and self.ends_h == INF:
            self.ends_h = at_h + rule.lasting

    # The campaign ----------------------------------------------------------------------------------------------

    def campaign_events(self) -> None:
        for order, (name, event) in enumerate(self.scenario.events.items()):
            at_h, number = 0.0, 0
            once_h = event.moment_h(self.scenario.start)
            while at_h < self.horizon_h:
                if once_h is not None:
                    at_h = once_h
                elif event.every is not None:
                    at_h += event.every
                else:
                    at_h -= math.log(self.keyed(stream_code(f"event {name}"), number, 0)[0]) / event.rate
                number += 1
                self.later(at_h, CAMPAIGN, (order,), self.campaign_event, event)
                if once_h is not None:
                    break

    def campaign_event(self, event: Any, at_h: float) -> None:
        if event.recommit is not None:
            self.truce = (self.truce_at(at_h) * (1.0 - event.recommit.drop), at_h)
        if event.tension is not None and self.scenario.escalation is not None:
            for name in event.tension.sectors or self.names:
                x = self.names.index(name)
                if self.strains(x, event.tension.by, at_h):
                    self.turn(x, "event", at_h)

    # The order of things ---------------------------------------------------------------------------------------

    def later(self, at_h: float, phase: int, order: tuple[int, ...], act: Any, *what: Any) -> None:
        self.counter += 1
        if at_h < self.horizon_h:
            heapq.heappush(self.events, (at_h, phase, order, self.counter, act, what))

    def comes(self, at_h: float, incident: Incident, what: int) -> None:
        """Simultaneous: ends of work in the order of the teams, then incidents in the order of their beginning,
        a reprisal in the place of what provoked it.
        """
        number = incident.number if incident.parent is None or what != IS_PROVOKED else incident.parent.number
        child = incident.child if what == IS_PROVOKED else 0
        act = {IS_NOTICED: self.is_sighted, DEADLINE: self.deadline, IS_PROVOKED: self.is_provoked}[what]
        self.later(at_h, COMES, (1, number, child, what), act, incident)

    def play(self) -> list[Incident]:
        if self.last > 0:
            for x in range(len(self.sectors)):
                self.enters(x, 0, 0.0)
        self.candidates()
        self.listed()
        self.campaign_events()
        while True:
            at_h, phase = self.events[0][:2] if self.events else (self.horizon_h, CAMPAIGN)
            turn_h, x = min((min(s.falls_h, s.hazard_h), x) for x, s in enumerate(self.sectors))
            is_turn = (turn_h, BEGINS - 1) < (at_h, phase)
            if self.serves and self.now_h < self.ends_h and (at_h, phase) != (self.now_h, CAMPAIGN):
                self.serves = False
                self.serves_waiting(self.now_h)
            elif min(turn_h, at_h) >= self.ends_h and self.ends_h < self.horizon_h:
                return self.closes(self.ends_h)
            elif is_turn:
                self.now_h = turn_h
                self.turn(x, "hazard" if self.sectors[x].hazard_h <= turn_h else "tension falls", turn_h)
            elif not self.events:
                return self.closes(self.horizon_h)
            else:
                self.now_h = at_h
                _, _, _, _, act, what = heapq.heappop(self.events)
                act(*what, at_h)

    def closes(self, at_h: float) -> list[Incident]:
        """The end: who has arrived has attended; the rest stays open, was given up, or was never seen."""
        if at_h < self.horizon_h:
            for x, sector in enumerate(self.sectors):
                if sector.level < self.last:
                    self.turns.append((at_h, x, sector.level, self.last, "collapse of the line"))
        under_way = [(i, i.out(), i.first()[0]) for i in self.incidents if not i.outcome]
        for incident, out, there_h in under_way:
            until_h = max(incident.sighted_h + self.scenario.response.give_up_after, incident.left_h)
            is_over = out == 0 and until_h < at_h
            if there_h < at_h:
                self.was_attended(incident, until_h if is_over else at_h)
                continue
            if incident.sighted_h >= at_h and incident.sighted_h > incident.start_h:
                incident.sighted_h = INF
            self.ends(incident, *(("gave_up", until_h) if is_over else ("open", at_h)))
        for team in self.teams:
            if team.trip is not None:
                self.ends_trip(team.trip, "under_way", at_h)
        return self.incidents
