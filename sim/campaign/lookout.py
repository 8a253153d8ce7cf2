"""How well the line is watched, from one campaign event to the next: the watch that the line clock uses, and
the hours for which each cell was watched.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from sim.campaign.theatre import Theatre
from sim.force.manning import ORBITS
from sim.line.earth import FloatArray, IntArray
from sim.lineclock.state import TIME_BINS, Laydown, bin_starts_h
from sim.watch.coverage import seen_share
from sim.watch.layers import Standing, gap_of_any_h

_BIN_STARTS_H = bin_starts_h()


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Look:
    """How well a sector is watched while nothing changes, by day and by night."""

    watched: FloatArray  # watched[night, c] = share of the hours
    bins: IntArray  # bins of times between looks that occur
    gap: FloatArray  # gap[night, bin] = km with that time between looks
    pass_gap_h: FloatArray  # pass_gap_h[l, n] between passes of a layer
    up: FloatArray  # up[l, w] = chance that patrols, orbits are up
    seen: FloatArray | None  # seen[k, c] = chance that an incident is seen at all, where somebody asks


class Lookout:
    """The watch of one replication, sector by sector: most campaign events touch one of them only."""

    def __init__(self, theatre: Theatre, laydown: Laydown) -> None:
        cells, sectors = len(theatre.ground.cells), len(theatre.ground.sector_names)
        self.theatre = theatre
        self.airframes = theatre.wanted[:, ORBITS] * theatre.scenario.watch.orbits.airframes
        self.watched_h = np.zeros(cells)
        self.gap_weight = np.zeros(TIME_BINS)
        self.cells_of = [theatre.watchers.cells(x) for x in range(sectors)]
        self._laydown = laydown
        self._deters = bool(theatre.plan.deterrence.any())
        self._level = [0] * sectors
        self._manned = np.zeros_like(theatre.wanted)
        self._hours = (0.0, 0.0)  # of day and of night that have gone by
        self._since = [(0.0, 0.0)] * sectors  # up to where each sector is counted
        self._look: list[Look | None] = [None] * sectors
        # looks at a sector since what is manned has changed, by its aircraft and level
        self._known: list[dict[tuple[int, int], Look]] = [{} for _ in range(sectors)]
        self._standing: list[Standing | None] = [None] * sectors
        # share[night, w] of the hours by day, or by night, with visibility w
        self._share = np.array([theatre.visibility_shares(float(night)) for night in range(2)])

    def mans(self, manned: IntArray) -> None:
        """What is manned has changed: hand the layers of watch to the line clock."""
        watchers, laydown = self.theatre.watchers, self._laydown
        orbits = self._manned[:, ORBITS]
        self._manned = manned
        for x, cells in enumerate(self.cells_of):
            standing = watchers.standing(x, manned)
            if self._standing[x] is None or manned[x, ORBITS] != orbits[x]:
                laydown.pass_split[:, cells] = watchers.split(x, manned)
            if standing is not self._standing[x]:
                self._standing[x] = standing
                laydown.stand_p[:, :, cells] = standing.stand_p
            self._known[x].clear()
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
            np.add.at(self.gap_weight, look.bins, day_h * look.gap[0] + night_h * look.gap[1])

    def _looks(self, x: int) -> None:
        """How well one sector is watched from now on."""
        self._counts(x)
        laydown, standing = self._laydown, self._standing[x]
        if standing is None:
            return  # nobody has come yet
        known, key = self._known[x], (int(self.airframes[x]), self._level[x])
        if key not in known:
            known[key] = self._look_at(x, standing)
        look = self._look[x] = known[key]
        laydown.pass_up[:, :, x] = look.up
        laydown.pass_gap_h[:, :, self.cells_of[x]] = look.pass_gap_h[:, :, None]
        if look.seen is not None:
            laydown.seen_p[:, self.cells_of[x]] = look.seen

    def _look_at(self, x: int, standing: Standing) -> Look:
        """Gaps between passes are the same all over a sector; they are longer when its level keeps some from
        going out.
        """
        theatre = self.theatre
        up = theatre.watchers.up_over(x, self._manned, self.airframes)
        with np.errstate(divide="ignore", over="ignore"):
            gap_h = theatre.watchers.gap_h(x, self._manned) / theatre.ladder.passes[:, self._level[x], None]
        any_h = gap_of_any_h(gap_h, up)
        passed = any_h <= theatre.scenario.watch.watched_gap
        length_km = float(theatre.ground.cells.length_km[self.cells_of[x]].sum())
        at = np.searchsorted(_BIN_STARTS_H, any_h, side="right") - 1
        return Look(
            watched=self._share @ np.where(passed[:, None], 1.0, standing.standing),
            bins=np.append(at, 0),
            gap=np.column_stack(
                [self._share * (length_km - standing.standing_km), self._share @ standing.standing_km]
            ),
            pass_gap_h=gap_h,
            up=up,
            seen=self._seen(x, gap_h) if self._deters else None,
        )

    def _seen(self, x: int, gap_h: FloatArray) -> FloatArray:
        theatre, cells = self.theatre, self.cells_of[x]
        watch = theatre.watchers.watch(self._manned, self.airframes)
        watch.pass_gap_h[:, :, cells] = gap_h[:, :, None]
        return seen_share(theatre.scenario, theatre.ground, watch, theatre.weight, cells)
