"""Who is there, what they man, and which teams that puts on duty."""

from __future__ import annotations

import numpy as np

from sim.campaign.history import Force
from sim.campaign.theatre import Theatre
from sim.force.contingent import share_out
from sim.force.manning import TEAMS, man, shares_of
from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import Flags

MOST_KNOWN = 4096
"""Postings of a sector's teams that are remembered."""


class Roster:
    """The force of one replication, step by step."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.present = np.zeros(len(theatre.contingents))
        self.manned: IntArray = np.zeros_like(theatre.wanted)
        self.has_changed = True
        self._share = np.array([c.effective_share for c in theatre.contingents])
        self._sectors = tuple(c.sectors for c in theatre.contingents)
        self._cost = (theatre.wanted * theatre.prices).sum(axis=1)
        self._steps: list[tuple[float, FloatArray, float, float, IntArray]] = []

    def changes(self, contingent: int, by: int) -> None:
        """Soldiers of a contingent have come, or left."""
        self.present[contingent] += by
        self.has_changed = True

    def mans(self, now_h: float) -> Flags:
        """Share out who is there and man what can be manned -> duty[m] = 1 for the team places that are
        filled.
        """
        theatre = self.theatre
        self.has_changed = False
        effective = self.present * self._share
        given = share_out(effective, self._sectors, self._cost)
        manned = man(theatre.wanted, theatre.prices, theatre.scenario.manning.keep, given.sum(axis=0))
        filled = np.minimum(given.sum(axis=0), (manned * theatre.prices).sum(axis=1))
        short = float((self._cost - filled).sum())
        self._steps.append((now_h, self.present.copy(), float(effective.sum()), short, manned))
        self.manned = manned
        duty = np.zeros(len(theatre.plan.team_station), dtype=np.uint8)
        for x, count in enumerate(manned[:, TEAMS].tolist()):
            if count and len(theatre.stations_of_sector[x]):  # else nowhere to post them; `check` warns
                duty[self._posted(x, count, given[:, x])] = 1
        return duty

    def _posted(self, x: int, count: int, given: FloatArray) -> IntArray:
        """The team places that a sector's teams fill: evenly over its bases, nations in proportion to who is
        there.
        """
        theatre = self.theatre
        weight = np.bincount(theatre.class_of_contingent, weights=given, minlength=len(theatre.classes))
        parts = shares_of(count, weight.astype(np.float64))
        key = (x, parts.tobytes())
        known = theatre.postings_known
        if key not in known:
            if len(known) >= MOST_KNOWN:
                known.clear()
            stations = theatre.stations_of_sector[x]  # stations[base, class]
            turn = np.concatenate([(np.arange(n) + 0.5) / n for n in parts])
            of_class = np.repeat(np.arange(len(parts)), parts)[np.argsort(turn, kind="stable")]
            filled = np.zeros(stations.shape, dtype=np.int64)
            np.add.at(filled, (np.arange(count) % len(stations), of_class), 1)
            first = theatre.plan.station_first
            known[key] = np.concatenate(
                [
                    np.arange(first[stations[b, c]], first[stations[b, c]] + filled[b, c])
                    for b, c in np.argwhere(filled)
                ]
            )
        posted: IntArray = known[key]
        return posted

    def force(self) -> Force:
        """Strength over time, as steps."""
        return Force(
            at_h=np.array([s[0] for s in self._steps]),
            present=np.array([s[1] for s in self._steps]),
            effective=np.array([s[2] for s in self._steps]),
            short=np.array([s[3] for s in self._steps]),
            manned=np.array([s[4] for s in self._steps]),
        )
