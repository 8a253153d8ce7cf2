"""One replication: the campaign clock (SimPy) drives the line clock (compiled).

Units arrive and leave, seasons turn, aircraft are lost and replaced, sectors change their level: each a SimPy
process. Between two such events the laydown is constant and the line clock runs over [now, next event); it
comes back sooner when a sector's tension crosses a threshold. There are no time steps.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from sim.campaign.escalation import Escalation
from sim.campaign.fleet import Fleet
from sim.campaign.history import History, ledgers
from sim.campaign.lookout import Lookout
from sim.campaign.roster import Roster
from sim.campaign.theatre import Theatre
from sim.errors import Problem, ScenarioError
from sim.force.contingent import Contingent
from sim.force.manning import ORBITS
from sim.lineclock import kernel
from sim.lineclock.begin import Places, empty_journal, new_laydown, new_state, new_tally, with_more_room
from sim.lineclock.compiled import forget_compiled
from sim.lineclock.draws import Chance
from sim.lineclock.state import (
    CLOCK,
    EXPLODED,
    JOURNAL_FULL,
    JOURNAL_ROWS,
    MOST_INCIDENTS,
    NEEDS_ROOM,
    RAN_ON,
    TRIP_ROWS,
    TURN_CAUSE,
    TURN_SECTOR,
    TURNED,
    Flags,
    Journal,
)
from sim.scenario.occurs import EventPart
from sim.scenario.quantities import HOURS_PER_DAY
from sim.watch.coverage import duration_quantiles

MOST_UNDER_WAY = 1 << 20
"""Incidents under way at one time, reprisals to come included: more is an explosion, not a ceasefire."""

JOURNAL_BATCH = 1 << 14


class Campaign:
    """The campaign clock of one replication."""

    def __init__(self, theatre: Theatre, seed: int, replication: int, *, keeps_journal: bool = False) -> None:
        self.theatre = theatre
        self.chance = Chance(seed, replication)
        self.replication = replication
        self.env = simpy.Environment(initial_time=0.0)
        self.season = 0
        self.campaign_events = 0
        self.stands = True
        self._roads_changed = True
        self._serves = False
        self._since_h = 0.0
        self._places = Places(plan=theatre.plan, days=theatre.days, sectors=len(theatre.ground.sector_names))
        self._plan = theatre.plan
        self._laydown = new_laydown(self._places)
        self._state = new_state(self._places, seed, replication, self._poor_days())
        self._tally = new_tally(self._places)
        self._journal = empty_journal(JOURNAL_BATCH if keeps_journal else 0)
        self._written: list[Journal] = []
        self._fleets_changed: list[int] = []
        self._turned: list[int] = []
        self.roster = Roster(theatre)
        self.lookout = Lookout(theatre, self._laydown)
        self.fleets: list[Fleet] = []
        self.escalation = Escalation(theatre, self.env, self.chance, self._level_changes)
        self._duty_h = 0.0
        self._duty_since_h = 0.0

    # The life of the campaign ------------------------------------------------------------------------------

    def run(self) -> History:
        """Simulate the whole horizon."""
        horizon = self.theatre.horizon_h
        for i, contingent in enumerate(self.theatre.contingents):
            self._musters(i, contingent)
        self.fleets = [self._fleet(x, name) for x, name in enumerate(self.theatre.ground.sector_names)]
        if len(self.theatre.ground.season_names) > 1:
            self.env.process(self._seasons())
        for name, event in self.theatre.scenario.events.items():
            self.env.process(self._event(name, event))
        self._begins()
        while True:
            upcoming = self.env.peek()
            is_over = upcoming > self.env.now or upcoming >= horizon
            if is_over and not self.escalation.is_turning:
                self._takes_effect()
                if not self._line_runs_to(min(upcoming, horizon)):
                    continue  # a sector turns before that
                if upcoming >= horizon:
                    break
            self.env.step()
        if self.stands:
            self._ends(horizon)
        return self._history()

    def _begins(self) -> None:
        theatre = self.theatre
        self._laydown.truce[:] = theatre.scenario.truce.start, 0.0
        for x in range(len(theatre.ground.sector_names)):
            self._level_applies(x)
        self.escalation.begins(self._laydown, self._state)
        self._turned.clear()
        kernel.starts(self._plan, self._state)

    def _ends(self, at_h: float) -> None:
        """The ceasefire is over, or the horizon is reached: nothing more is counted."""
        self.stands = False
        self._clock_duty(at_h)
        self._since_h = at_h
        kernel.closes(self._plan, self._state, self._tally, self._journal_with_room(), at_h)
        self._empties_journal()

    def _musters(self, i: int, contingent: Contingent) -> None:
        """Start the life of every unit place of a contingent."""
        u = np.array([self.chance.uniform(f"lateness of {contingent.name}")])
        late_h = float(duration_quantiles(contingent.delay, u)[0])
        for soldiers, arrival_h in zip(contingent.units, contingent.arrival_h, strict=True):
            self.env.process(self._unit_place(i, soldiers, arrival_h + late_h, contingent.leaves_after_h))

    def _unit_place(
        self, i: int, soldiers: int, arrival_h: float, stays_h: float
    ) -> Generator[simpy.Event, Any, None]:
        """A unit comes, and its place is kept filled until the commitment ends."""
        yield self.env.timeout(arrival_h)
        self._strength_changes(i, soldiers)
        if np.isfinite(stays_h):
            yield self.env.timeout(stays_h)
            self._strength_changes(i, -soldiers)

    def _strength_changes(self, i: int, by: int) -> None:
        self.roster.changes(i, by)
        self.campaign_events += 1

    def _seasons(self) -> Generator[simpy.Event, Any, None]:
        """Mud and snow come and go with the months."""
        of_day = self.theatre.ground.season_of_month[self.theatre.month_of_day - 1]
        self.season = int(of_day[0])
        turns = np.flatnonzero(np.diff(of_day)) + 1
        for day in turns:
            yield self.env.timeout(day * HOURS_PER_DAY - self.env.now)
            self.season = int(of_day[day])
            self._roads_changed = True
            self.campaign_events += 1

    def _fleet(self, x: int, sector: str) -> Fleet:
        draws = self.chance.stream(f"aircraft lost over {sector}")
        return Fleet(
            self.theatre, self.env, x, self.lookout.airframes, draws, self._aloft, self._fleet_changes
        )

    def _aloft(self, x: int) -> tuple[int, float]:
        """Orbits held over a sector, and the factor of weather and level on their hours."""
        if not self.stands:
            return 0, 0.0
        factor = float(self.theatre.ladder.passes[1, self.escalation.level[x]])
        if self._state.is_poor[x, int(self.env.now / HOURS_PER_DAY)]:
            factor *= self.theatre.scenario.watch.orbits.poor_factor
        return int(self.roster.manned[x, ORBITS]), factor

    def _fleet_changes(self, x: int) -> None:
        self._fleets_changed.append(x)
        self.campaign_events += 1

    def _event(self, name: str, event: EventPart) -> Generator[simpy.Event, Any, None]:
        """A campaign event takes its course: once, again and again, or at random."""
        once_h = event.moment_h(self.theatre.scenario.start)
        number = 0
        while True:
            if once_h is not None:
                waits_h = once_h
            elif event.every is not None:
                waits_h = event.every
            elif event.rate:
                waits_h = -np.log(self.chance.uniform(f"event {name}", number)) / event.rate
            else:
                return
            number += 1
            yield self.env.timeout(waits_h)
            if not self.stands:
                return
            self.campaign_events += 1
            if event.recommit is not None:
                self._recommits(event.recommit.drop)
            if event.tension is not None and self._plan.escalates:
                names = self.theatre.ground.sector_names
                chosen = event.tension.sectors or names
                self.escalation.shock([names.index(sector) for sector in chosen], event.tension.by)
            if once_h is not None:
                return

    def _recommits(self, drop: float) -> None:
        """The truce falls, from what it has grown to, and grows anew from there."""
        truce, now = self._laydown.truce, self.env.now
        grown = truce[0] * np.exp(min(self._plan.truce_growth * (now - truce[1]), 700.0))
        truce[:] = min(grown, self._plan.truce_ceiling) * (1.0 - drop), now

    # The seam to the line clock ----------------------------------------------------------------------------

    def _level_changes(self, x: int, old: int, new: int) -> None:
        """A sector has turned; what hangs on its level reaches the line clock with the next step."""
        self.campaign_events += 1
        ladder = self.theatre.ladder
        same = (ladder.needs_arms[old], ladder.closed[old]) == (ladder.needs_arms[new], ladder.closed[new])
        self._serves |= not same or bool(ladder.speed[old] != ladder.speed[new])
        self._turned.append(x)

    def _level_applies(self, x: int) -> None:
        """What a sector's level changes for its incidents, its roads, and who may enter."""
        theatre, ladder, level = self.theatre, self.theatre.ladder, int(self.escalation.level[x])
        cells = self.lookout.cells_of[x]
        share = ladder.incidents[:, level] / np.maximum(ladder.most, 1e-300)
        self._laydown.accept_p[:, cells] = np.minimum(share, 1.0)[:, None]
        self._laydown.travel_h[cells] = theatre.station_travel[self.season][cells] / ladder.speed[level]
        here = np.flatnonzero(self._plan.station_sector == x)
        self._laydown.between_h[here] = theatre.station_between[self.season][here] / ladder.speed[level]
        may = self._plan.station_may_enter[:, x] * (not ladder.closed[level])
        if ladder.needs_arms[level]:
            may = may * np.array([theatre.classes[c].armed for c in theatre.station_class], dtype=np.uint8)
        self._laydown.may_enter[:, x] = may
        self.lookout.turns(x, level)

    def _takes_effect(self) -> None:
        """What has changed at this moment reaches the arrays of the line clock."""
        if self.stands and self.escalation.collapsed_h <= self.env.now:
            self._ends(self.escalation.collapsed_h)
        if self._roads_changed:
            np.copyto(self._laydown.order, self.theatre.station_order[self.season])
            self._turned = list(range(len(self.theatre.ground.sector_names)))
            self._roads_changed, self._serves = False, True
        for x in self._turned:
            self._level_applies(x)
        self._turned.clear()
        if self.roster.has_changed:
            self._fleets_changed.clear()
            self._serves |= self._mans()
        elif self._fleets_changed:
            self.lookout.flies(self._fleets_changed)
            self._fleets_changed.clear()
        if self._serves and self.stands and self.env.now > 0:
            self._in_line(kernel.serves_waiting, self.env.now)
        self._serves = False

    def _mans(self) -> bool:
        """Man what can be manned -> whether teams changed."""
        duty = self.roster.mans(self.env.now)
        self.lookout.mans(self.roster.manned)
        if not self.stands or np.array_equal(duty, self._laydown.on_duty):
            return False
        self._clock_duty(self.env.now)
        kernel.duty_changes(self._plan, self._laydown, self._state, self._tally, duty, self.env.now)
        return True

    def _line_runs_to(self, until_h: float) -> bool:
        """Run the line clock -> whether it came so far; else a sector's process is awake before that."""
        if not self.stands or until_h <= self._since_h:
            return True
        why = self._in_line(kernel.advance, until_h)
        reached_h = float(self._state.now[CLOCK])
        dark_h = self.theatre.night_between(self._since_h, reached_h)
        self.lookout.goes_by(reached_h - self._since_h - dark_h, dark_h)
        self._since_h = reached_h
        if why == TURNED:
            pointers = self._state.pointers
            self.escalation.is_due(int(pointers[TURN_SECTOR]), int(pointers[TURN_CAUSE]), reached_h)
        return bool(why == RAN_ON)

    def _in_line(self, act: Any, at_h: float) -> int:
        """Call the line clock -> why it came back; make room or empty the journal as often as it asks."""
        while True:
            self._journal_with_room()
            why = int(act(self._plan, self._laydown, self._state, self._tally, self._journal, at_h))
            if why == EXPLODED or (why == NEEDS_ROOM and len(self._state.slots) >= MOST_UNDER_WAY):
                raise ScenarioError([self._explosion()])
            if why == NEEDS_ROOM:
                self._state = with_more_room(self._state)
            elif why == JOURNAL_FULL:
                self._empties_journal()
            else:
                return why

    def _explosion(self) -> Problem:
        day = self._state.now[CLOCK] / HOURS_PER_DAY
        fact = (
            f"replication {self.replication} explodes: by day {day:.0f} there are more than "
            f"{MOST_INCIDENTS:.0e} incidents, or {MOST_UNDER_WAY:.0e} at one time"
        )
        hint = "lower rates, what incidents provoke, or the multipliers of the escalation levels"
        return Problem(path=("violations",), fact=fact, hint=hint)

    def touches_every_kernel(self) -> None:
        """Call each kernel on a history that has not begun: compiled, or loaded, and nothing happens."""
        kernel.starts(self._plan, self._state)
        self._in_line(kernel.advance, 0.0)
        self._in_line(kernel.serves_waiting, 0.0)
        duty = self._laydown.on_duty.copy()
        kernel.duty_changes(self._plan, self._laydown, self._state, self._tally, duty, 0.0)
        kernel.closes(self._plan, self._state, self._tally, self._journal, 0.0)

    def _poor_days(self) -> Flags:
        """poor[x, d] = 1 on days of poor visibility, drawn for each sector and day."""
        theatre = self.theatre
        share = theatre.poor_share[theatre.month_of_day - 1]
        rows = [
            self.chance.uniforms(f"weather of {name}", theatre.days)[:, 0] < share
            for name in theatre.ground.sector_names
        ]
        return np.array(rows, dtype=np.uint8)

    def _journal_with_room(self) -> Journal:
        """The journal, emptied and as large as everything under way could need."""
        if len(self._journal.whole):
            under_way = len(self._state.slots) + len(self._state.teams)
            used = int(max(self._state.pointers[JOURNAL_ROWS], self._state.pointers[TRIP_ROWS]))
            if used + under_way + 16 > len(self._journal.whole):
                self._empties_journal()
            if len(self._journal.whole) < 2 * under_way + 32:
                self._empties_journal()
                self._journal = empty_journal(4 * under_way + JOURNAL_BATCH)
        return self._journal

    def _empties_journal(self) -> None:
        """Lay aside what is written, as it is, and go on with an empty one."""
        rows, trips = (int(self._state.pointers[i]) for i in (JOURNAL_ROWS, TRIP_ROWS))
        if rows or trips:
            self._written.append(_rows_of(self._journal, rows, trips))
            self._journal = empty_journal(len(self._journal.whole))
            self._state.pointers[JOURNAL_ROWS] = self._state.pointers[TRIP_ROWS] = 0

    def _clock_duty(self, now_h: float) -> None:
        """Count team hours on duty up to now."""
        self._duty_h += float(self._laydown.on_duty.sum()) * (now_h - self._duty_since_h)
        self._duty_since_h = now_h

    def _history(self) -> History:
        self.lookout.closes()
        written = self._written or [_rows_of(self._journal, 0, 0)]
        return History(
            replication=self.replication,
            tally=ledgers(self._tally, self.theatre.ground.cell_sector),
            turns=self.escalation.turns(),
            stood_h=self._since_h,
            collapsed=bool(np.isfinite(self.escalation.collapsed_h)),
            force=self.roster.force(),
            watched_h=self.lookout.watched_h,
            gap_weight=self.lookout.gap_weight,
            team_duty_h=self._duty_h,
            aircraft_lost=sum(fleet.lost for fleet in self.fleets),
            campaign_events=self.campaign_events,
            written=written,
        )


def _rows_of(journal: Journal, rows: int, trips: int) -> Journal:
    """What has been written so far."""
    return Journal(
        whole=journal.whole[:rows],
        hours=journal.hours[:rows],
        trip_whole=journal.trip_whole[:trips],
        trip_hours=journal.trip_hours[:trips],
    )


def simulate(theatre: Theatre, seed: int, replication: int, *, keeps_journal: bool = False) -> History:
    """One random history of a scenario; the same theatre, seed and replication give the same bits."""
    return Campaign(theatre, seed, replication, keeps_journal=keeps_journal).run()


def warm(theatre: Theatre) -> None:
    """Compile every kernel, or load it, before workers want it."""
    Campaign(theatre, 0, 0).touches_every_kernel()


def ready(theatre: Theatre) -> None:
    """Have every kernel compiled and loaded; a damaged cache is thrown away and made anew."""
    try:
        warm(theatre)
    except Exception:
        forget_compiled()
        warm(theatre)
