"""Roads and hours: O12 (travel against brute force on small graphs), and tables that are refused."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.line.travel import RoadError, RoadGraph, Speeds, read_roads, travel_matrix

Point = tuple[float, float]
Road = tuple[int, int, float, float]
Matrix = list[list[float]]


def graph(nodes: list[Point], roads: list[Road]) -> RoadGraph:
    columns = np.array(roads, dtype=float).reshape(-1, 4)
    return RoadGraph(
        node_names=tuple(f"N{n}" for n in range(len(nodes))),
        node_lonlat=np.zeros((len(nodes), 2)),
        from_index=columns[:, 0].astype(int),
        to_index=columns[:, 1].astype(int),
        road_km=columns[:, 2],
        free_speed_kmh=columns[:, 3],
    )


# O12: the slow twin ------------------------------------------------------------


def hours(way_km: float, speed_kmh: float) -> float:
    if way_km == 0.0:
        return 0.0
    return way_km / speed_kmh if speed_kmh > 0.0 else math.inf


def by_hand(
    bases: list[Point], cells: list[Point], ground: list[float], nodes: list[Point], roads: list[Road],
    *, road_kmh: float, off_road_kmh: float, detour: float, road_factor: float, off_road_factor: float,
    both_ways: bool = True, adds_twins: bool = False,
) -> Matrix:  # fmt: skip
    """The definition, written out: Floyd-Warshall over the nodes, then every pair of nodes."""
    count = len(nodes)
    between = [[0.0 if a == b else math.inf for b in range(count)] for a in range(count)]
    for start, stop, road_km, free_kmh in roads:
        drive_h = hours(road_km, min(free_kmh, road_kmh) * road_factor)
        for a, b in [(start, stop), (stop, start)][: 2 if both_ways else 1]:
            known = between[a][b]
            between[a][b] = known + drive_h if adds_twins and known < math.inf else min(known, drive_h)
    for via in range(count):
        for a in range(count):
            for b in range(count):
                between[a][b] = min(between[a][b], between[a][via] + between[via][b])
    across_kmh = off_road_kmh * off_road_factor
    table = []
    for base in bases:
        row = []
        for cell, factor in zip(cells, ground, strict=True):
            if factor == 0.0:
                row.append(math.inf)
                continue
            best = hours(math.dist(base, cell) * detour, across_kmh * factor)
            for n, first in enumerate(nodes):
                apart = math.dist(base, first)
                access = hours(min(apart, 3.0) * detour, road_kmh * road_factor)
                access += hours(max(apart - 3.0, 0.0) * detour, across_kmh)
                for m, last in enumerate(nodes):
                    leg = hours(math.dist(last, cell) * detour, across_kmh * factor)
                    best = min(best, access + between[n][m] + leg)
            row.append(best)
        table.append(row)
    return table


def fast(bases: Any, cells: Any, ground: Any, nodes: Any, roads: Any, **options: float) -> Any:
    return travel_matrix(
        base_xy_km=bases,
        cell_xy_km=cells,
        cell_speed_factor=ground,
        roads=graph(nodes, roads),
        node_xy_km=nodes,
        **options,
    )


places = st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(lambda at: (float(at[0]), float(at[1])))
some_places = st.lists(places, min_size=1, max_size=4)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Any], dict[str, float]]:
    """Up to 4 bases, 4 cells, 5 nodes; some stand on nodes, ground may be closed, roads may be twins."""
    nodes = draw(st.lists(places, min_size=1, max_size=5))
    on_node = st.sampled_from(nodes)
    bases = draw(st.lists(places | on_node, min_size=1, max_size=4))
    cells = draw(st.lists(places | on_node, min_size=1, max_size=4))
    ground = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.5]), min_size=len(cells), max_size=len(cells)))
    pairs = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1)).filter(
        lambda p: p[0] != p[1]
    )
    length_and_speed = st.tuples(st.floats(0.5, 80.0), st.sampled_from([30.0, 60.0, 80.0]))
    roads = draw(st.lists(st.tuples(pairs, length_and_speed), max_size=8)) if len(nodes) > 1 else []
    options = {
        "road_kmh": draw(st.sampled_from([40.0, 70.0])),
        "off_road_kmh": draw(st.sampled_from([0.0, 5.0, 20.0])),
        "detour": draw(st.sampled_from([1.0, 1.3])),
        "road_factor": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "off_road_factor": draw(st.sampled_from([0.0, 0.25, 1.0])),
    }
    return [bases, cells, ground, nodes, [(*pair, *rest) for pair, rest in roads]], options


def agree(
    one: Callable[..., Any], other: Callable[..., Any], world: tuple[list[Any], dict[str, float]]
) -> None:
    here, there = np.array(one(*world[0], **world[1])), np.array(other(*world[0], **world[1]))
    np.testing.assert_allclose(here, there, rtol=1e-12, atol=1e-12)


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_travel_agrees_with_brute_force(world):
    agree(fast, by_hand, world)


RING = (
    [[(0.0, 0.0)], [(40.0, 1.0), (0.0, 30.0)], [1.0, 0.5], [(0.0, 0.0), (40.0, 0.0), (0.0, 29.0)],
     [(1, 0, 45.0, 80.0), (0, 2, 33.0, 60.0), (0, 2, 60.0, 60.0), (1, 2, 50.0, 70.0)]],
    {"road_kmh": 60.0, "off_road_kmh": 5.0, "detour": 1.3, "road_factor": 1.0, "off_road_factor": 1.0},
)  # fmt: skip


@pytest.mark.parametrize("mistake", ["both_ways", "adds_twins"])
def test_the_oracle_can_fail(mistake):
    """One twin drives roads one way only; the other adds two roads between two towns up to a long one."""

    def broken(*args: Any, **options: float) -> Matrix:
        return by_hand(*args, **options, **{mistake: mistake == "adds_twins"})

    agree(fast, by_hand, RING)
    with pytest.raises(AssertionError):
        agree(fast, broken, RING)


def test_a_journey_by_road_worked_out_by_hand():
    """2 km of streets at 50, 60 km of road at 50 (60 is capped), 4 km over wet ground at 20 x 0.5."""
    found = fast(
        [(0.0, 2.0)], [(50.0, 4.0)], [0.5], [(0.0, 0.0), (50.0, 0.0)], [(0, 1, 60.0, 60.0)],
        road_kmh=50.0, off_road_kmh=20.0, detour=1.25,
    )  # fmt: skip
    assert found[0, 0] == pytest.approx(2 * 1.25 / 50 + 60 / 50 + 4 * 1.25 / 10)


# without roads ------------------------------------------------------------


def test_without_roads_the_ground_of_the_cell_stands_for_the_whole_way():
    found = travel_matrix(
        base_xy_km=[(0.0, -30.0), (100.0, -30.0)],
        cell_xy_km=[(0.0, 0.0), (40.0, 0.0), (100.0, 0.0)],
        cell_speed_factor=[1.0, 0.5, 0.0],
        road_kmh=50.0,
        off_road_kmh=20.0,
        detour=1.25,
        road_factor=0.8,
    )
    straight_km = np.array([[30.0, 50.0, 100.0], [math.hypot(100.0, 30.0), math.hypot(60.0, 30.0), 30.0]])
    expected = straight_km * 1.25 / [40.0, 20.0, 1.0] + [0.0, 0.0, np.inf]
    assert found == pytest.approx(expected)
    assert found.flags.c_contiguous
    assert found.dtype == np.float64


@given(worlds(), st.sampled_from(["road_kmh", "off_road_kmh", "road_factor", "off_road_factor"]))
@settings(max_examples=60, deadline=None)
def test_faster_driving_never_arrives_later(world, option):
    args, options = world
    quicker = {**options, option: options[option] * 1.5}
    assert (fast(*args, **quicker) <= fast(*args, **options) + 1e-12).all()


@given(worlds(), st.floats(1.0, 50.0))
@settings(max_examples=60, deadline=None)
def test_another_road_never_makes_a_journey_longer(world, road_km):
    args, options = world
    assume(len(args[3]) > 1)
    assert (
        fast(*args[:4], [*args[4], (0, 1, road_km, 60.0)], **options) <= fast(*args, **options) + 1e-12
    ).all()


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"road_kmh": 0.0}, "road speed must be positive, got 0 km/h"),
        ({"off_road_kmh": -1.0}, "off-road speed must not be negative, got -1 km/h"),
        ({"detour": 0.9}, "detour must be at least 1, got 0.9"),
        ({"road_factor": -0.5}, "road_factor must not be negative, got -0.5"),
        ({"off_road_factor": math.nan}, "off_road_factor must not be negative, got nan"),
        ({"cell_speed_factor": [1.0]}, "cell_speed_factor has shape (1,), but there are 2 cells"),
        ({"cell_speed_factor": [1.0, -1.0]}, "cell_speed_factor must not be negative, got -1"),
        ({"base_xy_km": [1.0, 2.0]}, "base_xy_km must be a table of points (n, 2), got shape (2,)"),
        (
            {"cell_xy_km": [(0.0, math.nan), (1.0, 1.0)]},
            "cell_xy_km holds coordinates that are not finite numbers",
        ),
        ({"node_xy_km": None}, "node_xy_km has 0 rows, but the roads have 2 nodes"),
    ],
)
def test_nonsense_is_refused_with_the_value_it_holds(change, fact):
    sound = {
        "base_xy_km": [(0.0, 0.0)],
        "cell_xy_km": [(1.0, 1.0), (2.0, 2.0)],
        "cell_speed_factor": [1.0, 1.0],
        "roads": graph([(0.0, 0.0), (5.0, 5.0)], [(0, 1, 8.0, 60.0)]),
        "node_xy_km": [(0.0, 0.0), (5.0, 5.0)],
        "road_kmh": 50.0,
        "off_road_kmh": 20.0,
        "detour": 1.25,
    }
    travel_matrix(**sound)
    with pytest.raises(RoadError) as bad:
        travel_matrix(**{**sound, **change})
    assert str(bad.value) == fact


def test_no_bases_reach_no_cells():
    found = travel_matrix(
        base_xy_km=[], cell_xy_km=[(0.0, 0.0)], cell_speed_factor=[1.0], roads=graph([(0.0, 0.0)], []),
        node_xy_km=[(0.0, 0.0)], road_kmh=50.0, off_road_kmh=20.0, detour=1.25,
    )  # fmt: skip
    assert found.shape == (0, 1)


def test_speeds_are_checked_before_they_are_used():
    assert Speeds(road_kmh=50.0, off_road_kmh=0.0, detour=1.0).off_road_kmh == 0.0
    with pytest.raises(RoadError, match="road speed must be positive, got inf km/h"):
        Speeds(road_kmh=math.inf, off_road_kmh=20.0, detour=1.25)


# tables ------------------------------------------------------------

NODES = "name,lon,lat,role\nSumy,34.80,50.91,base\nKharkiv,36.23,49.99,base\n"
EDGES = "edge_id,from,to,road_km,free_speed_kmh\n1,Sumy,Kharkiv,182.5,70\n"


@pytest.fixture
def tables(tmp_path):
    def read(edges: str = EDGES, nodes: str = NODES) -> RoadGraph:
        (tmp_path / "edges.csv").write_text(edges, encoding="utf-8")
        (tmp_path / "nodes.csv").write_text(nodes, encoding="utf-8")
        return read_roads(tmp_path / "edges.csv", tmp_path / "nodes.csv")

    return read


def test_roads_are_read_and_other_columns_ignored(tables):
    roads = tables()
    assert roads.node_names == ("Sumy", "Kharkiv")
    assert roads.node_lonlat.tolist() == [[34.80, 50.91], [36.23, 49.99]]
    assert (roads.from_index.tolist(), roads.to_index.tolist()) == ([0], [1])
    assert (roads.road_km.tolist(), roads.free_speed_kmh.tolist()) == ([182.5], [70.0])


def test_a_byte_order_mark_blank_lines_and_spaces_do_no_harm(tables):
    roads = tables(nodes="\ufeff" + NODES.replace("Sumy", " Sumy ") + "\n\n")
    assert roads.node_names == ("Sumy", "Kharkiv")


def test_a_copy_of_the_roads_is_read_only_as_well(tables):
    roads = tables()
    copy = pickle.loads(pickle.dumps(roads))
    assert copy.node_names == roads.node_names
    assert not copy.road_km.flags.writeable
    assert not roads.from_index.flags.writeable


def edges(row: str) -> dict[str, str]:
    return {"edges": EDGES + row}


@pytest.mark.parametrize(
    ("change", "fact", "hint"),
    [
        (
            edges("2,Sumy,Kharkov,9,60\n"),
            "edges.csv, row 3: node 'Kharkov' is not known",
            "did you mean 'Kharkiv'?",
        ),
        (edges("2,Sumy,Odesa,9,60\n"), "edges.csv, row 3: node 'Odesa' is not known", None),
        (edges("\n2,Sumy,Kharkiv,-9,60\n"), "edges.csv, row 4: road_km must be positive, got -9", None),
        (edges("2,Sumy,Kharkiv,9,0\n"), "edges.csv, row 3: free_speed_kmh must be positive, got 0", None),
        (edges("2,Sumy,Kharkiv,far,60\n"), "edges.csv, row 3: road_km must be a number, got 'far'", None),
        (
            edges("2,Sumy,Kharkiv,nan,60\n"),
            "edges.csv, row 3: road_km must be a finite number, got 'nan'",
            None,
        ),
        (edges("2,Sumy,Sumy,9,60\n"), "edges.csv, row 3: the road leads from 'Sumy' to itself", None),
        (edges("2,Sumy,Kharkiv\n"), "edges.csv, row 3: the row ends before column 'road_km'", None),
        (
            {"edges": "from,to,km\n"},
            "edges.csv, row 1: no column 'road_km', 'free_speed_kmh'",
            "the columns are from, to, road_km, free_speed_kmh",
        ),
        (
            {"edges": ""},
            "edges.csv, row 1: no column 'from', 'to', 'road_km', 'free_speed_kmh'",
            "the columns are from, to, road_km, free_speed_kmh",
        ),
        ({"edges": EDGES.splitlines()[0]}, "edges.csv: holds no road", None),
        ({"nodes": "name,lon,lat\n"}, "nodes.csv: holds no node", None),
        (
            {"nodes": NODES + "Sumy,34,50,base\n"},
            "nodes.csv, row 4: node 'Sumy' stands in the table twice",
            None,
        ),
        ({"nodes": NODES + ",34,50,base\n"}, "nodes.csv, row 4: the node has no name", None),
        (
            {"nodes": NODES + "Odesa,346,50,base\n"},
            "nodes.csv, row 4: node 'Odesa' at 346, 50 is not a longitude and latitude in degrees",
            None,
        ),
        (
            {"nodes": NODES + 'Odesa,"34,50,base\n'},
            "nodes.csv: is not a CSV table: unexpected end of data",
            None,
        ),
    ],
)
def test_a_faulty_table_is_refused_with_its_row(tables, tmp_path, change, fact, hint):
    with pytest.raises(RoadError) as bad:
        tables(**change)
    assert (str(bad.value).replace(f"{tmp_path}/", ""), bad.value.hint) == (fact, hint)


def test_a_missing_table_and_one_in_another_alphabet(tables, tmp_path):
    tables()
    with pytest.raises(RoadError) as bad:
        read_roads(tmp_path / "gone.csv", tmp_path / "nodes.csv")
    assert str(bad.value) == f"{tmp_path}/gone.csv: no such file"
    assert bad.value.hint == "paths are relative to the scenario file"
    (tmp_path / "nodes.csv").write_bytes("name,lon,lat\nСуми,34,50\n".encode("cp1251"))
    with pytest.raises(RoadError) as bad:
        read_roads(tmp_path / "edges.csv", tmp_path / "nodes.csv")
    assert str(bad.value) == f"{tmp_path}/nodes.csv: is not UTF-8 text"
