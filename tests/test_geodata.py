"""The map data: what the files promise, and that the record of them can fail."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import shapely
from pyproj import Geod
from shapely.geometry import LineString, Point, Polygon, box

GEODATA = Path(__file__).resolve().parent.parent / "geodata"
sys.path.insert(0, str(GEODATA))  # the scripts of geodata/ are no package: they are run where they lie
try:
    import build
    import ledger
finally:
    sys.path.remove(str(GEODATA))

GEOD = Geod(ellps="WGS84")
WINDOW = box(29.5, 44.2, 41.2, 52.8)
TERRAINS = {
    *("state_border", "open_steppe", "former_reservoir", "river_dnipro"),
    *("estuary_coast", "urban", "river_oskil", "river_donets"),
}
EIGHT_HUNDRED_MILES_KM = 1287.475


def layer(name: str) -> ledger.Layer:
    return ledger.features(GEODATA / f"{name}.geojson")


def table(name: str) -> list[ledger.Row]:
    return ledger.read_table(GEODATA / f"{name}.csv")


def named(name: str) -> dict[str, shapely.Geometry]:
    return {str(fields["name"]): geometry for fields, geometry in layer(name)}


@pytest.fixture(scope="module")
def stretches() -> ledger.Layer:
    return layer("line")


@pytest.fixture(scope="module")
def line(stretches: ledger.Layer) -> LineString:
    return build.whole_line(stretches)


@pytest.fixture(scope="module")
def held_side(line: LineString) -> Polygon:
    """Everything in the window on the right of someone walking the line from north to sea."""
    corners = [(29.5, 44.2), (29.5, 52.8), (line.coords[0][0], 52.8)]
    return Polygon([*line.coords, *corners])


# --- the line -----------------------------------------------------------------------------------------------


def test_line_is_eight_hundred_miles_long(line: LineString) -> None:
    assert GEOD.geometry_length(line) / 1000 == pytest.approx(EIGHT_HUNDRED_MILES_KM, rel=0.01)


def test_line_crosses_itself_nowhere_and_runs_from_the_north_to_the_sea(line: LineString) -> None:
    (_, sea) = layer("coast")[0]
    assert line.is_simple
    assert line.coords[0][1] > 51
    assert line.coords[-1][1] < 47
    assert sea.distance(Point(line.coords[-1])) < 0.01  # degrees: about 1 km
    assert sea.distance(Point(line.coords[0])) > 4


def test_stretches_chain_end_to_end(stretches: ledger.Layer) -> None:
    assert [fields["stretch"] for fields, _ in stretches] == list(range(1, len(stretches) + 1))
    for (before, first), (after, second) in pairwise(stretches):
        assert first.coords[-1] == second.coords[0]
        assert before["to_km"] == after["from_km"]
        assert (before["terrain"], before["sector"]) != (after["terrain"], after["sector"])
    assert stretches[0][0]["from_km"] == 0


def test_chainage_of_a_stretch_is_its_length_on_the_ellipsoid(stretches: ledger.Layer) -> None:
    for fields, geometry in stretches:
        length_km = GEOD.geometry_length(geometry) / 1000
        assert length_km == pytest.approx(fields["to_km"] - fields["from_km"], abs=0.002)


def test_stretches_say_what_they_are(stretches: ledger.Layer) -> None:
    assert {fields["terrain"] for fields, _ in stretches} == TERRAINS
    assert {fields["status"] for fields, _ in stretches} == {"illustrative"}
    assert {fields["as_of"] for fields, _ in stretches} == {"2025-03-15"}
    assert all(fields["name"] for fields, _ in stretches)


def test_sectors_tile_the_line(stretches: ledger.Layer) -> None:
    sectors = table("sectors")
    assert [row["sector"] for row in sectors] == ["s1", "s2", "s3", "s4", "s5", "s6", "s7"]
    assert float(sectors[0]["from_km"]) == 0
    assert float(sectors[-1]["to_km"]) == stretches[-1][0]["to_km"]
    for before, after in pairwise(sectors):
        assert before["to_km"] == after["from_km"]
    limits = {row["sector"]: (float(row["from_km"]), float(row["to_km"])) for row in sectors}
    for fields, _ in stretches:
        low, high = limits[fields["sector"]]
        assert low <= fields["from_km"] < fields["to_km"] <= high


def test_control_points_lie_on_the_line_in_order(line: LineString) -> None:
    points = table("control_points")
    assert len(points) == 85
    assert all(float(a["chainage_km"]) < float(b["chainage_km"]) for a, b in pairwise(points))
    assert max(line.distance(Point(float(p["lon"]), float(p["lat"]))) for p in points) == 0


def test_border_stretches_keep_to_the_outline_of_the_oblasts(stretches: ledger.Layer) -> None:
    outline = build.outline_ring(layer("oblasts"))
    for fields, geometry in stretches:
        if fields["terrain"] == "state_border":
            farthest = max(outline.distance(Point(spot)) for spot in geometry.segmentize(0.02).coords)
            assert farthest < 0.006  # degrees: the simplification of 0.3 km, and a little


# --- roads and bases ----------------------------------------------------------------------------------------


def test_every_road_ends_at_two_known_towns_and_the_graph_hangs_together() -> None:
    roads, nodes = table("roads"), {row["name"] for row in table("road_nodes")}
    assert len(nodes) == len(table("road_nodes"))
    assert {end for row in roads for end in (row["from"], row["to"])} == nodes
    assert len({frozenset((row["from"], row["to"])) for row in roads}) == len(roads)
    reached, fringe = set(), {"Kyiv"}
    while fringe:
        reached |= fringe
        touching = [row for row in roads if row["from"] in fringe or row["to"] in fringe]
        fringe = {end for row in touching for end in (row["from"], row["to"])} - reached
    assert reached == nodes


def test_no_road_is_shorter_than_the_great_circle() -> None:
    spot = {row["name"]: (float(row["lon"]), float(row["lat"])) for row in table("road_nodes")}
    for row in table("roads"):
        (_, _, metres) = GEOD.inv(*spot[row["from"]], *spot[row["to"]])
        assert 0.99 <= float(row["road_km"]) * 1000 / metres < 1.35, row


def test_roads_carry_a_speed_and_no_doubtful_number() -> None:
    doubtful = {
        r["edge_id"] for r in table("tables/roads") if r["ref_confidence"] not in ("sure", "probable")
    }
    for row in table("roads"):
        assert row["road_class"] in "MHPT"
        assert 40 <= float(row["free_speed_kmh"]) <= 90
        assert row["km_is_estimate"] in ("true", "false")
        assert not (row["edge_id"] in doubtful and row["road_ref"])


def test_bases_and_road_towns_lie_on_the_held_side(held_side: Polygon) -> None:
    assert held_side.is_valid
    for row in [*table("bases"), *table("road_nodes")]:
        assert held_side.contains(Point(float(row["lon"]), float(row["lat"]))), row["name"]


def test_the_side_test_can_fail(held_side: Polygon) -> None:
    places = named("places")
    assert held_side.contains(places["Kyiv"])
    assert held_side.contains(places["Odesa"])
    for elsewhere in ("Donetsk", "Melitopol", "Belgorod", "Simferopol"):
        assert not held_side.contains(places[elsewhere])


def test_every_sector_has_one_hub_and_bases_behind_it() -> None:
    bases = table("bases")
    hubs = Counter(row["sector"] for row in bases if row["role"] == "hub")
    assert hubs == {row["sector"]: 1 for row in table("sectors")}
    assert min(Counter(row["sector"] for row in bases).values()) >= 3
    assert {row["name"] for row in bases} <= {row["name"] for row in table("road_nodes")}
    for row in bases:
        assert 15 < float(row["dist_to_line_km"]) < 90
        assert row["role"] == "hub" or (row["role"] == "rear") == (float(row["dist_to_line_km"]) > 50)


# --- base layers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(GEODATA.glob("*.geojson")), ids=lambda path: path.stem)
def test_layers_are_valid_rfc_7946_inside_the_window(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert set(document) == {"type", "features"}  # no "crs" member: longitude and latitude on WGS 84
    for _, geometry in ledger.features(path):
        assert geometry.is_valid
        assert not geometry.is_empty
        assert WINDOW.covers(geometry)
        for polygon in shapely.get_parts(geometry):
            assert polygon.geom_type != "Polygon" or polygon.exterior.is_ccw


def test_crimea_is_a_unit_of_ukraine_and_no_part_of_russia() -> None:
    units, countries = named("oblasts"), named("countries")
    for name in ("Autonomous Republic of Crimea", "Sevastopol"):
        assert countries["Ukraine"].buffer(1e-4).covers(units[name])
        assert not countries["Russia"].intersects(units[name])
    places = named("places")
    for town in ("Simferopol", "Sevastopol", "Yevpatoriia"):
        assert countries["Ukraine"].contains(places[town])
    assert {f["country"] for f, _ in layer("places") if f["name"] in ("Simferopol", "Kerch")} == {"Ukraine"}


def test_countries_meet_without_seams() -> None:
    countries = named("countries")
    assert {"Ukraine", "Russia", "Belarus", "Moldova", "Romania"} == set(countries)
    for one, other in combinations(countries.values(), 2):
        assert one.intersection(other).area < 1e-4  # square degrees: under 1 km2
    (_, sea) = layer("coast")[0]
    gap = WINDOW.difference(shapely.union_all([sea, *countries.values()]))
    assert gap.area < 1e-3


def test_the_kakhovka_reservoir_is_marked_as_gone() -> None:
    kinds = {fields["name"]: fields["kind"] for fields, _ in layer("lakes")}
    assert kinds["Kakhovka Reservoir (former)"] == "former_reservoir"
    assert list(kinds.values()).count("former_reservoir") == 1


def test_places_are_few_ranked_and_in_modern_spelling() -> None:
    places = layer("places")
    names = [fields["name"] for fields, _ in places]
    assert 60 <= len(places) <= 120
    assert len(set(names)) == len(names)
    assert {fields["rank"] for fields, _ in places} == {1, 2, 3, 4}
    assert {"Kyiv", "Kryvyi Rih", "Zaporizhzhia", "Mykolaiv", "Odesa"} <= set(names)
    assert not {"Kiev", "Odessa", "Kryvyy Rih", "Zaporizhzhya"} & set(names)


# --- the record ---------------------------------------------------------------------------------------------


def test_files_are_as_recorded_and_follow_from_the_tables() -> None:
    assert build.check(GEODATA) == []


def test_sources_page_carries_the_record() -> None:
    page = (GEODATA / "SOURCES.md").read_text(encoding="utf-8")
    record = json.loads((GEODATA / "checksums.json").read_text(encoding="utf-8"))["files"]
    assert ledger.as_markdown(record) in page
    assert {entry["crs"] for entry in record.values()} == {"EPSG:4326"}
    assert all(entry["licence"] and entry["as_of"] for entry in record.values())


def test_committed_data_stay_small() -> None:
    assert sum(path.stat().st_size for path in GEODATA.rglob("*") if path.suffix != ".pyc") < 1_500_000


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GEODATA, tmp_path / "geodata", ignore=shutil.ignore_patterns("__pycache__")))


def test_the_record_notices_one_changed_byte(copy: Path) -> None:
    path = copy / "line.geojson"
    path.write_bytes(path.read_bytes().replace(b"34.2121", b"34.2122", 1))
    (problem,) = build.check(copy)
    assert problem.startswith("line.geojson: sha256 is ")


def test_the_record_notices_missing_and_unlisted_files(copy: Path) -> None:
    (copy / "bases.csv").rename(copy / "camps.csv")
    assert build.check(copy) == [
        "bases.csv: listed in checksums.json but missing",
        "camps.csv: not listed in checksums.json",
    ]


def test_a_table_edited_without_a_rebuild_is_found(copy: Path) -> None:
    path = copy / "tables" / "sectors.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Donetsk", "Donbas"), encoding="utf-8")
    ledger.write_record(copy)
    assert build.check(copy) == [
        "sectors.csv: is not what tables/ give\n    hint: run python geodata/build.py"
    ]
