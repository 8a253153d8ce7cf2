"""From a scenario as written to one in which everything is said: values, places, sources, settings."""

from __future__ import annotations

import pathlib
import pickle

import pytest

from sim.errors import Place, ScenarioError, dotted
from sim.scenario.load import DISTRIBUTIONS
from sim.scenario.resolve import Explained, ScenarioFile, load

SMALL = """\
bufferzone: 1
name: small
horizon: 30 days
line: {length: 100 km}
force:
  contingents:
    uk: {strength: 600}
    fr: {strength: 900, sectors: [north]}
sectors:
  north: {from: 0 km}
violations:
  shelling: {rate: 5 per day}
sources:
  line.length: C01
  force.contingents: "assumption: nobody has said"
  force.contingents.uk.strength: C02
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> str:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def small(set: dict[str, object] | None = None, more: str = "") -> ScenarioFile:
    return load(write("small.yaml", SMALL + more), set=set)


def refusal(set: dict[str, object]) -> str:
    with pytest.raises(ScenarioError) as refused:
        small(set)
    return str(refused.value)


def rows(file: ScenarioFile) -> dict[str, Explained]:
    return {dotted(row.path): row for row in file.explained()}


# explained ------------------------------------------------------------


def test_a_written_value_has_its_place_and_its_source() -> None:
    row = rows(small())["line.length"]
    assert (row.value, row.is_written, row.source) == ("100 km", True, "C01")
    assert row.place == Place(file="small.yaml", line=4, column=16)
    assert row.says is not None
    assert row.says.startswith("One proposal draws a new border")


def test_a_default_has_no_place_and_is_not_written() -> None:
    row = rows(small())["manning.tour"]
    assert (row.value, row.is_written, row.place) == ("4383 h", False, None)


def test_a_default_never_takes_the_source_of_the_default_once_it_is_written() -> None:
    assert rows(small({"manning.tour": "6 months"}))["manning.tour"].source is None


def test_the_nearest_source_wins() -> None:
    told = rows(small())
    assert told["force.contingents.uk.strength"].source == "C02"
    assert told["force.contingents.fr.strength"].source == "assumption: nobody has said"
    assert told["force.contingents.fr.strength"].says == "nobody has said"
    assert told["horizon"].source is None


def test_every_value_is_explained_once_in_the_order_of_the_schema() -> None:
    file = small()
    paths = [dotted(row.path) for row in file.explained()]
    assert len(set(paths)) == len(paths)
    assert paths[:4] == ["bufferzone", "name", "question", "start"]
    assert not any(path.startswith("sources") for path in paths)
    flat = {path.split(".")[0] for path in paths}
    assert flat == set(file.resolved()) - {"sources"}


def test_a_list_is_one_value() -> None:
    row = rows(small())["force.contingents.fr.sectors"]
    assert (row.value, row.is_written) == ("[north]", True)


def test_numbers_without_a_source_are_named() -> None:
    names = [dotted(row.path) for row in small().unsourced()]
    assert "violations.shelling.rate" in names
    assert "horizon" in names
    assert "line.length" not in names
    assert "manning.tour" not in names


def test_the_short_form_of_a_duration_counts_as_written() -> None:
    row = rows(small(more="response: {reaction: 20 min}\n"))["response.reaction.value"]
    assert (row.is_written, row.place) == (True, Place(file="small.yaml", line=17, column=22))


# settings ------------------------------------------------------------


def test_a_setting_replaces_what_is_written_and_is_told() -> None:
    file = small({"force.contingents.uk.strength": 1200, "horizon": "1 year", "response.preempt": True})
    assert file.scenario.force.contingents["uk"].strength == 1200
    assert file.scenario.horizon == 8766.0
    assert file.document.overrides == (
        "force.contingents.uk.strength: 600 -> 1200",
        "horizon: 30 days -> 1 year",
        "response.preempt: (not written) -> true",
    )
    row = rows(file)["horizon"]
    assert row.place == Place(file="--set horizon=1 year", line=1, column=9)


def test_an_unknown_path_names_its_siblings() -> None:
    assert refusal({"force.scal": 2}) == (
        '--set force.scal=2:1:1: force.scal: no such key here\n    hint: did you mean "scale"?'
    )
    assert refusal({"force.zzz": 2}) == (
        "--set force.zzz=2:1:1: force.zzz: no such key here\n    hint: known keys: scale, contingents"
    )


def test_a_setting_adds_no_entry_by_a_slip_of_the_pen() -> None:
    assert refusal({"violations.sheling.rate": "9 per day"}) == (
        "--set violations.sheling.rate=9 per day:1:1: violations.sheling: there is nothing of this name\n"
        '    hint: did you mean "shelling"?'
    )
    assert refusal({"force.contingents.pl.strength": 5, "force.contingents.pl.unit_size": 5}) == (
        "--set force.contingents.pl.strength=5:1:1: force.contingents.pl: there is nothing of this name\n"
        "    hint: names here: uk, fr"
    )
    assert refusal({"seasons.mud.months": [3]}) == (
        "--set seasons.mud.months=[3]:1:1: seasons.mud: there is nothing of this name\n"
        '    hint: to add it, set "seasons.mud" whole'
    )


def test_a_setting_may_add_a_whole_entry_and_then_change_it() -> None:
    added: dict[str, object] = {
        "force.contingents.pl": {"strength": 500},
        "force.contingents.pl.armed": False,
    }
    assert small(added).scenario.force.contingents["pl"].armed is False


def test_a_setting_may_begin_what_bears_the_name_of_a_sector() -> None:
    scenario = small({"posture.sectors.north.posts.count": 12}).scenario
    posts = scenario.posture.sectors["north"].posts
    assert posts is not None
    assert posts.count == 12
    assert refusal({"posture.sectors.nort.posts.count": 12}) == (
        "--set posture.sectors.nort.posts.count=12:1:1: posture.sectors.nort: "
        'there is no sector "nort"\n    hint: did you mean "north"?'
    )


def test_all_settings_at_fault_are_told_at_once() -> None:
    told = refusal({"seed": -1, "line.length": 5, "nmae": "x"})
    assert told == (
        "--set line.length=5:1:13: line.length: 5 has no unit\n"
        '    hint: write "5 km" or "5 mi", whichever you mean\n'
        '--set nmae=x:1:1: nmae: no such key here\n    hint: did you mean "name"?\n'
        "--set seed=-1:1:6: seed: must be at least 0, got -1"
    )


# files ------------------------------------------------------------


def test_a_file_name_starts_where_the_file_that_wrote_it_lies() -> None:
    write("parents/line/map.geojson", "{}")
    write("parents/base.yaml", SMALL.replace("length: 100 km", "file: line/map.geojson"))
    child = load(write("children/child.yaml", "extends: ../parents/base.yaml\nname: child\n"))
    assert child.data_files() == ((pathlib.Path.cwd() / "parents/line/map.geojson"),)
    assert child.path == pathlib.Path("children/child.yaml")
    assert [file.name for file in child.document.files] == ["child.yaml", "base.yaml"]


def test_a_file_name_of_a_child_starts_at_the_child() -> None:
    write("parents/base.yaml", SMALL.replace("length: 100 km", "file: map.geojson"))
    child = load(write("children/child.yaml", "extends: ../parents/base.yaml\nline: {file: other.geojson}\n"))
    assert child.data_files() == ((pathlib.Path.cwd() / "children/other.geojson"),)


def test_a_file_name_that_is_set_starts_at_the_scenario() -> None:
    write("parents/base.yaml", SMALL.replace("length: 100 km", "file: map.geojson"))
    name = write("children/child.yaml", "extends: ../parents/base.yaml\n")
    child = load(name, set={"line.file": "set.geojson"})
    assert child.data_files() == ((pathlib.Path.cwd() / "children/set.geojson"),)


def test_a_scenario_without_map_needs_no_other_file() -> None:
    assert small().data_files() == ()


# resolved ------------------------------------------------------------


def test_the_resolved_text_says_every_default() -> None:
    resolved = small().resolved()
    assert resolved["manning"]["tour"] == "4383 h"
    assert resolved["response"]["reaction"] == {"kind": "lognormal", "median": "0.25 h", "p90": "0.5 h"}
    assert resolved["force"]["contingents"]["uk"]["unit_size"] == 600


def test_a_scenario_file_travels_to_another_process() -> None:
    file = small()
    again: ScenarioFile = pickle.loads(pickle.dumps(file))
    assert again.resolved_text() == file.resolved_text()


def test_a_child_replaces_a_distribution_by_one_of_another_kind() -> None:
    write("base.yaml", SMALL + "response: {reaction: {kind: lognormal, median: 5 min, p90: 9 min}}\n")
    child = "extends: base.yaml\nresponse: {reaction: {kind: exponential, mean: 7 min}}\n"
    assert load(write("child.yaml", child)).resolved()["response"]["reaction"]["kind"] == "exponential"
    assert set(DISTRIBUTIONS) == {"fixed", "exponential", "lognormal", "uniform"}
