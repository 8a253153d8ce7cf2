"""A line's file -> its parts in WGS84 degrees; the guard at the door for coordinate systems.

GeoJSON is read with `json` alone, because checking a scenario must be quick; everything else goes through
GDAL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import nearest
from sim.line.earth import FloatArray, LineError, frozen

if TYPE_CHECKING:
    import pyproj

GEOJSON_SUFFIXES = (".geojson", ".json")
_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_CRS_HINT = "say which: crs: EPSG:... (for example EPSG:4326 for longitude and latitude)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One LineString of the file, in its own direction: lonlat (n, 2) in WGS84 degrees, n >= 2."""

    lonlat: FloatArray
    terrain: str | None
    number: int  # counted from 1 in the order of the file


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Raw:
    """What a reader hands over: coordinates as written, and the CRS that the file declares, if any."""

    parts: list[tuple[FloatArray, str | None]]
    crs: str | None
    geojson: bool


def read_parts(path: str | Path, *, layer: str | None, crs: str | None) -> list[Part]:
    """The LineStrings of a file in WGS84 longitude and latitude, at least one.

    Raises LineError for everything that keeps the file from being a line: missing, not readable, no line in
    it, points or polygons, coordinates that are not finite or not where their CRS says, unknown or
    contradictory CRS.
    """
    where = Path(path)
    if not where.exists():
        raise LineError(f"{path}: no such file", "paths are relative to the scenario file")
    if where.is_dir() and where.suffix.lower() != ".gdb":
        raise LineError(f"{path}: is a folder, not a file")
    geojson = where.suffix.lower() in GEOJSON_SUFFIXES
    if geojson and layer is not None:
        raise LineError(
            f"{path}: layer {layer!r} is asked for, but GeoJSON has no layers", "leave layer: out"
        )
    raw = _read_geojson(where) if geojson else _read_with_gdal(where, layer)
    if not raw.parts:
        raise LineError(f"{path}: holds no line", "the file needs one LineString, or several that join")
    for number, (xy, _) in enumerate(raw.parts, 1):
        bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
        if len(bad):
            raise LineError(f"{path}: part {number}, vertex {bad[0] + 1}: coordinates are not finite numbers")
    to_wgs84 = _transformation(path, raw, crs)
    return [
        Part(lonlat=frozen(to_wgs84(xy, number)), terrain=terrain, number=number)
        for number, (xy, terrain) in enumerate(raw.parts, 1)
    ]


# GeoJSON ------------------------------------------------------------


def _read_geojson(path: Path) -> _Raw:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as bad:
        raise LineError(f"{path}: cannot be read: {bad.strerror}") from bad
    except UnicodeDecodeError as bad:
        raise LineError(f"{path}: is not UTF-8 text", "save it as GeoJSON, UTF-8") from bad
    except json.JSONDecodeError as bad:
        fact = f"{path}: not valid JSON: {bad.msg} at line {bad.lineno}, column {bad.colno}"
        raise LineError(fact) from bad
    except (RecursionError, ValueError) as bad:
        raise LineError(f"{path}: not valid JSON: {bad}") from bad
    if not isinstance(data, dict):
        raise LineError(f"{path}: is JSON but not GeoJSON: an object with 'type' is needed")
    parts = list(_geojson_parts(path, data, None))
    return _Raw(parts=parts, crs=_geojson_crs(path, data), geojson=True)


def _geojson_parts(
    path: Path, item: Any, terrain: str | None, depth: int = 0
) -> Iterator[tuple[FloatArray, str | None]]:
    kind = item.get("type") if isinstance(item, dict) else None
    if depth > 8:
        raise LineError(f"{path}: geometries are nested more than 8 deep")
    if kind == "FeatureCollection":
        for feature in _list(path, item, "features"):
            yield from _geojson_parts(path, feature, None, depth + 1)
    elif kind == "Feature":
        properties = item.get("properties")
        said = properties.get("terrain") if isinstance(properties, dict) else None
        if item.get("geometry") is not None:
            yield from _geojson_parts(path, item["geometry"], _terrain(path, said), depth + 1)
    elif kind == "GeometryCollection":
        for geometry in _list(path, item, "geometries"):
            yield from _geojson_parts(path, geometry, terrain, depth + 1)
    elif kind == "MultiLineString":
        for coordinates in _list(path, item, "coordinates"):
            yield from _line(path, coordinates, terrain)
    elif kind == "LineString":
        yield from _line(path, _list(path, item, "coordinates"), terrain)
    elif kind in _GEOMETRIES:
        raise _wrong_kind(path, kind)
    elif kind == "Topology":
        raise LineError(f"{path}: is TopoJSON, not GeoJSON", "convert it to GeoJSON first")
    else:
        fact = f"{path}: is JSON but not GeoJSON: type {kind!r} is not known"
        close = nearest(kind, _GEOMETRIES) if isinstance(kind, str) else None
        raise LineError(fact, f"did you mean {close!r}?" if close else None)


def _list(path: Path, item: dict[str, Any], key: str) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list):
        raise LineError(f"{path}: a {item['type']} needs a list called {key!r}")
    return value


def _line(path: Path, coordinates: Any, terrain: str | None) -> Iterator[tuple[FloatArray, str | None]]:
    if not isinstance(coordinates, list):
        raise LineError(f"{path}: a LineString's coordinates must be a list of positions")
    for number, position in enumerate(coordinates, 1):
        if not _is_position(position):
            shown = json.dumps(position)[:60]
            raise LineError(f"{path}: vertex {number} is not a position [longitude, latitude]: {shown}")
    if len(coordinates) == 1:
        raise LineError(f"{path}: a LineString needs at least two vertices, got 1")
    if coordinates:
        yield np.array([position[:2] for position in coordinates], dtype=np.float64), terrain


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and len(position) >= 2
        and all(
            isinstance(value, float) or (type(value) is int and abs(value) < 10**15) for value in position[:2]
        )
    )


def _geojson_crs(path: Path, data: dict[str, Any]) -> str | None:
    """The old-style named `crs` member (GeoJSON 2008, section 3), or None: RFC 7946 knows only WGS84."""
    member = data.get("crs")
    if member is None:
        return None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise LineError(f"{path}: its 'crs' member has no name", "leave it out, or name it: EPSG:32637")
    return name


# everything else ------------------------------------------------------------


def _read_with_gdal(path: Path, layer: str | None) -> _Raw:
    import pyogrio
    import shapely

    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    except Exception as bad:  # GDAL has many ways to refuse a file, and pyogrio passes them all on
        fact = f"{path}: no reader knows this file"
        raise LineError(fact, "GeoJSON and GeoPackage are sure to work") from bad
    if not layers:
        raise LineError(f"{path}: has no layers")
    if layer is None and len(layers) > 1:
        raise LineError(f"{path}: has {len(layers)} layers: {', '.join(layers)}", "say which: layer: NAME")
    if layer is not None and layer not in layers:
        close = nearest(layer, layers)
        hint = f"did you mean {close!r}?" if close else None
        raise LineError(f"{path}: has no layer {layer!r}; its layers are: {', '.join(layers)}", hint)
    name = layers[0] if layer is None else layer
    try:
        fields = [str(field) for field in pyogrio.read_info(path, layer=name)["fields"]]
        wanted = [field for field in fields if field == "terrain"]
        meta, _, geometry, columns = pyogrio.raw.read(path, layer=name, columns=wanted)
    except Exception as bad:
        raise LineError(f"{path}: layer {name!r} cannot be read: {bad}") from bad
    if geometry is None:
        raise LineError(f"{path}: layer {name!r} has no geometry")
    says = columns[0] if wanted else [None] * len(geometry)
    parts = [
        (line, _terrain(path, terrain))
        for shape, terrain in zip(shapely.from_wkb(geometry), says, strict=True)
        for line in _shape_parts(path, shape)
    ]
    return _Raw(parts=parts, crs=meta["crs"], geojson=False)


def _shape_parts(path: Path, shape: Any) -> Iterator[FloatArray]:
    import shapely

    if shape is None or shape.is_empty:
        return
    if shape.geom_type in ("MultiLineString", "GeometryCollection"):
        for member in shape.geoms:
            yield from _shape_parts(path, member)
    elif shape.geom_type == "LineString":
        yield np.asarray(shapely.get_coordinates(shape), dtype=np.float64)
    else:
        raise _wrong_kind(path, shape.geom_type)


def _wrong_kind(path: Path, kind: str) -> LineError:
    return LineError(
        f"{path}: holds a {kind}; a line is made of LineStrings", "take the others out of the file"
    )


def _terrain(path: Path, value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if not isinstance(value, str) or not value.strip():
        raise LineError(f"{path}: terrain must be a word, got {value!r}")
    return value.strip()


# coordinate systems ------------------------------------------------------------


def _transformation(path: str | Path, raw: _Raw, crs: str | None) -> _ToWgs84:
    """How to bring the file's coordinates to WGS84 degrees; refuses what would be guessing."""
    said = None if crs is None else _known_crs(f"crs {crs!r}", crs)
    own = None if raw.crs is None else _known_crs(f"{path}: its coordinate system {raw.crs[:60]!r}", raw.crs)
    if own is not None and (own.is_engineering or own.name.startswith("Undefined")):
        own = None
    if own is not None and said is not None and not own.equals(said, ignore_axis_order=True):
        fact = f"{path}: its own coordinate system is {_short(own)}, but crs says {_short(said)}"
        raise LineError(fact, "leave crs: out, or correct the file")
    source = said if said is not None else own
    if source is None and not raw.geojson:
        raise LineError(f"{path}: does not say which coordinate system it is in", _CRS_HINT)
    if source is not None and not (source.is_geographic or source.is_projected or source.is_compound):
        raise LineError(f"{path}: {_short(source)} is neither geographic nor projected", _CRS_HINT)
    return _ToWgs84(path=path, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToWgs84:
    """Coordinates as written (n, 2) -> WGS84 longitude, latitude (n, 2)."""

    path: str | Path
    source: pyproj.CRS | None

    def __call__(self, xy: FloatArray, number: int) -> FloatArray:
        geographic = self.source is None or self.source.is_geographic
        if geographic:
            self._check_degrees(xy, number)
        if self.source is None:
            return xy
        if self.source.is_projected and self.source.axis_info[0].unit_name == "metre":
            self._check_metres(xy, number)
        import pyproj

        move = pyproj.Transformer.from_crs(self.source, "EPSG:4326", always_xy=True)
        lonlat = np.column_stack(move.transform(xy[:, 0], xy[:, 1])).astype(np.float64)
        lost = np.flatnonzero(~np.isfinite(lonlat).all(axis=1) | (np.abs(lonlat[:, 1]) > 90.0))
        if len(lost):
            x, y = xy[lost[0]]
            fact = f"part {number}, vertex {lost[0] + 1} ({x:g}, {y:g}) lies outside {_short(self.source)}"
            raise LineError(f"{self.path}: {fact}", "is that the right crs?")
        return lonlat

    def _check_degrees(self, xy: FloatArray, number: int) -> None:
        off = np.flatnonzero((np.abs(xy[:, 0]) > 180.0) | (np.abs(xy[:, 1]) > 90.0))
        if not len(off):
            return
        x, y = xy[off[0]]
        swapped = bool((np.abs(xy[:, 1]) <= 180.0).all() and (np.abs(xy[:, 0]) <= 90.0).all())
        hint = "longitude comes first, then latitude" if swapped else f"if these are metres, {_CRS_HINT}"
        fact = f"part {number}, vertex {off[0] + 1} ({x:g}, {y:g}) is not a longitude and latitude in degrees"
        raise LineError(f"{self.path}: {fact}", hint)

    def _check_metres(self, xy: FloatArray, number: int) -> None:
        """A part that lies within 180 m of a projection's origin is far more likely to be one in degrees."""
        if (np.abs(xy[:, 0]) <= 180.0).all() and (np.abs(xy[:, 1]) <= 90.0).all():
            fact = f"part {number} is said to be in metres ({_short(self.source)}), but looks like degrees"
            raise LineError(f"{self.path}: {fact}", "longitude and latitude are EPSG:4326")


def _known_crs(who: str, name: str) -> pyproj.CRS:
    import pyproj

    try:
        return pyproj.CRS.from_user_input(name)
    except pyproj.exceptions.CRSError as bad:
        raise LineError(f"{who} is not a known coordinate system", "write it like EPSG:32637") from bad


def _short(crs: pyproj.CRS | None) -> str:
    if crs is None:
        return "WGS84"
    authority = crs.to_authority()
    return f"{authority[0]}:{authority[1]}" if authority else crs.name
