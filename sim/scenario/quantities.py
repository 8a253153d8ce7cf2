"""Quantities as people write them ("800 mi", "6 months", "0.1 per km per day") and as the model counts them.

The only home of conversion factors. Inside the program a length is in km, a duration in hours, a speed in
km/h, a rate per hour and a rate along the line per km per hour. A month is 365.25 / 12 days, a year 365.25.

    quantity = NUMBER [UNIT] { ("per" | "/") [NUMBER] UNIT }

Conversion is done in exact fractions and rounded once, so what `written` writes reads back as the same float.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from sim.errors import nearest

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

MINUTES_PER_HOUR: Final = 60.0
HOURS_PER_DAY: Final = 24.0
DAYS_PER_YEAR: Final = 365.25
HOURS_PER_YEAR: Final = 8766.0
HOURS_PER_MONTH: Final = 730.5
KM_PER_MILE: Final = 1.609344

Dimension = Literal["length", "duration", "speed", "rate", "line_rate"]
"""What a quantity measures."""

LONGEST_TEXT: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one dimension is named, shown and written; `powers` are those of length and of time."""

    name: str
    powers: tuple[int, int]
    example: str
    usual: tuple[str, ...]  # units offered to whoever forgot one
    internal: str  # the unit the model counts in, as text that reads back
    shape: str  # regular expression of what follows the number, for editors


_PER = r"\s*(?:/|[Pp][Ee][Rr]\b)\s*(?:[0-9.]+(?:[eE][-+]?[0-9]+)?)?\s*[A-Za-z]+"
_UNIT = r"\s*[A-Za-z]+"
_KINDS: Final[dict[Dimension, _Kind]] = {
    "length": _Kind(
        name="a length", powers=(1, 0), example="30 km", usual=("km", "mi"), internal="km", shape=_UNIT
    ),
    "duration": _Kind(
        name="a duration",
        powers=(0, 1),
        example="6 months",
        usual=("min", "h", "days", "months"),
        internal="h",
        shape=_UNIT,
    ),
    "speed": _Kind(
        name="a speed",
        powers=(1, -1),
        example="30 km/h",
        usual=("km/h", "mph"),
        internal="km/h",
        shape=f"{_UNIT}(?:{_PER})?",
    ),
    "rate": _Kind(
        name="a rate",
        powers=(0, -1),
        example="12 per day",
        usual=("per day", "per month"),
        internal="per h",
        shape=_PER,
    ),
    "line_rate": _Kind(
        name="a rate along the line",
        powers=(-1, -1),
        example="0.1 per km per day",
        usual=("per km per day", "per mi per year"),
        internal="per km per h",
        shape=f"{_PER}{_PER}",
    ),
}

# Each unit: its size in km, h or km/h, the powers of length and time, and the words for it.
_DAY = Fraction(24)
_UNITS: Final[tuple[tuple[Fraction, tuple[int, int], str], ...]] = (
    (Fraction("1.609344"), (1, 0), "mi mile miles"),
    (Fraction(1), (1, 0), "km kilometre kilometres kilometer kilometers"),
    (Fraction("0.001"), (1, 0), "m metre metres meter meters"),
    (Fraction("1.852"), (1, 0), "nm nmi"),
    (Fraction("0.0003048"), (1, 0), "ft foot feet"),
    (Fraction(1, 3600), (0, 1), "s sec secs second seconds"),
    (Fraction(1, 60), (0, 1), "min mins minute minutes"),
    (Fraction(1), (0, 1), "h hr hrs hour hours"),
    (_DAY, (0, 1), "d day days"),
    (_DAY * 7, (0, 1), "wk wks week weeks"),
    (_DAY * Fraction("365.25") / 12, (0, 1), "month months"),
    (_DAY * Fraction("365.25"), (0, 1), "yr yrs year years"),
    (Fraction(1), (1, -1), "kmh kph"),
    (Fraction("1.609344"), (1, -1), "mph"),
    (Fraction("1.852"), (1, -1), "kn kt knot knots"),
)
_UNIT_OF: Final = {word: (size, powers) for size, powers, words in _UNITS for word in words.split()}
_LISTED: Final = {
    (1, 0): "mi, km, m, NM, ft",
    (0, 1): "s, min, h, day, week, month, year",
    (1, -1): "km/h, mph, m/s, knots",
    (0, -1): "per h, per day, per week, per month, per year",
    (-1, -1): "per km per day, per mi per year and the like",
}

# Units in which `spoken` tries to say a value, best first.
_SPOKEN: Final[dict[str, tuple[tuple[Fraction, str], ...]]] = {
    "length": ((Fraction(1), "km"), (Fraction("1.609344"), "mi"), (Fraction("1.852"), "NM")),
    "duration": (
        (_DAY * Fraction("365.25"), "year"),
        (_DAY * Fraction("365.25") / 12, "month"),
        (_DAY, "day"),
        (Fraction(1), "h"),
        (Fraction(1, 60), "min"),
        (Fraction(1, 3600), "s"),
    ),
}

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TOKEN: Final = re.compile(rf"\s*(?:(?P<number>{_NUMBER})|(?P<word>[A-Za-z]+)|(?P<slash>/))")
_BARE: Final = re.compile(rf"\s*({_NUMBER})\s*")


class QuantityError(ValueError):
    """A text is not the quantity that was wanted; `fact` says why, `hint` what to write instead."""

    def __init__(self, fact: str, hint: str | None = None) -> None:
        self.fact = fact
        self.hint = hint
        super().__init__(fact if hint is None else f"{fact}; {hint}")

    def __reduce__(self) -> tuple[type[QuantityError], tuple[str, str | None]]:
        return (QuantityError, (self.fact, self.hint))


def parse(text: str, dimension: Dimension) -> float:
    """The quantity in *text*, in the model's own unit: km, h, km/h, per h or per km per h.

    >>> parse("45 min", "duration")
    0.75
    """
    kind = _KINDS[dimension]
    if len(text) > LONGEST_TEXT:
        raise QuantityError(
            f"a text of {len(text)} characters is not {kind.name}", f'write it like "{kind.example}"'
        )
    if bare := _BARE.fullmatch(text):
        return _bare_number(bare[1], kind)
    amount, powers = _measured(text, kind)
    if powers != kind.powers:
        actual = next((k.name for k in _KINDS.values() if k.powers == powers), None)
        if actual is None:
            raise _shapeless(text, kind)
        raise QuantityError(
            f'"{text}" is {actual}, but {kind.name} is wanted here', f'write it like "{kind.example}"'
        )
    return _as_float(amount, text)


def written(value: float, dimension: Dimension) -> str:
    """The canonical text of *value*, which `parse` reads back as the same float: 45.0 -> '45 km'."""
    if not math.isfinite(value):
        raise ValueError(f"{_KINDS[dimension].name} cannot be {value}")
    return f"{repr(float(value)).removesuffix('.0')} {_KINDS[dimension].internal}"


def spoken(value: float, dimension: Literal["length", "duration"]) -> str:
    """*value* as an author may have written it, for messages: 4383.0 -> '6 months', 1287.4752 -> '800 mi'."""
    exact = Fraction(value).limit_denominator(10**9)
    if dimension == "length" and value < 1 and (exact * 1000).denominator == 1:
        return f"{float(exact * 1000):.10g} m" if value else "0 km"
    for size, word in _SPOKEN[dimension]:
        count = exact / size
        if count and (count * (2 if word == "h" else 1000 if word == "km" else 1)).denominator == 1:
            plural = "s" if word in ("year", "month", "day") and count != 1 else ""
            return f"{float(count):.10g} {word}{plural}"
    return f"{value:.6g} {_KINDS[dimension].internal}"


def _measured(text: str, kind: _Kind) -> tuple[Fraction, tuple[int, int]]:
    """The exact amount that *text* states and its powers of length and time."""
    tokens = _tokens(text, kind)
    if not tokens or tokens[0][0] != "number":
        raise _shapeless(text, kind)
    amount = _exact(tokens.pop(0)[1], text)
    length_power = time_power = 0
    divides = False
    while tokens:
        sort, token = tokens.pop(0)
        if sort == "slash" or token.lower() == "per":
            divides = True
            if tokens and tokens[0][0] == "number":
                amount /= _divisor(tokens.pop(0)[1], text)
            if not tokens:
                raise _shapeless(text, kind)
            sort, token = tokens.pop(0)
        elif divides or length_power or time_power:
            raise _shapeless(text, kind)
        if sort != "word":
            raise _shapeless(text, kind)
        size, (length, time) = _unit(token, text, kind)
        amount = amount / size if divides else amount * size
        sign = -1 if divides else 1
        length_power, time_power = length_power + sign * length, time_power + sign * time
    return amount, (length_power, time_power)


def _tokens(text: str, kind: _Kind) -> list[tuple[str, str]]:
    """The numbers, words and slashes of *text*."""
    found: list[tuple[str, str]] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _shapeless(text, kind)
        sort = str(match.lastgroup)
        found.append((sort, match[sort]))
        position = match.end()
    return found


def _unit(word: str, text: str, kind: _Kind) -> tuple[Fraction, tuple[int, int]]:
    """The size and the powers of the unit called *word*."""
    known = _UNIT_OF.get(word.lower())
    if known is not None:
        return known
    if word.lower() in ("nan", "inf", "infinity"):
        raise _shapeless(text, kind)
    close = nearest(word, list(_UNIT_OF))
    if close is None:
        raise QuantityError(
            f'no unit "{word}"', f"units of {kind.name.removeprefix('a ')}: {_LISTED[kind.powers]}"
        )
    better = re.sub(rf"(?<![A-Za-z]){word}(?![A-Za-z])", close, text.strip(), count=1)
    raise QuantityError(f'no unit "{word}"', f'did you mean "{better}"?')


def _bare_number(number: str, kind: _Kind) -> float:
    """Zero needs no unit; every other number does."""
    if _exact(number, number) == 0:
        return 0.0
    *some, last = (f'"{number} {unit}"' for unit in kind.usual)
    raise QuantityError(f"{number} has no unit", f"write {', '.join(some)} or {last}, whichever you mean")


def _exact(number: str, text: str) -> Fraction:
    """The number as a fraction; an exponent beyond three digits would take for ever."""
    exponent = number.lower().partition("e")[2].lstrip("+-").lstrip("0")
    if len(exponent) > 3:
        raise QuantityError(f'"{text}" is beyond what can be counted', "write a number of ordinary size")
    return Fraction(number)


def _divisor(number: str, text: str) -> Fraction:
    """The number after "per", which divides and so must be above zero."""
    divisor = _exact(number, text)
    if divisor <= 0:
        raise QuantityError(f'"{text}" divides by {number}', 'the number after "per" must be above 0')
    return divisor


def _as_float(amount: Fraction, text: str) -> float:
    """The nearest float, unless the amount is too large for one, or so small that it would vanish."""
    try:
        value = float(amount)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (value == 0.0) != (amount == 0):
        raise QuantityError(f'"{text}" is beyond what can be counted', "write a number of ordinary size")
    return value


def _shapeless(text: str, kind: _Kind) -> QuantityError:
    """The error for a text that does not follow the grammar at all."""
    hint = f'write it like "{kind.example}"'
    if re.search(r"[0-9][,_'][0-9]", text):
        hint += ", digits without separators"
    return QuantityError(f'"{text}" is not {kind.name}', hint)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Makes a float field read a quantity: `Annotated[float, Quantity("length", above=0)]`.

    Bounds are numbers in the model's unit, or text such as "24 h", which then appears in the message.
    """

    dimension: Dimension
    above: float | str | None = field(default=None, kw_only=True)
    at_least: float | str | None = field(default=0.0, kw_only=True)
    at_most: float | str | None = field(default=None, kw_only=True)

    def read(self, value: object) -> float:
        """*value* as an author wrote it, in the model's unit and within bounds."""
        kind = _KINDS[self.dimension]
        if isinstance(value, str):
            amount, shown = parse(value, self.dimension), f'"{value}"'
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise QuantityError(f"{value} is not {kind.name}", f'write it like "{kind.example}"')
            amount, shown = _bare_number(_shortened(repr(value)), kind), repr(value)
        else:
            raise QuantityError(
                f"expected {kind.name}, got {_named(value)}", f'write it like "{kind.example}"'
            )
        self._refuse_out_of_bounds(amount, shown)
        return amount

    @property
    def example(self) -> str:
        """A quantity of this sort."""
        return _KINDS[self.dimension].example

    def write(self, value: float) -> str:
        """The canonical text, for dumps."""
        return written(value, self.dimension)

    def _refuse_out_of_bounds(self, amount: float, shown: str) -> None:
        least = None if self.above is not None else self.at_least
        if self.above is not None and not amount > self._value_of(self.above):
            raise QuantityError(f"must be above {self._text_of(self.above)}, got {shown}")
        if least is not None and not amount >= self._value_of(least):
            raise QuantityError(f"must be at least {self._text_of(least)}, got {shown}")
        if self.at_most is not None and not amount <= self._value_of(self.at_most):
            raise QuantityError(f"must be at most {self._text_of(self.at_most)}, got {shown}")

    def _value_of(self, bound: float | str) -> float:
        return parse(bound, self.dimension) if isinstance(bound, str) else float(bound)

    def _text_of(self, bound: float | str) -> str:
        return bound if isinstance(bound, str) else written(bound, self.dimension) if bound else "0"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.write, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        kind = _KINDS[self.dimension]
        text: JsonSchemaValue = {
            "type": "string",
            "description": f'{kind.name}, such as "{kind.example}"; units: {_LISTED[kind.powers]}',
            "pattern": rf"^\s*(?:[-+]?(?:0+\.?0*)\s*|[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?{kind.shape}\s*)$",
            "examples": [kind.example],
        }
        return text if self.above is not None else {"anyOf": [text, {"const": 0}]}


def _shortened(number: str) -> str:
    """A number that a program wrote, short enough for a message."""
    return number if len(number) <= LONGEST_TEXT else f"{number[:20]}..."


def _named(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


Length = Annotated[float, Quantity("length")]
"""Kilometres, none below 0; written "800 mi"."""
Duration = Annotated[float, Quantity("duration")]
"""Hours, none below 0; written "6 months"."""
Speed = Annotated[float, Quantity("speed")]
"""Kilometres per hour, none below 0; written "30 km/h"."""
Rate = Annotated[float, Quantity("rate")]
"""Per hour, none below 0; written "12 per day"."""
LineRate = Annotated[float, Quantity("line_rate")]
"""Per kilometre of line and hour, none below 0; written "0.1 per km per day"."""
PositiveLength = Annotated[float, Quantity("length", above=0)]
"""Kilometres above 0."""
PositiveDuration = Annotated[float, Quantity("duration", above=0)]
"""Hours above 0."""
PositiveSpeed = Annotated[float, Quantity("speed", above=0)]
"""Kilometres per hour above 0."""
