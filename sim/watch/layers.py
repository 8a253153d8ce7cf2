"""The layers of watch as arrays over (violation type, visibility, cell), for whatever is manned.

Visibility w = 2 x night + poor: 0 day and clear, 1 day and poor, 2 night and clear, 3 night and poor. The
same arrays feed the closed-form coverage and the line clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sim.force.manning import ORBITS, PATROLS, POSTS, SENSORS
from sim.line.daylight import night_share_of_year
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.schema import Scenario
from sim.scenario.watching import StandingForType, StandingPart

VISIBILITIES = 4
PASSING = ("patrols", "orbits")
MOST_AT_ONCE = 2_000_000  # sites x cells that are looked at together
MOST_KNOWN = 512
"""Sectors' posts and sensors that are remembered, some tens of kilobytes each."""
_NEARLY_SURE = 1.0 - 1e-12  # keeps logarithms finite; no uniform draw lies above it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """What is looked at, and how well. K types, L = 2 passing layers, C cells, X sectors."""

    stand_p: FloatArray  # stand_p[k, w, c] = chance that posts and sensors notice at once
    # standing[w, c] = chance that a working post or sensor has the cell in its own reach
    standing: FloatArray
    pass_gap_h: FloatArray  # pass_gap_h[l, n, c] = mean time between passes by day, by night; inf = none
    pass_split: FloatArray  # pass_split[l, c] = place on the beat, for back-and-forth gaps
    pass_up: FloatArray  # pass_up[l, w, x] = chance that the layer is up over a sector

    def within(self, cells: slice) -> Watch:
        """The same watch, seen from some cells only."""
        return Watch(
            stand_p=self.stand_p[:, :, cells],
            standing=self.standing[:, cells],
            pass_gap_h=self.pass_gap_h[:, :, cells],
            pass_split=self.pass_split[:, cells],
            pass_up=self.pass_up,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Posts and sensors over the cells of one sector."""

    stand_p: FloatArray  # stand_p[k, w, c] as in `Watch`
    standing: FloatArray  # standing[w, c] as in `Watch`
    standing_km: FloatArray  # (4,) length in reach of a working post or sensor, by visibility


@dataclass(slots=True, kw_only=True, eq=False)
class Watchers:
    """Turns what is manned into arrays, remembering each sector's part: most campaign events change few
    sectors.
    """

    scenario: Scenario
    ground: Ground
    wanted: IntArray  # wanted[x, task]: sites are laid out for this many
    _known: dict[tuple[int, int, int], tuple[slice, FloatArray, FloatArray]] = field(
        default_factory=dict, repr=False
    )
    _standing: dict[tuple[int, bytes], Standing] = field(default_factory=dict, repr=False)
    _reach_km: float | None = field(default=None, repr=False)

    def watch(self, manned: IntArray, airframes: IntArray | None = None) -> Watch:
        """The arrays for manned[x, task]; airframes (X,) held in each sector, full fleets where None."""
        sectors = range(len(self.ground.sector_names))
        parts = [self.standing(x, manned) for x in sectors]
        gap = np.stack([self.gap_h(x, manned) for x in sectors], axis=-1)
        return Watch(
            stand_p=np.concatenate([part.stand_p for part in parts], axis=-1),
            standing=np.concatenate([part.standing for part in parts], axis=-1),
            pass_gap_h=gap[:, :, self.ground.cell_sector],
            pass_split=np.concatenate([self.split(x, manned) for x in sectors], axis=-1),
            pass_up=self.up(manned, airframes),
        )

    def cells(self, sector: int) -> slice:
        """The cells of a sector."""
        first, last = np.searchsorted(self.ground.cell_sector, [sector, sector + 1])
        return slice(int(first), int(last))

    def standing(self, sector: int, manned: IntArray) -> Standing:
        """Posts and sensors over one sector: they follow from what is manned there and within reach of it."""
        near = self._near(sector)
        key = (sector, manned[near][:, (POSTS, SENSORS)].tobytes())
        if key not in self._standing:
            if len(self._standing) >= MOST_KNOWN:
                self._standing.clear()
            self._standing[key] = self._stands(sector, near, manned)
        return self._standing[key]

    def _near(self, sector: int) -> slice:
        """The sectors whose posts or sensors may reach into one."""
        if self._reach_km is None:
            farthest = [reach.max() for task in (POSTS, SENSORS) for reach, _ in self._laws(task)]
            self._reach_km = float(max(farthest)) + self.scenario.line.cell  # a cell may lie across an edge
        edges, reach_km = self.ground.sector_edge_km, self._reach_km
        first = int(np.searchsorted(edges[1:], edges[sector] - reach_km, side="right"))
        last = int(np.searchsorted(edges[:-1], edges[sector + 1] + reach_km, side="left"))
        return slice(min(first, sector), max(last, sector + 1))

    def _stands(self, sector: int, near: slice, manned: IntArray) -> Standing:
        cells = self.cells(sector)
        count = cells.stop - cells.start
        missed = np.zeros((len(self.scenario.violations), VISIBILITIES, count))
        bare = np.zeros((VISIBILITIES, count))
        for task in (POSTS, SENSORS):
            for x in range(near.start, near.stop):
                if not manned[x, task]:
                    continue
                span, by_type, plain = self._sector_standing(task, x, int(manned[x, task]))
                low, high = max(span.start, cells.start), min(span.stop, cells.stop)
                if low < high:
                    here, there = (slice(low - s.start, high - s.start) for s in (cells, span))
                    missed[:, :, here] += by_type[:, :, there]
                    bare[:, here] += plain[:, there]
        standing = -np.expm1(bare)
        return Standing(
            stand_p=-np.expm1(missed),
            standing=standing,
            standing_km=standing @ self.ground.cells.length_km[cells],
        )

    def gap_h(self, sector: int, manned: IntArray) -> FloatArray:
        """gap_h[l, n]: mean time between passes over a sector, by layer, by day and by night; inf = none."""
        patrols, orbits = self.scenario.watch.patrols, self.scenario.watch.orbits
        length_km = float(self.ground.sector_length_km[sector])
        gap = np.full((2, 2), np.inf)
        if manned[sector, PATROLS]:
            hours = HOURS_PER_DAY
            if patrols.hours == "day":
                hours *= 1.0 - night_share_of_year(self.ground.line.latitude_deg)
            passes_per_day = manned[sector, PATROLS] * patrols.route / length_km
            gap[0, : 2 if patrols.hours == "always" else 1] = hours / passes_per_day
        if manned[sector, ORBITS]:
            gap[1] = length_km / (manned[sector, ORBITS] * orbits.speed)
        return gap

    def split(self, sector: int, manned: IntArray) -> FloatArray:
        """split[l, c]: place of each cell of a sector on its beat, 0..1."""
        beat_km = self.scenario.watch.patrols.route / 2.0
        share_km = float(self.ground.sector_length_km[sector]) / max(int(manned[sector, ORBITS]), 1)
        into_km = self.ground.cells.middle_km[self.cells(sector)] - self.ground.sector_edge_km[sector]
        return np.stack([np.mod(into_km / beat_km, 1.0), np.mod(into_km / share_km, 1.0)])

    def sites_km(self, task: int, sector: int, manned: int) -> FloatArray:
        """Chainages of the manned sites: an even choice among the evenly spaced sites that are wanted."""
        edges = self.ground.sector_edge_km
        wanted = max(int(self.wanted[sector, task]), manned)
        site = np.floor((np.arange(manned) + 0.5) * wanted / manned)
        apart_km = float(edges[sector + 1] - edges[sector]) / wanted
        sites_km: FloatArray = edges[sector] + (site + 0.5) * apart_km
        return sites_km

    def _sector_standing(self, task: int, sector: int, manned: int) -> tuple[slice, FloatArray, FloatArray]:
        """Log of the chance to be missed by one sector's posts or sensors, over the cells that they can
        reach.
        """
        key = (task, sector, manned)
        if key not in self._known:
            laws = self._laws(task)
            sites = self.sites_km(task, sector, manned)
            edge = self.ground.cells.edge_km
            farthest = max(float(reach.max()) for reach, _ in laws)
            first = max(0, int(np.searchsorted(edge, sites[0] - farthest, side="right")) - 1)
            last = min(len(edge) - 1, int(np.searchsorted(edge, sites[-1] + farthest, side="left")))
            span = slice(first, last)
            logs = np.zeros((len(laws), VISIBILITIES, last - first))
            for some in np.array_split(sites, max(1, len(sites) * (last - first) // MOST_AT_ONCE)):
                shared: dict[float, FloatArray] = {}
                for i, (reach, p) in enumerate(laws):
                    for w in range(VISIBILITIES):
                        if reach[w] not in shared:
                            shared[reach[w]] = overlap_share(some, reach[w], edge[first : last + 1])
                        logs[i, w] += np.log1p(-min(p, _NEARLY_SURE) * shared[reach[w]]).sum(axis=0)
            self._known[key] = (span, logs[1:], logs[0])
        return self._known[key]

    def _laws(self, task: int) -> list[tuple[FloatArray, float]]:
        """(reach, detection) of posts or sensors: bare reach first, then for each violation type."""
        layer = self.scenario.watch.posts if task == POSTS else self.scenario.watch.sensors
        bare = layer.model_copy(update={"detection": 1.0})
        return [standing_law(bare, None)] + [
            standing_law(layer, v.seen_by.posts if task == POSTS else v.seen_by.sensors)
            for v in self.scenario.violations.values()
        ]

    def up(self, manned: IntArray, airframes: IntArray | None) -> FloatArray:
        """up[l, w, x]: chance that patrols go (always), that orbits are flown, by visibility and sector."""
        held = manned[:, ORBITS] * self.scenario.watch.orbits.airframes if airframes is None else airframes
        return np.stack([self.up_over(x, manned, held) for x in range(len(manned))], axis=-1)

    def up_over(self, sector: int, manned: IntArray, airframes: IntArray) -> FloatArray:
        """up[l, w] over one sector."""
        orbits = self.scenario.watch.orbits
        up = np.ones((2, VISIBILITIES))
        up[1] = orbits.serviceable * orbit_duty(
            orbits.endurance,
            orbits.transit,
            orbits.turnaround,
            airframes[sector],
            manned[sector, ORBITS],
        )
        up[1, 1::2] *= orbits.poor_factor
        return up


def standing_law(layer: StandingPart, by_type: StandingForType | None) -> tuple[FloatArray, float]:
    """(reach_km (4,), detection) of a standing layer for one violation type."""
    reach = layer.reach if by_type is None or by_type.reach is None else by_type.reach
    detection = layer.detection if by_type is None or by_type.detection is None else by_type.detection
    night, poor = layer.night_factor, layer.poor_factor
    return reach * np.array([1.0, poor, night, night * poor]), detection * layer.availability


def overlap_share(sites_km: FloatArray, reach_km: float, edge_km: FloatArray) -> FloatArray:
    """share[s, c]: part of cell c that lies within reach of site s, along the line."""
    low = np.maximum(edge_km[None, :-1], sites_km[:, None] - reach_km)
    high = np.minimum(edge_km[None, 1:], sites_km[:, None] + reach_km)
    share: FloatArray = np.maximum(high - low, 0.0) / np.diff(edge_km)[None, :]
    return share


def orbit_duty(
    endurance_h: float, transit_h: float, turnaround_h: float, airframes: IntArray, orbits: IntArray
) -> FloatArray:
    """Share of the time that an orbit is held: airframes x time on station / cycle of a sortie, at most 1.

    airframes (X,) and orbits (X,) of each sector. A sortie lasts endurance_h, of which transit_h is on the
    way, and is followed by turnaround_h.
    """
    each = (endurance_h - transit_h) / (endurance_h + turnaround_h)
    return np.minimum(1.0, airframes / np.maximum(orbits, 1) * each)


def pass_detection(scenario: Scenario) -> FloatArray:
    """detection[l, k, n]: chance that a pass of layer l notices type k by day (n = 0) and by night (1)."""
    rows = []
    watch = scenario.watch
    for v in scenario.violations.values():
        patrols = (
            watch.patrols.detection if v.seen_by.patrols.detection is None else v.seen_by.patrols.detection
        )
        orbits = watch.orbits.detection if v.seen_by.orbits.detection is None else v.seen_by.orbits.detection
        rows.append([[patrols, patrols], [orbits, orbits * watch.orbits.night_factor]])
    return np.array(rows, dtype=float).reshape(-1, 2, 2).swapaxes(0, 1).copy()


def reports_probability(scenario: Scenario) -> FloatArray:
    """(K,) chance that somebody reports an incident of each type."""
    base = scenario.watch.reports.probability
    own = (v.seen_by.reports.probability for v in scenario.violations.values())
    return np.array([base if p is None else p for p in own], dtype=float)


def combined_gap_h(watch: Watch, cell_sector: IntArray) -> FloatArray:
    """gap_h[w, c]: mean time between looks of any passing layer by visibility; inf = none."""
    return gap_of_any_h(watch.pass_gap_h, watch.pass_up[:, :, cell_sector])


def gap_of_any_h(gap_h: FloatArray, up: FloatArray) -> FloatArray:
    """gap[w, ...]: mean time between looks of any layer, from gap_h[l, n, ...] and up[l, w, ...].

    Rates of passing add up, each thinned by the chance that its layer is up.
    """
    rate = (up / np.repeat(gap_h, 2, axis=1)).sum(axis=0)
    with np.errstate(divide="ignore"):
        gap: FloatArray = np.where(rate > 0, 1.0 / rate, math.inf)
    return gap
