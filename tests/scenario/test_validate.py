"""From plain data to a model: every complaint in the author's words, at its place."""

from __future__ import annotations

import enum
import pathlib
import pickle
from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from sim.errors import Problem, ScenarioError
from sim.scenario.load import dump, read
from sim.scenario.part import Faults, Part
from sim.scenario.quantities import Length, PositiveDuration, PositiveLength, Speed
from sim.scenario.validate import followed, validated


class Drone(Part):
    """A drone."""

    kind: Literal["drone"]
    every: PositiveDuration
    drone: int = 1


class Post(Part):
    """A post; what it sees may not lie behind it."""

    kind: Literal["post"]
    reach: PositiveLength
    blind: Length = 0.0

    @model_validator(mode="after")
    def _sees(self) -> Self:
        if self.blind >= self.reach:
            raise Faults([(("blind",), f"hides all of the {self.reach:g} km it reaches", "lower it")])
        return self


class Colour(enum.Enum):
    """Of helmets."""

    BLUE = "blue"
    GREEN = "green"


class Reserve(Part):
    """Teams that wait."""

    teams: Annotated[int, Field(ge=1, le=99)]
    speed: Speed = 30.0
    by_night: bool = True
    helmet: Colour = Colour.BLUE
    from_: Length | None = Field(default=None, alias="from")


class Line(Part):
    """A small scenario."""

    name: Annotated[str, Field(min_length=3)] = "line"
    reserve: Reserve
    layers: tuple[Annotated[Drone | Post, Field(discriminator="kind")], ...] = ()
    either: Drone | Reserve | None = None
    shares: dict[Annotated[str, Field(pattern="^[a-z]+$")], Annotated[float, Field(ge=0, le=1)]] = {}  # noqa: RUF012
    policy: Literal["nearest", "reserve"] = "nearest"
    version: Literal[1] = 1
    months: Annotated[tuple[int, ...], Field(max_length=2)] = ()
    start: str = "2026-01-31"
    odd: Annotated[int, Field(multiple_of=2)] = 2
    ratio: float = 1.0

    @field_validator("start")
    @classmethod
    def _is_date(cls, text: str) -> str:
        if len(text) != 10:
            raise PydanticCustomError("date", "{text} is no date", {"text": text, "hint": "write 2026-01-31"})
        if text == "2026-02-30":
            raise ValueError("no such day")
        return text

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(self.shares.values()) > 1:
            raise Faults(
                [
                    (("shares", next(reversed(self.shares))), "takes the sum above 1", None),
                    (("reserve", "speed"), "is too slow for that", "raise it"),
                    ((), "does not add up", None),
                ]
            )
        return self


GOOD = "reserve:\n  teams: 3\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def line(text: str, set: dict[str, object] | None = None) -> Line:
    path = pathlib.Path("x.yaml")
    path.write_text(text, encoding="utf-8")
    return validated(Line, read(path, set=set))


def refusal(text: str, set: dict[str, object] | None = None) -> str:
    with pytest.raises(ScenarioError) as refused:
        line(text, set)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: abc\n", '1:1: reserve: is missing\n    hint: add "reserve: ..." here'),
        ("reserve: {}\n", '1:1: reserve.teams: is missing\n    hint: add "teams: ..." here'),
        ("reserve: {teems: 3}\n", '1:11: reserve.teems: no such key here\n    hint: did you mean "teams"?'),
        ("reserve: {teams: 3, from_: 1 km}\n",
         '1:21: reserve.from_: no such key here\n    hint: did you mean "from"?'),
        ("reserve: {teams: 3, xyz: 4}\n",
         "1:21: reserve.xyz: no such key here\n    hint: known keys: teams, speed, by_night, helmet, from"),
        ("reserve: {teams: x}\n", '1:18: reserve.teams: expected a whole number, got "x"'),
        ("reserve: {teams: 3.0}\n", "1:18: reserve.teams: expected a whole number, got 3.0"),
        ("reserve: {teams: true}\n", "1:18: reserve.teams: expected a whole number, got true"),
        ("reserve: {teams: }\n", "1:18: reserve.teams: expected a whole number, got nothing"),
        ("reserve: {teams: 0}\n", "1:18: reserve.teams: must be at least 1, got 0"),
        ("reserve: {teams: 100}\n", "1:18: reserve.teams: must be at most 99, got 100"),
        ("reserve: 4\n",
         '1:10: reserve: expected keys and values, got 4\n    hint: write lines like "key: value" below it'),
        ("reserve: {teams: 3, by_night: yes}\n",
         '1:31: reserve.by_night: expected true or false, got "yes"\n    hint: write true or false'),
        ("reserve: {teams: 3, by_night: 1}\n",
         "1:31: reserve.by_night: expected true or false, got 1\n    hint: write true or false"),
        ("reserve: {teams: 3, helmet: gren}\n",
         '1:29: reserve.helmet: "gren" is not one of blue, green\n    hint: did you mean "green"?'),
        ("reserve: {teams: 3, speed: 30 km}\n",
         '1:28: reserve.speed: "30 km" is a length, but a speed is wanted here\n'
         '    hint: write it like "30 km/h"'),
        ("reserve: {teams: 3, from: -1 km}\n", '1:27: reserve.from: must be at least 0, got "-1 km"'),
        (GOOD + "name: 5\n", "3:7: name: expected text, got 5\n    hint: put it in quotes"),
        (GOOD + "name: [a]\n", "3:7: name: expected text, got a list"),
        (GOOD + "name: ab\n", "3:7: name: needs at least 3 characters, got 2"),
        (GOOD + "policy: neerest\n",
         '3:9: policy: "neerest" is not one of nearest, reserve\n    hint: did you mean "nearest"?'),
        (GOOD + "policy: 3\n", "3:9: policy: 3 is not one of nearest, reserve"),
        (GOOD + "version: 2\n", "3:10: version: must be 1, got 2"),
        (GOOD + "layers: drone\n",
         '3:9: layers: expected a list, got "drone"\n    hint: begin each entry with a dash'),
        (GOOD + "layers:\n- {kind: drne}\n",
         '4:10: layers[0].kind: "drne" is not one of drone, post\n    hint: did you mean "drone"?'),
        (GOOD + "layers:\n- {every: 3 h}\n",
         "4:3: layers[0].kind: is missing\n    hint: write one of drone, post"),
        (GOOD + "layers:\n- kind: post\n  every: 3 h\n  reach: 1 km\n",
         "5:3: layers[0].every: no such key here\n    hint: known keys: kind, reach, blind"),
        (GOOD + "layers:\n- kind: post\n",
         '4:3: layers[0].reach: is missing\n    hint: add "reach: 30 km" here'),
        (GOOD + "layers:\n- {kind: drone, every: 4, drone: x}\n",
         "4:24: layers[0].every: 4 has no unit\n"
         '    hint: write "4 min", "4 h", "4 days" or "4 months", whichever you mean\n'
         'x.yaml:4:34: layers[0].drone: expected a whole number, got "x"'),
        (GOOD + "layers:\n- {kind: post, reach: 2 km, blind: 3 km}\n",
         "4:36: layers[0].blind: hides all of the 2 km it reaches\n    hint: lower it"),
        (GOOD + "shares: {A1: 0.5}\n", '3:10: shares.A1: "A1" is not of the form ^[a-z]+$'),
        (GOOD + "shares: {a: 1.5}\n", "3:13: shares.a: must be at most 1, got 1.5"),
        (GOOD + "shares: {a: .nan}\n", "3:13: shares.a: expected a finite number, got nan"),
        (GOOD + "shares: [1]\n",
         '3:9: shares: expected keys and values, got a list\n'
         '    hint: write lines like "key: value" below it'),
        (GOOD + "shares: {a: 0.5, b: 0.6}\n",
         "1:1: does not add up\n"
         "x.yaml:1:1: reserve.speed: is too slow for that\n    hint: raise it\n"
         "x.yaml:3:21: shares.b: takes the sum above 1"),
        (GOOD + "months: [1, 2, 3]\n", "3:9: months: needs at most 2 entries, got 3"),
        (GOOD + "odd: 3\n", "3:6: odd: must be a multiple of 2, got 3"),
        (GOOD + "ratio: '1'\n", '3:8: ratio: expected a number, got "1"'),
        (GOOD + "start: soon\n", "3:8: start: soon is no date\n    hint: write 2026-01-31"),
        (GOOD + "start: 2026-02-30\n", "3:8: start: no such day"),
    ],
)  # fmt: skip
def test_every_complaint_has_a_place_and_plain_words(text: str, message: str) -> None:
    assert refusal(text) == f"x.yaml:{message}"


def test_all_problems_are_told_at_once_in_reading_order() -> None:
    told = refusal("name: 5\nreserve:\n  teems: 3\n  speed: 4\nlayers: [1]\nbogus: 1\n")
    assert [text.split(": ")[0] for text in told.splitlines() if not text.startswith(" ")] == [
        "x.yaml:1:7", "x.yaml:3:3", "x.yaml:4:10", "x.yaml:5:10", "x.yaml:6:1",
    ]  # fmt: skip


def test_places_follow_parents_and_settings() -> None:
    pathlib.Path("base.yaml").write_text("reserve:\n  teams: no\n", encoding="utf-8")
    assert refusal("extends: base.yaml\n", {"reserve.sped": "4 km/h", "reserve.speed": "30 kmm/h"}) == (
        "--set reserve.sped=4 km/h:1:1: reserve.sped: no such key here\n"
        '    hint: did you mean "speed"?\n'
        '--set reserve.speed=30 kmm/h:1:15: reserve.speed: no unit "kmm"\n'
        '    hint: did you mean "30 km/h"?\n'
        'base.yaml:2:10: reserve.teams: expected a whole number, got "no"'
    )


def test_a_setting_on_an_unknown_path_names_its_siblings() -> None:
    assert refusal(GOOD, {"reserve.xyz.deeper": 1}) == (
        "--set reserve.xyz.deeper=1:1:1: reserve.xyz: no such key here\n"
        "    hint: known keys: teams, speed, by_night, helmet, from"
    )


def test_a_good_scenario_is_a_frozen_part_and_dumps_to_what_it_was_read_from() -> None:
    text = GOOD + "layers:\n- {kind: drone, every: 20 min}\nshares: {a: 1}\neither: {teams: 4, from: 1 mi}\n"
    first = line(text)
    assert first.reserve.teams == 3
    assert isinstance(first.either, Reserve)
    assert line(dump(first.model_dump(mode="json"))) == first
    with pytest.raises(ValidationError):
        first.reserve.teams = 4  # type: ignore[misc]


def test_no_member_of_a_plain_union_leaves_its_name_in_a_path() -> None:
    told = refusal(GOOD + "either: {teams: x}\n")
    assert 'x.yaml:3:17: either.teams: expected a whole number, got "x"' in told
    assert "Reserve" not in told


@pytest.mark.parametrize(
    ("data", "loc", "path", "rest"),
    [
        ({"a": [{"kind": "k", "k": {"b": 1}}]}, ("a", 0, "k", "k", "b"), ("a", 0, "k", "b"), ()),
        ({"kind": "k", "k": {"b": 1}}, ("k", "b"), ("k", "b"), ()),
        ({"kind": "k", "k": 1}, ("k",), ("k",), ()),
        ({"a": "20 min"}, ("a", "fixed", "value"), ("a",), ("fixed", "value")),
        ({"a": {"b": 1}}, ("a", "b", "[key]"), ("a", "b"), ("[key]",)),
        ({"a": {}}, ("a", "k", "gone"), ("a",), ("k", "gone")),
        ([1], (3,), (), (3,)),
    ],
)
def test_a_location_is_followed_as_far_as_the_text_goes(
    data: object, loc: tuple[str | int, ...], path: tuple[str | int, ...], rest: tuple[str | int, ...]
) -> None:
    assert followed(data, loc) == (path, rest)


def test_faults_read_well_and_travel_between_processes() -> None:
    faults = Faults([(("a", 1), "fact", "hint"), ((), "other", None)])
    assert str(faults) == "a[1]: fact (hint)\nother"
    assert pickle.loads(pickle.dumps(faults)).faults == faults.faults
    with pytest.raises(ValueError, match=r"^Faults needs at least one fault$"):
        Faults([])


KEYS = st.sampled_from(
    ["reserve", "teams", "layers", "kind", "either", "shares", "name", "drone", "months", "x"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["post", "drone", "3 km", "x", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1))
@example({"kind": "x", "x": None})
@example({"kind": "x", "x": {"x": 1}, "either": {"kind": "drone", "drone": {"drone": 1}}})
def test_any_data_is_a_line_or_refused_with_places(data: dict[str, Any]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        line(dump(data))
    except ScenarioError as refused:
        problems = refused.problems
    assert all(problem.place is not None and problem.fact for problem in problems)


def test_descriptions_come_from_docstrings_and_defaults_are_written_as_text() -> None:
    schema = Line.model_json_schema()
    assert schema["$defs"]["Reserve"]["description"] == "Teams that wait."
    assert schema["$defs"]["Reserve"]["properties"]["speed"]["default"] == "30 km/h"
    assert schema["additionalProperties"] is False
