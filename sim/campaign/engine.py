"""One replication: the campaign clock (SimPy) drives the line clock (compiled).

Units arrive and leave, seasons turn, aircraft are lost and replaced: each a SimPy process. Between two such
events the laydown is constant
and the line clock runs over [now, next event). There are no time steps.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import simpy

from sim.campaign.history import Force, History
from sim.campaign.theatre import Theatre
from sim.force.contingent import Contingent, share_out
from sim.force.manning import ORBITS, TEAMS, man, shares_of
from sim.line.earth import FloatArray, IntArray
from sim.lineclock import kernel
from sim.lineclock.begin import Places, empty_journal, new_laydown, new_state, new_tally, with_more_room
from sim.lineclock.compiled import forget_compiled
from sim.lineclock.draws import Chance
from sim.lineclock.state import (
    JOURNAL_FULL,
    JOURNAL_ROWS,
    NEEDS_ROOM,
    TIME_BINS,
    Flags,
    Journal,
    bin_starts_h,
)
from sim.scenario.quantities import HOURS_PER_DAY
from sim.watch.coverage import duration_quantiles, looks, seen_share, watched_cells
from sim.watch.layers import orbit_duty

_BIN_STARTS_H = bin_starts_h()
JOURNAL_BATCH = 4096


class Campaign:
    """The campaign clock of one replication."""

    def __init__(self, theatre: Theatre, seed: int, replication: int, *, keeps_journal: bool = False) -> None:
        self.theatre = theatre
        self.chance = Chance(seed, replication)
        self.replication = replication
        self.env = simpy.Environment(initial_time=0.0)
        self.present = np.zeros(len(theatre.contingents))
        self.airframes = theatre.wanted[:, ORBITS] * theatre.scenario.watch.orbits.airframes
        self.manned = np.zeros_like(theatre.wanted)
        self.season = 0
        self.aircraft_lost = 0
        self.campaign_events = 0
        self._force_changed = True
        self._season_changed = True
        self._since_h = 0.0
        self._steps: list[tuple[float, FloatArray, float, float, IntArray]] = []
        self._places = Places(plan=theatre.plan, days=theatre.days, sectors=len(theatre.ground.sector_names))
        self._plan = theatre.plan
        self._laydown = new_laydown(self._places)
        self._state = new_state(self._places, seed, replication, self._poor_days())
        self._tally = new_tally(self._places)
        self._journal = empty_journal(JOURNAL_BATCH if keeps_journal else 0)
        self._written: list[Journal] = []
        self._watched_now: FloatArray = np.zeros((2, len(theatre.ground.cells)))
        self._gap_now: FloatArray = np.zeros((2, TIME_BINS))
        self._gap_of_sector: dict[int, tuple[IntArray, FloatArray]] = {}
        self._looks_known: dict[tuple[int, int], tuple[FloatArray, IntArray, FloatArray, FloatArray]] = {}
        self._fleets_changed: list[int] = []
        self._watch = theatre.watchers.watch(self.manned, self.airframes)
        edges = np.searchsorted(theatre.ground.cell_sector, np.arange(len(theatre.ground.sector_names) + 1))
        self._sector_cells = [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
        self._watched_h = np.zeros(len(theatre.ground.cells))
        self._gap_weight = np.zeros(TIME_BINS)
        self._duty_h = 0.0
        self._duty_since_h = 0.0

    # The life of the campaign ------------------------------------------------------------------------------

    def run(self) -> History:
        """Simulate the whole horizon."""
        horizon = self.theatre.horizon_h
        for i, contingent in enumerate(self.theatre.contingents):
            self._musters(i, contingent)
        for x in range(len(self.theatre.ground.sector_names)):
            if self.airframes[x] and self.theatre.scenario.watch.orbits.loss > 0:
                self.env.process(self._fleet(x))
        if len(self.theatre.ground.season_names) > 1:
            self.env.process(self._seasons())
        kernel.starts(self._plan, self._state)
        while True:
            upcoming = self.env.peek()
            if upcoming > self.env.now or upcoming >= horizon:
                self._takes_effect()
                self._line_runs_to(min(upcoming, horizon))
                if upcoming >= horizon:
                    break
            self.env.step()
        kernel.closes(self._plan, self._state, self._tally, self._journal_with_room(), horizon)
        self._empties_journal()
        return self._history()

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
        self.present[i] += by
        self._force_changed = True
        self.campaign_events += 1

    def _seasons(self) -> Generator[simpy.Event, Any, None]:
        """Mud and snow come and go with the months."""
        of_day = self.theatre.ground.season_of_month[self.theatre.month_of_day - 1]
        self.season = int(of_day[0])
        turns = np.flatnonzero(np.diff(of_day)) + 1
        for day in turns:
            yield self.env.timeout(day * HOURS_PER_DAY - self.env.now)
            self.season = int(of_day[day])
            self._season_changed = True
            self.campaign_events += 1

    def _fleet(self, x: int) -> Generator[simpy.Event, Any, None]:
        """Aircraft of a sector are lost by the flying hour, and replaced.

        Candidates come at the rate of a sector whose wanted orbits are all held all the time, transit
        included; one is a loss with the share of these hours that are flown then.
        """
        theatre = self.theatre
        orbits = theatre.scenario.watch.orbits
        wanted = int(theatre.wanted[x, ORBITS])
        rate_per_h = orbits.loss * wanted * orbits.endurance / (orbits.endurance - orbits.transit)
        name = f"aircraft lost over {theatre.ground.sector_names[x]}"
        number = 0
        while True:
            u_gap, u_is_loss, _, _ = self.chance.uniforms(name, 1, first=number)[0]
            number += 1
            yield self.env.timeout(-np.log(u_gap) / rate_per_h)
            held = self.manned[[x], ORBITS]
            duty = orbit_duty(orbits.endurance, orbits.transit, orbits.turnaround, self.airframes[[x]], held)
            flown = float(held[0] * duty[0]) * orbits.serviceable
            if self._state.is_poor[x, int(self.env.now / HOURS_PER_DAY)]:
                flown *= orbits.poor_factor
            if u_is_loss * wanted < flown:
                self.airframes[x] -= 1
                self.aircraft_lost += 1
                self._fleets_changed.append(x)
                self.campaign_events += 1
                self.env.process(self._replacement(x))

    def _replacement(self, x: int) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(self.theatre.scenario.watch.orbits.replacement)
        self.airframes[x] += 1
        self._fleets_changed.append(x)
        self.campaign_events += 1

    # The seam to the line clock ----------------------------------------------------------------------------

    def _takes_effect(self) -> None:
        """What has changed at this moment reaches the arrays of the line clock."""
        laydown_changed = self._season_changed
        if self._season_changed:
            np.copyto(self._laydown.travel_h, self.theatre.station_travel[self.season])
            np.copyto(self._laydown.order, self.theatre.station_order[self.season])
            self._season_changed = False
        if self._force_changed:
            self._force_changed = False
            self._fleets_changed.clear()
            laydown_changed |= self._mans()
        elif self._fleets_changed:
            self._flies(self._fleets_changed)
            self._fleets_changed.clear()
        if laydown_changed and self.env.now > 0:
            self._in_line(kernel.serves_waiting, self.env.now)

    def _mans(self) -> bool:
        """Share out who is there, man what can be manned -> whether teams changed."""
        theatre = self.theatre
        share = np.array([c.effective_share for c in theatre.contingents])
        effective = self.present * share
        cost = theatre.wanted * theatre.prices
        given = share_out(effective, tuple(c.sectors for c in theatre.contingents), cost.sum(axis=1))
        manned = man(theatre.wanted, theatre.prices, theatre.scenario.manning.keep, given.sum(axis=0))
        filled = np.minimum(given.sum(axis=0), (manned * theatre.prices).sum(axis=1))
        short = float((cost.sum(axis=1) - filled).sum())
        self._steps.append((self.env.now, self.present.copy(), float(effective.sum()), short, manned))
        self.manned = manned
        self._watches(manned)
        duty = self._duty(manned[:, TEAMS], given)
        if np.array_equal(duty, self._laydown.on_duty):
            return False
        self._clock_duty()
        kernel.duty_changes(self._plan, self._laydown, self._state, self._tally, duty, self.env.now)
        return True

    def _watches(self, manned: IntArray) -> None:
        """Hand the layers of watch to the line clock, and look along the whole line anew."""
        watch = self.theatre.watchers.watch(manned, self.airframes)
        np.copyto(self._laydown.stand_p, watch.stand_p)
        np.copyto(self._laydown.pass_gap_h, watch.pass_gap_h)
        np.copyto(self._laydown.pass_split, watch.pass_split)
        self._watch = watch
        self._looks_known.clear()
        self._gap_now[:] = 0.0
        self._gap_of_sector.clear()
        self._flies(range(len(self.theatre.ground.sector_names)))

    def _flies(self, sectors: Iterable[int]) -> None:
        """The aircraft held have changed over some sectors: all else about the watch stays."""
        up = self.theatre.watchers.up(self.manned, self.airframes)
        self._watch = dataclasses.replace(self._watch, pass_up=up)
        np.copyto(self._laydown.pass_up, up)
        for x in sectors:
            self._looks(x)

    def _looks(self, x: int) -> None:
        """How well one sector is watched from now on; the same number of aircraft gives the same again."""
        theatre, cells = self.theatre, self._sector_cells[x]
        key = (x, int(self.airframes[x]))
        if key not in self._looks_known:
            found = watched_cells(theatre.scenario, theatre.ground, self._watch, cells)
            length = theatre.ground.cells.length_km[cells]
            watched = np.zeros((2, len(length)))
            gap = np.zeros((2, TIME_BINS))
            for night in range(2):
                share = theatre.visibility_shares(float(night))
                watched[night] = share @ found.watched
                gap_h, weight = looks(found, share, length)
                which = np.searchsorted(_BIN_STARTS_H, gap_h, side="right") - 1
                gap[night] = np.bincount(which, weights=weight, minlength=TIME_BINS)
            seen = np.zeros((len(self._plan.severity), 0))
            if self._plan.deterrence.any():
                seen = seen_share(theatre.scenario, theatre.ground, self._watch, theatre.weight, cells)
            used = np.flatnonzero(gap.any(axis=0))
            self._looks_known[key] = (watched, used, gap[:, used], seen)
        watched, bins, weight, seen = self._looks_known[key]
        self._watched_now[:, cells] = watched
        if x in self._gap_of_sector:
            old_bins, old_weight = self._gap_of_sector[x]
            self._gap_now[:, old_bins] -= old_weight
        self._gap_now[:, bins] += weight
        self._gap_of_sector[x] = (bins, weight)
        if seen.shape[1]:
            self._laydown.seen_p[:, cells] = seen

    def _duty(self, teams: IntArray, given: FloatArray) -> Flags:
        """duty[m] = 1 for the team places that are filled: evenly over a sector's bases, nations in
        proportion to who is there.
        """
        theatre = self.theatre
        duty = np.zeros(len(self._plan.team_station), dtype=np.uint8)
        class_of = np.array([theatre.classes.index(c.caveats) for c in theatre.contingents])
        for x, count in enumerate(teams):
            if count == 0:
                continue
            bases = np.flatnonzero(theatre.ground.base_sector == x)
            if not len(bases):
                continue  # nowhere to post them; `check` warns
            weight = np.bincount(class_of, weights=given[:, x], minlength=len(theatre.classes))
            parts = shares_of(int(count), weight.astype(np.float64))
            turn = np.concatenate([(np.arange(n) + 0.5) / n for n in parts if n]) if count else np.empty(0)
            of_class = np.repeat(np.arange(len(parts)), parts)[np.argsort(turn, kind="stable")]
            filled = np.zeros((len(bases), len(theatre.classes)), dtype=np.int64)
            for place, c in enumerate(of_class):
                filled[place % len(bases), c] += 1
            for b, base in enumerate(bases):
                for c in np.flatnonzero(filled[b]):
                    station = int(
                        np.flatnonzero((theatre.station_base == base) & (theatre.station_class == c))[0]
                    )
                    first = int(self._plan.station_first[station])
                    duty[first : first + filled[b, c]] = 1
        return duty

    def _line_runs_to(self, until_h: float) -> None:
        lasts_h = until_h - self._since_h
        if lasts_h > 0:
            dark_h = self.theatre.night_between(self._since_h, until_h)
            self._watched_h += (lasts_h - dark_h) * self._watched_now[0] + dark_h * self._watched_now[1]
            self._gap_weight += (lasts_h - dark_h) * self._gap_now[0] + dark_h * self._gap_now[1]
            self._since_h = until_h
            self._in_line(kernel.advance, until_h)

    def _in_line(self, act: Any, at_h: float) -> None:
        """Call the line clock; make room or empty the journal as often as it asks for it."""
        while True:
            self._journal_with_room()
            why = act(self._plan, self._laydown, self._state, self._tally, self._journal, at_h)
            if why == NEEDS_ROOM:
                self._state = with_more_room(self._state)
            elif why != JOURNAL_FULL:
                return
            else:
                self._empties_journal()

    def touches_every_kernel(self) -> None:
        """Call those kernels that this history may not have needed."""
        self._in_line(kernel.serves_waiting, self.env.now)
        duty = self._laydown.on_duty.copy()
        kernel.duty_changes(self._plan, self._laydown, self._state, self._tally, duty, self.env.now)

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
            under_way = len(self._state.slot_stream)
            if self._state.pointers[JOURNAL_ROWS] + under_way + 4 > len(self._journal.whole):
                self._empties_journal()
            if len(self._journal.whole) < 2 * under_way + 8:
                self._empties_journal()
                self._journal = empty_journal(4 * under_way + JOURNAL_BATCH)
        return self._journal

    def _empties_journal(self) -> None:
        rows = int(self._state.pointers[JOURNAL_ROWS])
        if rows:
            self._written.append(
                Journal(whole=self._journal.whole[:rows].copy(), hours=self._journal.hours[:rows].copy())
            )
            self._state.pointers[JOURNAL_ROWS] = 0

    def _clock_duty(self) -> None:
        """Count team hours on duty up to now."""
        now = self.env.now
        self._duty_h += float(self._laydown.on_duty.sum()) * (now - self._duty_since_h)
        self._duty_since_h = now

    def _history(self) -> History:
        horizon = self.theatre.horizon_h
        self._duty_h += float(self._laydown.on_duty.sum()) * (horizon - self._duty_since_h)
        whole = [j.whole for j in self._written] or [self._journal.whole[:0]]
        hours = [j.hours for j in self._written] or [self._journal.hours[:0]]
        return History(
            replication=self.replication,
            tally=self._tally,
            force=Force(
                at_h=np.array([s[0] for s in self._steps]),
                present=np.array([s[1] for s in self._steps]),
                effective=np.array([s[2] for s in self._steps]),
                short=np.array([s[3] for s in self._steps]),
                manned=np.array([s[4] for s in self._steps]),
            ),
            watched_h=self._watched_h,
            gap_weight=self._gap_weight,
            team_duty_h=self._duty_h,
            aircraft_lost=self.aircraft_lost,
            campaign_events=self.campaign_events,
            journal=Journal(whole=np.concatenate(whole), hours=np.concatenate(hours)),
        )


def simulate(theatre: Theatre, seed: int, replication: int, *, keeps_journal: bool = False) -> History:
    """One random history of a scenario; the same theatre, seed and replication give the same bits."""
    return Campaign(theatre, seed, replication, keeps_journal=keeps_journal).run()


def warm(theatre: Theatre) -> None:
    """Compile every kernel, or load it, before workers want it: the first day of a history, thrown away."""
    day = theatre.scenario.model_copy(update={"horizon": HOURS_PER_DAY})
    campaign = Campaign(dataclasses.replace(theatre, scenario=day), 0, 0)
    campaign.run()
    campaign.touches_every_kernel()


def ready(theatre: Theatre) -> None:
    """Have every kernel compiled and loaded; a damaged cache is thrown away and made anew."""
    try:
        warm(theatre)
    except Exception:
        forget_compiled()
        warm(theatre)
