"""The line as a ruler: chainage <-> point on the map, cells and the zone.

Chainage is geodesic length on WGS84, in km from the line's first end. Between two vertices the line is a
geodesic. For everything that needs straight distances there is one metric plane, centred on the line's own
middle, in km.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sim.line.earth import (
    PIECE_KM,
    FloatArray,
    IntArray,
    LineError,
    column,
    forward,
    frozen,
    frozen_codes,
    inverse,
    nearest_on,
    plane,
)

if TYPE_CHECKING:
    import pyproj
    from shapely.geometry import MultiPolygon, Polygon

__all__ = [
    "Cells",
    "Centreline",
    "FloatArray",
    "IntArray",
    "LineError",
    "Stretch",
    "cells",
    "read_line",
    "straight",
    "zone_polygon_km",
]

SHORTEST_KM, LONGEST_KM = 1.0, 20_000.0
MOST_CELLS = 100_000
UNNAMED_TERRAIN = "open"
HALF_WINDOW_KM = 3.0  # directions are taken over at least this much line on either side
_ROUNDED_KM = 0.1  # a stretch may end this far beyond the line: tables of stretches are rounded
_SLACK_KM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A terrain that covers the line over [from_km, to_km), chainage in km."""

    from_km: float
    to_km: float
    terrain: str

    def __post_init__(self) -> None:
        if not (np.isfinite(self.from_km) and np.isfinite(self.to_km) and 0.0 <= self.from_km < self.to_km):
            raise LineError(
                f"stretch {self.terrain!r} must run from a smaller to a larger chainage, "
                f"got {self.from_km:g} to {self.to_km:g} km"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Centreline:
    """The directed line: a ruler that lies on the map, or is straight and lies nowhere.

    Methods take a number or a sequence (n,) and return arrays with n rows, n = 1 for a number. A chainage
    outside [0, length_km] is a LineError, and so is asking a straight line for a point on the map.
    """

    length_km: float  # geodesic
    latitude_deg: float  # of the line's middle, for the length of the night
    lonlat: FloatArray | None = (
        None  # lonlat[v] = longitude, latitude of vertex v, WGS84 degrees; None = no map
    )
    vertex_km: FloatArray | None = (
        None  # vertex_km[v] = chainage of vertex v; strictly rising from 0 to length_km
    )
    stretches: tuple[Stretch, ...] = ()  # sorted by from_km, without overlap; what they leave out is "open"
    _centre: tuple[float, float] = field(init=False, repr=False)  # lon, lat of the plane's origin
    _route_km: FloatArray = field(init=False, repr=False)  # chainage of the pieces' ends, at most 2 km apart
    _route_xy_km: FloatArray = field(init=False, repr=False)  # the same ends in the plane

    def __post_init__(self) -> None:
        if not SHORTEST_KM <= self.length_km <= LONGEST_KM:  # NaN fails as well
            raise LineError(f"the line is {self.length_km:g} km long; it must be between 1 and 20,000 km")
        if not -90.0 <= self.latitude_deg <= 90.0:
            raise LineError(f"latitude must be between -90 and 90 degrees, got {self.latitude_deg:g}")
        if (self.lonlat is None) != (self.vertex_km is None):
            raise LineError("lonlat and vertex_km come together or not at all")
        put = object.__setattr__
        put(self, "stretches", _checked(self.stretches, self.length_km))
        if self.lonlat is None or self.vertex_km is None:
            put(self, "_centre", (0.0, 0.0))
            put(self, "_route_km", frozen([0.0, self.length_km]))
            put(self, "_route_xy_km", frozen([[0.0, 0.0], [self.length_km, 0.0]]))
            return
        lonlat, vertex_km = frozen(self.lonlat), frozen(self.vertex_km)
        if lonlat.shape != (len(vertex_km), 2) or vertex_km[0] != 0.0 or np.any(np.diff(vertex_km) <= 0.0):
            raise LineError("vertex_km must rise strictly from 0, with one row of lonlat for each")
        put(self, "lonlat", lonlat)
        put(self, "vertex_km", vertex_km)
        middle = self.lonlat_at(self.length_km / 2)[0]
        put(self, "_centre", (float(middle[0]), float(middle[1])))
        put(self, "_route_km", frozen(_pieces(vertex_km)))
        put(self, "_route_xy_km", frozen(self.to_plane_km(*self.lonlat_at(self._route_km).T)))

    def __reduce__(self) -> tuple[object, ...]:
        """A copy in another process is built anew, so that its arrays are read-only there as well."""
        fields = (self.length_km, self.latitude_deg, self.lonlat, self.vertex_km, self.stretches)
        return (_rebuilt, fields)

    @property
    def has_map(self) -> bool:
        """Whether the line lies somewhere on the Earth."""
        return self.lonlat is not None

    def with_stretches(self, stretches: Sequence[Stretch]) -> Centreline:
        """The same line with other terrain."""
        fields = (self.length_km, self.latitude_deg, self.lonlat, self.vertex_km)
        return _rebuilt(*fields, tuple(stretches))

    # chainage -> point --------------------------------------------------------------------------------------

    def lonlat_at(self, chainage_km: ArrayLike) -> FloatArray:
        """(n, 2) longitude and latitude in degrees, exact on the geodesic between two vertices."""
        lonlat, vertex_km = self._map()
        km = self._on_line(chainage_km)
        before = np.clip(np.searchsorted(vertex_km, km, side="right") - 1, 0, len(vertex_km) - 2)
        azimuth_deg, _ = inverse(lonlat[before], lonlat[before + 1])
        return forward(lonlat[before], azimuth_deg, km - vertex_km[before])

    def plane_km(self, chainage_km: ArrayLike) -> FloatArray:
        """(n, 2) km east and km north of the line's middle; (chainage, 0) for a straight line."""
        km = self._on_line(chainage_km)
        x_km = np.interp(km, self._route_km, self._route_xy_km[:, 0])
        y_km = np.interp(km, self._route_km, self._route_xy_km[:, 1])
        return np.column_stack((x_km, y_km))

    def behind_km(self, chainage_km: ArrayLike, depth_km: ArrayLike) -> FloatArray:
        """(n, 2) plane points *depth_km* to the right of the line; negative depth is to the left.

        The direction is that of the chord over max(3 km, depth) of line on either side, shorter at the ends,
        so that neighbours stay neighbours round a bend. Inside a bend the point may be nearer to the line
        than its depth.
        """
        km, depth = np.broadcast_arrays(self._on_line(chainage_km), column(depth_km))
        half = np.maximum(HALF_WINDOW_KM, np.abs(depth))
        along = _chords(self, km, half)
        lost = np.flatnonzero(
            np.hypot(along[:, 0], along[:, 1]) < _SLACK_KM
        )  # the line comes back to where it was
        along[lost] = _chords(self, km[lost], np.full(len(lost), 0.1))
        unit = along / np.hypot(along[:, 0], along[:, 1])[:, None]
        aside = np.column_stack((unit[:, 1], -unit[:, 0]))
        points: FloatArray = self.plane_km(km) + aside * depth[:, None]
        return points

    # point -> chainage --------------------------------------------------------------------------------------

    def to_plane_km(self, lon: ArrayLike, lat: ArrayLike) -> FloatArray:
        """(n, 2) plane coordinates of points on the map, in km.

        Lambert azimuthal equal-area about the line's middle: within 600 km of it distances are true to 0.11
        %.
        """
        xy = self._projection()(column(lon), column(lat))
        return np.column_stack(xy).astype(np.float64)

    def from_plane_km(self, xy_km: ArrayLike) -> FloatArray:
        """(n, 2) longitude and latitude of plane points (n, 2): the inverse of `to_plane_km`."""
        xy = np.atleast_2d(np.asarray(xy_km, dtype=np.float64))
        lonlat = self._projection()(xy[:, 0], xy[:, 1], inverse=True)
        return np.column_stack(lonlat).astype(np.float64)

    def nearest_km(self, xy_km: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Chainage (n,) of the nearest point of the line, and the distance (n,) to it, in km.

        Behind a bend the nearest chainage jumps: neighbours far from the line may be tens of km apart on it.
        """
        xy = np.atleast_2d(np.asarray(xy_km, dtype=np.float64))
        return nearest_on(self._route_xy_km, self._route_km, xy)

    def chainage_of(self, lon: ArrayLike, lat: ArrayLike) -> FloatArray:
        """Chainage (n,) in km of the point on the line that is nearest to each point of the map."""
        return self.nearest_km(self.to_plane_km(lon, lat))[0]

    def distance_km(self, lon: ArrayLike, lat: ArrayLike) -> FloatArray:
        """Geodesic distance (n,) in km from each point of the map to that nearest point on the line."""
        there = np.column_stack((column(lon), column(lat)))
        return inverse(there, self.lonlat_at(self.chainage_of(lon, lat)))[1]

    def _map(self) -> tuple[FloatArray, FloatArray]:
        if self.lonlat is None or self.vertex_km is None:
            raise LineError(
                "a straight line lies nowhere on the map", "give the line a file with its geometry"
            )
        return self.lonlat, self.vertex_km

    def _projection(self) -> pyproj.Proj:
        self._map()
        return plane(*self._centre)

    def _on_line(self, chainage_km: ArrayLike) -> FloatArray:
        km = column(chainage_km)
        off = np.flatnonzero(~((km >= -_SLACK_KM) & (km <= self.length_km + _SLACK_KM)))
        if len(off):
            raise LineError(
                f"chainage {km[off[0]]:g} km is not on the line, which ends at {self.length_km:g} km"
            )
        on_line: FloatArray = np.clip(km, 0.0, self.length_km)
        return on_line


def straight(length_km: float, latitude_deg: float, stretches: Sequence[Stretch] = ()) -> Centreline:
    """A straight line without a map: one number, and a latitude for its nights."""
    return _rebuilt(float(length_km), float(latitude_deg), None, None, tuple(stretches))


def read_line(path: str | Path, *, layer: str | None = None, crs: str | None = None) -> Centreline:
    """The line in a GeoJSON, GeoPackage or other file that GDAL knows, in the direction it has there.

    LineStrings, in one or several features, are joined end to end; a text property `terrain` becomes a
    stretch. A file runs from the northern or western end if its author drew it so: nothing here turns a line
    round, except that parts which contradict each other follow the order of the file (`joining.join`).
    *crs* is for a file that does not say, and for GeoJSON without a `crs` member; it never contradicts a
    file. Raises LineError, with a hint where there is a remedy.
    """
    from sim.line.joining import join
    from sim.line.linefile import read_parts

    joined = join(str(path), read_parts(path, layer=layer, crs=crs))
    length_km = float(joined.vertex_km[-1])
    if not SHORTEST_KM <= length_km <= LONGEST_KM:
        raise LineError(f"{path}: the line is {length_km:g} km long; it must be between 1 and 20,000 km")
    stretches = tuple(Stretch(from_km=low, to_km=high, terrain=name) for low, high, name in joined.terrain)
    bare = _rebuilt(length_km, 0.0, joined.lonlat, joined.vertex_km, ())
    latitude_deg = float(bare.lonlat_at(length_km / 2)[0, 1])
    return _rebuilt(length_km, latitude_deg, joined.lonlat, joined.vertex_km, stretches)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """The line in cells: cell c covers [edge_km[c], edge_km[c + 1]); the last may be shorter."""

    edge_km: FloatArray  # (C + 1,) chainage, strictly rising
    terrain: tuple[str, ...]  # table of names; "open" always stands first
    terrain_code: IntArray  # terrain[terrain_code[c]] = the terrain that covers most of cell c
    middle_km: FloatArray = field(init=False)  # (C,) chainage of the cell's middle
    length_km: FloatArray = field(init=False)  # (C,)

    def __post_init__(self) -> None:
        edge_km = frozen(self.edge_km)
        put = object.__setattr__
        put(self, "edge_km", edge_km)
        put(self, "terrain_code", frozen_codes(self.terrain_code))
        put(self, "middle_km", frozen((edge_km[1:] + edge_km[:-1]) / 2))
        put(self, "length_km", frozen(np.diff(edge_km)))

    def __len__(self) -> int:
        return len(self.edge_km) - 1

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt_cells, (self.edge_km, self.terrain, self.terrain_code))

    def cell_of(self, chainage_km: ArrayLike) -> IntArray:
        """Index (n,) of the cell that covers each chainage; the line's far end belongs to the last cell."""
        found = np.searchsorted(self.edge_km, column(chainage_km), side="right") - 1
        return np.clip(found, 0, len(self) - 1).astype(np.int64)


def cells(line: Centreline, cell_km: float) -> Cells:
    """Cells of *cell_km*, from the line's beginning; a cell has the terrain that covers most of it.

    Where no stretch says anything the terrain is "open", which competes like the others; the first named wins
    a tie.
    """
    if not (np.isfinite(cell_km) and cell_km > 0.0):
        raise LineError(f"cells must have a positive length, got {cell_km:g} km")
    count = max(1, int(np.ceil(line.length_km / cell_km - _SLACK_KM)))
    if count > MOST_CELLS:
        fact = f"cells of {cell_km:g} km cut a line of {line.length_km:g} km into {count:,}"
        raise LineError(f"{fact}; {MOST_CELLS:,} is the most", "choose longer cells")
    edge_km = np.append(np.arange(count) * cell_km, line.length_km)
    names = tuple(dict.fromkeys((UNNAMED_TERRAIN, *(stretch.terrain for stretch in line.stretches))))
    cover_km = np.zeros((len(names), count))  # cover_km[t, c] = how much of cell c lies in terrain t
    cover_km[0] = np.diff(edge_km)
    for stretch in line.stretches:
        shared = np.minimum(edge_km[1:], stretch.to_km) - np.maximum(edge_km[:-1], stretch.from_km)
        shared = np.maximum(shared, 0.0)
        cover_km[0] -= shared
        cover_km[names.index(stretch.terrain)] += shared
    code = np.argmax(np.round(cover_km, 9), axis=0)
    return Cells(edge_km=edge_km, terrain=names, terrain_code=code)


def zone_polygon_km(line: Centreline, width_km: float) -> Polygon | MultiPolygon:
    """The buffer zone in the plane: *width_km* across, half on either side, square at the ends.

    For drawing. At bends its area is a little less than width times length, because the two sides overlap.
    """
    from shapely import LineString

    if not (np.isfinite(width_km) and width_km > 0.0):
        raise LineError(f"the zone must have a positive width, got {width_km:g} km")
    shape: Polygon | MultiPolygon = LineString(line._route_xy_km).buffer(width_km / 2, cap_style="flat")
    return shape


def _rebuilt(
    length_km: float,
    latitude_deg: float,
    lonlat: FloatArray | None,
    vertex_km: FloatArray | None,
    stretches: tuple[Stretch, ...],
) -> Centreline:
    return Centreline(
        length_km=length_km,
        latitude_deg=latitude_deg,
        lonlat=lonlat,
        vertex_km=vertex_km,
        stretches=stretches,
    )


def _rebuilt_cells(edge_km: FloatArray, terrain: tuple[str, ...], terrain_code: IntArray) -> Cells:
    return Cells(edge_km=edge_km, terrain=terrain, terrain_code=terrain_code)


def _pieces(vertex_km: FloatArray) -> FloatArray:
    """Chainages of all vertices, with more in between wherever two are more than 2 km apart."""
    count = np.ceil(np.diff(vertex_km) / PIECE_KM).astype(np.int64)
    count = np.maximum(count, 1)
    first = np.repeat(np.cumsum(count) - count, count)
    share = (np.arange(count.sum()) - first) / np.repeat(count, count)
    inner: FloatArray = np.repeat(vertex_km[:-1], count) + share * np.repeat(np.diff(vertex_km), count)
    return np.append(inner, vertex_km[-1])


def _chords(line: Centreline, km: FloatArray, half: FloatArray) -> FloatArray:
    behind = line.plane_km(np.maximum(km - half, 0.0))
    ahead = line.plane_km(np.minimum(km + half, line.length_km))
    chord: FloatArray = ahead - behind
    return chord


def _checked(stretches: Sequence[Stretch], length_km: float) -> tuple[Stretch, ...]:
    """Sorted and inside the line; LineError for an overlap or for one that lies beyond the end."""
    ordered = sorted(stretches, key=lambda stretch: (stretch.from_km, stretch.to_km))
    for one, two in pairwise(ordered):
        if two.from_km < one.to_km - _SLACK_KM:
            raise LineError(
                f"stretches {one.terrain!r} ({one.from_km:g} to {one.to_km:g} km) and "
                f"{two.terrain!r} ({two.from_km:g} to {two.to_km:g} km) overlap"
            )
    for stretch in ordered:
        if stretch.to_km > length_km + _ROUNDED_KM or stretch.from_km >= length_km:
            raise LineError(
                f"stretch {stretch.terrain!r} runs from {stretch.from_km:g} to {stretch.to_km:g} km, "
                f"but the line ends at {length_km:g} km"
            )
    return tuple(
        Stretch(from_km=s.from_km, to_km=min(s.to_km, length_km), terrain=s.terrain) for s in ordered
    )
