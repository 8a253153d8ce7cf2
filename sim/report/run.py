"""A run folder opened for reading: its tables as pandas objects, read when they are first asked for."""

from __future__ import annotations

import json
import pathlib
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from sim.report.words import amount, interval
from sim.results.names import COLLAPSE, meaning_of
from sim.results.store import MANIFEST, SCENARIO, SUMMARY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from sim.report.setting import Setting
    from sim.scenario.resolve import ScenarioFile


class NotARun(Exception):
    """The folder is no run folder, or lacks what was asked for; the message ends in a remedy."""


class Run:
    """Many replications of one scenario, as `bufferzone run` wrote them. Nothing here changes the folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: str | pathlib.Path) -> Run:
        """The run in *folder*; raises NotARun where there is none."""
        path = pathlib.Path(folder)
        missing = [
            name
            for name in (SUMMARY, MANIFEST, SCENARIO, "replications.parquet")
            if not (path / name).is_file()
        ]
        if missing:
            raise NotARun(
                f"{path} is not a run folder: it lacks {', '.join(missing)}\n    hint: give the folder that "
                "`bufferzone run` has written"
            )
        return cls(path)

    # what was asked ------------------------------------------------------------

    @cached_property
    def answer(self) -> dict[str, Any]:
        """`summary.json` as it is."""
        return self._json(SUMMARY)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """How the run was made: versions, seed, command, checksums, times."""
        return self._json(MANIFEST)

    @cached_property
    def scenario(self) -> str:
        """The resolved scenario: every default explicit."""
        return (self.folder / SCENARIO).read_text(encoding="utf-8")

    @cached_property
    def scenario_file(self) -> ScenarioFile:
        """The resolved scenario, read and checked."""
        from sim.scenario.resolve import load

        return load(self.folder / SCENARIO)

    @cached_property
    def setting(self) -> Setting:
        """Sectors, bases and the line."""
        from sim.report.setting import setting_of

        return setting_of(self.scenario_file, float(self._table("cells")["to_km"].max()))

    @property
    def name(self) -> str:
        """Title of the scenario."""
        return str(self.answer["scenario"])

    @property
    def replication_count(self) -> int:
        """Replications in the folder."""
        return int(self.answer["replications"])

    @property
    def escalates(self) -> bool:
        """Whether sectors change their level, and the ceasefire may collapse."""
        return COLLAPSE in self.answer["metrics"]

    @cached_property
    def counted_days(self) -> float:
        """Days for which incidents were counted, all replications together: while the ceasefire stood."""
        if self.escalates:
            # Where all collapse at once nothing is counted, and nothing happens in a day.
            return float(self.replications["escalation.stood_days"].sum()) or 1.0
        return self.setting.horizon_days * self.replication_count

    # tables ------------------------------------------------------------

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Every metric: mean, ends of its 95 % interval, quantiles over replications, unit and meaning."""
        import pandas as pd

        columns = ["mean", "ci_low", "ci_high", "p05", "p50", "p95", "unit"]
        table = pd.DataFrame.from_dict(self.answer["metrics"], orient="index", columns=columns)
        table = table.astype(dict.fromkeys(columns[:-1], float))
        table["meaning"] = [meaning_of(str(name)) for name in table.index]
        return table.rename_axis("metric")

    @cached_property
    def replications(self) -> pd.DataFrame:
        """A row for each replication, a column for each metric; where the scenario escalates, others for what
        shares are shares of.
        """
        return self._table("replications").set_index("replication")

    @cached_property
    def series(self) -> pd.DataFrame:
        """A row for each replication and day: soldiers, and counts of incidents while the ceasefire stood."""
        return self._table("series")

    @cached_property
    def types(self) -> pd.DataFrame:
        """A row for each replication and violation type: ledgers, outcomes, findings, causes."""
        return self._table("types")

    @cached_property
    def sectors(self) -> pd.DataFrame:
        """A row for each replication and sector: ledgers, outcomes, casualties."""
        return self._table("sectors")

    @cached_property
    def strip(self) -> pd.DataFrame:
        """A row for each 10-km window of the line: shares with intervals, over all replications."""
        return self._table("strip")

    @cached_property
    def periods(self) -> pd.DataFrame:
        """A row for each month and window: counts over all replications."""
        return self._table("periods")

    @cached_property
    def responses(self) -> pd.DataFrame:
        """Histograms by sector and minute: sighting to first team, beginning to sighting."""
        return self._table("responses")

    @cached_property
    def cells(self) -> pd.DataFrame:
        """A row for each cell: counts over all replications. A GeoDataFrame (EPSG:4326) with a map."""
        table, line = self._table("cells"), self.setting.line
        if line is None or not line.has_map:
            return table
        import geopandas
        from shapely import linestrings

        from sim.line.earth import FloatArray

        ends: FloatArray = line.lonlat_at([*table["from_km"], table["to_km"].iloc[-1]])
        assert line.vertex_km is not None
        assert line.lonlat is not None
        pieces = []
        for i, (low, high) in enumerate(zip(table["from_km"], table["to_km"], strict=True)):
            inner = line.lonlat[(line.vertex_km > low) & (line.vertex_km < high)]
            pieces.append(linestrings([ends[i], *inner, ends[i + 1]]))
        framed: pd.DataFrame = geopandas.GeoDataFrame(table, geometry=pieces, crs="EPSG:4326")
        return framed

    @cached_property
    def journal(self) -> pd.DataFrame:
        """A row for each incident; there only when the run kept it."""
        return self._kept("journal")

    @cached_property
    def trips(self) -> pd.DataFrame:
        """A row for each trip of a team; there only when the run kept its journal."""
        return self._kept("trips")

    @cached_property
    def levels(self) -> pd.DataFrame:
        """A row for each change of a sector's level; there only when the scenario escalates."""
        return self._of_escalation("levels")

    @cached_property
    def survival(self) -> pd.DataFrame:
        """A row for each day: share of histories whose ceasefire stands at its end with a 95 % band, mean
        share of sectors in each level; there only when the scenario escalates.
        """
        return self._of_escalation("survival")

    @cached_property
    def plot(self) -> Plots:
        """The figures of the report."""
        return Plots(self)

    def _kept(self, name: str) -> pd.DataFrame:
        if not (self.folder / f"{name}.parquet").is_file():
            raise NotARun(
                f"{self.folder} has no journal\n    hint: run again with --journal; keep few replications, "
                "it is large"
            )
        return self._table(name)

    def _of_escalation(self, name: str) -> pd.DataFrame:
        if not self.escalates:
            raise NotARun(
                f"nothing escalates in {self.folder}\n    hint: describe `escalation` in the scenario"
            )
        return self._table(name)

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise NotARun(f"{self.folder} lacks {path.name}\n    hint: run the scenario again")
        return pd.read_parquet(path)

    def _json(self, name: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / name).read_text(encoding="utf-8"))
        return data

    def __repr__(self) -> str:
        return f"<Run of {self.name!r}: {self.replication_count} replications, in {str(self.folder)!r}>"

    def _repr_html_(self) -> str:
        rows = []
        for name, metric in self.answer["metrics"].items():
            told = [
                name,
                amount(metric["mean"], metric["unit"]),
                interval(metric) or "",
                meaning_of(name),
            ]
            rows.append(
                "<tr>"
                + "".join(f"<td style='text-align:left'>{escape(text)}</td>" for text in told)
                + "</tr>"
            )
        count = self.replication_count
        said = (
            "1 replication, so no intervals"
            if count == 1
            else f"{count:,} replications; mean with 95 % interval"
        )
        head = "".join(
            f"<th style='text-align:left'>{text}</th>"
            for text in ("metric", "mean", "95 % interval", "meaning")
        )
        return (
            f"<div><b>{escape(self.name)}</b> · "
            f"{said}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )


class Plots:
    """The figures of a run, each on the axes it is given or on new ones, which it returns."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def map(self, ax: Axes | None = None) -> Axes:
        """The line coloured by the share of incidents attended in time; a strip where there is no map."""
        from sim.report.figures.map import line_map, map_table

        return self._drawn(
            line_map, map_table(self._run), ax, (7.2, 6.4 if self._run.setting.has_map else 2.2)
        )

    def strip(self, ax: Axes | None = None) -> Axes:
        """Shares watched, sighted and attended in time along the line."""
        from sim.report.figures.strip import strip_chart, strip_table

        return self._drawn(strip_chart, strip_table(self._run), ax, (7.2, 3.2))

    def chainage_time(self, ax: Axes | None = None) -> Axes:
        """Share attended in time by place and month."""
        from sim.report.figures.chainage_time import chainage_time, chainage_time_table

        return self._drawn(chainage_time, chainage_time_table(self._run), ax, (7.2, 3.2))

    def escalation(self, ax: Axes | None = None) -> Axes:
        """Share of sectors in each level, over time; only where the scenario escalates."""
        from sim.report.figures.escalation import escalation_table, levels_over_time

        return self._drawn(levels_over_time, escalation_table(self._run), ax, (7.2, 3.2))

    def survival(self, ax: Axes | None = None) -> Axes:
        """Share of histories whose ceasefire still stands, over time; only where the scenario escalates."""
        from sim.report.figures.escalation import escalation_table, survival_curve

        return self._drawn(survival_curve, escalation_table(self._run), ax, (7.2, 3.2))

    def strength(self, ax: Axes | None = None) -> Axes:
        """Soldiers pledged, on station, effective and needed, over time."""
        from sim.report.figures.strength import strength_over_time, strength_table

        return self._drawn(strength_over_time, strength_table(self._run), ax, (7.2, 3.2))

    def response(self, ax: Axes | None = None) -> Axes:
        """Share of attended incidents with a team on the spot within a time."""
        from sim.report.figures.response import response_ecdf, response_table

        return self._drawn(response_ecdf, response_table(self._run), ax, (5.5, 3.2))

    def ledger(self, ax: Axes | None = None) -> Axes:
        """How the incidents of each type ended."""
        from sim.report.figures.ledger import outcome_bars, outcome_table

        return self._drawn(outcome_bars, outcome_table(self._run), ax, (7.2, 3.2))

    def waterfall(self, ax: Axes | None = None) -> Axes:
        """Soldiers that the wanted laydown takes, task by task."""
        from sim.report.figures.waterfall import waterfall, waterfall_table

        return self._drawn(waterfall, waterfall_table(self._run), ax, (7.2, 3.2))

    def _drawn(self, draw: Any, table: Any, ax: Axes | None, size: tuple[float, float]) -> Axes:
        if ax is None:
            from matplotlib import pyplot

            from sim.report.figures.style import styled

            with styled():
                _, ax = pyplot.subplots(figsize=size, layout="constrained")
                draw(table, ax)
                return ax
        draw(table, ax)
        return ax
