"""The ground that a scenario is played on: ruler, cells, sectors, bases and travel times in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sim.errors import Path, Problem, nearest
from sim.line.centreline import Cells, Centreline, Stretch, cells, read_line, straight
from sim.line.earth import FloatArray, IntArray, LineError
from sim.line.travel import RoadError, RoadGraph, read_roads, travel_matrix
from sim.scenario.load import Document
from sim.scenario.quantities import spoken
from sim.scenario.schema import Scenario

USUAL_SEASON = "usual"
MOST_WAYS = 30_000_000  # bases x cells x seasons whose travel times are kept
LINE_END_SLACK_KM = 0.5  # a last sector that ends this close to the line's end ends with it
MOST_BASES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Where it all happens. X sectors, B bases, C cells, N seasons."""

    line: Centreline
    cells: Cells
    sector_names: tuple[str, ...]
    sector_titles: tuple[str, ...]
    sector_edge_km: FloatArray  # (X + 1,) sector x covers [edge[x], edge[x + 1])
    cell_sector: IntArray  # (C,) sector of each cell
    base_names: tuple[str, ...]
    base_titles: tuple[str, ...]
    base_sector: IntArray  # (B,) sector whose teams it holds
    base_chainage_km: FloatArray  # (B,) nearest point of the line
    base_xy_km: FloatArray  # (B, 2) in the line's plane
    season_names: tuple[str, ...]  # the first is "usual"
    season_of_month: IntArray  # (12,) season of January..December
    travel_h: (
        FloatArray  # travel_h[n, b, c] = hours from base b to cell c in season n by day; inf = cannot reach
    )

    @property
    def sector_length_km(self) -> FloatArray:
        """(X,) length of each sector."""
        return np.diff(self.sector_edge_km)


def survey(scenario: Scenario, document: Document) -> Ground:
    """Read the map and measure it.

    Raises ScenarioError with every place where the scenario does not fit its line.
    """
    line = _line(scenario, document)
    try:
        cut = cells(line, scenario.line.cell)
    except LineError as bad:
        raise document.refusal([Problem(path=("line", "cell"), fact=str(bad), hint=bad.hint)]) from None
    problems = [*_misfits(scenario, line), *_ground_misfits(scenario, document, cut)]
    if problems:
        raise document.refusal(problems)
    names, titles, edges = _sectors(scenario, line)
    cell_sector = np.clip(np.searchsorted(edges, cut.middle_km, side="right") - 1, 0, len(names) - 1)
    _refuse_empty_sectors(document, names, edges, cell_sector, scenario.line.cell)
    base_names, base_titles, base_sector, base_km, base_xy = _bases(scenario, line, names, edges)
    seasons, of_month, travel_h = _travel(scenario, document, line, cut, base_xy)
    return Ground(
        line=line,
        cells=cut,
        sector_names=names,
        sector_titles=titles,
        sector_edge_km=edges,
        cell_sector=cell_sector,
        base_names=base_names,
        base_titles=base_titles,
        base_sector=base_sector,
        base_chainage_km=base_km,
        base_xy_km=base_xy,
        season_names=seasons,
        season_of_month=of_month,
        travel_h=travel_h,
    )


def _line(scenario: Scenario, document: Document) -> Centreline:
    asked = scenario.line
    where: Path = ("line", "file")
    try:
        if asked.file is not None:
            return read_line(document.base_dir(where) / asked.file, layer=asked.layer, crs=asked.crs)
        assert asked.length is not None, "the schema lets no line pass without a length or a file"
        where = ("line", "length")
        bare = straight(asked.length, asked.latitude)
        where = ("line", "stretches")
        return bare.with_stretches(
            [Stretch(from_km=s.from_, to_km=s.to, terrain=s.terrain) for s in asked.stretches]
        )
    except LineError as bad:
        raise document.refusal([Problem(path=where, fact=str(bad), hint=bad.hint)]) from None


def _misfits(scenario: Scenario, line: Centreline) -> Iterator[Problem]:
    """Places of the scenario that lie beyond the line, and bases that cannot be placed."""
    end_km = line.length_km
    end = f"the line ends at {_at(end_km)}"

    def beyond(path: Path, what: str, at_km: float, slack_km: float = LINE_END_SLACK_KM) -> Iterator[Problem]:
        if at_km > end_km + slack_km:
            hint = "chainage is counted along the line from its northern or western end"
            yield Problem(path=path, fact=f"{what} {_at(at_km)} but {end}", hint=hint)

    for name, base in scenario.bases.items():
        if base.chainage is not None:
            yield from beyond(("bases", name, "chainage"), "stands at", base.chainage)
        elif not line.has_map:
            fact = "a base by lon and lat needs a line with a map"
            hint = "write `chainage` and `depth`, or give line.file"
            yield Problem(path=("bases", name), fact=fact, hint=hint)
    for kind, violation in scenario.violations.items():
        for name, spot in violation.hot_spots.items():
            where = ("violations", kind, "hot_spots", name, "chainage")
            slack_km = min(LINE_END_SLACK_KM, 3 * spot.spread)  # some of it must fall on the line
            yield from beyond(where, "lies at", spot.chainage, slack_km)
    for name, sector in scenario.sectors.items():
        if sector.from_ >= end_km:
            fact = f"begins at {_at(sector.from_)} but {end}"
            hint = "leave this sector out, or begin it earlier"
            yield Problem(path=("sectors", name, "from"), fact=fact, hint=hint)
        elif sector.to is not None:
            yield from beyond(("sectors", name, "to"), "ends at", sector.to)
    if scenario.sectors:
        last, part = list(scenario.sectors.items())[-1]
        if part.to is not None and part.to < end_km - LINE_END_SLACK_KM:
            fact = f"the last sector ends at {_at(part.to)} but {end}"
            hint = "leave `to` out: the last sector reaches to the end of the line"
            yield Problem(path=("sectors", last, "to"), fact=fact, hint=hint)
    every = scenario.base_layout.every
    if not scenario.bases and end_km / every > MOST_BASES:
        fact = f"a base every {spoken(every, 'length')} makes more than {MOST_BASES:,} along {_at(end_km)}"
        yield Problem(path=("base_layout", "every"), fact=fact, hint="choose a longer distance")


def _ground_misfits(scenario: Scenario, document: Document, cut: Cells) -> Iterator[Problem]:
    """Kinds of ground that the line does not have, and violation types that have nowhere to happen."""
    ways: list[tuple[Path, tuple[str, ...]]] = [(("travel", "terrain"), tuple(scenario.travel.terrain))]
    ways += [(("violations", kind, "terrain"), tuple(v.terrain)) for kind, v in scenario.violations.items()]
    for path, words in ways:
        for word in words:
            if word not in cut.terrain:
                close = nearest(word, cut.terrain)
                known = f"kinds of ground here: {', '.join(cut.terrain)}"
                yield Problem(
                    path=(*path, word),
                    fact=f'no stretch of this line is "{word}"',
                    hint=f'did you mean "{close}"?' if close else known,
                    place=document.place((*path, word), key=True),
                )
    ground = {cut.terrain[code] for code in cut.terrain_code}
    for kind, v in scenario.violations.items():
        gathers = any(spot.share for spot in v.hot_spots.values())
        if not gathers and not any(v.terrain.get(word, 1.0) for word in ground):
            fact = "leaves no ground of this line for it to happen on"
            hint = "give one kind of ground a factor above 0"
            yield Problem(path=("violations", kind, "terrain"), fact=fact, hint=hint)


def _at(km: float) -> str:
    """A chainage for a message, to 100 m unless its author was more exact."""
    text = spoken(km, "length")
    return text if len(text) <= 10 else f"{km:.1f} km"


def _refuse_empty_sectors(
    document: Document, names: tuple[str, ...], edges: FloatArray, cell_sector: IntArray, cell_km: float
) -> None:
    """Every sector needs the middle of a cell."""
    empty = sorted(set(range(len(names))) - set(cell_sector.tolist()))
    if empty:
        raise document.refusal(
            Problem(
                path=("sectors", names[x]),
                fact=f"is {edges[x + 1] - edges[x]:g} km long, too short for cells of {cell_km:g} km",
                hint="make the sector longer, or line.cell shorter",
            )
            for x in empty
        )


def _sectors(scenario: Scenario, line: Centreline) -> tuple[tuple[str, ...], tuple[str, ...], FloatArray]:
    if not scenario.sectors:
        return ("line",), ("the whole line",), np.array([0.0, line.length_km])
    names = tuple(scenario.sectors)
    titles = tuple(part.title or name for name, part in scenario.sectors.items())
    edges = [part.from_ for part in scenario.sectors.values()] + [line.length_km]
    return names, titles, np.array(edges)


def _bases(
    scenario: Scenario, line: Centreline, sectors: tuple[str, ...], edges: FloatArray
) -> tuple[tuple[str, ...], tuple[str, ...], IntArray, FloatArray, FloatArray]:
    if not scenario.bases:
        return _laid_out(scenario, line, sectors, edges)
    at_km, xy_km, sector_of = [], [], []
    for base in scenario.bases.values():
        if base.chainage is not None:
            km = min(base.chainage, line.length_km)
            xy = line.behind_km(km, base.depth)[0]
        else:
            assert base.lon is not None, "the schema lets no base pass without a position"
            assert base.lat is not None, "the schema lets no base pass with half a position"
            xy = line.to_plane_km(base.lon, base.lat)[0]
            km = float(line.nearest_km(xy[None, :])[0][0])
        at_km.append(km)
        xy_km.append(xy)
        closest = int(np.clip(np.searchsorted(edges, km, side="right") - 1, 0, len(sectors) - 1))
        sector_of.append(sectors.index(base.sector) if base.sector else closest)
    titles = tuple(base.title or name for name, base in scenario.bases.items())
    return (
        tuple(scenario.bases),
        titles,
        np.array(sector_of, dtype=np.int64),
        np.array(at_km),
        np.array(xy_km).reshape(-1, 2),
    )


def _laid_out(
    scenario: Scenario, line: Centreline, sectors: tuple[str, ...], edges: FloatArray
) -> tuple[tuple[str, ...], tuple[str, ...], IntArray, FloatArray, FloatArray]:
    """Evenly spaced bases, no further apart within a sector than the layout says."""
    names, sector_of, at_km = [], [], []
    for x, sector in enumerate(sectors):
        length_km = edges[x + 1] - edges[x]
        count = max(1, int(np.ceil(length_km / scenario.base_layout.every - 1e-9)))
        for i in range(count):
            names.append(f"{sector}_base_{i + 1}")
            sector_of.append(x)
            at_km.append(edges[x] + (i + 0.5) * length_km / count)
    xy_km = line.behind_km(np.array(at_km), np.full(len(at_km), scenario.base_layout.depth))
    return tuple(names), tuple(names), np.array(sector_of, dtype=np.int64), np.array(at_km), xy_km


def _travel(
    scenario: Scenario, document: Document, line: Centreline, cut: Cells, base_xy_km: FloatArray
) -> tuple[tuple[str, ...], IntArray, FloatArray]:
    asked = scenario.travel
    roads: RoadGraph | None = None
    node_xy: FloatArray | None = None
    if asked.roads is not None:
        if not line.has_map:
            fact = "a road graph needs a line with a map"
            raise document.refusal(
                [Problem(path=("travel", "roads"), fact=fact, hint="leave roads out, or give line.file")]
            )
        try:
            roads = read_roads(
                document.base_dir(("travel", "roads", "edges")) / asked.roads.edges,
                document.base_dir(("travel", "roads", "nodes")) / asked.roads.nodes,
            )
        except RoadError as bad:
            table = "edges" if asked.roads.edges.rpartition("/")[2] in str(bad) else "nodes"
            problem = Problem(path=("travel", "roads", table), fact=str(bad), hint=bad.hint)
            raise document.refusal([problem]) from None
        node_xy = line.to_plane_km(roads.node_lonlat[:, 0], roads.node_lonlat[:, 1])
    ground = np.array([asked.terrain.get(name, 1.0) for name in cut.terrain])[cut.terrain_code]
    cell_xy = line.plane_km(cut.middle_km)
    names = (USUAL_SEASON, *scenario.seasons)
    ways = len(base_xy_km) * len(cut) * len(names)
    if ways > MOST_WAYS:
        many = f"{len(base_xy_km):,} bases, {len(cut):,} cells and {len(names)} seasons"
        fact = f"{many} make {ways:.1e} travel times, over {MOST_WAYS:.0e}"
        raise document.refusal(
            [Problem(path=("line", "cell"), fact=fact, hint="choose longer cells or fewer bases")]
        )
    of_month = np.zeros(12, dtype=np.int64)
    matrices = []
    for n, name in enumerate(names):
        season = scenario.seasons.get(name) if n else None
        for month in season.months if season else ():
            of_month[month - 1] = n
        matrices.append(
            travel_matrix(
                base_xy_km=base_xy_km,
                cell_xy_km=cell_xy,
                cell_speed_factor=ground,
                roads=roads,
                node_xy_km=node_xy,
                road_kmh=asked.road_speed,
                off_road_kmh=asked.off_road_speed,
                detour=asked.detour,
                road_factor=season.road_factor if season else 1.0,
                off_road_factor=season.off_road_factor if season else 1.0,
            )
        )
    return names, of_month, np.stack(matrices)
