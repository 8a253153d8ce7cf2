"""A scenario file, what it extends and what is set over it: plain data that knows where it was written."""

from __future__ import annotations

import codecs
import json
import numbers
import pathlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sim.errors import Path, Place, Problem, ScenarioError, nearest
from sim.scenario.yamltext import DEEPEST, Node, Scalar, dump, parse

__all__ = ["Document", "Span", "dump", "parse_settings", "read"]

LARGEST_FILE: Final = 4_000_000  # bytes
LONGEST_LINEAGE: Final = 20  # files that extend one another
DISTRIBUTIONS: Final = ("fixed", "exponential", "lognormal", "uniform")
_WIDEST: Final = 60  # characters of a value in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a key and its value are written; list entries and the whole document have no key."""

    key: Place | None
    value: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What an author asks, before anyone has looked whether it makes sense."""

    data: dict[str, Any]
    places: Mapping[Path, Span]
    files: tuple[pathlib.Path, ...]  # every file read, the scenario first
    overrides: tuple[str, ...]  # "force.scale: 1.0 -> 1.5"
    built: tuple[Path, ...] = ()  # mappings that were not written, made to hold a value that is set
    lent: Mapping[Path, str] = field(default_factory=dict)  # values from the library, with their sources

    def base_dir(self, path: Path) -> pathlib.Path:
        """The directory of the file that wrote the value at *path*: relative file names start there.

        A value set from outside, or written nowhere, counts as written in the scenario file.
        """
        while path and path not in self.places:
            path = path[:-1]
        file = self.places[path].value.file
        return next((known for known in self.files if str(known) == file), self.files[0]).parent

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at *path* is written, or its key if asked; if nowhere, what is around it."""
        written = path
        while written not in self.places:
            written = written[:-1]
        span = self.places[written]
        return span.key if span.key is not None and (key or written != path) else span.value

    def fault_place(self, path: Path) -> Place:
        """Where to point for what is wrong at *path*: a value of many lines is found by its key."""
        value: Any = self.data
        for step in path if path in self.places else ():
            value = value[step]
        return self.place(path, key=isinstance(value, dict | list))

    def refusal(self, problems: Iterable[Problem]) -> ScenarioError:
        """The error that tells *problems*, those without a place where their paths are written."""
        return ScenarioError(replace(p, place=p.place or self.fault_place(p.path)) for p in problems)


def read(path: str | pathlib.Path, *, set: Mapping[str, object] | None = None) -> Document:
    """The scenario at *path* with its parents merged in and the values of *set* put over it.

    *set* maps dotted paths to values: text is read as YAML, other plain objects are taken as they are.
    Raises ScenarioError with every problem found.
    """
    root, files = _lineage(pathlib.Path(path))
    overrides: list[str] = []
    built: list[Path] = []
    problems: list[Problem] = []
    for where, value in (set or {}).items():
        try:
            above = _unwritten_above(root, _steps(where))
            root, change = _with_setting(root, where, value)
            overrides.append(change)
            built += above
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    places: dict[Path, Span] = {}
    _note_places(root, (), places)
    return Document(
        data=root.plain(), places=places, files=files, overrides=tuple(overrides), built=tuple(built)
    )


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """("a.b=1", ...) -> {"a.b": "1"}; a malformed text, or a path set twice, is a ScenarioError."""
    settings: dict[str, str] = {}
    problems = []
    for text in texts:
        where, equals, value = text.partition("=")
        place = _setting_place(where.strip(), value)
        if not equals or _SETTING_PATH.fullmatch(where.strip()) is None:
            fact = f'"{text}" does not say what to set'
            problems.append(
                Problem(path=(), fact=fact, hint="write --set path=value, such as force.scale=1.5")
            )
        elif where.strip() in settings:
            problems.append(
                Problem(path=_steps(where.strip()), fact="is set twice", hint="keep one", place=place)
            )
        else:
            settings[where.strip()] = value
    if problems:
        raise ScenarioError(problems)
    return settings


def _lineage(path: pathlib.Path) -> tuple[Node, tuple[pathlib.Path, ...]]:
    """The scenario merged over its parents, and every file read."""
    files: list[pathlib.Path] = []
    trees: list[Node] = []
    parent: Node | None = None
    while True:
        tree = _tree(path, parent)
        resolved = path.resolve()
        if any(resolved == file.resolve() for file in files):
            chain = " extends ".join(str(file) for file in [*files, path])
            raise _refused(parent, f"extends itself: {chain}", "let the last one stand on its own")
        if len(files) >= LONGEST_LINEAGE:
            raise _refused(parent, f"extends more than {LONGEST_LINEAGE} files", "merge some of them")
        files.append(path)
        assert isinstance(tree.value, dict)
        parent = tree.value.pop("extends", None)
        trees.append(tree)
        if parent is None:
            break
        if not isinstance(parent.value, str) or not parent.value:
            raise _refused(parent, "expected the name of one file", 'write it like "extends: base.yaml"')
        path = path.parent / parent.value
    merged = trees.pop()
    while trees:
        merged = _merged(merged, trees.pop())
    return merged, tuple(files)


def _tree(path: pathlib.Path, said: Node | None) -> Node:
    """The values in one file; *said* is the `extends` that names it, if one does."""
    text = _text(path, said)
    node = parse(text, str(path))
    place = Place(file=str(path), line=1, column=1)
    if node is None or node.value is None:
        hint = "begin with scenarios/first_steps.yaml"
        raise ScenarioError([Problem(path=(), fact="the file is empty", hint=hint, place=place)])
    if not isinstance(node.value, dict):
        got = "a list" if isinstance(node.value, list) else _shown(node.value)
        fact = f"the file must hold keys and values, got {got}"
        hint = 'write lines like "name: thin line"'
        raise ScenarioError([Problem(path=(), fact=fact, hint=hint, place=node.place)])
    return node


def _text(path: pathlib.Path, said: Node | None) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise _refused(said, f'there is no file "{path}"', _similar_file(path)) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _refused(said, f'cannot read "{path}": {reason.lower()}', "name a readable file") from None
    place = Place(file=str(path), line=1, column=1)
    if len(raw) > LARGEST_FILE:
        fact = f"the file is larger than {LARGEST_FILE:,} bytes"
        raise ScenarioError([Problem(path=(), fact=fact, hint="is it a scenario?", place=place)])
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        above = raw[: error.start].decode("utf-8").replace("\r\n", "\n").split("\n")
        place = replace(place, line=len(above), column=len(above[-1]) + 1)
        fact = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        raise ScenarioError([Problem(path=(), fact=fact, hint=hint, place=place)]) from None


def _similar_file(path: pathlib.Path) -> str:
    try:
        names = [near.name for near in path.parent.iterdir() if near.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return f'there is no directory "{path.parent}" either'
    close = nearest(path.name, sorted(names))
    return f'did you mean "{path.parent / close}"?' if close else f'look for it in "{path.parent}"'


def _refused(said: Node | None, fact: str, hint: str | None) -> ScenarioError:
    """The error for a file: where `extends` names it, or placeless for the one that was asked for."""
    path: Path = () if said is None else ("extends",)
    return ScenarioError(
        [Problem(path=path, fact=fact, hint=hint, place=None if said is None else said.place)]
    )


def _merged(parent: Node, child: Node) -> Node:
    """Mappings merge key by key, in the parent's order; everything else, lists too, is replaced whole.

    So is a distribution by one of another kind, because the keys of the one mean nothing to the other.
    """
    if not isinstance(parent.value, dict) or not isinstance(child.value, dict):
        return child
    kind, was = child.value.get("kind"), parent.value.get("kind")
    if kind and was and kind.value != was.value and all(k.value in DISTRIBUTIONS for k in (kind, was)):
        return child
    both = dict(parent.value)
    for name, node in child.value.items():
        both[name] = replace(_merged(both[name], node), key=node.key) if name in both else node
    return replace(child, value=both)


def _note_places(node: Node, path: Path, places: dict[Path, Span]) -> None:
    places[path] = Span(key=node.key, value=node.place)
    if isinstance(node.value, dict):
        for name, inner in node.value.items():
            _note_places(inner, (*path, name), places)
    elif isinstance(node.value, list):
        for index, inner in enumerate(node.value):
            _note_places(inner, (*path, index), places)


_SETTING_PATH: Final = re.compile(r"[^.\[\]=\s][^.\[\]=]*(?:\.[^.\[\]=]+|\[[0-9]+\])*")


def _steps(where: str) -> tuple[str, ...]:
    """ "a.b[1].c" -> ("a", "b", "1", "c")."""
    return tuple(re.sub(r"\[([0-9]+)\]", r".\1", where).split("."))


def _setting_place(where: str, text: str) -> Place:
    """The place of a value that is set from outside, counted along "path=value"."""
    shown = " ".join(text.split())
    shown = shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 3]}..."
    return Place(file=f"--set {where}={shown}", line=1, column=len(where) + 2)


def _with_setting(root: Node, where: str, value: object) -> tuple[Node, str]:
    """*root* with one value replaced, and the line that says so."""
    steps = _steps(where)
    text = value if isinstance(value, str) else _as_text(value)
    place = _setting_place(where, text)
    if _SETTING_PATH.fullmatch(where) is None:
        fact, hint = f'"{where}" is not a path', "write keys with dots between them, such as force.scale"
        raise ScenarioError([Problem(path=(), fact=fact, hint=hint)])
    if isinstance(value, str):
        node = parse(value, place.file, root=steps, column=place.column)
        node = Node(value=None, place=place) if node is None else node
    else:
        node = _node(value, steps, place, 0)
    key = replace(place, column=1)
    changed, old = _put(root, steps, 0, replace(node, key=key), key)
    before = "(not written)" if old is None else _shown(old.plain())
    return changed, f"{where}: {before} -> {_shown(node.plain())}"


def _unwritten_above(root: Node, steps: tuple[str, ...]) -> list[Path]:
    """Paths above the value at *steps* that nobody wrote."""
    node, depth = root, 0
    for step in steps:
        if isinstance(node.value, dict) and step in node.value:
            node = node.value[step]
        elif isinstance(node.value, list):
            return []
        else:
            break
        depth += 1
    return [steps[:end] for end in range(depth + 1, len(steps))]


def _put(node: Node, steps: tuple[str, ...], at: int, new: Node, key: Place) -> tuple[Node, Node | None]:
    """*node* with *new* in it, `steps[at:]` further down, and what stood there before."""
    if at == len(steps):
        return new, node
    step, here = steps[at], steps[:at]
    if isinstance(node.value, list):
        index = _index(node.value, steps, at, new.place)
        inner, old = _put(
            node.value[index], steps, at + 1, replace(new, key=None) if at + 1 == len(steps) else new, key
        )
        return replace(node, value=[*node.value[:index], inner, *node.value[index + 1 :]]), old
    if isinstance(node.value, dict):
        if step in node.value:
            inner, old = _put(node.value[step], steps, at + 1, new, key)
            inner = inner if inner is new else replace(inner, key=node.value[step].key)
            return replace(node, value={**node.value, step: inner}), old
        return replace(node, value={**node.value, step: _branch(steps[at + 1 :], new, key)}), None
    if node.value is None:
        return replace(_branch(steps[at:], new, key), key=node.key), None
    fact = f"is {_shown(node.value)}, which has nothing called {step} in it"
    hint = f'set "{".".join(here)}" itself'
    raise ScenarioError(
        [Problem(path=here, fact=fact, hint=hint, place=replace(new.place, line=1, column=1))]
    )


def _index(entries: list[Node], steps: tuple[str, ...], at: int, place: Place) -> int:
    if steps[at].isascii() and steps[at].isdigit() and len(steps[at]) < 10 and int(steps[at]) < len(entries):
        return int(steps[at])
    fact = f"is a list of {len(entries)}, which has no entry {steps[at]}"
    hint = f"count from 0 to {len(entries) - 1}" if entries else f'set "{".".join(steps[:at])}" itself'
    place = replace(place, line=1, column=1)
    raise ScenarioError([Problem(path=steps[:at], fact=fact, hint=hint, place=place)])


def _branch(steps: tuple[str, ...], leaf: Node, key: Place) -> Node:
    """*leaf* at the end of new mappings, one for each step."""
    for step in reversed(steps):
        leaf = Node(value={step: leaf}, place=key, key=key)
    return leaf


def _node(value: object, path: Path, place: Place, depth: int) -> Node:
    """A plain Python object as if it had been written at *place*."""
    if depth > DEEPEST:
        fact = f"values nest more than {DEEPEST} deep"
        raise ScenarioError([Problem(path=path, fact=fact, hint="flatten this part", place=place)])
    if isinstance(value, Mapping):
        inner = {
            str(k): replace(_node(v, (*path, str(k)), place, depth + 1), key=place) for k, v in value.items()
        }
        return Node(value=inner, place=place)
    if isinstance(value, list | tuple):
        return Node(value=[_node(v, (*path, i), place, depth + 1) for i, v in enumerate(value)], place=place)
    return Node(value=_scalar(value, path, place), place=place)


def _scalar(value: object, path: Path, place: Place) -> Scalar:
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, pathlib.PurePath):
        return str(value)
    hint = "give numbers, text, lists and dicts"
    fact = f"cannot be set to the Python type {type(value).__name__}"
    raise ScenarioError([Problem(path=path, fact=fact, hint=hint, place=place)])


def _as_text(value: object) -> str:
    """A Python object as it stands in the name of its place."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _shown(value: Any) -> str:
    """A plain value for a message, cut short."""
    text = value if isinstance(value, str) and value.strip() else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
