"""The report is one file that opens offline, says what the tables say, and runs nothing that an author wrote."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from report_plays import ON_THE_MAP, PLAY, QUIET, Simulate

from sim.cli.main import COMMANDS, DONE, main
from sim.errors import dotted
from sim.report.answer import cards
from sim.report.assumptions import Assumption, assumptions
from sim.report.page import build
from sim.report.run import NotARun, Run
from sim.scenario.resolve import load
from sim.study.replicate import Asked, run_into

pytest_plugins = ["report_plays"]

FIGURES = {"map", "strip", "chainage_time", "strength", "response", "ledger", "waterfall"}
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
ALLOWED = {"script": False, "iframe": False, "object": False, "form": False, "base": False, "embed": False}


class Elements(HTMLParser):
    """Every element of a page with its attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_fetches_nothing_and_runs_nothing(play_page: str) -> None:
    elements = Elements(play_page)
    assert not {tag for tag, _ in elements.tags} & ALLOWED.keys()
    addresses = [
        value or ""
        for _, attributes in elements.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster")
    ]
    assert addresses
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in addresses)
    assert not [name for _, attributes in elements.tags for name in attributes if name.startswith("on")]
    assert re.findall(r"url\((?!#)", play_page) == []
    assert "@import" not in play_page


def test_the_page_states_its_content_security_policy(play_page: str) -> None:
    metas = [attributes for tag, attributes in Elements(play_page).tags if tag == "meta"]
    assert [m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy"] == [CSP]


def test_what_an_author_writes_stays_text(play: pathlib.Path, play_page: str) -> None:
    assert "<script" not in play_page.lower()
    assert "<img" not in play_page.lower()
    assert "onerror=&#34;alert(2)" in play_page  # escaped, so that the reader sees it
    for svg in (play / "figures").glob("*.svg"):
        assert "<script" not in svg.read_text(encoding="utf-8")


def test_every_figure_has_a_title_and_a_description(play: pathlib.Path, play_page: str) -> None:
    assert {p.stem for p in (play / "figures").glob("*.svg")} == FIGURES
    assert {p.stem for p in (play / "figures").glob("*.png")} == FIGURES
    for key in FIGURES:
        for kind in ("title", "desc"):
            found = re.search(rf'<{kind} id="{key}-{kind}">([^<]+)</{kind}>', play_page)
            assert found, (key, kind)
            assert len(found[1]) > 10
        assert f'role="img" aria-labelledby="{key}-title {key}-desc"' in play_page


def test_ids_are_used_once_and_all_references_are_met(play_page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', play_page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', play_page)) <= set(ids)


def test_the_number_of_replications_is_stated_first(play_page: str) -> None:
    assert "6 replications of 120 km of line, 70 days from 2026-01-01." in play_page


def test_every_metric_of_the_summary_is_on_the_page(play: pathlib.Path, play_page: str) -> None:
    metrics = json.loads((play / "summary.json").read_text(encoding="utf-8"))["metrics"]
    assert all(f">{name}</td>" in play_page for name in metrics)
    watched = metrics["coverage.line_watched_share"]["mean"]
    assert f"<b>{100 * watched:.1f}\u00a0%</b>" in play_page


COMMAND = re.compile(r"<code>bufferzone (run RUN/[^<]+)</code>")


def test_the_command_that_repeats_a_run_exists_and_writes_the_same_numbers(
    play: pathlib.Path, play_page: str, tmp_path: pathlib.Path
) -> None:
    (told,) = COMMAND.findall(play_page)
    assert told == "run RUN/scenario.resolved.yaml --seed 5 --replications 6"
    again = tmp_path / "again"
    line = told.replace("RUN", str(play)).split()
    assert main([*line, "--out", str(again), "--no-report", "--quiet", "--jobs", "1"]) == DONE
    for table in ("replications", "series", "cells"):
        assert (again / f"{table}.parquet").read_bytes() == (play / f"{table}.parquet").read_bytes(), table


def test_every_command_that_the_page_names_is_one(play_page: str) -> None:
    named = re.findall(r"\bbufferzone ([a-z]+) ", " ".join(Elements(play_page).text))
    assert named
    assert set(named) <= set(COMMANDS)


def test_a_number_of_too_few_histories_is_not_said_to_be_the_same_in_all(play: pathlib.Path) -> None:
    run = Run.open(play)
    label = {card.label: card.interval for card in cards(run)}
    assert label["short of the wanted laydown"] != "in too few replications for an interval"
    run.answer["metrics"]["force.short_share"] |= {"ci_low": None, "ci_high": None}
    label = {card.label: card.interval for card in cards(run)}
    assert label["short of the wanted laydown"] == "in too few replications for an interval"


def test_assumptions_are_marked_and_sources_are_quoted(play_page: str) -> None:
    text = " ".join(Elements(play_page).text)
    assert "no source given" in text
    assert re.search(r"violations\.shelling\.rate.*?assumption", text, re.DOTALL)
    assert re.search(r"line\.length.*?C02", text, re.DOTALL)


LENT = """
bufferzone: 1
name: Lent
horizon: 3 days
line: {length: 60 km}
force: {contingents: {alpha: {strength: 300, unit_size: 600}}}
posture: {everywhere: {posts: {count: 2}}}
violations: {shelling: {like: shelling, rate: 2 per day}}
sources: {violations.shelling: 'assumption: what the author wrote'}
"""


def assumed(folder: pathlib.Path, *, is_kept: bool = True) -> dict[str, Assumption]:
    run = Run.open(folder)
    return {a.path: a for a in assumptions(run.scenario_file, run.manifest["values"] if is_kept else {})}


def test_every_value_has_the_source_that_explain_gives_it(simulated: Simulate) -> None:
    folder = simulated(LENT, 2)
    told = {dotted(e.path): e for e in load(folder.parent / "play.yaml").explained()}
    here = assumed(folder)
    for path, one in here.items():
        assert one.is_set == told[path].is_written, path
        assert one.says == (told[path].says or ""), path
    assert here["violations.shelling.rate"].is_assumption
    assert here["force.contingents.alpha.unit_size"].is_set, "it is written, if at its default"
    lent = [
        p for p, one in here.items() if p.startswith("violations.shelling.") and not one.is_set and one.says
    ]
    assert lent
    older = assumed(folder, is_kept=False)
    assert [p for p in lent if older[p].says != here[p].says], (
        "the resolved scenario alone would tell as much"
    )


def test_an_older_run_without_sources_still_has_a_report(play: pathlib.Path, tmp_path: pathlib.Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(play, older, ignore=shutil.ignore_patterns("report.html", "figures"))
    manifest = json.loads((older / "manifest.json").read_text(encoding="utf-8"))
    del manifest["values"]
    (older / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    text = " ".join(Elements(build(older).read_text(encoding="utf-8")).text)
    assert re.search(r"line\.length.*?C02", text, re.DOTALL)


def test_an_interrupted_run_says_so_before_anything_else(play_page: str, tmp_path: pathlib.Path) -> None:
    def impatient(done: int, _: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    (tmp_path / "play.yaml").write_text(PLAY, encoding="utf-8")
    file, asked = load(tmp_path / "play.yaml"), Asked(replications=range(20), seed=5)
    with pytest.raises(KeyboardInterrupt):
        run_into(file, tmp_path / "run", asked, progress=impatient)
    page = build(tmp_path / "run").read_text(encoding="utf-8")
    assert '<p class="answer">4 of 20 replications: interrupted. With ' in page
    assert "interrupted" not in play_page


def test_the_same_run_gives_the_same_bytes(
    play: pathlib.Path, play_page: str, tmp_path: pathlib.Path
) -> None:
    elsewhere = tmp_path / ".other name.part"
    shutil.copytree(play, elsewhere, ignore=shutil.ignore_patterns("report.html", "figures"))
    build(elsewhere)
    assert (elsewhere / "report.html").read_text(encoding="utf-8") == play_page
    for figure in (play / "figures").iterdir():
        assert (elsewhere / "figures" / figure.name).read_bytes() == figure.read_bytes(), figure.name
    assert not list(elsewhere.rglob("*.part"))


def test_one_replication_has_no_intervals_and_says_so(simulated: Simulate) -> None:
    page = build(simulated(PLAY, 1)).read_text(encoding="utf-8")
    assert "One replication, so no intervals" in page
    assert "95\u00a0% interval" not in page
    assert "95 % interval" not in page
    assert "one replication: no interval" in page


def test_a_run_in_which_nothing_can_happen(simulated: Simulate) -> None:
    folder = simulated(QUIET, 3)
    page = build(folder).read_text(encoding="utf-8")
    assert "No violations were described, so nothing is said about sighting or response." in page
    assert "nan" not in " ".join(Elements(page).text).lower().replace("finance", "")
    assert {p.stem for p in (folder / "figures").glob("*.svg")} == {"map", "strip", "strength", "waterfall"}


def test_a_line_on_the_map_names_its_data(simulated: Simulate, tmp_path: pathlib.Path) -> None:
    from sim.scenario.claims import data_root

    line = data_root() / "geodata" / "line.geojson"
    page = build(simulated(ON_THE_MAP.replace("LINE", str(line)), 2)).read_text(encoding="utf-8")
    assert "Made with Natural Earth." in page
    assert "Illustrative, generalised line" in page
    assert str(line.parent) not in page, "the page would tell where somebody keeps their files"
    assert len(page) < 2_500_000


def test_a_line_whose_file_is_gone_still_has_a_report(simulated: Simulate, tmp_path: pathlib.Path) -> None:
    from sim.scenario.claims import data_root

    line = tmp_path / "line.geojson"
    shutil.copy(data_root() / "geodata" / "line.geojson", line)
    folder = simulated(ON_THE_MAP.replace("LINE", str(line)), 2)
    line.unlink()
    page = build(folder).read_text(encoding="utf-8")
    assert "The file of the line is not where it was, so there is no map." in page
    assert "Made with Natural Earth." not in page


def test_a_folder_that_is_no_run_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(NotARun) as refused:
        build(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path} is not a run folder: it lacks summary.json, manifest.json, scenario.resolved.yaml, "
        "replications.parquet\n    hint: give the folder that `bufferzone run` has written"
    )


def opened(page: pathlib.Path, profile: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """A page as headless Chromium sees it: its elements on standard output, complaints on standard error."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here")
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    return subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={profile}",
         "--virtual-time-budget=3000", "--enable-logging=stderr", "--v=0", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


@pytest.mark.browser
def test_a_browser_opens_it_without_a_complaint(
    play: pathlib.Path, play_page: str, tmp_path: pathlib.Path
) -> None:
    """What the page's policy forbids (any request, any script) would be a complaint on the console."""
    seen = opened(play / "report.html", tmp_path / "profile")
    assert "CONSOLE" not in seen.stderr
    assert seen.stdout.count('role="img"') == len(FIGURES)


@pytest.mark.browser
def test_the_browser_would_complain_of_a_request(play_page: str, tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        play_page.replace("<main>", '<main><img src="http://127.0.0.1:9/x.png">'), encoding="utf-8"
    )
    assert "CONSOLE" in opened(broken, tmp_path / "profile").stderr
