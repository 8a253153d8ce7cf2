"""YAML text to a tree of values that know where they stand, and back; the only user of the YAML library.

Only the library's event stream is used: it does not recurse, so depth, size and alias expansion are bounded
here before anything nests. Plain scalars follow the core schema of YAML 1.2: `NO`, `on`, `06:30`, `1_000` and
`2026-01-31` are text, `1e3` is a number, `014` is 14. Keys are always text. Duplicate keys, tags, merge keys
and a second document are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import yaml

from sim.errors import Path, Place, Problem, ScenarioError

DEEPEST: Final = 60
MOST_VALUES: Final = 200_000
MOST_PROBLEMS: Final = 50
LONGEST_INTEGER: Final = 300  # digits

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value with its place; a mapping holds nodes by key, a list holds nodes in order."""

    value: Scalar | dict[str, Node] | list[Node]
    place: Place
    key: Place | None = None
    size: int = 1  # values in here, this one included

    def plain(self) -> Any:
        """The value without its places, as fresh dicts and lists."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def parse(text: str, file: str, *, root: Path = (), line: int = 1, column: int = 1) -> Node | None:
    """The one document in *text*, or None when there is none; every problem carries its place in *file*.

    *line* and *column* say where the text begins in the file, *root* where its value belongs in the scenario.
    """
    return _Reading(text, file, root, line, column).document()


class _Reading:
    """One pass over the events of one text."""

    def __init__(self, text: str, file: str, root: Path, line: int, column: int) -> None:
        self.text, self.file, self.root = text, file, root
        self.line, self.column = line, column
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}  # None while the anchored value is still being read
        self.values = 0

    def document(self) -> Node | None:
        """The whole text, or a ScenarioError with every problem found in it."""
        self._refuse_unprintable()
        node: Node | None = None
        try:
            self.events = _events(self.text)
            next(self.events)  # the start of the stream
            if isinstance(next(self.events), yaml.DocumentStartEvent):
                node = self._value(next(self.events), self.root)
                next(self.events)  # the end of the document
                event = next(self.events)
                if isinstance(event, yaml.DocumentStartEvent):
                    self._problem(
                        self.root, event, "a second document begins here", "keep one document per file"
                    )
        except yaml.YAMLError as error:
            self.problems.append(self._syntax(error))
        if self.problems:
            raise ScenarioError(self.problems)
        return node

    def _value(self, event: yaml.Event, path: Path) -> Node:
        """The value that begins with *event*, up to its last event."""
        if len(path) - len(self.root) > DEEPEST:
            self._stop(self.root, event, f"values nest more than {DEEPEST} deep", "flatten this part")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent), event
        self._count(event, path, 1)
        tag = event.tag
        if tag is not None:
            self._problem(
                path, event, f"carries the tag {_tag_text(tag)}", "leave it out; quote what must be text"
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, path)
        else:
            assert isinstance(event, yaml.ScalarEvent), event
            node = Node(value=self._scalar(event, path), place=self._place(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _mapping(self, start: yaml.Event, path: Path) -> Node:
        nodes: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            here = path if key is None else (*path, key)
            value = self._value(next(self.events), here)
            if key is None:
                continue
            place = self._place(event)
            if key in nodes:
                first = nodes[key].key
                assert first is not None
                apart = first.line != place.line
                where = f", on lines {first.line} and {place.line}" if apart else " in this line"
                self._problem(here, event, f"is written twice{where}", "keep one")
                continue
            nodes[key] = replace(value, key=place)
        return Node(value=nodes, place=self._place(start), size=1 + sum(n.size for n in nodes.values()))

    def _key(self, event: yaml.Event, path: Path) -> str | None:
        """The text of a key, or None when it cannot be one."""
        if isinstance(event, yaml.ScalarEvent):
            if event.tag is not None:
                self._problem(path, event, f"a key carries the tag {_tag_text(event.tag)}", "leave it out")
            if event.value == "<<" and event.implicit[0]:
                self._problem(path, event, "merge keys are not read", 'use "extends: other.yaml" at the top')
                return None
            if event.anchor is not None:
                self.anchors[event.anchor] = Node(value=event.value, place=self._place(event))
            return str(event.value)
        if isinstance(event, yaml.AliasEvent):
            self._problem(path, event, f"*{event.anchor} stands as a key", "write the key out")
            return None
        self._problem(path, event, "a key must be text, not a list or a mapping", "quote it if it is text")
        self._value(event, (*path, "?"))
        return None

    def _sequence(self, start: yaml.Event, path: Path) -> Node:
        nodes: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self._value(event, (*path, len(nodes))))
        return Node(value=nodes, place=self._place(start), size=1 + sum(node.size for node in nodes))

    def _alias(self, event: yaml.AliasEvent, path: Path) -> Node:
        """A copy of what the anchor holds; it stands here, its parts stand where they are written."""
        if event.anchor not in self.anchors:
            self._problem(path, event, f"no anchor &{event.anchor} above this line", "write the value out")
            return Node(value=None, place=self._place(event))
        node = self.anchors[event.anchor]
        if node is None:
            self._problem(path, event, f"*{event.anchor} stands inside its own value", "write the value out")
            return Node(value=None, place=self._place(event))
        self._count(event, path, node.size)
        if len(path) - len(self.root) + _depth(node) > DEEPEST:
            self._stop(path, event, f"values nest more than {DEEPEST} deep", "flatten this part")
        return replace(node, place=self._place(event), key=None)

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Scalar:
        if not event.implicit[0]:
            return str(event.value)
        try:
            return core_value(event.value)
        except ValueError as error:
            self._problem(path, event, str(error), "write a smaller number, or quote it if it is text")
            return None

    def _count(self, event: yaml.Event, path: Path, size: int) -> None:
        self.values += size
        if self.values > MOST_VALUES:
            self._stop(
                path, event, f"more than {MOST_VALUES:,} values, aliases written out", "make it smaller"
            )

    def _problem(self, path: Path, event: yaml.Event, fact: str, hint: str) -> None:
        self.problems.append(Problem(path=path, fact=fact, hint=hint, place=self._place(event)))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ScenarioError(self.problems)

    def _stop(self, path: Path, event: yaml.Event, fact: str, hint: str) -> None:
        self.problems.append(Problem(path=path, fact=fact, hint=hint, place=self._place(event)))
        raise ScenarioError(self.problems)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None, event
        return self._at(mark.line, mark.column)

    def _at(self, line: int, column: int) -> Place:
        """The place of a line and column that are counted from 0 within this text."""
        return Place(file=self.file, line=self.line + line, column=column + (self.column if line == 0 else 1))

    def _refuse_unprintable(self) -> None:
        found = _UNPRINTABLE.search(self.text)
        if found is None:
            return
        above = _LINE_BREAK.split(self.text[: found.start()])
        raise ScenarioError(
            [
                Problem(
                    path=self.root,
                    fact=f"the character U+{ord(found[0]):04X} cannot stand in a scenario",
                    hint="delete it, or save the file as plain text",
                    place=self._at(len(above) - 1, len(above[-1])),
                )
            ]
        )

    def _syntax(self, error: yaml.YAMLError) -> Problem:
        """What the library says, in our words where we have some."""
        mark = (error.problem_mark or error.context_mark) if isinstance(error, yaml.MarkedYAMLError) else None
        said = str(getattr(error, "problem", None) or error)
        lines = _LINE_BREAK.split(self.text)
        line, column = (0, 0) if mark is None else (mark.line, mark.column)
        if line >= len(lines) or (line and line == len(lines) - 1 and not lines[line]):
            line -= 1  # the library reports what is missing at the end one line below it
            column = len(lines[line])
        fact, hint = f"this is not YAML: {said}", "look at this line and the one above it"
        if "cannot start any token" in said:
            character = lines[line][column : column + 1]
            if character == "\t":
                fact, hint = "a tab stands where spaces are wanted", "indent with spaces"
            elif character:
                fact, hint = f"{character} cannot begin a value", "put the value in quotes"
        for words, ours, remedy in _SAID:
            if words in said:
                fact, hint = ours, remedy
        if "mapping values are not allowed" in said and re.fullmatch(r"\s+[\w-]+", lines[line][:column]):
            fact, hint = "the indentation does not fit what is above", "line up keys of one level"
        return Problem(path=self.root, fact=fact, hint=hint, place=self._at(line, column))


_SAID: Final = (
    ("mapping values are not allowed", "a colon stands where no key can be", "quote text that holds a colon"),
    ("could not find expected ':'", "a key without its colon", 'write "key: value"'),
    ("did not find expected key", "the indentation does not fit what is above", "line up keys of one level"),
    ("node content", "a value is missing, or a bracket is not closed", "complete it"),
    ("expected ',' or", "a comma is missing, or a bracket is not closed", "complete it"),
    ("expected <block end>", "the indentation does not fit what is above", "line up keys of one level"),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("found duplicate anchor", "an anchor is written twice", "name it differently"),
)


def _events(text: str) -> Iterator[yaml.Event]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _depth(node: Node) -> int:
    """How many levels of lists and mappings *node* has."""
    inner: list[Node] = []
    if isinstance(node.value, dict):
        inner = list(node.value.values())
    elif isinstance(node.value, list):
        inner = node.value
    return 1 + max(map(_depth, inner), default=0) if isinstance(node.value, dict | list) else 0


def _tag_text(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


# What is no character of YAML, and the odd line breaks on which programs and editors disagree.
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")

_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}


def core_value(text: str) -> Scalar:
    """What a plain scalar means in the core schema of YAML 1.2; ValueError for a number beyond counting."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > LONGEST_INTEGER:
            raise ValueError(f"a number of {len(text)} digits is beyond what can be counted")
        return int(text, 8 if text[:2] == "0o" else 16 if text[:2] == "0x" else 10)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(f"{text[:40]} is beyond what can be counted")
        return number
    return text


class _Writer(yaml.SafeDumper):
    """Writes block style, in the order given, quoting whatever any reader of YAML might take for no text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if _UNPRINTABLE.search(text) or "\r" in text:
        style: str | None = '"'
    elif "\n" in text and not re.search(r"\A\s|[ \t]\n|[ \t]\Z|\n\n\Z|\t", text):
        style = "|"
    else:
        style = None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _write_text)
_Writer.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(rf"^(?:{_INTEGER.pattern})$"), list("-+0123456789")
)
_Writer.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(rf"^(?:{_FLOAT.pattern})$"), list("-+.0123456789")
)


def dump(data: dict[str, Any]) -> str:
    """Plain data as YAML, keys in the order given, which reads back as the same data."""
    text = yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)
    return str(text)
