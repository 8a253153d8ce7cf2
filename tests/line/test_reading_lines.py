"""Files with a line in them: formats that agree, parts that join, what is refused and how it is said."""

import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.line.centreline import LineError, cells, read_line
from sim.line.earth import frozen
from sim.line.joining import join
from sim.line.linefile import Part

BENT = [[36.0, 51.2], [36.4, 51.0], [36.3, 50.7], [36.9, 50.35], [37.4, 50.4], [37.7, 49.9], [38.4, 49.2]]
UTM = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32637", always_xy=True)


def line_string(coordinates: list[list[float]]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": coordinates}


def feature(coordinates: list[list[float]], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties or None, "geometry": line_string(coordinates)}


def collection(*features: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **members}


def named(crs: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": crs}}


@pytest.fixture
def write(tmp_path):
    def written(content: Any, name: str = "line.geojson") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return written


def refusal(path: Path, **options: Any) -> tuple[str, str | None]:
    with pytest.raises(LineError) as bad:
        read_line(path, **options)
    return str(bad.value).replace(f"{path.parent}/", ""), bad.value.hint


# one line, many files ------------------------------------------------------------


@pytest.fixture(scope="module")
def same_line(tmp_path_factory):
    """The same line with the same terrain in every form that a map programme may leave it in."""
    import geopandas
    from shapely import LineString

    folder = tmp_path_factory.mktemp("lines")
    table = geopandas.GeoDataFrame(
        {"terrain": ["wood", None]}, geometry=[LineString(BENT[:4]), LineString(BENT[3:])], crs="EPSG:4326"
    )
    files = {"geojson": (folder / "line.geojson", {})}
    files["geojson"][0].write_text(
        json.dumps(collection(feature(BENT[:4], terrain="wood"), feature(BENT[3:])))
    )
    utm = [[list(UTM.transform(*at)) for at in part] for part in (BENT[:4], BENT[3:])]
    utm_json = collection(feature(utm[0], terrain="wood"), feature(utm[1]), crs=named("EPSG:32637"))
    for name, content, options in (
        ("utm.geojson", utm_json, {}),
        ("urn.json", {**utm_json, "crs": named("urn:ogc:def:crs:EPSG::32637")}, {}),
        ("bare_utm.geojson", {**utm_json, "crs": None}, {"crs": "EPSG:32637"}),
    ):
        files[name] = (folder / name, options)
        files[name][0].write_text(json.dumps(content))
    for name, crs in (("line.gpkg", 4326), ("utm.gpkg", 32637), ("line.fgb", 32636)):
        files[name] = (folder / name, {})
        table.to_crs(crs).to_file(folder / name)
    table.to_file(folder / "geopandas.geojson")
    files["geopandas.geojson"] = (folder / "geopandas.geojson", {})
    two = folder / "two.gpkg"
    table.to_crs(32637).to_file(two, layer="front")
    table.iloc[:1].to_file(two, layer="roads")
    files["two.gpkg"] = (two, {"layer": "front", "crs": "EPSG:32637"})
    table.set_crs(None, allow_override=True).to_file(folder / "bare.shp")
    files["bare.shp"] = (folder / "bare.shp", {"crs": "EPSG:4326"})
    return files


GEOJSON_FORMS = ("utm.geojson", "urn.json", "bare_utm.geojson", "geopandas.geojson")
FORMS = (*GEOJSON_FORMS, "line.gpkg", "utm.gpkg", "two.gpkg", "line.fgb", "bare.shp")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("form", FORMS)
def test_one_line_in_many_files_is_one_line(same_line, form):
    plain = read_line(same_line["geojson"][0])
    path, options = same_line[form]
    other = read_line(path, **options)
    assert other.length_km == pytest.approx(plain.length_km, abs=1e-4)
    assert other.latitude_deg == pytest.approx(plain.latitude_deg, abs=1e-6)
    one, two = cells(plain, 1.0), cells(other, 1.0)
    assert one.terrain == two.terrain == ("open", "wood")
    assert one.terrain_code.tolist() == two.terrain_code.tolist()
    assert one.edge_km == pytest.approx(two.edge_km, abs=1e-4)
    assert other.lonlat_at([0.0, 50.0]) == pytest.approx(plain.lonlat_at([0.0, 50.0]), abs=1e-6)


def test_several_layers_are_listed_and_a_wrong_name_gets_a_hint(same_line):
    path, _ = same_line["two.gpkg"]
    assert refusal(path) == ("two.gpkg: has 2 layers: front, roads", "say which: layer: NAME")
    fact = "two.gpkg: has no layer 'road'; its layers are: front, roads"
    assert refusal(path, layer="road") == (fact, "did you mean 'roads'?")
    fact = "two.gpkg: its own coordinate system is EPSG:32637, but crs says EPSG:32636"
    assert refusal(path, layer="front", crs="EPSG:32636") == (fact, "leave crs: out, or correct the file")


def test_a_file_that_does_not_say_its_coordinate_system_is_not_guessed(same_line, tmp_path):
    import geopandas
    from shapely import LineString

    hint = "say which: crs: EPSG:... (for example EPSG:4326 for longitude and latitude)"
    says_nothing = "does not say which coordinate system it is in"
    assert refusal(same_line["bare.shp"][0]) == (f"bare.shp: {says_nothing}", hint)
    path = tmp_path / "bare.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        geopandas.GeoDataFrame(geometry=[LineString(BENT)]).to_file(path)
    assert refusal(path) == (f"bare.gpkg: {says_nothing}", hint)
    assert read_line(path, crs="EPSG:4326").length_km > 200.0


def test_a_table_of_polygons_is_not_a_line(tmp_path):
    import geopandas
    from shapely import Point

    path = tmp_path / "zone.gpkg"
    geopandas.GeoDataFrame(geometry=[Point(36, 50).buffer(1)], crs=4326).to_file(path)
    fact = "zone.gpkg: holds a Polygon; a line is made of LineStrings"
    assert refusal(path) == (fact, "take the others out of the file")


# parts ------------------------------------------------------------


def test_parts_are_joined_in_any_order_and_backward_ones_are_turned(write):
    whole = read_line(write(line_string(BENT)))
    mixed = collection(feature(BENT[:3]), feature(BENT[4:]), feature(BENT[2:5][::-1]))
    joined = read_line(write(mixed, "mixed.geojson"))
    assert joined.lonlat.tolist() == whole.lonlat.tolist()
    assert joined.vertex_km.tolist() == whole.vertex_km.tolist()


def test_a_line_is_never_turned_round(write):
    northward = read_line(write(line_string(BENT[::-1])))
    assert northward.lonlat[0].tolist() == BENT[-1]


def test_parts_that_run_one_way_set_the_direction_whatever_their_order(write):
    line = read_line(write(collection(feature(BENT[4:]), feature(BENT[2:5]), feature(BENT[:3]))))
    assert line.lonlat.tolist() == BENT


def test_parts_that_contradict_each_other_follow_the_order_of_the_file(write):
    line = read_line(write(collection(feature(BENT[:3][::-1]), feature(BENT[2:5]), feature(BENT[4:]))))
    assert line.lonlat.tolist() == BENT


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_however_a_line_is_cut_shuffled_and_flipped_it_is_found_again(data):
    """Cut into short and long parts: 0.1 to 100 km, so that ends lie closer than the bridged gap."""
    steps = data.draw(st.lists(st.sampled_from([0.001, 0.004, 0.3, 1.0]), min_size=3, max_size=9))
    lat = 51.0 - np.cumsum([0.0, *steps])
    lonlat = np.column_stack((np.full(len(lat), 36.0), lat))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(lat) - 2))))
    bounds = [0, *cuts, len(lat) - 1]
    pieces = [lonlat[low : high + 1] for low, high in pairwise(bounds)]
    pieces = [piece[::-1] if data.draw(st.booleans()) else piece for piece in pieces]
    pieces = data.draw(st.permutations(pieces))
    parts = [Part(lonlat=frozen(piece), terrain=None, number=n) for n, piece in enumerate(pieces, 1)]
    found = join("line", parts).lonlat
    assert found.tolist() in (lonlat.tolist(), lonlat[::-1].tolist())


def test_terrain_follows_its_part_and_neighbours_alike_are_one_stretch(write):
    line = read_line(
        write(
            collection(
                feature(BENT[:2], terrain="wood", name="ignored"),
                feature(BENT[1:3], terrain="wood"),
                feature(BENT[2:5]),
                feature(BENT[4:], terrain=" marsh "),
            )
        )
    )
    ends = [(s.from_km, s.to_km, s.terrain) for s in line.stretches]
    km = line.vertex_km.tolist()
    assert ends == [(km[0], km[2], "wood"), (km[4], km[6], "marsh")]


def test_a_small_gap_is_bridged_and_counted(write):
    near = [BENT[3][0] + 0.004, BENT[3][1]]  # 284 m further east
    line = read_line(write(collection(feature(BENT[:4]), feature([near, *BENT[4:]]))))
    assert len(line.lonlat) == len(BENT) + 1


def test_vertices_that_repeat_are_one(write):
    line = read_line(write(line_string([BENT[0], BENT[0], BENT[1], BENT[1], BENT[2], BENT[2]])))
    assert line.lonlat.tolist() == BENT[:3]


def test_height_features_without_geometry_and_collections_do_no_harm(write):
    empty = {"type": "Feature", "properties": None, "geometry": None}
    high = {"type": "GeometryCollection", "geometries": [line_string([[*at, 120.5] for at in BENT])]}
    line = read_line(write(collection(empty, {"type": "Feature", "properties": {}, "geometry": high})))
    assert line.lonlat.tolist() == BENT


def test_a_line_from_a_file_survives_a_journey_to_another_process(write):
    line = read_line(write(collection(feature(BENT, terrain="wood"))))
    copy = pickle.loads(pickle.dumps(line))
    assert (copy.length_km, copy.latitude_deg, copy.stretches) == (
        line.length_km,
        line.latitude_deg,
        line.stretches,
    )


# refused ------------------------------------------------------------

LON_LAT = "longitude comes first, then latitude"
METRES = "if these are metres, say which: crs: EPSG:... (for example EPSG:4326 for longitude and latitude)"
NO_BRANCH = "a line has two ends and no branches"
REFUSED: dict[str, tuple[Any, str, str | None]] = {
    "not json": (
        "{",
        "not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2",
        None,
    ),
    "a list": ("[1, 2]", "is JSON but not GeoJSON: an object with 'type' is needed", None),
    "no type": ("{}", "is JSON but not GeoJSON: type None is not known", None),
    "a misspelt type": (
        {"type": "Linestrng"},
        "is JSON but not GeoJSON: type 'Linestrng' is not known",
        "did you mean 'LineString'?",
    ),
    "topojson": ({"type": "Topology"}, "is TopoJSON, not GeoJSON", "convert it to GeoJSON first"),
    "no coordinates": ({"type": "LineString"}, "a LineString needs a list called 'coordinates'", None),
    "nothing": (collection(), "holds no line", "the file needs one LineString, or several that join"),
    "an empty line": (
        line_string([]),
        "holds no line",
        "the file needs one LineString, or several that join",
    ),
    "one vertex": (line_string(BENT[:1]), "a LineString needs at least two vertices, got 1", None),
    "a point": (
        {"type": "Point", "coordinates": [36, 50]},
        "holds a Point; a line is made of LineStrings",
        "take the others out of the file",
    ),
    "a polygon beside the line": (
        collection(feature(BENT), {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": []}}),
        "holds a Polygon; a line is made of LineStrings",
        "take the others out of the file",
    ),
    "a word for a number": (
        line_string([[36, 50], [37, "49"]]),  # type: ignore[list-item]
        'vertex 2 is not a position [longitude, latitude]: [37, "49"]',
        None,
    ),
    "a true for a number": (
        line_string([[36, True], [37, 49]]),
        "vertex 1 is not a position [longitude, latitude]: [36, true]",
        None,
    ),
    "NaN": (
        '{"type": "LineString", "coordinates": [[36, 50], [NaN, 49]]}',
        "part 1, vertex 2: coordinates are not finite numbers",
        None,
    ),
    "infinity": (
        '{"type": "LineString", "coordinates": [[36, 50], [36, 1e999]]}',
        "part 1, vertex 2: coordinates are not finite numbers",
        None,
    ),
    "metres": (
        line_string([list(UTM.transform(36, 50)), list(UTM.transform(37, 50))]),
        "part 1, vertex 1 (285016, 5.54294e+06) is not a longitude and latitude in degrees",
        METRES,
    ),
    "latitude first": (
        line_string([[50.0, 136.0], [49.0, 137.0]]),
        "part 1, vertex 1 (50, 136) is not a longitude and latitude in degrees",
        LON_LAT,
    ),
    "degrees declared as metres": (
        {**line_string(BENT), "crs": named("EPSG:32637")},
        "part 1 is said to be in metres (EPSG:32637), but looks like degrees",
        "longitude and latitude are EPSG:4326",
    ),
    "a crs without a name": (
        {**line_string(BENT), "crs": {"type": "link"}},
        "its 'crs' member has no name",
        "leave it out, or name it: EPSG:32637",
    ),
    "a crs nobody knows": (
        {**line_string(BENT), "crs": named("EPSG:999999")},
        "its coordinate system 'EPSG:999999' is not a known coordinate system",
        "write it like EPSG:32637",
    ),
    "a point twice": (
        line_string([BENT[0], BENT[0]]),
        "the line is 0 km long; it must be between 1 and 20,000 km",
        None,
    ),
    "too short": (
        line_string([[36.0, 50.0], [36.01, 50.0]]),
        "the line is 0.716958 km long; it must be between 1 and 20,000 km",
        None,
    ),
    "too long": (
        line_string([[-80.0, 0.0], [0.0, 0.0], [100.0, 0.0], [170.0, 0.0]]),
        "the line is 27829.9 km long; it must be between 1 and 20,000 km",
        None,
    ),
    "a gap": (
        collection(feature(BENT[:3]), feature(BENT[3:])),
        "a gap of 57.7 km between lon 36.3000, lat 50.7000 and lon 36.9000, lat 50.3500",
        "draw the missing piece; gaps up to 0.5 km are bridged",
    ),
    "a gap as wide as the world": (
        collection(feature([[0.0, -90.0], [91.0, 0.0]]), feature([[0.0, 0.0], [0.0, 90.0]])),
        "a gap of 10002.0 km between lon 0.0000, lat -90.0000 and lon 0.0000, lat 0.0000",
        "draw the missing piece; gaps up to 0.5 km are bridged",
    ),
    "a fork": (
        collection(feature(BENT[:4]), feature(BENT[3:]), feature([BENT[3], [38.0, 51.0]])),
        "the line forks at lon 36.9000, lat 50.3500: parts 2 and 3 both go on from there",
        NO_BRANCH,
    ),
    "a branch from the middle": (
        collection(feature(BENT), feature([BENT[2], [35.0, 50.0]])),
        "the line forks at lon 36.3000, lat 50.7000: part 2 leaves it there",
        NO_BRANCH,
    ),
    "a line twice": (
        collection(feature(BENT), feature(BENT[::-1])),
        "parts 1 and 2 are the same line",
        "leave one out",
    ),
    "a number for a terrain": (collection(feature(BENT, terrain=3)), "terrain must be a word, got 3", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_a_line_is_refused_in_full(write, case):
    content, fact, hint = REFUSED[case]
    assert refusal(write(content)) == (f"line.geojson: {fact}", hint)


def test_a_missing_file_a_folder_and_a_text(tmp_path, write):
    hint = "paths are relative to the scenario file"
    assert refusal(tmp_path / "gone.geojson") == ("gone.geojson: no such file", hint)
    (tmp_path / "maps").mkdir()
    assert refusal(tmp_path / "maps") == ("maps: is a folder, not a file", None)
    said = ("notes.txt: no reader knows this file", "GeoJSON and GeoPackage are sure to work")
    assert refusal(write("not a map", "notes.txt")) == said
    broken = tmp_path / "line.geojson"
    broken.write_bytes(b"\xff\xfe{")
    assert refusal(broken) == ("line.geojson: is not UTF-8 text", "save it as GeoJSON, UTF-8")


def test_nesting_without_end_is_refused_not_crashed(write):
    assert refusal(write("[" * 200_000))[0].startswith("line.geojson: not valid JSON: ")
    inner: dict[str, Any] = line_string(BENT)
    for _ in range(10):
        inner = {"type": "GeometryCollection", "geometries": [inner]}
    assert refusal(write(inner)) == ("line.geojson: geometries are nested more than 8 deep", None)


numbers = st.floats(-200.0, 200.0) | st.integers() | st.none() | st.booleans() | st.text(max_size=3)
positions = st.lists(numbers, max_size=3) | numbers
geometries = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["LineString", "MultiLineString", "GeometryCollection", "Polygon", "line", None]
        )
    },
    optional={
        "coordinates": st.lists(positions | st.lists(positions, max_size=4), max_size=4) | numbers,
        "geometries": st.lists(positions, max_size=2),
        "crs": st.sampled_from([None, 3, named("EPSG:4326"), named("EPSG:3857"), named("EPSG:5714"), {}]),
    },
)
features = st.fixed_dictionaries(
    {"type": st.just("Feature"), "geometry": geometries | numbers},
    optional={"properties": st.dictionaries(st.just("terrain"), numbers) | numbers},
)
collections = st.fixed_dictionaries(
    {"type": st.just("FeatureCollection"), "features": st.lists(features | geometries | numbers, max_size=4)}
)


@given(content=collections | features | geometries | positions)
@settings(max_examples=300, deadline=None)
def test_whatever_json_holds_it_is_a_line_or_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.geojson"
    path.write_text(json.dumps(content))
    try:
        line = read_line(path)
    except LineError as bad:
        assert str(bad).startswith(f"{path}: ")  # noqa: PT017 - a line is as good as a refusal
    else:
        assert np.isfinite(line.plane_km([0.0, line.length_km])).all()


def test_options_that_make_no_sense_for_the_file(write):
    path = write(line_string(BENT))
    fact = "line.geojson: layer 'front' is asked for, but GeoJSON has no layers"
    assert refusal(path, layer="front") == (fact, "leave layer: out")
    fact = "crs 'EPSG:nonsense' is not a known coordinate system"
    assert refusal(path, crs="EPSG:nonsense") == (fact, "write it like EPSG:32637")
    assert read_line(path, crs="EPSG:4326").length_km == read_line(path).length_km


def test_coordinates_outside_their_projection_are_named(write):
    path = write({**line_string([[1e12, 1e12], [1e12, 2e12]]), "crs": named("EPSG:32637")})
    fact = "line.geojson: part 1, vertex 1 (1e+12, 1e+12) lies outside EPSG:32637"
    assert refusal(path) == (fact, "is that the right crs?")
