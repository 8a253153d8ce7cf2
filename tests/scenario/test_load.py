"""Reading scenario files: YAML 1.2, places, parents, settings, hostile bytes, and writing YAML back."""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sim.errors import Place, Problem, ScenarioError
from sim.scenario import yamltext
from sim.scenario.load import Document, Span, dump, parse_settings, read


@pytest.fixture(autouse=True)
def _here(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str | bytes) -> str:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def document(text: str | bytes, set: dict[str, object] | None = None) -> Document:
    return read(write("x.yaml", text), set=set)


def refusal(text: str | bytes, set: dict[str, object] | None = None) -> str:
    with pytest.raises(ScenarioError) as refused:
        document(text, set)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("on", "on"), ("yes", "yes"), ("06:30", "06:30"), ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"), ("1e3", 1000.0), ("014", 14), ("0o14", 12), ("0x1F", 31), ("-7", -7),
        ("+.5", 0.5), ("1.", 1.0), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("'7'", "7"), ('"true"', "true"), ("=", "="), ("1.5.2", "1.5.2"),
        (".inf", float("inf")), ("6 months", "6 months"),
        ("[1, {a: b}]", [1, {"a": "b"}]), ("|\n  a\n  b\n", "a\nb\n"),
    ],
)  # fmt: skip
def test_plain_values_follow_yaml_1_2(text: str, value: object) -> None:
    assert document(f"a: {text}").data == {"a": value}


def test_keys_are_text() -> None:
    text = "NO: a\n1: b\n1.0: c\ntrue: d\n~: e\n2026-01-31: f\n'<<': g\n"
    assert list(document(text).data) == ["NO", "1", "1.0", "true", "~", "2026-01-31", "<<"]


def test_every_key_and_value_has_its_place() -> None:
    read_back = document("# \U0001f6f0\u00e9\nforce:\n  - {'\U0001f6f0': a, b: 1}\n")
    at = {path: (span.key, span.value) for path, span in read_back.places.items()}

    def place(line: int, column: int) -> Place:
        return Place(file="x.yaml", line=line, column=column)

    assert at == {
        (): (None, place(2, 1)),
        ("force",): (place(2, 1), place(3, 3)),
        ("force", 0): (None, place(3, 5)),
        ("force", 0, "\U0001f6f0"): (place(3, 6), place(3, 11)),
        ("force", 0, "b"): (place(3, 14), place(3, 17)),
    }


def test_a_byte_order_mark_and_dos_line_ends_are_taken_in_stride() -> None:
    read_back = document(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_back.data == {"a": 1, "b": 2}
    assert read_back.places[("b",)] == Span(
        key=Place(file="x.yaml", line=2, column=1), value=Place(file="x.yaml", line=2, column=4)
    )


def test_an_alias_is_a_copy_that_stands_where_it_is_used() -> None:
    read_back = document("a: &q {n: 1}\nb: *q\n")
    assert read_back.data == {"a": {"n": 1}, "b": {"n": 1}}
    assert read_back.data["a"] is not read_back.data["b"]
    assert read_back.places[("b",)].value == Place(file="x.yaml", line=2, column=4)
    assert read_back.places[("b", "n")].value == Place(file="x.yaml", line=1, column=11)


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{chr(c)}: &{chr(c)} [{', '.join([f'*{chr(c - 1)}'] * 10)}]\n" for c in range(ord("b"), ord("j"))
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n",
         "x.yaml:4:3: b.c: is written twice, on lines 3 and 4\n    hint: keep one"),
        ("a: &q 1\nb:\n  <<: *q\n",
         'x.yaml:3:3: b: merge keys are not read\n    hint: use "extends: other.yaml" at the top'),
        ("a: !!binary aGk=\n",
         "x.yaml:1:4: a: carries the tag !!binary\n    hint: leave it out; quote what must be text"),
        ("a: !!python/object:os.system {}\n",
         "x.yaml:1:4: a: carries the tag !!python/object:os.system\n"
         "    hint: leave it out; quote what must be text"),
        ("a: !!set {b, c}\n",
         "x.yaml:1:4: a: carries the tag !!set\n    hint: leave it out; quote what must be text"),
        ("? [a, b]\n: 1\n",
         "x.yaml:1:3: a key must be text, not a list or a mapping\n    hint: quote it if it is text"),
        ("&k a: 1\n*k : 2\n", "x.yaml:2:1: *k stands as a key\n    hint: write the key out"),
        ("a: 1\n---\nb: 2\n",
         "x.yaml:2:1: a second document begins here\n    hint: keep one document per file"),
        ("a:\n\tb: 1\n",
         "x.yaml:2:1: a tab stands where spaces are wanted\n    hint: indent with spaces"),
        ("a: @b\n", "x.yaml:1:4: @ cannot begin a value\n    hint: put the value in quotes"),
        ("a: b: c\n",
         "x.yaml:1:5: a colon stands where no key can be\n    hint: quote text that holds a colon"),
        ("a: [1, 2\n",
         "x.yaml:1:9: a comma is missing, or a bracket is not closed\n    hint: complete it"),
        ('a: "b\n', "x.yaml:1:6: a quote is opened and never closed\n    hint: close it"),
        ("a: 1\n b: 2\n",
         "x.yaml:2:3: the indentation does not fit what is above\n    hint: line up keys of one level"),
        ("a: \x07\n",
         "x.yaml:1:4: the character U+0007 cannot stand in a scenario\n"
         "    hint: delete it, or save the file as plain text"),
        (b"a: 1\nb: caf\xe9\n",
         "x.yaml:2:7: the byte 0xe9 is not UTF-8\n    hint: save the file as UTF-8"),
        ("a: *a\n", "x.yaml:1:4: a: no anchor &a above this line\n    hint: write the value out"),
        ("a: &a [*a]\n",
         "x.yaml:1:8: a[0]: *a stands inside its own value\n    hint: write the value out"),
        ("", 'x.yaml:1:1: the file is empty\n    hint: begin with scenarios/first_steps.yaml'),
        ("# only a remark\n",
         'x.yaml:1:1: the file is empty\n    hint: begin with scenarios/first_steps.yaml'),
        ("- 1\n",
         'x.yaml:1:1: the file must hold keys and values, got a list\n'
         '    hint: write lines like "name: thin line"'),
        ("hello\n",
         'x.yaml:1:1: the file must hold keys and values, got hello\n'
         '    hint: write lines like "name: thin line"'),
        ("a: " + "9" * 5000,
         "x.yaml:1:4: a: a number of 5000 digits is beyond what can be counted\n"
         "    hint: write a smaller number, or quote it if it is text"),
        ("a: 1e999",
         "x.yaml:1:4: a: 1e999 is beyond what can be counted\n"
         "    hint: write a smaller number, or quote it if it is text"),
        ("[" * 100_000, "x.yaml:1:62: values nest more than 60 deep\n    hint: flatten this part"),
        (BOMB, "x.yaml:6:8: f[0]: more than 200,000 values, aliases written out\n    hint: make it smaller"),
        (b"a: " + b"b" * 4_000_000,
         "x.yaml:1:1: the file is larger than 4,000,000 bytes\n    hint: is it a scenario?"),
    ],
)  # fmt: skip
def test_hostile_and_mistaken_files_are_refused_in_place(text: str | bytes, message: str) -> None:
    started = time.process_time()
    assert refusal(text) == message
    assert time.process_time() - started < 2


def test_deep_blocks_and_aliases_that_deepen_one_another_are_refused() -> None:
    deep = "".join(f"{' ' * i}a:\n" for i in range(70))
    assert "values nest more than 60 deep" in refusal(deep)
    ladder = "a: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 70))
    assert "values nest more than 60 deep" in refusal(ladder)


def test_mappings_that_nest_as_keys_are_refused() -> None:
    assert refusal("{" * 100_000).splitlines()[-2].startswith("x.yaml:1:51: ?")


def test_faults_of_one_file_are_told_together() -> None:
    assert refusal("a: !x 1\na: 2\n<<: 3\n").count("hint:") == 3


@given(st.binary(max_size=80) | st.text("ab:-?[]{}&*!|>'\"%@`#,\n \t<1\x00\ufeff\u2028\x85", max_size=60))
@example(b"\xff\xfea\x00")
@example("%YAML 9.9\n---\na")
@example("? ? ? a")
@example("- - a: |2\n b")
@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_any_bytes_are_read_or_refused(loader: str, data: bytes | str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(yaml, "CSafeLoader", getattr(yaml, loader))
        path = pathlib.Path(folder) / "x.yaml"
        path.write_bytes(raw)
        try:
            read(path)
            problems: tuple[Problem, ...] = ()
        except ScenarioError as refused:
            problems = refused.problems
        assert all(problem.place is not None for problem in problems)


def test_without_the_c_library_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert document("a: {b: [1, NO]}").data == {"a": {"b": [1, "NO"]}}
    assert refusal("a: [1, 2\n").startswith("x.yaml:1:9: a comma is missing")


def test_a_scenario_extends_another_key_by_key_and_lists_whole() -> None:
    write(
        "bases/line/base.yaml", "extends: ../root.yaml\nforce: {scale: 2.0, posts: [1, 2]}\nmap: line.gpkg\n"
    )
    write("bases/root.yaml", "name: root\nforce: {scale: 1.0, teams: 4}\nwatch: {reach: 5 km}\n")
    read_back = document("extends: bases/line/base.yaml\nforce:\n  posts: [9]\nwatch: null\n")
    assert read_back.data == {
        "name": "root",
        "force": {"scale": 2.0, "teams": 4, "posts": [9]},
        "watch": None,
        "map": "line.gpkg",
    }
    assert list(map(str, read_back.files)) == ["x.yaml", "bases/line/base.yaml", "bases/line/../root.yaml"]
    assert str(read_back.places[("force", "scale")].value) == "bases/line/base.yaml:2:16"
    assert str(read_back.places[("force", "teams")].value) == "bases/line/../root.yaml:2:28"
    assert read_back.base_dir(("map",)) == pathlib.Path("bases/line")
    assert read_back.base_dir(("force", "posts", 0)) == pathlib.Path()
    assert read_back.base_dir(("map", "not", "written")) == pathlib.Path("bases/line")


def test_a_problem_found_later_is_placed_where_its_path_is_written() -> None:
    found = [
        Problem(path=("a", "b", "c"), fact="is odd"),
        Problem(path=("a",), fact="is even", hint="halve it"),
    ]
    assert str(document("a:\n  b: 1\n").refusal(found)) == (
        "x.yaml:1:1: a: is even\n    hint: halve it\nx.yaml:2:3: a.b.c: is odd"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: bse.yaml\n",
         'x.yaml:1:10: extends: there is no file "bse.yaml"\n    hint: did you mean "base.yaml"?'),
        ("extends: no/where.yaml\n",
         'x.yaml:1:10: extends: there is no file "no/where.yaml"\n'
         '    hint: there is no directory "no" either'),
        ("extends: [a, b]\n",
         'x.yaml:1:10: extends: expected the name of one file\n    hint: write it like "extends: base.yaml"'),
        ("extends:\n",
         'x.yaml:1:9: extends: expected the name of one file\n    hint: write it like "extends: base.yaml"'),
        ("extends: .\n",
         'x.yaml:1:10: extends: cannot read ".": is a directory\n    hint: name a readable file'),
        ('extends: "a\\0b"\n',
         'x.yaml:1:10: extends: cannot read "a\0b": embedded null byte\n    hint: name a readable file'),
        ("extends: x.yaml\n",
         "x.yaml:1:10: extends: extends itself: x.yaml extends x.yaml\n"
         "    hint: let the last one stand on its own"),
        ("extends: base.yaml\n",
         "base.yaml:2:10: extends: extends itself: x.yaml extends base.yaml extends x.yaml\n"
         "    hint: let the last one stand on its own"),
    ],
)  # fmt: skip
def test_a_parent_that_cannot_be_read_is_told_where_it_is_named(text: str, message: str) -> None:
    write("base.yaml", "name: base\nextends: x.yaml\n")
    assert refusal(text) == message


def test_a_scenario_that_is_not_there() -> None:
    write("thin_line.yaml", "a: 1")
    with pytest.raises(ScenarioError) as refused:
        read("thin_lyne.yaml")
    assert str(refused.value) == 'there is no file "thin_lyne.yaml"\n    hint: did you mean "thin_line.yaml"?'


BASE = "force:\n  scale: 1.0\n  units:\n    - {name: uk, troops: 5}\n    - {name: fr}\nnothing:\n"


def test_settings_replace_values_and_are_logged() -> None:
    settings: dict[str, object] = {
        **parse_settings(["force.scale=1.5", "force.units.0.troops=7_00", "force.units[1]={name: pl}"]),
        "force.teams": 4,
        "nothing.new": "30 km/h",
        "report": {"title": "x: y", "levels": (1, 2.5, None)},
    }
    read_back = document(BASE, settings)
    assert read_back.data == {
        "force": {"scale": 1.5, "units": [{"name": "uk", "troops": "7_00"}, {"name": "pl"}], "teams": 4},
        "nothing": {"new": "30 km/h"},
        "report": {"title": "x: y", "levels": [1, 2.5, None]},
    }
    assert read_back.overrides == (
        "force.scale: 1.0 -> 1.5",
        "force.units.0.troops: 5 -> 7_00",
        'force.units[1]: {"name": "fr"} -> {"name": "pl"}',
        "force.teams: (not written) -> 4",
        "nothing.new: (not written) -> 30 km/h",
        'report: (not written) -> {"title": "x: y", "levels": [1, 2.5, null]}',
    )
    assert str(read_back.places[("force", "scale")].value) == "--set force.scale=1.5:1:13"
    assert str(read_back.places[("force", "teams")].key) == "--set force.teams=4:1:1"
    inside = read_back.places[("force", "units", 1, "name")]
    assert str(inside.value) == "--set force.units[1]={name: pl}:1:23"
    assert read_back.base_dir(("force", "scale")) == pathlib.Path()


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("force.scale.x", "1",
         "--set force.scale.x=1:1:1: force.scale: is 1.0, which has nothing called x in it\n"
         '    hint: set "force.scale" itself'),
        ("force.units.2.troops", 1,
         "--set force.units.2.troops=1:1:1: force.units: is a list of 2, which has no entry 2\n"
         "    hint: count from 0 to 1"),
        ("force.units.uk", 1,
         "--set force.units.uk=1:1:1: force.units: is a list of 2, which has no entry uk\n"
         "    hint: count from 0 to 1"),
        ("force.scale", "[1, 2",
         "--set force.scale=[1, 2:1:18: force.scale: a comma is missing, or a bracket is not closed\n"
         "    hint: complete it"),
        ("force.scale", "!!int 3",
         "--set force.scale=!!int 3:1:13: force.scale: carries the tag !!int\n"
         "    hint: leave it out; quote what must be text"),
        ("force.scale", {1, 2},
         '--set force.scale="{1, 2}":1:13: force.scale: cannot be set to the Python type set\n'
         "    hint: give numbers, text, lists and dicts"),
        ("force..scale", 1,
         '"force..scale" is not a path\n    hint: write keys with dots between them, such as force.scale'),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(where: str, value: object, message: str) -> None:
    assert refusal(BASE, {where: value}) == message


def test_an_endless_python_object_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "values nest more than 60 deep" in refusal(BASE, {"force": endless})


def test_malformed_settings_are_told_together() -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_settings(["scale", "a=1", "a=2", "=3"])
    hint = "\n    hint: write --set path=value, such as force.scale=1.5"
    assert str(refused.value) == (
        f'--set a=2:1:3: a: is set twice\n    hint: keep one\n"=3" does not say what to set{hint}\n'
        f'"scale" does not say what to set{hint}'
    )


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, min_size=1).filter(lambda data: "extends" not in data))
@example({"a": "1e3", "b": "014", "c": "0o7", "NO": "on", "1": "1_000", "d": "06:30", "e": "", "f": "<<"})
@example({"long": "word " * 60, "lines": "a\n b\n\nc", "odd": "\x85\u2028\r\n\t\ufeff\x00", "k" * 200: " x "})
@example({"a": 1e20, "b": -0.0, "c": 5e-324, "d": float("inf"), "e": "!tag", "f": "- a", "g": "a: b # c"})
def test_what_is_dumped_reads_back_the_same(data: dict[str, Any]) -> None:
    text = dump(data)
    node = yamltext.parse(text, "x.yaml")
    assert node is not None
    assert repr(node.plain()) == repr(data)


def test_a_dump_is_plain_to_read() -> None:
    data = {"name": "thin line", "note": "two\nlines\n", "on": "NO", "posts": [{"at": "5 km"}], "none": None}
    assert dump(data) == (
        "name: thin line\nnote: |\n  two\n  lines\n'on': 'NO'\nposts:\n- at: 5 km\nnone: null\n"
    )


@pytest.mark.parametrize(
    ("parent", "child", "merged"),
    [
        ("{kind: lognormal, median: 1 h, p90: 2 h}", "{kind: exponential, mean: 3 h}",
         {"kind": "exponential", "mean": "3 h"}),
        ("{kind: uniform, low: 1 h, high: 2 h}", "{kind: uniform, high: 3 h}",
         {"kind": "uniform", "low": "1 h", "high": "3 h"}),
        ("{kind: uniform, low: 1 h, high: 2 h}", "{high: 4 h}",
         {"kind": "uniform", "low": "1 h", "high": "4 h"}),
        ("{kind: uniform, low: 1 h, high: 2 h}", "{kind: fixed, value: 5 min}",
         {"kind": "fixed", "value": "5 min"}),
        ("20 min", "{kind: exponential, mean: 3 h}", {"kind": "exponential", "mean": "3 h"}),
        ("{kind: exponential, mean: 3 h}", "20 min", "20 min"),
        ("{kind: [exponential], mean: 3 h}", "{kind: {}, low: 1 h}",
         {"kind": {}, "mean": "3 h", "low": "1 h"}),
        ("{kind: nato, strength: 600}", "{kind: non_nato}", {"kind": "non_nato", "strength": 600}),
    ],
)  # fmt: skip
def test_a_distribution_of_another_kind_replaces_its_parents_whole(
    parent: str, child: str, merged: object
) -> None:
    write("base.yaml", f"a:\n  b: {parent}\n  c: 1\n")
    assert document(f"extends: base.yaml\na:\n  b: {child}\n").data == {"a": {"b": merged, "c": 1}}


def test_what_a_setting_must_build_to_hold_its_value_is_noted() -> None:
    read_back = document("a: {b: 1}\n", {"a.c": 1, "a.d.e.f": 2, "z": {"y": 1}, "z.x": 2})
    assert read_back.built == (("a", "d"), ("a", "d", "e"))
