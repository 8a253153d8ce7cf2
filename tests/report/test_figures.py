"""Figures draw tables, and the tables are the numbers of the run."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from sim.report.run import NotARun, Run

pytest_plugins = ["report_plays"]


@pytest.fixture
def run(play: pathlib.Path) -> Run:
    return Run.open(play)


def test_the_strip_shows_the_shares_of_the_strip_table(run: Run) -> None:
    from sim.report.figures.strip import strip_table

    shown, stored = strip_table(run).rows, pd.read_parquet(run.folder / "strip.parquet")
    for name in (
        "watched_share",
        "sighted_share",
        "sighted_low",
        "attended_in_time_share",
        "attended_in_time_high",
    ):
        np.testing.assert_array_equal(shown[name], stored[name])
    total = (
        (shown["incidents_per_km_month"] * (shown["to_km"] - shown["from_km"])).sum() * 6 * 70 / (365.25 / 12)
    )
    assert total == pytest.approx(stored["happened"].sum())


def test_pieces_of_the_map_add_up_to_the_cells(run: Run) -> None:
    from sim.report.figures.map import map_table, pieces_of

    rows, cells = map_table(run).rows, pd.read_parquet(run.folder / "cells.parquet")
    assert (rows["from_km"].iloc[0], rows["to_km"].iloc[-1]) == (0.0, 120.0)
    np.testing.assert_array_equal(rows["from_km"].iloc[1:], rows["to_km"].iloc[:-1])
    assert 70.0 in set(rows["from_km"]), "no piece lies across a sector boundary"
    counted = cells["asked"].groupby(pieces_of(cells, run.setting)).sum().to_numpy()
    in_time = (rows["attended_in_time_share"].fillna(0) * counted).sum()
    assert in_time == pytest.approx(cells["attended_in_time"].sum())


def test_place_by_month_adds_up_to_the_periods(run: Run) -> None:
    from sim.report.figures.chainage_time import chainage_time_table

    table, periods = chainage_time_table(run), pd.read_parquet(run.folder / "periods.parquet")
    assert table.picture("attended_in_time_share").shape == (3, 12)
    share = table.rows["attended_in_time_share"].to_numpy()
    asked = periods["asked"].to_numpy()
    some = asked > 0
    np.testing.assert_allclose(share[some] * asked[some], periods["attended_in_time"][some])
    assert np.isnan(share[~some]).all()


def test_the_strength_chart_shows_means_over_replications(run: Run) -> None:
    from sim.report.figures.strength import strength_table, thinned

    table, series = strength_table(run), pd.read_parquet(run.folder / "series.parquet")
    mean = series.groupby("day")["on_station"].mean()
    np.testing.assert_allclose(table.rows["on_station"], mean)
    assert table.pledged_soldiers == 900
    few = thinned(table.rows)
    assert len(few) < len(table.rows)
    filled = few.set_index("day").reindex(table.rows["day"]).ffill()
    np.testing.assert_allclose(filled["on_station"], table.rows["on_station"])


def test_the_response_curve_ends_with_every_response(run: Run) -> None:
    from sim.report.figures.response import ALL, curve, reached_by, response_table

    table, stored = response_table(run), pd.read_parquet(run.folder / "responses.parquet")
    assert table.total == stored["responses"].sum()
    assert curve(table.counts[ALL])[1][-1] == pytest.approx(1.0)
    minutes = np.repeat(stored["minute"], stored["responses"])
    assert reached_by(table.counts[ALL], 0.9) == np.quantile(minutes, 0.9, method="inverted_cdf")


def test_every_incident_of_the_ledger_ends_once(run: Run) -> None:
    from sim.report.figures.ledger import OUTCOMES, funnel_table, outcome_table

    stages, outcomes = funnel_table(run).rows, outcome_table(run).rows
    types = pd.read_parquet(run.folder / "types.parquet")
    asking = types[types["type"] == "shelling"]
    assert list(stages["incidents"]) == [
        asking[c].sum() for c in ("happened", "sighted", "attended", "attended_in_time", "attributed")
    ]
    np.testing.assert_allclose(outcomes[[f"{name}_share" for name, *_ in OUTCOMES]].sum(axis=1), 1.0)


def test_the_waterfall_ends_in_the_pool(run: Run) -> None:
    from sim.report.figures.waterfall import waterfall_table

    rows = waterfall_table(run).rows.set_index("step")
    tasks = rows["adds_soldiers"].iloc[: list(rows.index).index("effective")].sum()
    assert rows.loc["effective", "total_soldiers"] == pytest.approx(tasks)
    ratio = run.answer["metrics"]["force.pool"]["mean"] / 900
    assert rows.loc["pool", "total_soldiers"] == pytest.approx(
        ratio * rows.loc["on station", "total_soldiers"]
    )


def test_every_plot_returns_the_axes_it_was_given(run: Run) -> None:
    from matplotlib.figure import Figure

    for name in ("map", "strip", "chainage_time", "strength", "response", "ledger", "waterfall"):
        ax = Figure().add_subplot()
        assert getattr(run.plot, name)(ax) is ax, name
        ax.figure.canvas.draw()


def test_a_run_shows_itself_in_a_notebook(run: Run) -> None:
    html = run._repr_html_()
    assert "<script" not in html
    assert "6 replications; mean with 95 % interval" in html
    assert run.summary.loc["force.pledged", "mean"] == 900
    assert run.replications.shape[0] == 6
    assert run.cells.shape[0] == 120


def test_a_run_without_a_journal_says_how_to_get_one(run: Run) -> None:
    with pytest.raises(NotARun) as refused:
        _ = run.journal
    assert str(refused.value) == (
        f"{run.folder} has no journal\n    hint: run again with --journal; keep few replications, it is large"
    )


def test_cells_lie_on_the_map() -> None:
    from types import SimpleNamespace

    from sim.line.centreline import read_line
    from sim.scenario.claims import data_root

    line = read_line(data_root() / "geodata" / "line.geojson")
    edges = np.append(np.arange(0, line.length_km, 100), line.length_km)
    run = Run(pathlib.Path("nowhere"))
    run.__dict__["setting"] = SimpleNamespace(line=line)
    run._table = lambda name: pd.DataFrame({"from_km": edges[:-1], "to_km": edges[1:]})  # type: ignore[method-assign]
    cells = run.cells
    assert cells.crs == "EPSG:4326"
    lengths = [
        line.length_km and g.length
        for g in cells.to_crs("+proj=laea +lat_0=48.7 +lon_0=35 +units=km").geometry
    ]
    np.testing.assert_allclose(lengths, cells["to_km"] - cells["from_km"], rtol=1e-3)


def test_opening_a_run_loads_neither_matplotlib_nor_pandas() -> None:
    code = "import sys, sim.report.run; print({'matplotlib', 'geopandas', 'pandas'} & sys.modules.keys() or 'light')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "light"
