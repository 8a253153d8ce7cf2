"""How well the line is watched, from one campaign event to the next: the watch that the line clock uses, and
the hours for which each cell was watched.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np

from sim.campaign.theatre import Theatre
from sim.force.manning import ORBITS
from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import TIME_BINS, Laydown, bin_starts_h
from sim.watch.coverage import looks, seen_share, watched_cells
from sim.watch.layers import Watch

MOST_KNOWN = 4096
"""Looks at a sector that are remembered, some kilobytes each; replications share them."""

_BIN_STARTS_H = bin_starts_h()


class Lookout:
    """The watch of one replication, sector by sector: most campaign events touch one of them only."""

    def __init__(self, theatre: Theatre, laydown: Laydown) -> None:
        cells, sectors = len(theatre.ground.cells), len(theatre.ground.sector_names)
        self.theatre = theatre
        self.airframes = theatre.wanted[:, ORBITS] * theatre.scenario.watch.orbits.airframes
        self.watched_h = np.zeros(cells)
        self.gap_weight = np.zeros(TIME_BINS)
        edges = np.searchsorted(theatre.ground.cell_sector, np.arange(sectors + 1))
        self.cells_of = [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]
        self._laydown = laydown
        self._deters = bool(theatre.plan.deterrence.any())
        self._level = np.zeros(sectors, dtype=np.int64)
        self._manned = np.zeros_like(theatre.wanted)
        self._watched_now: FloatArray = np.zeros((2, cells))
        self._gap_now: FloatArray = np.zeros((2, TIME_BINS))
        self._gap_of_sector: dict[int, tuple[IntArray, FloatArray]] = {}
        self._watch: Watch = theatre.watchers.watch(self._manned, self.airframes)

    def mans(self, manned: IntArray) -> None:
        """Hand the layers of watch to the line clock, and look along the whole line anew."""
        self._manned = manned
        watch = self.theatre.watchers.watch(manned, self.airframes)
        np.copyto(self._laydown.stand_p, watch.stand_p)
        np.copyto(self._laydown.pass_split, watch.pass_split)
        self._watch = watch
        self._gap_now[:] = 0.0
        self._gap_of_sector.clear()
        for x in range(len(self._level)):
            self._passes(x)
        self.flies(range(len(self._level)))

    def flies(self, sectors: Iterable[int]) -> None:
        """The aircraft held have changed over some sectors: all else about the watch stays."""
        up = self.theatre.watchers.up(self._manned, self.airframes)
        self._watch = dataclasses.replace(self._watch, pass_up=up)
        np.copyto(self._laydown.pass_up, up)
        for x in sectors:
            self._looks(x)

    def turns(self, x: int, level: int) -> None:
        """A sector's level has changed: fewer patrols or orbits may go out, or more."""
        passes = self.theatre.ladder.passes
        is_new = bool((passes[:, level] != passes[:, self._level[x]]).any())
        self._level[x] = level
        if is_new:
            self._passes(x)
            self._looks(x)

    def counts(self, day_h: float, night_h: float) -> None:
        """So many hours of day and of night have gone by."""
        self.watched_h += day_h * self._watched_now[0] + night_h * self._watched_now[1]
        self.gap_weight += day_h * self._gap_now[0] + night_h * self._gap_now[1]

    def _passes(self, x: int) -> None:
        """Gaps between passes over a sector, longer when its level keeps some from going out."""
        cells, share = self.cells_of[x], self.theatre.ladder.passes[:, self._level[x]]
        with np.errstate(divide="ignore"):
            self._laydown.pass_gap_h[:, :, cells] = (
                self._watch.pass_gap_h[:, :, cells] / share[:, None, None]
            )

    def _looks(self, x: int) -> None:
        """How well one sector is watched from now on; what has been seen before is known."""
        theatre, cells = self.theatre, self.cells_of[x]
        key = (x, int(self.airframes[x]), int(self._level[x]), self._manned.tobytes())
        if key not in theatre.looks_known:
            watch = dataclasses.replace(self._watch, pass_gap_h=self._laydown.pass_gap_h)
            found = watched_cells(theatre.scenario, theatre.ground, watch, cells)
            length = theatre.ground.cells.length_km[cells]
            watched = np.zeros((2, len(length)))
            gap = np.zeros((2, TIME_BINS))
            for night in range(2):
                share = theatre.visibility_shares(float(night))
                watched[night] = share @ found.watched
                gap_h, weight = looks(found, share, length)
                which = np.searchsorted(_BIN_STARTS_H, gap_h, side="right") - 1
                gap[night] = np.bincount(which, weights=weight, minlength=TIME_BINS)
            seen = np.zeros((len(theatre.plan.severity), 0))
            if self._deters:
                seen = seen_share(theatre.scenario, theatre.ground, watch, theatre.weight, cells)
            used = np.flatnonzero(gap.any(axis=0))
            if len(theatre.looks_known) >= MOST_KNOWN:
                theatre.looks_known.clear()
            theatre.looks_known[key] = (watched, used, gap[:, used], seen)
        watched, bins, weight, seen = theatre.looks_known[key]
        self._watched_now[:, cells] = watched
        if x in self._gap_of_sector:
            old_bins, old_weight = self._gap_of_sector[x]
            self._gap_now[:, old_bins] -= old_weight
        self._gap_now[:, bins] += weight
        self._gap_of_sector[x] = (bins, weight)
        if seen.shape[1]:
            self._laydown.seen_p[:, cells] = seen
