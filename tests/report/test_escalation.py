"""A report on a scenario that escalates: whether the ceasefire stands, how tense it gets, and what was assumed."""

from __future__ import annotations

import pathlib
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from sim.report.answer import cards, sentences
from sim.report.figures.escalation import escalation_table, levels_over_time, survival_curve, turns_table
from sim.report.limits import _truce, limits
from sim.report.page import build
from sim.report.run import NotARun, Run
from sim.scenario.resolve import load
from sim.study.replicate import Asked, run_into

if TYPE_CHECKING:
    from report_plays import Simulate

pytest_plugins = ["report_plays"]


@pytest.fixture
def run(tense: pathlib.Path) -> Run:
    return Run.open(tense)


def told(run: Run) -> dict[str, str]:
    return dict(limits(run))


def test_the_figure_shows_the_survival_table(run: Run) -> None:
    table, stored = escalation_table(run), pd.read_parquet(run.folder / "survival.parquet")
    pd.testing.assert_frame_equal(table.rows, stored)
    fell = run.answer["metrics"]["escalation.collapse_probability"]["mean"]
    assert 0 < fell < 1
    assert stored["stands_share"].iloc[-1] == pytest.approx(1 - fell)
    shares = stored[[f"in_{name}_share" for name, _ in table.levels]].sum(axis=1)
    np.testing.assert_allclose(shares, 1.0)


def test_changes_of_level_are_counted_once(run: Run) -> None:
    rows = turns_table(run).rows
    assert rows["times_in_a_history"].sum() * 12 == pytest.approx(
        len(pd.read_parquet(run.folder / "levels.parquet"))
    )
    assert {"tension rises", "tension falls", "hazard"} <= set(rows["cause"])


def test_the_picture_is_drawn_from_the_table(run: Run) -> None:
    from matplotlib.figure import Figure

    table = escalation_table(run)
    above, below = Figure().subplots(2)
    survival_curve(table, above)
    drawn = above.lines[0].get_ydata()
    assert (drawn[0], drawn[-1]) == (1.0, table.rows["stands_share"].iloc[-1])
    assert len(above.collections) == 1, "the band"
    levels_over_time(table, below)
    assert len(below.collections) == len(table.levels)
    assert run.plot.escalation(below) is below
    assert run.plot.survival(above) is above


def test_the_page_has_the_figure_with_its_words(run: Run) -> None:
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    for kind in ("title", "desc"):
        found = re.search(rf'<{kind} id="escalation-{kind}">([^<]+)</{kind}>', page)
        assert found
        assert len(found[1]) > 30
    assert "The numbers behind it, 2 of 2" in page
    assert (run.folder / "figures" / "escalation.png").is_file()
    assert "<script" not in page.lower()
    assert "onerror=&#34;alert(2)" in page


def test_the_answer_begins_with_whether_it_stands(run: Run) -> None:
    stands = run.answer["metrics"]["escalation.collapse_probability"]
    first = sentences(run)[0]
    assert re.match(
        r"In \d+\u00a0% \(\d+–\d+\) of histories the ceasefire stands at the end\. Of 70 days a sector spends ",
        first,
    )
    assert "in </title></p><script>alert(1)" in first, "as text; the page escapes it"
    card = cards(run)[0]
    assert (card.label, card.value) == (
        "ceasefire stands at the end",
        f"{100 * (1 - stands['mean']):.1f}\u00a0%",
    )


def test_one_history_has_no_band(simulated: Simulate) -> None:
    from report_plays import TENSE

    folder = simulated(TENSE, 1)
    page = build(folder).read_text(encoding="utf-8")
    assert re.search(r"In this history the ceasefire (stands at the end|collapses)\.", page)
    assert "95 % band" not in page
    assert "whether the ceasefire still stands, in one history" in page


def test_a_run_that_does_not_escalate_says_so(play: pathlib.Path, play_page: str) -> None:
    plain = Run.open(play)
    assert 'id="escalation"' not in play_page
    assert "ceasefire stands" not in " ".join(sentences(plain))
    for name in ("levels", "survival"):
        with pytest.raises(NotARun) as refused:
            getattr(plain, name)
        assert (
            str(refused.value)
            == f"nothing escalates in {play}\n    hint: describe `escalation` in the scenario"
        )


def test_limits_name_every_effect_of_the_force_that_was_set(run: Run) -> None:
    effects = told(run)["What the parties do is the author's assumption."].replace("\u00a0", " ")
    assert "deterrence, for drone (10 %)" in effects
    assert "calming, for shelling (25 %)" in effects
    assert "an incident that nobody attends in time weighs 2 times as much" in effects


def test_limits_follow_from_what_is_in_the_scenario(run: Run, play: pathlib.Path) -> None:
    here, plain = told(run), told(Run.open(play))
    for what in (
        "Reprisals follow a stated law.", "The truce wears out by the clock.",
        "Escalation is a ladder that the author built.", "Harm to the mission is a stated number.",
    ):  # fmt: skip
        assert what in here
        assert what not in plain
    for what in (
        "Incidents do not provoke each other.", "The ceasefire does not wear out.", "Nothing escalates.",
        "Nobody is shot at, and nothing is aimed at.",
    ):  # fmt: skip
        assert what in plain
        assert what not in here
    assert (
        "No effect of the force on the parties was set"
        in plain["What the parties do is the author's assumption."]
    )


TRUCES = {
    "at its ceiling": ("{doubling: 30 days}", False, "neither more nor fewer"),
    "half of the rates": ("{start: 0.5}", False, "the rates of shelling and drone are 0.50 times those stated"),
    "growing": (
        "{doubling: 30 days, ceiling: 4}", False,
        "Rates double every 30 days, up to 4 times what was stated; nobody recommits.",
    ),
    "renewed": (
        "{doubling: 30 days}", True,
        "Rates begin at their ceiling, 1 times what was stated, and double every 30 days up to it after the "
        "parties have recommitted; the parties recommit when the scenario says so.",
    ),
    "renewed for good": ("{}", True, "Rates stay as stated until the parties recommit; the parties recommit"),
}  # fmt: skip


def truce_of(tmp_path: pathlib.Path, truce: str, recommits: bool, drone: str = "") -> str:
    """What the limits say of a truce; it is read off the scenario alone."""
    events = "{talks: {every: 20 days, recommit: {drop: 0.4}}}" if recommits else "{}"
    (tmp_path / "play.yaml").write_text(
        f"""
bufferzone: 1
name: a truce
horizon: 70 days
line: {{length: 120 km}}
force: {{contingents: {{alpha: {{strength: 900}}}}}}
violations: {{shelling: {{rate: 6 per day}}, drone: {{rate: 6 per day{drone}}}}}
truce: {truce}
events: {events}
""",
        encoding="utf-8",
    )
    scenario = load(tmp_path / "play.yaml").scenario
    run: Any = SimpleNamespace(setting=SimpleNamespace(scenario=scenario, type_title=str))
    return " ".join(_truce(run)).replace("\u00a0", " ")


@pytest.mark.parametrize("case", TRUCES)
def test_a_truce_is_said_to_do_what_it_does(tmp_path: pathlib.Path, case: str) -> None:
    truce, recommits, expected = TRUCES[case]
    said = truce_of(tmp_path, truce, recommits)
    assert expected in said
    wears_out = recommits or case == "growing"
    assert ("The truce wears out by the clock." in said) == wears_out
    assert ("The ceasefire does not wear out." in said) != wears_out


def test_only_types_that_follow_the_truce_are_said_to(tmp_path: pathlib.Path) -> None:
    said = truce_of(tmp_path, "{doubling: 30 days, ceiling: 4}", False, ", erodes: false")
    assert "The rates of shelling, and of no other type, double every 30 days" in said


def test_a_record_and_injects_are_no_result_and_the_limits_say_so(tmp_path: pathlib.Path, run: Run) -> None:
    from report_plays import QUIET

    record = "type,chainage_km,start_h\nshelling,3,20\nshelling,9,70\n"
    (tmp_path / "record.csv").write_text(record, encoding="utf-8")
    more = """
violations: {shelling: {rate: 1 per day}, drone: {rate: 0 per day}}
trace: {file: record.csv}
injects: {raid: {type: drone, chainage: 3 km, after: 1 day, count: 4}}
"""
    (tmp_path / "play.yaml").write_text(QUIET + more, encoding="utf-8")
    asked = Asked(replications=range(1), seed=5)
    here = told(Run.open(run_into(load(tmp_path / "play.yaml"), tmp_path / "run", asked)))
    assert here["A record is replayed."].startswith("shelling happen as recorded, in every history alike")
    assert here["Some incidents were put in by hand."].startswith("4 of drone, at times and places")
    assert not {"A record is replayed.", "Some incidents were put in by hand."} & set(told(run))


def test_numbers_per_day_are_over_the_time_for_which_it_stood(run: Run) -> None:
    from sim.report.figures.ledger import outcome_table

    stood = run.replications["escalation.stood_days"].sum()
    assert run.counted_days == stood < 70 * 12
    first = outcome_table(run).rows.iloc[0]
    assert first["happened_per_day"] == pytest.approx(run.types["happened"].sum() / stood)


def test_shares_by_type_are_of_all_histories_together(run: Run) -> None:
    """As the table of metrics has them: a short history counts by its incidents."""
    from sim.report.tables import type_rows

    counts = run.types.groupby("type", sort=False)[["happened", "sighted"]].sum()
    together = [f"{100 * s:.1f}" for s in counts["sighted"] / counts["happened"]]
    printed = type_rows(run)
    assert [row[2].partition("\u00a0")[0] for row in printed.rows] == together
    assert "all replications together" in printed.remark
    own = (run.types["sighted"] / run.types["happened"]).groupby(run.types["type"], sort=False).mean()
    assert [f"{100 * s:.1f}" for s in own] != together, "each history alike: the test could fail"


def test_metrics_are_of_all_histories_together(run: Run) -> None:
    stood, happened = run.replications["escalation.stood_days"].sum(), run.types["happened"].sum()
    metrics = run.answer["metrics"]
    assert metrics["incidents.happened_per_day"]["mean"] == pytest.approx(happened / stood)
    assert metrics["coverage.sighted_share"]["mean"] == pytest.approx(run.types["sighted"].sum() / happened)
