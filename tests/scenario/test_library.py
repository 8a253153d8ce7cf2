"""The library of violation types: what `like` lends, what it leaves alone, and where its numbers come from."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest
import yaml
from cli_runner import say

from sim.errors import Place, ScenarioError, dotted
from sim.scenario.claims import data_root, pattern_steps, register, source_for
from sim.scenario.happens import ViolationPart
from sim.scenario.library import library, types
from sim.scenario.resolve import Explained, ScenarioFile, load

FILE = data_root() / "seeds" / "violations.yaml"
NAMES = ("small_arms", "shelling", "drone_overflight", "drone_strike", "incursion", "heavy_weapons_in_zone", "access_denied",
         "jamming", "mine_incident", "attack_on_force")  # fmt: skip
STATED = (
    "title",
    "severity",
    "duration",
    "teams",
    "standard",
    "on_scene",
    "evidence",
    "attribution",
    "night",
)

SMALL = """\
bufferzone: 1
name: small
horizon: 30 days
line: {length: 100 km}
force: {contingents: {blue: {strength: 600}}}
violations:
  shelling:
    like: shelling
    rate: 5 per day
    severity: 2
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def small(set: dict[str, object] | None = None, *, more: str = "", name: str = "small.yaml") -> ScenarioFile:
    pathlib.Path(name).write_text(SMALL + more, encoding="utf-8")
    return load(name, set=set)


def rows(file: ScenarioFile) -> dict[str, Explained]:
    return {dotted(row.path): row for row in file.explained()}


def leaves(value: Any, here: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [here]
    return [leaf for key, below in value.items() for leaf in leaves(below, (*here, key))]


def unbacked(entry: dict[str, Any]) -> list[str]:
    """Values of an entry that nothing backs; names for people and kinds of distribution need nothing."""
    values = {key: value for key, value in entry.items() if key not in ("sources", "title")}
    return [".".join(p) for p in leaves(values) if p[-1] != "kind" and not source_for(p, entry["sources"])]


def idle(entry: dict[str, Any]) -> list[str]:
    """Sources of an entry that back none of its values."""
    paths = leaves({key: value for key, value in entry.items() if key != "sources"})
    by_pattern = {pattern: pattern for pattern in entry["sources"]}
    return sorted(set(by_pattern) - {source_for(path, by_pattern) for path in paths})


@pytest.fixture(params=NAMES)
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))[request.param]
    return found


# what it holds ------------------------------------------------------------


def test_the_library_has_what_missions_count() -> None:
    assert tuple(types()) == NAMES


def test_an_entry_states_all_but_what_belongs_to_a_line(entry: dict[str, Any]) -> None:
    assert set(STATED) <= set(entry)
    assert {"rate", "hot_spots", "months", "terrain", "false_reports", "retaliation"}.isdisjoint(entry)
    ViolationPart.model_validate(
        {key: value for key, value in entry.items() if key != "sources"} | {"rate": "1 per day"}
    )


def test_every_number_of_an_entry_has_a_source_and_no_source_is_idle(entry: dict[str, Any]) -> None:
    assert unbacked(entry) == []
    assert idle(entry) == []
    for citation in entry["sources"].values():
        assert len(register().cite(citation).says) > 10
    assert all(pattern_steps(path)[0] in entry for path in entry["sources"])


def test_a_source_that_goes_missing_or_backs_nothing_is_noticed(entry: dict[str, Any]) -> None:
    """Broken on purpose: each of an entry's sources is needed, and one more would be noticed."""
    for path in entry["sources"]:
        if "." in path:
            continue  # what is above it would still cover it
        broken = copy.deepcopy(entry)
        del broken["sources"][path]
        assert unbacked(broken)
    entry["sources"]["severety"] = "assumption: a slip of the pen"
    assert idle(entry) == ["severety"]


def test_a_citation_that_the_register_does_not_know_is_refused() -> None:
    text = FILE.read_text(encoding="utf-8")
    pathlib.Path("wrong.yaml").write_text(text.replace("F-3b-barrage:", "F-3b-barage:"), encoding="utf-8")
    with pytest.raises(ValueError, match='did you mean "F-3b-barrage"'):
        library(pathlib.Path("wrong.yaml"))


def test_attacks_on_the_force_hurt_it() -> None:
    attack = types()["attack_on_force"].values
    assert attack["against_force"] is True
    assert attack["casualties"] > 0


# what it lends ------------------------------------------------------------


def test_what_is_not_written_is_lent() -> None:
    shelling = small().scenario.violations["shelling"]
    lent = types()["shelling"].values
    assert (shelling.title, shelling.attribution, shelling.night) == (
        "Shelling",
        lent["attribution"],
        lent["night"],
    )
    assert shelling.seen_by.posts.reach == 15.0
    assert shelling.standard == 3.0


def test_what_is_written_wins() -> None:
    shelling = small(more="    seen_by: {posts: {reach: 9 km}}\n    duration: 20 min\n").scenario.violations[
        "shelling"
    ]
    assert shelling.severity == 2.0
    assert (shelling.seen_by.posts.reach, shelling.seen_by.posts.detection) == (9.0, 0.35)
    assert shelling.duration.kind == "fixed"


def test_a_distribution_is_filled_by_its_own_kind_only() -> None:
    own = small(more="    duration: {median: 10 min}\n").resolved()["violations"]["shelling"]
    assert own["duration"] == {"kind": "lognormal", "median": f"{1 / 6!r} h", "p90": "2 h"}
    other = small(more="    duration: {kind: exponential, mean: 30 min}\n").resolved()["violations"][
        "shelling"
    ]
    assert other["duration"] == {"kind": "exponential", "mean": "0.5 h"}


def test_a_setting_wins_over_the_library_and_over_the_file() -> None:
    file = small(
        {
            "violations.shelling.teams": 3,
            "violations.shelling.duration.p90": "9 h",
            "violations.shelling.like": "incursion",
        }
    )
    shelling = file.scenario.violations["shelling"]
    assert (shelling.teams, shelling.severity, shelling.needs_arms) == (3, 2.0, True)
    assert file.resolved()["violations"]["shelling"]["duration"] == {
        "kind": "lognormal",
        "median": "3 h",
        "p90": "9 h",
    }


def test_what_a_parent_file_writes_wins_too() -> None:
    small()
    pathlib.Path("child.yaml").write_text(
        "extends: small.yaml\nviolations: {shelling: {like: small_arms}}\n", encoding="utf-8"
    )
    shelling = load("child.yaml").scenario.violations["shelling"]
    assert (shelling.title, shelling.severity, shelling.rate) == ("Small-arms fire", 2.0, 5 / 24)


def test_the_library_itself_is_never_changed_by_what_borrows_from_it() -> None:
    before = copy.deepcopy(dict(types()["shelling"].values))
    small(more="    seen_by: {posts: {reach: 9 km}}\n")
    assert dict(types()["shelling"].values) == before


def test_a_type_without_like_gets_nothing() -> None:
    plain = small(name="plain.yaml", more="  other: {rate: 1 per day}\n").scenario.violations["other"]
    assert plain == ViolationPart.model_validate({"rate": "1 per day"})


# what is told of it ------------------------------------------------------------


def test_explain_says_where_a_lent_value_comes_from() -> None:
    told = rows(small(more="sources: {violations: C01}\n"))
    lent = told["violations.shelling.duration.median"]
    assert lent.source == types()["shelling"].sources["duration"]
    assert lent.says is not None
    assert "240 explosions" in lent.source
    assert not lent.is_written
    assert lent.place == Place(file="small.yaml", line=8, column=11)
    written = told["violations.shelling.severity"]
    assert (written.source, written.is_written) == ("C01", True)
    default = told["violations.shelling.deterrence"]
    assert not default.is_written
    assert default.place is None
    assert "violations.shelling.like" not in told


def test_a_lent_number_needs_no_source_of_the_author() -> None:
    assert [dotted(row.path) for row in small().unsourced()] == [
        "horizon", "line.length", "force.contingents.blue.strength", "violations.shelling.severity", "violations.shelling.rate"
    ]  # fmt: skip


def test_the_resolved_text_stands_without_the_library() -> None:
    file = small()
    assert "like" not in file.resolved()["violations"]["shelling"]
    pathlib.Path("resolved.yaml").write_text(file.resolved_text(), encoding="utf-8")
    again = load("resolved.yaml")
    assert again.resolved_text() == file.resolved_text()
    assert again.scenario == file.scenario
    assert again.document.lent == {}


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ScenarioError) as refused:
        small({"violations.shelling.like": "sheling"}, more="seed: -1\n")
    assert [(problem.path, problem.fact) for problem in refused.value.problems] == [
        (("violations", "shelling", "like"), 'the library has no violation type "sheling"'),
        (("seed",), "must be at least 0, got -1"),
    ]


def test_the_command_names_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    small()
    told = {row["path"]: row for row in json.loads(say(capsys, "explain", "small.yaml", "--json").out)}
    assert told["violations.shelling.teams"]["source"] == "assumption: one to verify"
    assert told["violations.shelling.teams"]["written"] is False
