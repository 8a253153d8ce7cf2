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

    def watch(self, manned: IntArray, airframes: IntArray | None = None) -> Watch:
        """The arrays for manned[x, task]; airframes (X,) held in each sector, full fleets where None."""
        kinds = len(self.scenario.violations)
        count = len(self.ground.cells)
        missed = np.zeros((kinds, VISIBILITIES, count))
        bare = np.zeros((VISIBILITIES, count))
        for task in (POSTS, SENSORS):
            for x in range(len(self.ground.sector_names)):
                if manned[x, task]:
                    span, by_type, plain = self._sector_standing(task, x, int(manned[x, task]))
                    missed[:, :, span] += by_type
                    bare[:, span] += plain
        gap, split = self._passes(manned)
        return Watch(
            stand_p=-np.expm1(missed),
            standing=-np.expm1(bare),
            pass_gap_h=gap,
            pass_split=split,
            pass_up=self.up(manned, airframes),
        )

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
            layer = self.scenario.watch.posts if task == POSTS else self.scenario.watch.sensors
            bare = layer.model_copy(update={"detection": 1.0})
            laws = [standing_law(bare, None)] + [
                standing_law(layer, v.seen_by.posts if task == POSTS else v.seen_by.sensors)
                for v in self.scenario.violations.values()
            ]
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

    def _passes(self, manned: IntArray) -> tuple[FloatArray, FloatArray]:
        """Mean gap between passes in each cell, and the place of the cell on its beat."""
        ground, watch = self.ground, self.scenario.watch
        middle = ground.cells.middle_km
        start_km = ground.sector_edge_km[:-1][ground.cell_sector]
        length_km = ground.sector_length_km
        gap = np.full((2, 2, len(middle)), np.inf)
        split = np.zeros((2, len(middle)))
        patrols, orbits = watch.patrols, watch.orbits
        hours = HOURS_PER_DAY
        if patrols.hours == "day":
            hours *= 1.0 - night_share_of_year(ground.line.latitude_deg)
        for x in range(len(ground.sector_names)):
            here = ground.cell_sector == x
            if manned[x, PATROLS]:
                passes_per_day = manned[x, PATROLS] * patrols.route / length_km[x]
                gap[0, 0, here] = hours / passes_per_day
                if patrols.hours == "always":
                    gap[0, 1, here] = hours / passes_per_day
            if manned[x, ORBITS]:
                gap[1, :, here] = length_km[x] / (manned[x, ORBITS] * orbits.speed)
        beat_km = patrols.route / 2.0
        split[0] = np.mod((middle - start_km) / beat_km, 1.0)
        share_km = length_km / np.maximum(manned[:, ORBITS], 1)
        split[1] = np.mod((middle - start_km) / share_km[ground.cell_sector], 1.0)
        return gap, split

    def up(self, manned: IntArray, airframes: IntArray | None) -> FloatArray:
        """Chance that patrols go (always) and that orbits are flown, by visibility and sector."""
        orbits = self.scenario.watch.orbits
        sectors = len(self.ground.sector_names)
        up = np.ones((2, VISIBILITIES, sectors))
        held = manned[:, ORBITS] * orbits.airframes if airframes is None else airframes
        up[1] = (
            orbit_duty(orbits.endurance, orbits.transit, orbits.turnaround, held, manned[:, ORBITS])
            * orbits.serviceable
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
    """gap_h[w, c]: mean time between looks of any passing layer by visibility; inf = none.

    Rates of passing add up, each thinned by the chance that its layer is up.
    """
    rate = np.zeros((VISIBILITIES, len(cell_sector)))
    for layer in range(2):
        for w in range(VISIBILITIES):
            rate[w] += watch.pass_up[layer, w, cell_sector] / watch.pass_gap_h[layer, w // 2]
    with np.errstate(divide="ignore"):
        return np.where(rate > 0, 1.0 / rate, math.inf)
