"""Quantities: what may be written, what it means in the model's units, and how a refusal reads."""

from __future__ import annotations

import math
import pickle
import re
from typing import Annotated, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sim.scenario import quantities
from sim.scenario.part import Part
from sim.scenario.quantities import (
    Dimension,
    Duration,
    Length,
    LineRate,
    PositiveDuration,
    PositiveLength,
    Quantity,
    QuantityError,
    Rate,
    Speed,
    parse,
    written,
)

DIMENSIONS = get_args(Dimension)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("800 mi", "length", 1287.4752),
        ("0 km", "length", 0.0),
        ("0", "length", 0.0),
        ("-0.0", "length", 0.0),
        ("10NM", "length", 18.52),
        ("250 m", "length", 0.25),
        ("1000 ft", "length", 0.3048),
        ("1.5e2 Kilometres", "length", 150.0),
        (" .5 km ", "length", 0.5),
        ("45 min", "duration", 0.75),
        ("90 s", "duration", 0.025),
        ("6 months", "duration", 6 * quantities.HOURS_PER_MONTH),
        ("1 MONTH", "duration", 730.5),
        ("2 weeks", "duration", 336.0),
        ("1 year", "duration", quantities.HOURS_PER_YEAR),
        ("30 km/h", "speed", 30.0),
        ("30 km per hour", "speed", 30.0),
        ("20 mph", "speed", 32.18688),
        ("10 m/s", "speed", 36.0),
        ("12 knots", "speed", 22.224),
        ("12 per day", "rate", 0.5),
        ("12/day", "rate", 0.5),
        ("1 per 2000 hours", "rate", 0.0005),
        ("0.1 per km per day", "line_rate", 0.1 / 24),
        ("24 per day per km", "line_rate", 1.0),
        ("3 per 100 km per week", "line_rate", 3 / 100 / 168),
        ("0.35 per 1000 km per year", "line_rate", 0.35 / 1000 / 8766),
    ],
)
def test_text_is_read_in_the_units_of_the_model(text: str, dimension: Dimension, value: float) -> None:
    assert parse(text, dimension) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("4", "duration", '4 has no unit; write "4 min", "4 h", "4 days" or "4 months", whichever you mean'),
        ("4.5", "length", '4.5 has no unit; write "4.5 km" or "4.5 mi", whichever you mean'),
        (
            "4",
            "line_rate",
            '4 has no unit; write "4 per km per day" or "4 per mi per year", whichever you mean',
        ),
        ("30 km", "speed", '"30 km" is a length, but a speed is wanted here; write it like "30 km/h"'),
        ("5 m", "duration", '"5 m" is a length, but a duration is wanted here; write it like "6 months"'),
        ("6 monts", "duration", 'no unit "monts"; did you mean "6 months"?'),
        ("30 kmm/h", "speed", 'no unit "kmm"; did you mean "30 km/h"?'),
        ("3 pd", "duration", 'no unit "pd"; did you mean "3 d"?'),
        ("6 xyz", "duration", 'no unit "xyz"; units of duration: s, min, h, day, week, month, year'),
        ("1 per 0 km", "line_rate", '"1 per 0 km" divides by 0; the number after "per" must be above 0'),
        ("1 / -2 h", "rate", '"1 / -2 h" divides by -2; the number after "per" must be above 0'),
        (
            "1,000 km",
            "length",
            '"1,000 km" is not a length; write it like "30 km", digits without separators',
        ),
        (
            "1_000 km",
            "length",
            '"1_000 km" is not a length; write it like "30 km", digits without separators',
        ),
        ("1e999 km", "length", '"1e999 km" is beyond what can be counted; write a number of ordinary size'),
        ("1e-999 km", "length", '"1e-999 km" is beyond what can be counted; write a number of ordinary size'),
        ("9" * 100, "length", 'a text of 100 characters is not a length; write it like "30 km"'),
        ("3 per km", "rate", '"3 per km" is not a rate; write it like "12 per day"'),
    ],
)
def test_a_refusal_says_what_to_write_instead(text: str, dimension: Dimension, message: str) -> None:
    with pytest.raises(QuantityError, match=f"^{re.escape(message)}$"):
        parse(text, dimension)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "km", "nan km", "inf km", "-inf km", "9**9**9 km", "(3+4) km", "3 - 2 km", "3 -2 km",
        "5 km km", "1 km 30 m", "per km", "5 km per", "5 per", "5 /", "/ km", "5 km 3", "\u0661 km",
        "5 km\u00b2", "5 km h", "5 per km h",
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_as_such(text: str) -> None:
    message = f'"{text}" is not a length; write it like "30 km"'
    with pytest.raises(QuantityError, match=f"^{re.escape(message)}$"):
        parse(text, "length")


def test_an_enormous_exponent_is_refused_at_once() -> None:
    with pytest.raises(QuantityError, match="beyond what can be counted"):
        parse("1e999999999 km", "length")


@given(st.text(max_size=100) | st.from_regex(r"[0-9.e+-]{0,6} ?(per|/)? ?[0-9]{0,3} ?[a-z]{0,6}"))
@example("1 per 0 km")
@example("1 per 1e-999 h")
def test_any_text_is_read_or_refused(text: str) -> None:
    for dimension in DIMENSIONS:
        try:
            value = parse(text, dimension)
        except QuantityError:
            continue
        assert math.isfinite(value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(DIMENSIONS))
def test_what_is_written_reads_back_bit_for_bit(value: float, dimension: Dimension) -> None:
    assert parse(written(value, dimension), dimension).hex() == (value + 0.0).hex()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_cannot_be_written(value: float) -> None:
    with pytest.raises(ValueError, match=f"a length cannot be {value}"):
        written(value, "length")


class Laydown(Part):
    """One field of each dimension."""

    reach: PositiveLength
    """How far."""
    tour: Duration = 720.0
    speed: Speed = 30.0
    alarms: Rate = 0.5
    shots: LineRate = 0.01
    shift: Annotated[float, Quantity("duration", above=0, at_most="24 h")] = 8.0
    depth: Length | None = None


def test_a_model_is_dumped_as_text_in_canonical_units_and_reads_back() -> None:
    laydown = Laydown.model_validate({"reach": "5 mi", "tour": "6 months", "depth": 0})
    text = {
        "reach": "8.04672 km",
        "tour": "4383 h",
        "speed": "30 km/h",
        "alarms": "0.5 per h",
        "shots": "0.01 per km per h",
        "shift": "8 h",
        "depth": "0 km",
    }
    assert laydown.model_dump() == text
    assert laydown.model_dump(mode="json") == text
    assert Laydown.model_validate(text) == laydown


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("reach", "-3 km", 'must be above 0, got "-3 km"'),
        ("reach", 0, "must be above 0, got 0"),
        ("reach", "0 mi", 'must be above 0, got "0 mi"'),
        ("tour", "-1 day", 'must be at least 0, got "-1 day"'),
        ("alarms", "-1 per day", 'must be at least 0, got "-1 per day"'),
        ("shift", "2 days", 'must be at most 24 h, got "2 days"'),
        ("tour", 4, '4 has no unit; write "4 min", "4 h", "4 days" or "4 months", whichever you mean'),
        ("tour", True, 'expected a duration, got true; write it like "6 months"'),
        ("tour", None, 'expected a duration, got nothing; write it like "6 months"'),
        ("tour", [1], 'expected a duration, got a list; write it like "6 months"'),
        ("tour", {}, 'expected a duration, got keys and values; write it like "6 months"'),
        ("tour", float("nan"), 'nan is not a duration; write it like "6 months"'),
        ("depth", "1 h", '"1 h" is a duration, but a length is wanted here; write it like "30 km"'),
    ],
)
def test_a_field_refuses_in_the_words_of_the_author(field: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Laydown.model_validate({"reach": "1 km", field: value})
    (error,) = refused.value.errors()
    assert error["loc"] == (field,)
    assert str(error["ctx"]["error"]) == message


def test_errors_travel_between_processes() -> None:
    error = QuantityError("fact", "hint")
    assert str(pickle.loads(pickle.dumps(error))) == "fact; hint"


def test_the_schema_flags_a_bare_number_and_accepts_what_the_grammar_accepts() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = Laydown.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = {
        "reach": "800 mi", "tour": 0, "speed": "30 km/h", "alarms": "1 per 2000 hours",
        "shots": "3 per 100 km Per week", "shift": "1e1 h",
    }  # fmt: skip
    assert validator.is_valid(good)
    for field, bad in [
        ("reach", 800), ("reach", "30 km/h"), ("tour", 5), ("speed", "30"), ("alarms", "12 day"),
        ("shots", "1/km"),
    ]:  # fmt: skip
        assert not validator.is_valid({**good, field: bad}), (field, bad)
    assert schema["properties"]["reach"]["description"] == "How far."
    assert schema["properties"]["shift"]["default"] == "8 h"


def test_every_text_of_the_examples_is_what_it_says() -> None:
    for dimension in DIMENSIONS:
        schema = TypeAdapter(Annotated[float, Quantity(dimension, above=0)]).json_schema()
        for text in schema["examples"]:
            assert parse(text, dimension) > 0
            assert re.search(schema["pattern"], text)


def test_the_constants_agree_with_the_grammar() -> None:
    assert parse("1 h", "duration") * quantities.MINUTES_PER_HOUR == parse("60 h", "duration")
    assert parse("1 day", "duration") == quantities.HOURS_PER_DAY
    assert parse("1 year", "duration") == quantities.HOURS_PER_DAY * quantities.DAYS_PER_YEAR
    assert parse("1 month", "duration") == quantities.HOURS_PER_MONTH
    assert parse("1 mi", "length") == quantities.KM_PER_MILE
    assert PositiveDuration is not Duration
