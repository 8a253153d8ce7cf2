"""Plain data to a model, with every complaint said in the author's words and placed in the author's text."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, core_schema

from sim.errors import Path, Problem, ScenarioError, dotted, nearest
from sim.scenario.load import Document
from sim.scenario.part import Faults, shown
from sim.scenario.quantities import Quantity, QuantityError

M = TypeVar("M", bound=BaseModel)

_MISSING: Final = "is missing"
_ABSENT: Final = object()


def validated(model: type[M], document: Document) -> M:
    """*document* as a *model*; raises ScenarioError with every problem, each at its place in the text."""
    slips = list(_new_names(model, document))
    if slips:
        raise ScenarioError(slips)
    try:
        return model.model_validate(document.data)
    except ValidationError as refused:
        errors = refused.errors(include_url=False)
    meant: set[Path] = set()  # keys that stand there under a misspelt name: one slip, one message
    problems = [problem for error in errors for problem in _problems(error, model, document, meant)]
    raise ScenarioError(p for p in problems if p.fact != _MISSING or p.path not in meant)


def _new_names(model: type[BaseModel], document: Document) -> Iterator[Problem]:
    """Settings such as `force.contingents.ukk.strength=5`, which would add a contingent by a slip of the pen.

    An entry may be added, but whole; and where entries bear the names of other things, in parts as well.
    """
    for path in document.built:
        above = path[:-1]
        for each in _annotations_at(model, document.data, above):
            is_table = typing.get_origin(each) is dict
            if not is_table or getattr(_below(each, path[-1]), "NAMED_ELSEWHERE", False):
                continue
            entries: Any = document.data
            for step in above:
                entries = entries[step]
            known = [name for name in entries if (*above, name) not in document.built]
            close = nearest(str(path[-1]), known)
            have = f"names here: {', '.join(known)}" if known else f'to add it, set "{dotted(path)}" whole'
            hint = f'did you mean "{close}"?' if close else have
            yield Problem(
                path=path,
                fact="there is nothing of this name",
                hint=hint,
                place=document.place(path, key=True),
            )


def _problems(
    error: ErrorDetails, model: type[BaseModel], document: Document, meant: set[Path]
) -> Iterator[Problem]:
    """What one complaint of pydantic means; a part that found several faults in itself means several."""
    path, rest = followed(document.data, error["loc"])
    sort, ctx = error["type"], error.get("ctx", {})
    if isinstance(ctx.get("error"), Faults):
        for below, fact, hint in ctx["error"].faults:
            here = (*path, *below)
            yield Problem(path=here, fact=fact, hint=hint, place=document.fault_place(here))
    elif sort == "too_short" and len(error["input"]) >= ctx["min_length"]:
        return  # entries are only too few without those that are themselves at fault
    elif sort == "missing":
        yield _missing(path, str(rest[-1]), model, document)
    elif sort == "union_tag_not_found":
        yield _missing(path, _unquoted(ctx["discriminator"]), model, document)
    elif sort == "extra_forbidden":
        path = (*path, *rest[-1:])
        known = _keys(_models_at(model, document.data, path[:-1]))
        close = nearest(str(path[-1]), known)
        if close is not None:
            meant.add((*path[:-1], close))
        hint = f'did you mean "{close}"?' if close else f"known keys: {', '.join(known)}"
        yield Problem(path=path, fact="no such key here", hint=hint, place=document.place(path, key=True))
    else:
        if sort == "union_tag_invalid":
            path = (*path, _unquoted(ctx["discriminator"]))
        fact, hint_or_none = _told(error)
        key = bool(rest) and rest[-1] == "[key]"
        yield Problem(path=path, fact=fact, hint=hint_or_none, place=document.place(path, key=key))


def _missing(path: Path, name: str, model: type[BaseModel], document: Document) -> Problem:
    """A key that ought to be in the mapping at *path*."""
    meant = [
        info
        for each in _models_at(model, document.data, path)
        for label, info in _fields(each)
        if label == name
    ]
    choices = [str(choice) for info in meant for choice in _literals(info.annotation)]
    samples = [
        *choices,
        *(q.example for info in meant for q in info.metadata if isinstance(q, Quantity)),
        "...",
    ]
    hint = f"write one of {', '.join(choices)}" if len(choices) > 1 else f'add "{name}: {samples[0]}" here'
    return Problem(path=(*path, name), fact=_MISSING, hint=hint, place=document.place(path, key=True))


def followed(data: object, loc: Sequence[str | int]) -> tuple[Path, tuple[str | int, ...]]:
    """*loc* as far as the text goes, and the rest; names of the members of a union are not in the text.

    >>> followed({"watch": [{"kind": "drone", "evry": 4}]}, ("watch", 0, "drone", "evry"))
    (('watch', 0, 'evry'), ())
    """
    path: list[str | int] = []
    rest: list[str | int] = []
    for step, following in zip(loc, (*loc[1:], _ABSENT), strict=False):
        inner = _ABSENT
        if isinstance(data, list) and isinstance(step, int) and step < len(data):
            inner = data[step]
        elif isinstance(data, dict) and (rest or not _names_member(data, step, following)):
            inner = data.get(step, _ABSENT)
        if inner is _ABSENT:
            rest.append(step)
        else:
            data = inner
            path.append(step)
            rest.clear()
    return tuple(path), tuple(rest)


def _names_member(data: dict[str, Any], step: str | int, following: object) -> bool:
    """Whether *step* is the kind of *data* rather than a key in it; what follows tells, should it be both."""
    inside = data.get(str(step))
    leads_on = isinstance(inside, dict) and following in inside
    return step == data.get("kind") and following is not _ABSENT and not leads_on


# What pydantic's complaints mean: kind of error -> fact, given the value and the context of the complaint.
_Teller = Callable[[Any, dict[str, Any]], str]


def _expected(what: str) -> _Teller:
    return lambda value, ctx: f"expected {what}, got {shown(value)}"


def _must_be(words: str, bound: str) -> _Teller:
    return lambda value, ctx: f"must be {words} {str(ctx[bound]).removesuffix('.0')}, got {shown(value)}"


def _length(words: str, bound: str) -> _Teller:
    return lambda value, ctx: f"needs {words} {_counted(ctx[bound], value)}, got {len(value)}"


_TOLD: Final[dict[str, _Teller]] = {
    "bool_type": _expected("true or false"),
    "int_type": _expected("a whole number"),
    "int_from_float": _expected("a whole number"),
    "float_type": _expected("a number"),
    "string_type": _expected("text"),
    "list_type": _expected("a list"),
    "tuple_type": _expected("a list"),
    "set_type": _expected("a list"),
    "frozen_set_type": _expected("a list"),
    "dict_type": _expected("keys and values"),
    "model_type": _expected("keys and values"),
    "model_attributes_type": _expected("keys and values"),
    "none_required": _expected("nothing"),
    "finite_number": _expected("a finite number"),
    "greater_than": _must_be("above", "gt"),
    "greater_than_equal": _must_be("at least", "ge"),
    "less_than": _must_be("below", "lt"),
    "less_than_equal": _must_be("at most", "le"),
    "multiple_of": _must_be("a multiple of", "multiple_of"),
    "too_short": _length("at least", "min_length"),
    "too_long": _length("at most", "max_length"),
    "string_too_short": _length("at least", "min_length"),
    "string_too_long": _length("at most", "max_length"),
    "string_pattern_mismatch": lambda value, ctx: f"{shown(value)} is not of the form {ctx['pattern']}",
}
_OF_PYDANTIC: Final = frozenset(typing.get_args(core_schema.ErrorType))
_REMEDIES: Final = {
    "bool_type": "write true or false",
    "list_type": "begin each entry with a dash",
    "tuple_type": "begin each entry with a dash",
    "string_type": "put it in quotes",
    "dict_type": 'write lines like "key: value" below it',
    "model_type": 'write lines like "key: value" below it',
    "model_attributes_type": 'write lines like "key: value" below it',
}


def _told(error: ErrorDetails) -> tuple[str, str | None]:
    """Fact and hint for a complaint about a value."""
    sort, value, ctx = error["type"], error["input"], error.get("ctx", {})
    cause = ctx.get("error")
    if isinstance(cause, QuantityError):
        return cause.fact, cause.hint
    if isinstance(cause, Exception):
        return str(cause) or type(cause).__name__, None
    if sort in ("literal_error", "enum"):
        return _not_one_of(value, ctx["expected"])
    if sort == "union_tag_invalid":
        return _not_one_of(ctx["tag"], ctx["expected_tags"])
    hint = ctx.get("hint") if "hint" in ctx else _REMEDIES.get(sort)
    if sort == "string_type" and (value is None or isinstance(value, dict | list)):
        hint = None
    if sort in _TOLD:
        return _TOLD[sort](value, ctx), hint
    said = error["msg"]
    if sort in _OF_PYDANTIC:
        said = re.sub("^(Input|Value|String) should", "must", said)
        said = f"{said[:1].lower()}{said[1:]}, got {shown(value)}"
    return said, hint


def _not_one_of(value: object, expected: str) -> tuple[str, str | None]:
    """*expected* lists the choices as pydantic does: 'post', 'drone' or 3."""
    choices = [text or other for text, other in re.findall(r"'((?:[^'\\]|\\.)*)'|([^\s,']+)", expected)]
    choices = [choice for choice in choices if choice != "or"]
    listed = ", ".join(choices)
    fact = (
        f"{shown(value)} is not one of {listed}"
        if len(choices) > 1
        else f"must be {listed}, got {shown(value)}"
    )
    if value in choices:
        return fact, "write it without quotes"
    return fact, _did_you_mean(value, choices) if isinstance(value, str) else None


def _did_you_mean(word: str, known: Sequence[str]) -> str | None:
    close = nearest(word, known)
    return None if close is None else f'did you mean "{close}"?'


def _unquoted(text: str) -> str:
    return text.strip("'")


def _counted(number: int, value: object) -> str:
    noun = "character" if isinstance(value, str) else "entry"
    many = "entries" if noun == "entry" else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"


# Which keys an author may write at a place: a walk down the types beside the data.


def _fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """The keys of *model* as an author writes them."""
    return [
        (info.validation_alias if isinstance(info.validation_alias, str) else info.alias or name, info)
        for name, info in model.model_fields.items()
    ]


def _keys(models: Sequence[type[BaseModel]]) -> list[str]:
    return list(dict.fromkeys(name for model in models for name, _ in _fields(model)))


def _models_at(model: type[BaseModel], data: object, path: Path) -> list[type[BaseModel]]:
    """The models that the mapping at *path* may be, judged by the literal fields (`kind:`) it has."""
    return [each for each in _annotations_at(model, data, path) if _is_model(each)]


def _annotations_at(model: type[BaseModel], data: Any, path: Path) -> list[Any]:
    """The types that the value at *path* may have."""
    candidates: list[Any] = [model]
    for step in path:
        if not isinstance(data, dict | list):
            return []
        candidates = [
            inner for each in candidates for inner in _members(_below(each, step)) if inner is not None
        ]
        data = data[step]  # type: ignore[index]
        candidates = [each for each in candidates if _agrees(each, data)]
    return candidates


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union, without Annotated and aliases around them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _members(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for each in typing.get_args(annotation):
            yield from _members(each)
    elif hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__)
    else:
        yield annotation


def _below(annotation: Any, step: str | int) -> Any:
    """The type of what stands at *step* in a value of type *annotation*."""
    if _is_model(annotation):
        return next((info.annotation for name, info in _fields(annotation) if name == step), None)
    inner = [each for each in typing.get_args(annotation) if each is not ...]
    if isinstance(step, int) and len(inner) > 1 and typing.get_origin(annotation) is tuple:
        return inner[step] if step < len(inner) else None
    return inner[-1] if inner else None


def _agrees(annotation: Any, data: object) -> bool:
    if not _is_model(annotation) or not isinstance(data, dict):
        return True
    return all(
        data[name] in choices
        for name, info in _fields(annotation)
        if name in data and (choices := _literals(info.annotation))
    )


def _literals(annotation: Any) -> tuple[object, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
