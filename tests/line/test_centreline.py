"""The ruler: O11 (chainage there and back, geodesic length), cells, terrain, points behind the line."""

import pickle
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.line import centreline
from sim.line.centreline import Cells, Centreline, LineError, Stretch, cells, straight, zone_polygon_km
from sim.line.earth import FloatArray, inverse

WGS84 = pyproj.Geod(ellps="WGS84")
BENT = [(36.0, 51.2), (36.4, 51.0), (36.3, 50.7), (36.9, 50.35), (37.4, 50.4), (37.7, 49.9), (38.4, 49.2)]
METRE_KM = 1e-3


def on_map(vertices: list[tuple[float, float]], stretches: tuple[Stretch, ...] = ()) -> Centreline:
    lonlat = np.array(vertices, dtype=float)
    vertex_km = np.concatenate(([0.0], np.cumsum(inverse(lonlat[:-1], lonlat[1:])[1])))
    length_km = float(vertex_km[-1])
    line = Centreline(
        length_km=length_km, latitude_deg=0.0, lonlat=lonlat, vertex_km=vertex_km, stretches=stretches
    )
    assert line.has_map
    return line


def stretch(from_km: float, to_km: float, terrain: str) -> Stretch:
    return Stretch(from_km=from_km, to_km=to_km, terrain=terrain)


# O11: length ------------------------------------------------------------


def test_a_published_geodesic_is_met_to_the_millimetre():
    """Flinders Peak to Buninyong, worked in the GDA94 technical manual of Australia: 54,972.271 m."""
    flinders = (144 + 25 / 60 + 29.52440 / 3600, -(37 + 57 / 60 + 3.72030 / 3600))
    buninyong = (143 + 55 / 60 + 35.38390 / 3600, -(37 + 39 / 60 + 10.15610 / 3600))
    assert on_map([flinders, buninyong]).length_km == pytest.approx(54.972271, abs=1e-6)


def test_a_degree_of_the_equator_and_a_quarter_of_a_meridian():
    assert on_map([(10.0, 0.0), (11.0, 0.0)]).length_km == pytest.approx(111.319491, abs=1e-6)
    assert on_map([(10.0, 0.0), (10.0, 89.999999)]).length_km == pytest.approx(10_001.966, abs=0.001)


def test_the_length_is_that_of_the_ellipsoid_in_metres():
    lon, lat = zip(*BENT, strict=True)
    assert on_map(BENT).length_km * 1000 == pytest.approx(WGS84.line_length(lon, lat), abs=1e-5)


# O11: there and back ------------------------------------------------------------

Point = tuple[float, float]


@st.composite
def ridges(draw: st.DrawFn) -> list[Point]:
    """Lines that never come near themselves: they always go on to the south, with pieces of 1 to 300 km."""
    lon, lat = draw(st.floats(-170.0, 170.0)), draw(st.floats(-50.0, 65.0))
    steps = st.tuples(st.floats(-1.5, 1.5), st.floats(0.01, 2.0))
    vertices = [(lon, lat)]
    for east, south in draw(st.lists(steps, min_size=1, max_size=8)):
        vertices.append((vertices[-1][0] + east * south, vertices[-1][1] - south))
    return vertices


def there_and_back_km(line: Centreline, to_lonlat: Callable[[FloatArray], FloatArray]) -> float:
    """The largest error of chainage -> map -> chainage, over 101 places."""
    km = np.linspace(0.0, line.length_km, 101)
    return float(np.abs(line.chainage_of(*to_lonlat(km).T) - km).max())


@given(ridges())
@settings(max_examples=60, deadline=None)
def test_chainage_goes_to_the_map_and_back_within_a_metre(vertices):
    line = on_map(vertices)
    assert there_and_back_km(line, line.lonlat_at) < METRE_KM


@given(ridges(), st.floats(0.0, 1.0))
@settings(max_examples=30, deadline=None)
def test_a_piece_is_divided_in_proportion_to_its_geodesic_length(vertices, share):
    line = on_map(vertices[:2])
    middle = line.lonlat_at(share * line.length_km)
    _, to_middle_km = inverse(line.lonlat[:1], middle)
    assert to_middle_km[0] == pytest.approx(share * line.length_km, abs=1e-6)


def test_the_oracle_can_fail():
    """A ruler that divides a piece by degrees instead of kilometres is off by metres on a piece of 30 km."""
    line = on_map([(36.0, 50.0), (36.3, 50.2), (36.0, 50.5), (37.5, 51.5)])

    def by_degrees(km: FloatArray) -> FloatArray:
        lon = np.interp(km, line.vertex_km, line.lonlat[:, 0])
        return np.column_stack((lon, np.interp(km, line.vertex_km, line.lonlat[:, 1])))

    assert there_and_back_km(line, line.lonlat_at) < METRE_KM
    assert there_and_back_km(line, by_degrees) > METRE_KM


def test_the_ends_of_the_ruler_are_the_ends_of_the_line():
    line = on_map(BENT)
    ends = line.lonlat_at([0.0, line.length_km])
    assert ends == pytest.approx(np.array([BENT[0], BENT[-1]]), abs=1e-9)
    assert line.lonlat_at(line.vertex_km) == pytest.approx(np.array(BENT), abs=1e-9)


def test_the_line_may_cross_the_date_line():
    line = on_map([(179.0, 10.0), (-179.0, 9.0), (-178.0, 8.0)])
    assert line.length_km == pytest.approx(WGS84.line_length([179, 181, 182], [10, 9, 8]) / 1000)
    assert there_and_back_km(line, line.lonlat_at) < METRE_KM


def test_distance_is_geodesic_and_taken_to_the_nearest_point():
    line = on_map([(36.0, 50.0), (40.0, 50.0)])
    start = line.lonlat_at(100.0)
    away, _, _ = WGS84.inv(*start[0], 36.0, 50.0)
    lon, lat, _ = WGS84.fwd(*start[0], away + 90.0, 25_000.0)
    assert line.chainage_of(lon, lat)[0] == pytest.approx(100.0, abs=0.02)
    assert line.distance_km(lon, lat)[0] == pytest.approx(25.0, abs=1e-4)


# the plane ------------------------------------------------------------


def test_the_plane_is_centred_on_the_middle_of_the_line_and_keeps_distances():
    line = on_map(BENT)
    assert np.hypot(*line.plane_km(line.length_km / 2)[0]) < 1e-4
    there = line.to_plane_km(36.0, 49.0) - line.to_plane_km(37.0, 50.0)
    true_km = WGS84.inv(36.0, 49.0, 37.0, 50.0)[2] / 1000
    assert np.hypot(*there[0]) == pytest.approx(true_km, rel=1e-3)
    assert line.from_plane_km(line.to_plane_km(36.1, 49.7)) == pytest.approx(np.array([[36.1, 49.7]]))


def test_plane_and_map_agree_along_the_line():
    line = on_map(BENT)
    km = np.linspace(0.0, line.length_km, 57)
    assert line.plane_km(km) == pytest.approx(line.to_plane_km(*line.lonlat_at(km).T), abs=METRE_KM)


def test_the_nearest_point_agrees_with_walking_the_line():
    line = on_map(BENT)
    rng = np.random.default_rng(5)
    points = rng.uniform(-80.0, 80.0, (40, 2))
    steps_km = np.linspace(0.0, line.length_km, 40_001)
    walk = line.plane_km(steps_km)
    slow = [np.hypot(*(walk - point).T).min() for point in points]
    chainage_km, distance_km = line.nearest_km(points)
    assert distance_km == pytest.approx(slow, abs=0.01)
    assert np.hypot(*(line.plane_km(chainage_km) - points).T) == pytest.approx(distance_km, abs=1e-9)


def test_behind_is_to_the_right_of_the_direction_of_travel():
    southward = on_map([(36.0, 51.0), (36.0, 49.0)])
    lon, lat = southward.from_plane_km(southward.behind_km(100.0, 20.0))[0]
    assert lon < 36.0  # right of southward is west
    assert southward.distance_km(lon, lat)[0] == pytest.approx(20.0, abs=0.02)
    assert southward.from_plane_km(southward.behind_km(100.0, -20.0))[0, 0] > 36.0


def test_behind_a_zigzag_neighbours_stay_in_order():
    """Teeth of 2 km must not throw a base 30 km behind them to and fro."""
    teeth = [(36.0 + 0.02 * (n % 2), 51.0 - 0.01 * n) for n in range(200)]
    line = on_map(teeth)
    km = np.arange(40.0, line.length_km - 40.0, 5.0)
    points = line.behind_km(km, 30.0)
    assert (np.diff(points[:, 1]) < 0.0).all()
    assert line.nearest_km(points)[1] == pytest.approx(np.full(len(km), 30.0), abs=1.5)


def test_behind_takes_one_depth_or_one_for_each_place():
    line = straight(100.0, 50.0)
    assert line.behind_km([10.0, 90.0], 20.0).tolist() == [[10.0, -20.0], [90.0, -20.0]]
    assert line.behind_km([10.0, 90.0], [5.0, 0.0]).tolist() == [[10.0, -5.0], [90.0, 0.0]]


def test_behind_a_ring_as_small_as_its_depth_there_is_still_a_direction():
    ring = [(36.0, 50.0), (36.05, 50.0), (36.05, 49.97), (36.0, 49.97), (36.0, 50.0)]
    line = on_map(ring)
    points = line.behind_km(np.linspace(0.0, line.length_km, 9), 20.0)
    assert np.isfinite(points).all()


# the straight line ------------------------------------------------------------


def test_a_straight_line_is_its_own_plane_and_has_no_map():
    line = straight(1287.475, 48.7)
    assert not line.has_map
    assert line.plane_km([0.0, 1287.475]).tolist() == [[0.0, 0.0], [1287.475, 0.0]]
    assert [a.tolist() for a in line.nearest_km([[400.0, -30.0], [-3.0, 4.0]])] == [[400.0, 0.0], [30.0, 5.0]]
    with pytest.raises(LineError) as bad:
        line.lonlat_at(3.0)
    assert str(bad.value) == "a straight line lies nowhere on the map"
    assert bad.value.hint == "give the line a file with its geometry"
    with pytest.raises(LineError, match="lies nowhere"):
        line.to_plane_km(36.0, 50.0)


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (lambda: straight(0.5, 50.0), "the line is 0.5 km long; it must be between 1 and 20,000 km"),
        (lambda: straight(float("nan"), 50.0), "the line is nan km long; it must be between 1 and 20,000 km"),
        (lambda: straight(25_000, 50.0), "the line is 25000 km long; it must be between 1 and 20,000 km"),
        (lambda: straight(100, 91.0), "latitude must be between -90 and 90 degrees, got 91"),
        (lambda: straight(100, 50).plane_km(101), "chainage 101 km is not on the line, which ends at 100 km"),
        (
            lambda: straight(100, 50).plane_km(np.nan),
            "chainage nan km is not on the line, which ends at 100 km",
        ),
        (
            lambda: stretch(5, 5, "marsh"),
            "stretch 'marsh' must run from a smaller to a larger chainage, got 5 to 5 km",
        ),
        (
            lambda: straight(100, 50, [stretch(0, 50, "marsh"), stretch(40, 60, "wood")]),
            "stretches 'marsh' (0 to 50 km) and 'wood' (40 to 60 km) overlap",
        ),
        (
            lambda: straight(100, 50, [stretch(50, 101, "marsh")]),
            "stretch 'marsh' runs from 50 to 101 km, but the line ends at 100 km",
        ),
        (lambda: cells(straight(100, 50), 0.0), "cells must have a positive length, got 0 km"),
        (
            lambda: cells(straight(1000, 50), 0.001),
            "cells of 0.001 km cut a line of 1000 km into 1,000,000; 100,000 is the most",
        ),
        (lambda: zone_polygon_km(straight(9, 50), -1), "the zone must have a positive width, got -1 km"),
    ],
)
def test_nonsense_is_refused_with_the_values_it_holds(make, fact):
    with pytest.raises(LineError) as bad:
        make()
    assert str(bad.value) == fact


# cells ------------------------------------------------------------


def test_eight_hundred_miles_are_1288_cells_and_the_last_is_shorter():
    line = straight(1287.475, 48.7)
    table = cells(line, 1.0)
    assert len(table) == 1288
    assert table.length_km[-1] == pytest.approx(0.475)
    assert table.middle_km[[0, -1]] == pytest.approx([0.5, 1287.2375])
    assert table.length_km.sum() == pytest.approx(line.length_km)
    assert table.terrain == ("open",)
    assert not table.terrain_code.any()


def test_a_length_that_is_a_whole_number_of_cells_gets_no_sliver():
    assert len(cells(straight(30 * 0.1, 50.0), 0.1)) == 30
    assert len(cells(straight(100.0 + 1e-9, 50.0), 1.0)) == 100


def test_cells_longer_than_the_line_are_one_cell():
    assert cells(straight(3.0, 50.0), 10.0).edge_km.tolist() == [0.0, 3.0]


def test_a_cell_has_the_terrain_that_covers_most_of_it():
    marsh, wood = stretch(0.0, 1.6, "marsh"), stretch(1.6, 3.4, "wood")
    table = cells(straight(6.0, 50.0, [wood, marsh]), 1.0)
    named = [table.terrain[code] for code in table.terrain_code]
    assert named == ["marsh", "marsh", "wood", "open", "open", "open"]


def test_two_short_stretches_of_one_terrain_count_together():
    parts = [stretch(0.0, 0.3, "marsh"), stretch(0.3, 0.7, "wood"), stretch(0.7, 1.0, "marsh")]
    table = cells(straight(2.0, 50.0, parts), 1.0)
    assert table.terrain[table.terrain_code[0]] == "marsh"


@given(st.lists(st.integers(0, 400), min_size=2, max_size=12, unique=True), st.sampled_from([0.7, 1.0, 2.5]))
@settings(max_examples=60, deadline=None)
def test_the_terrain_of_cells_agrees_with_painting_metre_tiles(cuts, cell_km):
    """Slow twin: every cell is painted in tiles of 1 m, and its terrain has (nearly) the most of them."""
    edges_km = [cut / 20 for cut in sorted(cuts)]
    names = ["marsh", "wood", "town"]
    pairs = list(zip(edges_km[:-1:2], edges_km[1::2], strict=False))
    parts = [stretch(low, high, names[n % 3]) for n, (low, high) in enumerate(pairs)]
    line = straight(20.5, 50.0, parts)
    table = cells(line, cell_km)
    for cell in range(len(table)):
        tiles_km = np.arange(table.edge_km[cell] + 0.0005, table.edge_km[cell + 1], 0.001)
        counts = dict.fromkeys(table.terrain, 0)
        for at_km in tiles_km:
            said = [part.terrain for part in parts if part.from_km <= at_km < part.to_km]
            counts[said[0] if said else "open"] += 1
        most = max(counts.values())
        assert counts[table.terrain[table.terrain_code[cell]]] >= most - 1


def test_a_place_belongs_to_the_cell_that_begins_there():
    table = cells(straight(3.5, 50.0), 1.0)
    assert table.cell_of([0.0, 0.99, 1.0, 3.0, 3.5]).tolist() == [0, 0, 1, 3, 3]


def test_a_stretch_from_a_rounded_table_may_end_a_little_beyond_the_line():
    line = straight(1287.55, 48.7, [stretch(1138.3, 1287.6, "estuary")])
    assert line.stretches[-1].to_km == 1287.55
    assert line.with_stretches([]).stretches == ()
    assert line.with_stretches([]).length_km == line.length_km


# the zone, copies, cost ------------------------------------------------------------


def test_the_zone_of_a_straight_line_is_a_rectangle():
    assert zone_polygon_km(straight(100.0, 50.0), 20.0).bounds == (0.0, -10.0, 100.0, 10.0)


def test_the_zone_of_a_bent_line_is_a_little_less_than_width_times_length():
    line = on_map(BENT)
    assert 0.95 * 20 * line.length_km < zone_polygon_km(line, 20.0).area < 20 * line.length_km


def test_copies_are_equal_and_read_only_as_well():
    line = on_map(BENT, (stretch(10.0, 20.0, "marsh"),))
    table = cells(line, 1.0)
    for copy, original in (
        (pickle.loads(pickle.dumps(line)), line),
        (pickle.loads(pickle.dumps(table)), table),
    ):
        for name in original.__slots__:
            value, twin = getattr(original, name), getattr(copy, name)
            assert np.array_equal(value, twin)
            if isinstance(value, np.ndarray):
                assert not value.flags.writeable
                assert not twin.flags.writeable
    assert isinstance(table, Cells)


def test_an_error_keeps_its_hint_in_another_process():
    bad = pickle.loads(pickle.dumps(LineError("no line", "draw one")))
    assert (str(bad), bad.hint) == ("no line", "draw one")


def test_checking_a_geojson_line_imports_nothing_heavy(tmp_path):
    """`check` must answer at once: no shapely, pandas, geopandas, pyogrio or scipy for a GeoJSON in WGS84."""
    path = tmp_path / "line.geojson"
    path.write_text('{"type": "LineString", "coordinates": [[36, 50], [37, 49]]}')
    code = (
        "import sys, sim.line.travel, sim.line.daylight\n"
        "from sim.line.centreline import cells, read_line\n"
        f"print(len(cells(read_line({str(path)!r}), 1.0)))\n"
        "print(sorted({'shapely', 'pandas', 'geopandas', 'pyogrio', 'scipy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["133", "[]"]


def test_the_public_names_are_sorted_and_exist():
    assert centreline.__all__ == sorted(centreline.__all__)
    assert all(hasattr(centreline, name) for name in centreline.__all__)
