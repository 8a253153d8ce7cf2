"""The scenarios that come with the project: they run, ask something, and cite a source for every number."""

from __future__ import annotations

import pathlib
import re

import numpy as np
import pytest

from sim.campaign.engine import simulate
from sim.campaign.history import History
from sim.campaign.incidents import breeding, spectral_radius, with_reprisals
from sim.campaign.ladder import ladder
from sim.campaign.theatre import Theatre, stage
from sim.errors import ScenarioError
from sim.force.contingent import share_out
from sim.line.earth import FloatArray
from sim.lineclock.state import HAPPENED
from sim.scenario.claims import data_root, default_sources, register, source_for
from sim.scenario.quantities import HOURS_PER_YEAR
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


def test_the_library_holds_what_documents_name() -> None:
    """The line with its question, its mirror in history, and a start: files may join, none may go."""
    named = {"eight_hundred_miles", "first_steps", "smm_2020", "uk_france_10k", "will_it_hold"}
    named |= {"ifor_iebl", "osce_smm", "unficyp", "unikom", "unmee", "unmee_flight_ban"}
    named |= {"radakin_64k", "zelensky_200k", "gcsp_monitoring", "iiss_10k", "iiss_25k", "iiss_60_100k"}
    named |= {
        "tripwire_battalion",
        "central_reserve_50k",
        "unarmed_observers",
        "non_nato_un",
        "host_nation_first",
    }
    assert named <= {path.stem for path in FILES}


def test_asks_a_question(file: ScenarioFile) -> None:
    assert file.scenario.question.endswith("?")
    assert file.scenario.name


def test_can_be_staged(file: ScenarioFile) -> None:
    ready = stage(file.scenario, file.document)
    elsewhere_km = {
        "ifor_iebl": 1080.0,
        "osce_smm": 420.0,
        "smm_2020": 420.0,
        "unficyp": 180.0,
        "unikom": 240.0,
        "unmee": 1000.0,
        "unmee_flight_ban": 1000.0,
    }
    length_km = elsewhere_km.get(file.path.stem, LINE_KM)
    assert ready.ground.line.length_km == pytest.approx(length_km, rel=0.01)
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


# --- the sawtooth of 2020


def daily_counts(set: dict[str, object] | None = None, replications: int = 5) -> FloatArray:
    """Mean violations a day from 1 June 2020 on."""
    file = load(FOLDER / "smm_2020.yaml", set=set)
    ready = stage(file.scenario, file.document)
    days = [simulate(ready, 1, r).tally.day[:, HAPPENED] for r in range(replications)]
    counts: FloatArray = np.mean(days, axis=0)
    return counts


def outside_the_record(counts: FloatArray) -> list[str]:
    """What of the published course of the truce the counts do not tell; the bands stand in the scenario."""

    def mean(first: str, last: str) -> float:
        since, until = (np.datetime64(day) - np.datetime64("2020-06-01") for day in (first, last))
        return float(counts[since.astype(int) : until.astype(int) + 1].mean())

    before = mean("2020-06-01", "2020-07-26")
    told = {
        "before": abs(before / 623 - 1) <= 0.05,
        "fall": mean("2020-07-27", "2020-08-16") <= 0.06 * before,
        "new year": abs(mean("2020-12-01", "2021-01-17") / 79 - 1) <= 0.25,
        "april": abs(mean("2021-03-16", "2021-04-14") / 200 - 1) <= 0.25,
    }
    return [what for what, is_told in told.items() if not is_told]


def test_the_bands_of_the_record_follow_from_the_register() -> None:
    figures = register().figures
    assert figures["F-3d-before-july-2020"].value == 623
    assert figures["F-3d-april-2021"].value == 200
    november, january = (
        int(n.replace(",", "")) for n in str(figures["F-3d-july-2020-late"].value).split("; ")
    )
    assert (january - november) / 48 == pytest.approx(79, abs=0.5)
    twelve_days = int(str(figures["F-3d-july-2020-early"].value).split("; ")[-1])
    assert twelve_days / 12 / 623 == pytest.approx(0.034, abs=0.0005)


def test_the_sawtooth_of_2020_is_told(warm_kernel: None) -> None:
    assert outside_the_record(daily_counts()) == []


@pytest.mark.parametrize(
    ("broken", "missed"),
    [
        ({"truce.doubling": "37 days"}, ["new year", "april"]),
        ({"truce.doubling": "150 days"}, ["new year", "april"]),
        ({"events.july_measures.recommit.drop": 0.85}, ["fall", "new year", "april"]),
        ({"violations.small_arms.rate": "520 per day"}, ["before"]),
        ({"events.july_measures.at": "2020-07-20"}, ["before"]),
    ],
)
def test_another_truce_would_be_told_apart(
    broken: dict[str, object], missed: list[str], warm_kernel: None
) -> None:
    """Broken on purpose: the bands hold the drop, the doubling, the rates and the day."""
    assert outside_the_record(daily_counts(broken, replications=2)) == missed


# --- will it hold


@pytest.fixture(scope="module")
def doubtful() -> ScenarioFile:
    return load(FOLDER / "will_it_hold.yaml")


def test_with_reprisals_the_line_has_the_rates_of_the_flagship(
    doubtful: ScenarioFile, flagship: ScenarioFile
) -> None:
    stated = np.array([v.rate for v in doubtful.scenario.violations.values()])
    total = with_reprisals(doubtful.scenario, ladder(doubtful.scenario), stated)
    for rate, name in zip(total, doubtful.scenario.violations, strict=True):
        if name in flagship.scenario.violations:
            assert rate == pytest.approx(flagship.scenario.violations[name].rate, rel=0.01), name


def test_the_spectral_radius_is_the_one_in_its_comment(doubtful: ScenarioFile) -> None:
    radius = spectral_radius(breeding(doubtful.scenario))
    assert f"spectral radius {radius:.2f}," in doubtful.path.read_text(encoding="utf-8")


def test_the_truce_comes_back_to_where_it_began(doubtful: ScenarioFile) -> None:
    truce, talks = doubtful.scenario.truce, doubtful.scenario.events["recommitment"]
    assert truce.doubling is not None
    assert talks.every is not None
    assert talks.recommit is not None
    grown = 2 ** (talks.every / truce.doubling)
    assert grown * (1 - talks.recommit.drop) == pytest.approx(1, abs=0.03)
    assert truce.start * grown == pytest.approx(truce.ceiling, rel=0.03)


def test_attacks_kill_as_many_as_missions_lost(doubtful: ScenarioFile) -> None:
    """21.2 deaths in 10,000 years of service, 36.1 % by hostile act, four wounded for each of the dead."""
    attack = doubtful.scenario.violations["attack_on_force"]
    a_year = attack.rate * HOURS_PER_YEAR * attack.casualties
    assert a_year == pytest.approx(30_000 * 21.2e-4 * 0.361 * 5, rel=0.15)


def test_it_adds_nothing_that_the_force_does_to_the_parties(doubtful: ScenarioFile) -> None:
    for violation in doubtful.scenario.violations.values():
        assert violation.deterrence == 0.0
        assert violation.retaliation is None or violation.retaliation.calming == 0.0


@pytest.mark.slow
def test_every_level_is_visited_and_collapse_is_a_minority(doubtful: ScenarioFile) -> None:
    ready = stage(doubtful.scenario, doubtful.document)
    donetsk = list(doubtful.scenario.sectors).index("s4")
    level_h, collapsed, hurt = np.zeros((7, 4)), 0, 0.0
    for replication in range(20):
        history = simulate(ready, 1, replication)
        level_h += hours_by_level(history)
        collapsed += history.collapsed
        hurt += float(history.tally.casualties.sum())
    share = level_h / level_h.sum(axis=1, keepdims=True)
    assert 0.2 < share[donetsk, 1] < 0.5
    assert 0.05 < share[donetsk, 2] < 0.2
    assert (share[:, 0] > 0.95).sum() == 6
    assert 1 <= collapsed <= 9
    assert hurt > 0


def hours_by_level(history: History) -> FloatArray:
    """(sectors, levels) hours up to the horizon or the collapse of the line."""
    spent = np.zeros((7, 4))
    level, since_h = np.zeros(7, dtype=int), np.zeros(7)
    turns = history.turns
    for at_h, x, to in zip(turns.at_h, turns.sector, turns.to_level, strict=True):
        spent[x, level[x]] += at_h - since_h[x]
        level[x], since_h[x] = to, at_h
    spent[np.arange(7), level] += history.stood_h - since_h
    return spent


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
