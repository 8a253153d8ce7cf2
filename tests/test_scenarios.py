"""The scenarios that come with the project: they run, ask something, and cite a source for every number."""

from __future__ import annotations

import pathlib
import re

import numpy as np
import pytest

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre, stage
from sim.errors import ScenarioError
from sim.force.contingent import share_out
from sim.scenario.claims import data_root, default_sources, register, source_for
from sim.scenario.resolve import Explained, ScenarioFile, load

FOLDER = data_root() / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
FLAGSHIP = FOLDER / "eight_hundred_miles.yaml"
LINE_KM = 1287.475

# One of everything, and of everything only what must be said: what is left are the defaults of the language.
SPARSE = """\
bufferzone: 1
name: Sparse
horizon: 1 year
line: {length: 800 mi}
sectors: {north: {from: 0 km}}
bases: {camp: {chainage: 5 km}}
seasons: {mud: {months: [3]}}
force: {contingents: {one: {strength: 10}}}
posture:
  everywhere: {posts: {count: 1}, patrols: {every: 5 km}, teams: {every: 50 km}}
  sectors: {north: {}}
violations: {shots: {rate: 1 per day, hot_spots: {town: {chainage: 5 km, share: 1}}, retaliation: {mean: 0.1}}}
injects: {parade: {type: shots, chainage: 5 km, after: 1 day}, salute: {type: shots, chainage: 5 km, at: 2026-05-01}}
events: {talks: {every: 90 days, recommit: {drop: 0.5}}, murder: {rate: 1 per year, tension: {by: 5}}}
escalation: {levels: {calm: {}, war: {enter_at: 100}}}
"""


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def file(request: pytest.FixtureRequest) -> ScenarioFile:
    return load(request.param)


@pytest.fixture(scope="module")
def flagship() -> ScenarioFile:
    return load(FLAGSHIP)


@pytest.fixture(scope="module")
def theatre(flagship: ScenarioFile) -> Theatre:
    return stage(flagship.scenario, flagship.document)


def paths(rows: tuple[Explained, ...]) -> list[str]:
    return [".".join(map(str, row.path)) for row in rows]


# --- every file


def test_the_three_are_there() -> None:
    assert {"eight_hundred_miles", "first_steps", "uk_france_10k"} <= {path.stem for path in FILES}


def test_asks_a_question(file: ScenarioFile) -> None:
    assert file.scenario.question.endswith("?")
    assert file.scenario.name


def test_can_be_staged(file: ScenarioFile) -> None:
    ready = stage(file.scenario, file.document)
    assert ready.ground.line.length_km == pytest.approx(LINE_KM, rel=0.01)
    assert ready.wanted.sum() > 0


def test_every_number_has_a_source(file: ScenarioFile) -> None:
    assert paths(file.unsourced()) == []


def test_every_citation_says_something(file: ScenarioFile) -> None:
    for citation in file.scenario.sources.values():
        assert len(register().cite(citation).says) > 10


def test_names_the_schema_first(file: ScenarioFile) -> None:
    first = file.path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# yaml-language-server: $schema=bufferzone.schema.json"


def test_resolved_reads_back_to_the_same(file: ScenarioFile, tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "resolved.yaml"
    copy.write_text(file.resolved_text(), encoding="utf-8")
    again = load(copy)
    assert again.resolved() == file.resolved()
    assert again.resolved_text() == file.resolved_text()


@pytest.mark.parametrize(
    "path", [p for p in FILES if "extends:" not in p.read_text(encoding="utf-8")], ids=lambda p: p.stem
)
def test_no_source_is_idle(path: pathlib.Path) -> None:
    loaded = load(path)
    by_pattern = {pattern: pattern for pattern in loaded.scenario.sources}
    assert set(by_pattern) - {source_for(row.path, by_pattern) for row in loaded.explained()} == set()


# --- the flagship


def test_flagship_is_thirty_thousand(theatre: Theatre) -> None:
    assert sum(contingent.strength for contingent in theatre.contingents) == 30_000


def test_flagship_rates_are_the_scaled_low_of_2020(flagship: ScenarioFile) -> None:
    figures = register().figures
    low, length = figures["F-3d-after-july-2020"].value, figures["F-2a-smm-line"].value
    assert isinstance(low, int | float)
    assert isinstance(length, int | float)
    per_day = sum(v.rate for v in flagship.scenario.violations.values()) * 24
    assert per_day == pytest.approx(low / length * LINE_KM, abs=0.5)


def test_flagship_hot_spots_hold_76_per_cent(flagship: ScenarioFile) -> None:
    spots = flagship.scenario.violations["small_arms"].hot_spots
    assert sum(spot.share for spot in spots.values()) == pytest.approx(0.76)


def test_flagship_comment_adds_up(theatre: Theatre) -> None:
    text = FLAGSHIP.read_text(encoding="utf-8")
    cost = theatre.wanted.sum(axis=0) * theatre.prices
    assert f"{cost.sum():,.0f}\n" in text
    for count in theatre.wanted.sum(axis=0):
        assert re.search(rf"^# .* {count} +[0-9.]+ ", text, flags=re.MULTILINE), count


def test_flagship_is_a_little_short(theatre: Theatre) -> None:
    cost = (theatre.wanted * theatre.prices).sum(axis=1)
    effective = np.array([c.strength * c.effective_share for c in theatre.contingents])
    given = share_out(effective, tuple(c.sectors for c in theatre.contingents), cost)
    filled = given.sum(axis=0) / cost
    assert 0.90 < given.sum() / cost.sum() < 1.0
    assert filled.min() > 0.85


@pytest.mark.slow
def test_flagship_tells_a_sensible_story(theatre: Theatre) -> None:
    ledger = simulate(theatre, 1, 0).tally.type_ledger.sum(axis=0)
    happened, sighted, attended, in_time, attributed, _ = ledger
    assert 0.55 < sighted / happened < 0.85
    assert 0.30 < attended / happened < 0.60
    assert 0.10 < in_time / happened < 0.40
    assert 0.10 < attributed / happened < 0.40


# --- two nations


def test_two_nations_and_nobody_else() -> None:
    force = load(FOLDER / "uk_france_10k.yaml").scenario.force
    assert {name: c.strength for name, c in force.contingents.items() if c.strength} == {
        "uk": 5000,
        "france": 5000,
    }


# --- where numbers come from


def test_every_default_of_the_language_has_a_source(tmp_path: pathlib.Path) -> None:
    sparse = tmp_path / "sparse.yaml"
    sparse.write_text(SPARSE, encoding="utf-8")
    for path in (sparse, *FILES):
        bare = [row for row in load(path).explained() if not row.is_written and row.source is None]
        assert paths(tuple(bare)) == []


def test_every_source_of_a_default_can_be_cited() -> None:
    assert len(default_sources()) > 80
    for pattern, citation in default_sources().items():
        assert len(register().cite(citation).says) > 10, pattern


def test_no_source_of_a_default_is_idle(tmp_path: pathlib.Path) -> None:
    sparse = tmp_path / "sparse.yaml"
    sparse.write_text(SPARSE, encoding="utf-8")
    by_pattern = {pattern: pattern for pattern in default_sources()}
    rows = [row for path in (sparse, *FILES) for row in load(path).explained()]
    assert set(by_pattern) - {source_for(row.path, by_pattern) for row in rows} == set()


@pytest.mark.parametrize(
    "pattern", ["horizon", "watch.sensors", "violations.*.teams", "force.contingents.uk.commitment"]
)
def test_a_source_that_goes_missing_is_noticed(pattern: str, tmp_path: pathlib.Path) -> None:
    """Broken on purpose: without one line of its sources the flagship has numbers that nobody can check."""
    text = FLAGSHIP.read_text(encoding="utf-8").replace("../geodata", str(data_root() / "geodata"))
    broken, removed = re.subn(rf"^  {re.escape(pattern)}: .*\n", "", text, flags=re.MULTILINE)
    assert removed == 1
    copy = tmp_path / "broken.yaml"
    copy.write_text(broken, encoding="utf-8")
    assert load(copy).unsourced()


def test_an_unknown_id_is_refused(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "wrong.yaml"
    copy.write_text(
        (FOLDER / "first_steps.yaml").read_text(encoding="utf-8").replace("C01", "C91"), encoding="utf-8"
    )
    with pytest.raises(ScenarioError, match="no claim or figure"):
        load(copy)
