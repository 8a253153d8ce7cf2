"""A bare length, a map in degrees and a map in metres: the same line gives the same coverage, within one per cent."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pyproj
import pytest
import yaml

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre, stage
from sim.results.measures import measure
from sim.scenario.resolve import load
from sim.study.estimate import estimate

ROOT = pathlib.Path(__file__).parents[2]
LENGTH_KM = 800 * 1.609344
COVERAGE = (
    "coverage.line_watched_share",
    "coverage.sighted_share",
    "coverage.attended_in_time_share",
    "coverage.attributed_share",
)
FORCE = {
    "bufferzone": 1,
    "name": "one line",
    "horizon": "1 year",
    "force": {"contingents": {"all": {"strength": 12000, "arrival": {"last": "3 months"}}}},
    "posture": {
        "everywhere": {
            "posts": {"every": "12 km"},
            "patrols": {"every": "10 km"},
            "teams": {"every": "25 km"},
            "orbits": {"every": "200 km"},
            "sensors": {"every": "20 km"},
        }
    },
    "violations": {
        "small_arms": {"rate": "100 per day", "night": 1.5},
        "shelling": {
            "rate": "30 per day",
            "severity": 3,
            "hot_spots": {"bend": {"chainage": "600 km", "share": 0.4, "spread": "15 km"}},
        },
    },
}


def north_west_to_south_east(middle_latitude_deg: float) -> np.ndarray:
    """A geodesic of 800 miles in pieces of some 10 km, its middle at the given latitude."""
    geod = pyproj.Geod(ellps="WGS84")
    steps = np.linspace(-LENGTH_KM / 2, LENGTH_KM / 2, 130) * 1000
    lon, lat, _ = geod.fwd(np.full(130, 36.0), np.full(130, middle_latitude_deg), np.full(130, 140.0), steps)
    return np.column_stack([lon, lat])


def staged(folder: pathlib.Path, line: dict[str, object]) -> Theatre:
    path = folder / f"play{len(list(folder.iterdir()))}.yaml"
    path.write_text(yaml.safe_dump({**FORCE, "line": line}, sort_keys=False), encoding="utf-8")
    file = load(path)
    return stage(file.scenario, file.document)


def geojson(path: pathlib.Path, points: np.ndarray, crs: str | None = None) -> str:
    shape = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "LineString", "coordinates": points.tolist()},
    }
    data: dict[str, object] = {"type": "FeatureCollection", "features": [shape]}
    if crs:
        data["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


def coverage(theatre: Theatre) -> dict[str, float]:
    rows = [measure(theatre, simulate(theatre, 3, r)) for r in range(6)]
    return {name: float(np.mean([row[name] for row in rows])) for name in COVERAGE}


@pytest.mark.slow
def test_the_same_line_three_ways(tmp_path: pathlib.Path, warm_kernel: None) -> None:
    degrees = north_west_to_south_east(48.7)
    metres = np.column_stack(pyproj.Transformer.from_crs(4326, 32637, always_xy=True).transform(*degrees.T))
    bare = staged(tmp_path, {"length": "800 mi"})
    on_map = staged(tmp_path, {"file": geojson(tmp_path / "degrees.geojson", degrees)})
    in_metres = staged(tmp_path, {"file": geojson(tmp_path / "metres.geojson", metres, "EPSG:32637")})
    expected = coverage(bare)
    assert all(0.02 < share < 0.995 for share in expected.values()), expected
    for theatre in (on_map, in_metres):
        assert theatre.ground.line.length_km == pytest.approx(LENGTH_KM, rel=1e-6)
        assert coverage(theatre) == pytest.approx(expected, rel=0.01)
        assert estimate(theatre).sighted_share == pytest.approx(estimate(bare).sighted_share, rel=0.01)


@pytest.mark.slow
def test_the_comparison_can_fail(tmp_path: pathlib.Path, warm_kernel: None) -> None:
    """A line a tenth shorter is told apart."""
    bare = coverage(staged(tmp_path, {"length": "800 mi"}))
    shorter = coverage(staged(tmp_path, {"length": "720 mi"}))
    assert shorter != pytest.approx(bare, rel=0.01)


@pytest.mark.slow
def test_the_shipped_line_and_its_bare_length_are_watched_alike(
    tmp_path: pathlib.Path, warm_kernel: None
) -> None:
    """On a line that bends, what is seen is the same; only drives differ."""
    shipped = staged(tmp_path, {"file": str(ROOT / "geodata" / "line.geojson")})
    bare = staged(
        tmp_path,
        {"length": f"{shipped.ground.line.length_km!r} km", "latitude": shipped.ground.line.latitude_deg},
    )
    one, other = coverage(shipped), coverage(bare)
    for name in ("coverage.line_watched_share", "coverage.sighted_share"):
        assert one[name] == pytest.approx(other[name], rel=0.01)
