"""Where and when a run took place: what its figures need of the resolved scenario."""

from __future__ import annotations

import datetime
import pathlib
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from sim.errors import ScenarioError
from sim.force.contingent import Contingent, contingents
from sim.force.manning import wanted_laydown
from sim.line.centreline import Centreline
from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground, survey
from sim.scenario.claims import data_root
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.resolve import ScenarioFile
from sim.scenario.schema import Scenario

SAME_LENGTH_KM = 0.1  # a line file that is longer or shorter by more than this has changed since the run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sectors:
    """Sectors in order of chainage: sector x covers [edges_km[x], edges_km[x + 1])."""

    names: tuple[str, ...]
    titles: tuple[str, ...]
    edges_km: FloatArray

    def title_of(self, name: str) -> str:
        """Name for people."""
        return self.titles[self.names.index(name)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """Sectors, bases and the line, measured anew from the resolved scenario."""

    scenario: Scenario
    sectors: Sectors
    line: Centreline | None  # None: its file is gone, or no longer the one that the run used
    base_titles: tuple[str, ...]
    base_xy_km: FloatArray  # (B, 2) in the line's plane
    wanted: IntArray  # wanted[x, task]
    coalition: tuple[Contingent, ...]
    is_illustrative: bool  # the project's own line
    remark: str  # why there is no map, where there should be one

    @property
    def start(self) -> datetime.date:
        """First day."""
        return self.scenario.start

    @property
    def horizon_days(self) -> float:
        """Days simulated."""
        return self.scenario.horizon / HOURS_PER_DAY

    @property
    def length_km(self) -> float:
        """Length of the line."""
        return float(self.sectors.edges_km[-1])

    @property
    def has_map(self) -> bool:
        """Whether the line can be drawn where it lies."""
        return self.line is not None and self.line.has_map

    def type_title(self, name: str) -> str:
        """A violation type's name for people."""
        part = self.scenario.violations.get(name)
        return (part.title if part is not None else None) or name.replace("_", " ")

    def asks_for_teams(self, name: str) -> bool:
        """Whether a violation type is attended at all."""
        return self.scenario.violations[name].teams > 0


def setting_of(file: ScenarioFile, length_km: float) -> Setting:
    """The setting of a resolved scenario; *length_km* is what the run's own cells say."""
    remark = ""
    try:
        ground: Ground | None = survey(file.scenario, file.document)
    except (ScenarioError, OSError):
        ground, remark = None, "The file of the line is not where it was, so there is no map."
    if ground is not None and abs(ground.line.length_km - length_km) > SAME_LENGTH_KM:
        ground, remark = None, "The file of the line has changed since the run, so there is no map."
    if ground is None:
        sectors = _sectors(file.scenario, length_km)
        stub = cast(
            Any, SimpleNamespace(sector_names=sectors.names, sector_length_km=np.diff(sectors.edges_km))
        )
        titles: tuple[str, ...] = ()
        xy, line = np.zeros((0, 2)), None
    else:
        sectors = Sectors(
            names=ground.sector_names, titles=ground.sector_titles, edges_km=ground.sector_edge_km
        )
        stub, titles, xy, line = ground, ground.base_titles, ground.base_xy_km, ground.line
    return Setting(
        scenario=file.scenario,
        sectors=sectors,
        line=line,
        base_titles=titles,
        base_xy_km=xy,
        wanted=wanted_laydown(file.scenario, stub),
        coalition=contingents(file.scenario, stub),
        is_illustrative=_is_ours(file.scenario),
        remark=remark,
    )


def _sectors(scenario: Scenario, length_km: float) -> Sectors:
    if not scenario.sectors:
        return Sectors(names=("line",), titles=("the whole line",), edges_km=np.array([0.0, length_km]))
    parts = scenario.sectors
    edges = np.array([part.from_ for part in parts.values()] + [length_km])
    return Sectors(names=tuple(parts), titles=tuple(p.title or n for n, p in parts.items()), edges_km=edges)


def _is_ours(scenario: Scenario) -> bool:
    if scenario.line.file is None:
        return False
    ours = data_root() / "geodata" / "line.geojson"
    return pathlib.Path(scenario.line.file).resolve() == ours.resolve()
