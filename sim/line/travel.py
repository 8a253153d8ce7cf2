"""From bases to cells: a road graph, or straight distance with a detour, becomes travel_h[base, cell]."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from sim.errors import nearest
from sim.line.earth import FloatArray, IntArray, frozen, frozen_codes

TOWN_KM = 3.0  # within this distance of a road node one drives on its streets

_EDGE_COLUMNS = ("from", "to", "road_km", "free_speed_kmh")
_NODE_COLUMNS = ("name", "lon", "lat")


class RoadError(ValueError):
    """The road tables are not usable: the message is the fact with its row, `hint` the remedy (or None)."""

    def __init__(self, fact: str, hint: str | None = None) -> None:
        super().__init__(fact)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoadGraph:
    """Towns and the roads between them; every road can be driven both ways."""

    node_names: tuple[str, ...]
    node_lonlat: FloatArray  # node_lonlat[n] = longitude, latitude of node n, WGS84 degrees
    from_index: IntArray  # from_index[e], to_index[e]: the two nodes of road e
    to_index: IntArray
    road_km: FloatArray  # road_km[e] = length of road e
    free_speed_kmh: FloatArray  # free_speed_kmh[e] = speed on road e when nothing is in the way

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "node_lonlat", frozen(self.node_lonlat))
        put(self, "from_index", frozen_codes(self.from_index))
        put(self, "to_index", frozen_codes(self.to_index))
        put(self, "road_km", frozen(self.road_km))
        put(self, "free_speed_kmh", frozen(self.free_speed_kmh))

    def __reduce__(self) -> tuple[object, ...]:
        """A copy in another process is built anew, so that its arrays are read-only there as well."""
        fields = (self.node_names, self.node_lonlat, self.from_index, self.to_index, self.road_km)
        return (_rebuilt, (*fields, self.free_speed_kmh))


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """How fast a team drives, and how much longer than straight its way is where no road says better."""

    road_kmh: float  # a cap on the free speed of every road
    off_road_kmh: float
    detour: float  # way driven over straight distance, >= 1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.road_kmh) and self.road_kmh > 0.0):
            raise RoadError(f"road speed must be positive, got {self.road_kmh:g} km/h")
        if not (np.isfinite(self.off_road_kmh) and self.off_road_kmh >= 0.0):
            raise RoadError(f"off-road speed must not be negative, got {self.off_road_kmh:g} km/h")
        if not (np.isfinite(self.detour) and self.detour >= 1.0):
            raise RoadError(f"detour must be at least 1, got {self.detour:g}")


def read_roads(edges_csv: str | Path, nodes_csv: str | Path) -> RoadGraph:
    """A road graph from two tables; columns other than those named here are ignored.

    nodes_csv: name, lon, lat (WGS84 degrees). edges_csv: from, to (names of nodes), road_km, free_speed_kmh.
    Raises RoadError at the first fault, with the line of the file that holds it.
    """
    lonlat: dict[str, tuple[float, float]] = {}
    for where, row in _rows(nodes_csv, _NODE_COLUMNS):
        name = row["name"]
        if not name:
            raise RoadError(f"{where}: the node has no name")
        if name in lonlat:
            raise RoadError(f"{where}: node {name!r} stands in the table twice")
        lon, lat = _number(where, row, "lon"), _number(where, row, "lat")
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            fact = f"{where}: node {name!r} at {lon:g}, {lat:g} is not a longitude and latitude in degrees"
            raise RoadError(fact)
        lonlat[name] = (lon, lat)
    if not lonlat:
        raise RoadError(f"{nodes_csv}: holds no node")
    names = tuple(lonlat)
    index = {name: number for number, name in enumerate(names)}
    roads = [_edge(where, row, index) for where, row in _rows(edges_csv, _EDGE_COLUMNS)]
    if not roads:
        raise RoadError(f"{edges_csv}: holds no road")
    start, stop, road_km, free_speed_kmh = zip(*roads, strict=True)
    return RoadGraph(
        node_names=names,
        node_lonlat=np.array(list(lonlat.values())),
        from_index=np.array(start),
        to_index=np.array(stop),
        road_km=np.array(road_km),
        free_speed_kmh=np.array(free_speed_kmh),
    )


def travel_matrix(
    *,
    base_xy_km: ArrayLike,
    cell_xy_km: ArrayLike,
    cell_speed_factor: ArrayLike,
    roads: RoadGraph | None = None,
    node_xy_km: ArrayLike | None = None,
    road_kmh: float,
    off_road_kmh: float,
    detour: float,
    road_factor: float = 1.0,
    off_road_factor: float = 1.0,
) -> FloatArray:
    """travel_h (B, C): hours from base b to the middle of cell c by the fastest way; inf = cannot be reached.

    base_xy_km (B, 2), cell_xy_km (C, 2) and node_xy_km (N, 2) lie in one metric plane
    (`Centreline.plane_km`); cell_speed_factor (C,) slows (or speeds) the ground of a cell, and 0 closes it.
    road_factor and off_road_factor are those of the season and the night. Distances d are straight, in km;
    every d below is driven d x detour long.

    Without roads the ground of the cell stands for the whole way:
        d(base, cell) / (road_kmh x road_factor x cell_speed_factor)
    With roads, the fastest of
        across country:  d(base, cell) / (off_road_kmh x off_road_factor x cell_speed_factor)
        by road, over nodes n and m:  access(base, n) + road(n, m) + d(m, cell) / (same off-road speed)
    where access takes its first 3 km (the streets of town n) at road_kmh x road_factor and the rest at
    off_road_kmh x off_road_factor, and road is the shortest path over hours
    road_km / (min(free_speed_kmh, road_kmh) x road_factor) - without detour, since road_km is what is driven.
    A speed of 0 closes what is driven at it; a distance of 0 takes no time at any speed.

    Raises RoadError for shapes that do not fit and for speeds or factors that make no sense.
    """
    Speeds(road_kmh=road_kmh, off_road_kmh=off_road_kmh, detour=detour)
    for name, factor in (("road_factor", road_factor), ("off_road_factor", off_road_factor)):
        if not (np.isfinite(factor) and factor >= 0.0):
            raise RoadError(f"{name} must not be negative, got {factor:g}")
    base, cell = _points("base_xy_km", base_xy_km), _points("cell_xy_km", cell_xy_km)
    ground = np.atleast_1d(np.asarray(cell_speed_factor, dtype=np.float64))
    if ground.shape != (len(cell),):
        raise RoadError(f"cell_speed_factor has shape {ground.shape}, but there are {len(cell)} cells")
    if not (np.isfinite(ground).all() and (ground >= 0.0).all()):
        raise RoadError(f"cell_speed_factor must not be negative, got {ground.min():g}")
    on_road_kmh = road_kmh * road_factor
    straight_km = _between(base, cell) * detour
    if roads is None:
        travel_h = _hours(straight_km, on_road_kmh * ground)
    else:
        node = _points("node_xy_km", [] if node_xy_km is None else node_xy_km)
        if len(node) != len(roads.node_names):
            raise RoadError(
                f"node_xy_km has {len(node)} rows, but the roads have {len(roads.node_names)} nodes"
            )
        across_kmh = off_road_kmh * off_road_factor
        travel_h = _hours(straight_km, across_kmh * ground)
        access_km = _between(base, node) * detour
        streets_km = np.minimum(access_km, TOWN_KM * detour)
        access_h = _hours(streets_km, on_road_kmh) + _hours(access_km - streets_km, across_kmh)
        road_h = _by_road(access_h, roads, road_kmh, road_factor)
        last_h = _hours(_between(node, cell) * detour, across_kmh * ground)
        for n in range(len(node)):  # min-plus product, one node at a time: no (B, N, C) array
            np.minimum(travel_h, road_h[:, n, None] + last_h[n], out=travel_h)
    travel_h[:, ground == 0.0] = np.inf
    return np.ascontiguousarray(travel_h)


def _by_road(access_h: FloatArray, roads: RoadGraph, road_kmh: float, road_factor: float) -> FloatArray:
    """(B, N) hours from base to node: Dijkstra from the bases, which join the graph as extra nodes."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    bases, nodes = access_h.shape
    drive_h = _hours(roads.road_km, np.minimum(roads.free_speed_kmh, road_kmh) * road_factor)
    base, node = np.nonzero(np.isfinite(access_h))
    start = np.concatenate((roads.from_index, roads.to_index, nodes + base))
    stop = np.concatenate((roads.to_index, roads.from_index, node))
    hours = np.concatenate((drive_h, drive_h, access_h[base, node]))
    # A sparse matrix adds up what is given twice; of two roads between two towns we want the faster.
    order = np.lexsort((hours, stop, start))
    start, stop, hours = start[order], stop[order], hours[order]
    first = np.isfinite(hours)
    first[1:] &= (start[1:] != start[:-1]) | (stop[1:] != stop[:-1])
    start, stop, hours = start[first], stop[first], hours[first]
    row = np.searchsorted(start, np.arange(nodes + bases + 1))
    graph = csr_array((hours, stop, row), shape=(nodes + bases, nodes + bases))
    found: FloatArray = dijkstra(graph, directed=True, indices=nodes + np.arange(bases))[:, :nodes]
    return found


def _hours(way_km: FloatArray, speed_kmh: ArrayLike) -> FloatArray:
    """way / speed, where no way takes no time and no speed takes for ever."""
    speed = np.asarray(speed_kmh, dtype=np.float64)
    way, speed = np.broadcast_arrays(way_km, speed)
    hours = np.full(way.shape, np.inf)
    np.divide(way, speed, out=hours, where=speed > 0.0)
    hours[way == 0.0] = 0.0
    return hours


def _between(one: FloatArray, other: FloatArray) -> FloatArray:
    """(n, m) straight distances in km between the rows of two tables of plane points."""
    apart: FloatArray = np.hypot(one[:, 0, None] - other[:, 0], one[:, 1, None] - other[:, 1])
    return apart


def _points(name: str, values: ArrayLike) -> FloatArray:
    points = np.asarray(values, dtype=np.float64).reshape(-1, 2) if np.size(values) == 0 else values
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise RoadError(f"{name} must be a table of points (n, 2), got shape {points.shape}")
    if not np.isfinite(points).all():
        raise RoadError(f"{name} holds coordinates that are not finite numbers")
    return points


def _rows(path: str | Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """('roads.csv, row 2', the wanted columns) of every row that is not blank; rows are lines of the file."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            head = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = head
            missing = [name for name in columns if name not in head]
            if missing:
                fact = f"{path}, row 1: no column {', '.join(repr(name) for name in missing)}"
                raise RoadError(fact, f"the columns are {', '.join(columns)}")
            for row in reader:
                where = f"{path}, row {reader.line_num}"
                short = next((name for name in columns if row[name] is None), None)
                if short is not None:
                    raise RoadError(f"{where}: the row ends before column {short!r}")
                yield where, {name: row[name].strip() for name in columns}
    except FileNotFoundError as bad:
        raise RoadError(f"{path}: no such file", "paths are relative to the scenario file") from bad
    except OSError as bad:
        raise RoadError(f"{path}: cannot be read: {bad.strerror}") from bad
    except UnicodeDecodeError as bad:
        raise RoadError(f"{path}: is not UTF-8 text", "save it as CSV, UTF-8") from bad
    except csv.Error as bad:
        raise RoadError(f"{path}: is not a CSV table: {bad}") from bad


def _edge(where: str, row: dict[str, str], index: dict[str, int]) -> tuple[int, int, float, float]:
    for name in (row["from"], row["to"]):
        if name not in index:
            close = nearest(name, tuple(index))
            raise RoadError(
                f"{where}: node {name!r} is not known", f"did you mean {close!r}?" if close else None
            )
    if row["from"] == row["to"]:
        raise RoadError(f"{where}: the road leads from {row['from']!r} to itself")
    road_km, free_speed_kmh = _number(where, row, "road_km"), _number(where, row, "free_speed_kmh")
    for name, value in (("road_km", road_km), ("free_speed_kmh", free_speed_kmh)):
        if value <= 0.0:
            raise RoadError(f"{where}: {name} must be positive, got {value:g}")
    return index[row["from"]], index[row["to"]], road_km, free_speed_kmh


def _number(where: str, row: dict[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        raise RoadError(f"{where}: {name} must be a number, got {row[name]!r}") from None
    if not np.isfinite(value):
        raise RoadError(f"{where}: {name} must be a finite number, got {row[name]!r}")
    return value


def _rebuilt(
    node_names: tuple[str, ...],
    node_lonlat: FloatArray,
    from_index: IntArray,
    to_index: IntArray,
    road_km: FloatArray,
    free_speed_kmh: FloatArray,
) -> RoadGraph:
    return RoadGraph(
        node_names=node_names,
        node_lonlat=node_lonlat,
        from_index=from_index,
        to_index=to_index,
        road_km=road_km,
        free_speed_kmh=free_speed_kmh,
    )
