"""Land, water, outlines and towns around the line, from the map data that come with the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.report.figures.style import EDGE, LAND, MUTED, OWN_LAND, SEA, WATER
from sim.scenario.claims import data_root

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.line.centreline import Centreline
    from sim.line.earth import FloatArray

COVERS = (29.5, 44.2, 41.2, 52.8)  # lon, lat, lon, lat of the map data's window
HOME = "Ukraine"
LAYERS = ("countries", "oblasts", "coast", "lakes", "rivers", "places")
ATTRIBUTION = (
    "Made with Natural Earth. Contains data from GeoNames (geonames.org), CC BY 4.0, selected and partly "
    "renamed."
)
ILLUSTRATIVE = "Illustrative, generalised line; no position on borders or control."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Town:
    """A place with a name."""

    name: str
    rank: int
    xy_km: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basemap:
    """Layers in the line's plane: for each feature its properties and its paths (n, 2) in km."""

    layers: dict[str, list[tuple[dict[str, Any], list[FloatArray]]]] = field(default_factory=dict)
    towns: tuple[Town, ...] = ()


def basemap_for(
    line: Centreline, window_km: tuple[float, float, float, float], step_km: float
) -> Basemap | None:
    """The map around a line, cut to a window (left, bottom, right, top), thinned to a step.

    None where the data do not reach.
    """
    folder = data_root() / "geodata"
    if not is_covered(line):
        return None
    layers: dict[str, list[tuple[dict[str, Any], list[FloatArray]]]] = {}
    towns = []
    for name in LAYERS:
        data = json.loads((folder / f"{name}.geojson").read_text(encoding="utf-8"))
        for feature in data["features"]:
            paths = [
                line.to_plane_km(*np.asarray(p, dtype=float)[:, :2].T) for p in _paths(feature["geometry"])
            ]
            if name == "places":
                towns.append(
                    Town(
                        name=feature["properties"]["name"],
                        rank=int(feature["properties"]["rank"]),
                        xy_km=paths[0][0],
                    )
                )
                continue
            near = [_thinned(p, step_km) for p in paths if _meets(p, window_km)]
            if near:
                layers.setdefault(name, []).append((feature["properties"], near))
    return Basemap(layers=layers, towns=tuple(towns))


def is_covered(line: Centreline | None) -> bool:
    """Whether the map data reach all of a line."""
    if line is None or line.lonlat is None or not (data_root() / "geodata" / "coast.geojson").is_file():
        return False
    west, south, east, north = COVERS
    lon, lat = line.lonlat[:, 0], line.lonlat[:, 1]
    return bool(lon.min() >= west and lat.min() >= south and lon.max() <= east and lat.max() <= north)


def draw_basemap(base: Basemap, ax: Axes) -> None:
    """Land, sea, lakes, rivers and outlines; towns are left to whoever places names."""
    ax.set_facecolor(LAND)
    for properties, paths in base.layers.get("countries", []):
        own = properties["name"] == HOME
        _fill(ax, paths, OWN_LAND if own else LAND, edge=MUTED, width=0.9 if own else 0.7, z=0.2 + 0.05 * own)
    for _, paths in base.layers.get("oblasts", []):
        _fill(ax, paths, "none", edge=EDGE, width=0.5, z=0.4)
    for _, paths in base.layers.get("coast", []):
        _fill(ax, paths, SEA, edge="none", width=0.0, z=0.5)
    for properties, paths in base.layers.get("lakes", []):
        former = properties["kind"] == "former_reservoir"
        _fill(
            ax,
            paths,
            "none" if former else SEA,
            edge=WATER,
            width=0.8,
            z=0.6,
            hatch="////" if former else "",
            dashed=former,
        )
    for properties, paths in base.layers.get("rivers", []):
        for path in paths:
            style: Any = (0, (4, 2)) if properties.get("schematic") else "-"
            ax.plot(
                path[:, 0],
                path[:, 1],
                color=WATER,
                linewidth=0.9,
                linestyle=style,
                zorder=0.7,
                solid_capstyle="round",
            )


def _fill(
    ax: Axes,
    paths: list[FloatArray],
    face: str,
    *,
    edge: str,
    width: float,
    z: float,
    hatch: str = "",
    dashed: bool = False,
) -> None:
    """One patch of several rings: holes are cut by their opposite turn."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    whole = Path.make_compound_path(*(Path(p, closed=True) for p in paths))
    style: Any = (0, (3, 2)) if dashed else "-"
    ax.add_patch(
        PathPatch(
            whole,
            facecolor=face,
            edgecolor=edge,
            linewidth=width,
            zorder=z,
            hatch=hatch or None,
            linestyle=style,
        )
    )


def _paths(geometry: dict[str, Any]) -> Iterator[Any]:
    """Every ring, line and point of a GeoJSON geometry as a list of positions."""
    kind, at = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        yield [at]
    elif kind == "LineString":
        yield at
    elif kind in ("Polygon", "MultiLineString"):
        yield from at
    elif kind == "MultiPolygon":
        for polygon in at:
            yield from polygon


def _meets(path: FloatArray, window_km: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = window_km
    low, high = path.min(axis=0), path.max(axis=0)
    return bool(low[0] <= right and high[0] >= left and low[1] <= top and high[1] >= bottom)


def _thinned(path: FloatArray, step_km: float) -> FloatArray:
    """Without vertices that stand nearer than a step to the one kept before."""
    grid = np.floor(path / step_km)
    keep = np.append(True, np.any(np.diff(grid, axis=0) != 0, axis=1))
    keep[-1] = True
    thin: FloatArray = path[keep]
    return thin if len(thin) >= 4 or len(path) < 4 else path
