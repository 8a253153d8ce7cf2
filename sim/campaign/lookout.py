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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """How well a sector is watched while nothing changes, by day and by night."""

    watched: FloatArray  # watched[night, c] = share of the hours
    bins: IntArray  # bins of times between looks that occur
    gap: FloatArray  # gap[night, bin] = km with that time between looks
    seen: FloatArray  # seen[k, c] = chance that an incident is seen at all; no columns where nobody asks
    up: FloatArray  # up[l, w] = chance that patrols, orbits are up


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
        self._level = [0] * sectors
        self._manned = np.zeros_like(theatre.wanted)
        self._manned_key = b""
        self._hours = (0.0, 0.0)  # of day and of night that have gone by
        self._since = [(0.0, 0.0)] * sectors  # up to where each sector is counted
        self._look: list[Look | None] = [None] * sectors
        self._watch: Watch = theatre.watchers.watch(self._manned, self.airframes)

    def mans(self, manned: IntArray) -> None:
        """Hand the layers of watch to the line clock, and look along the whole line anew."""
        self._manned = manned
        self._manned_key = manned.tobytes()
        self._watch = self.theatre.watchers.watch(manned, self.airframes)
        np.copyto(self._laydown.stand_p, self._watch.stand_p)
        np.copyto(self._laydown.pass_split, self._watch.pass_split)
        for x in range(len(self._level)):
            self._passes(x)
            self._looks(x)

    def flies(self, sectors: Iterable[int]) -> None:
        """The aircraft held have changed over some sectors: all else about the watch stays."""
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

    def goes_by(self, day_h: float, night_h: float) -> None:
        """So many hours of day and of night have gone by."""
        self._hours = (self._hours[0] + day_h, self._hours[1] + night_h)

    def closes(self) -> None:
        """Count all sectors up to now."""
        for x in range(len(self._level)):
            self._counts(x)

    def _counts(self, x: int) -> None:
        """What was watched of a sector since it was counted last."""
        look, (day_h, night_h) = self._look[x], self._since[x]
        self._since[x] = self._hours
        day_h, night_h = self._hours[0] - day_h, self._hours[1] - night_h
        if look is not None and (day_h > 0 or night_h > 0):
            self.watched_h[self.cells_of[x]] += day_h * look.watched[0] + night_h * look.watched[1]
            self.gap_weight[look.bins] += day_h * look.gap[0] + night_h * look.gap[1]

    def _passes(self, x: int) -> None:
        """Gaps between passes over a sector, longer when its level keeps some from going out."""
        cells, share = self.cells_of[x], self.theatre.ladder.passes[:, self._level[x]]
        with np.errstate(divide="ignore"):
            self._laydown.pass_gap_h[:, :, cells] = self._watch.pass_gap_h[:, :, cells] / share[:, None, None]

    def _looks(self, x: int) -> None:
        """How well one sector is watched from now on; what has been seen before is known."""
        self._counts(x)
        known = self.theatre.looks_known
        key = (x, int(self.airframes[x]), self._level[x], self._manned_key)
        if key not in known:
            if len(known) >= MOST_KNOWN:
                known.clear()
            known[key] = self._look_at(x)
        look = self._look[x] = known[key]
        self._laydown.pass_up[:, :, x] = look.up
        if look.seen.shape[1]:
            self._laydown.seen_p[:, self.cells_of[x]] = look.seen

    def _look_at(self, x: int) -> Look:
        theatre, cells = self.theatre, self.cells_of[x]
        up = theatre.watchers.up(self._manned, self.airframes)
        watch = dataclasses.replace(self._watch, pass_gap_h=self._laydown.pass_gap_h, pass_up=up)
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
        bins = np.flatnonzero(gap.any(axis=0))
        return Look(watched=watched, bins=bins, gap=gap[:, bins], seen=seen, up=up[:, :, x].copy())
