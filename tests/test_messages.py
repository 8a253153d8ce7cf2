"""Every file in cases/invalid opens with all that it must print; every one in cases/valid keeps its values.

An invalid case begins with `# expect: [FILE:]LINE:COLUMN: [PATH:] FACT` for each of its problems, in the
order in which they are printed, with `# hint: REMEDY` below where there is one. FILE is left out for the
case itself.
"""

from __future__ import annotations

import pathlib
import re

import pytest

from sim.campaign.theatre import stage
from sim.errors import ScenarioError
from sim.scenario.chance import Uniform
from sim.scenario.resolve import ScenarioFile, load
from sim.scenario.schema import Scenario

CASES = pathlib.Path(__file__).parent / "cases"
INVALID = sorted((CASES / "invalid").glob("*.yaml"))
VALID = sorted((CASES / "valid").glob("*.yaml"))

_EXPECT, _HINT = "# expect: ", "# hint: "


def expected(case: pathlib.Path) -> list[str]:
    """What the header of *case* says that must be printed, one text for each problem."""
    told: list[str] = []
    for line in case.read_text(encoding="utf-8", errors="replace").split("\n"):
        if line.startswith(_EXPECT):
            said = line.removeprefix(_EXPECT)
            told.append(f"{case.name}:{said}" if re.match(r"[0-9]+:[0-9]+: ", said) else said)
        elif line.startswith(_HINT) and told:
            told[-1] += f"\n    hint: {line.removeprefix(_HINT)}"
        else:
            break
    return told


def printed(case: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reading *case* in its own folder, and staging it, prints; one text for each problem."""
    monkeypatch.chdir(case.parent)
    with pytest.raises(ScenarioError) as refused:
        staged(case)
    assert str(refused.value) == "\n".join(str(problem) for problem in refused.value.problems)
    return [str(problem) for problem in refused.value.problems]


def staged(case: pathlib.Path) -> ScenarioFile:
    file = load(case.name)
    stage(file.scenario, file.document)
    return file


def with_files_of(scenario: Scenario, other: Scenario) -> Scenario:
    """*scenario* with the file names of *other*: a resolved scenario names its files in full."""
    line = scenario.line.model_copy(update={"file": other.line.file})
    travel = scenario.travel.model_copy(update={"roads": other.travel.roads})
    return scenario.model_copy(update={"line": line, "travel": travel, "trace": other.trace})


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_an_invalid_case_prints_what_it_says(case: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(case, monkeypatch) == expected(case)


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.stem)
def test_a_message_is_in_the_words_of_an_author(case: pathlib.Path) -> None:
    words = (
        r"\b(?:NoneType|dict|str|int|float|bool|tuple|pydantic|Traceback|Error|object at|None|True|False)\b"
    )
    for text in expected(case):
        assert not re.search(words, text.replace("!!python/object", "")), text


def test_there_are_enough_cases() -> None:
    assert len(INVALID) >= 160
    assert len(VALID) >= 23
    assert all(expected(case) for case in INVALID)


@pytest.mark.parametrize(
    ("was", "is_"),
    [
        ("line.length:", "line.lenght:"),
        ("800 has", "801 has"),
        (":16:", ":17:"),
        ('# hint: write "800', '# hint: write "900'),
        ("# hint: ", "# no hint: "),
        ("# expect: ", "# expect: other.yaml:"),
        ("# expect: ", "# expect: 1:1: name: is missing\n# expect: "),
        ("# expect: ", "# "),
    ],
)
def test_a_case_with_another_expectation_fails(
    was: str, is_: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check can fail: whichever part of an expectation is changed, the case no longer holds."""
    text = (CASES / "invalid" / "bare_length.yaml").read_text(encoding="utf-8")
    case = tmp_path / "bare_length.yaml"
    case.write_text(text, encoding="utf-8")
    assert printed(case, monkeypatch) == expected(case)
    assert was in text
    case.write_text(text.replace(was, is_, 1), encoding="utf-8")
    assert printed(case, monkeypatch) != expected(case)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.stem)
def test_a_valid_case_says_in_its_first_line_what_it_shows(case: pathlib.Path) -> None:
    assert re.match(r"# .*\.\n", case.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "case",
    VALID,
    ids=[case.stem for case in VALID],
)
def test_a_valid_case_stages_and_its_resolved_form_reads_back(
    case: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)
    once = staged(case)
    text, data = once.resolved_text(), once.resolved()
    copy = tmp_path / "resolved.yaml"
    copy.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    again = staged(copy)
    assert again.resolved_text() == text
    assert again.resolved() == data
    assert again.scenario == with_files_of(once.scenario, again.scenario)


def test_country_codes_and_switches_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "valid")
    scenario = load("norway.yaml").scenario
    assert (scenario.name, scenario.question) == ("NO", "on")
    assert list(scenario.force.contingents) == ["NO", "on", "y"]
    assert scenario.force.contingents["NO"].title == "yes"


def test_a_child_has_its_own_distribution_and_its_parents_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "valid")
    scenario = load("child.yaml").scenario
    assert isinstance(scenario.violations["shelling"].duration, Uniform)
    assert scenario.force.contingents["blue"].strength == 1800
    assert scenario.force.contingents["blue"].caveats.no_night
    assert scenario.name == "the child"
