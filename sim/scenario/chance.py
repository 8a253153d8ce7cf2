"""Random durations as an author writes them: fixed, exponential, lognormal or uniform."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from sim.scenario.part import Faults, Part, shown
from sim.scenario.quantities import Duration, PositiveDuration, spoken


class Fixed(Part):
    """Always the same."""

    kind: Literal["fixed"] = "fixed"
    """Which distribution."""
    value: Duration
    """The duration."""


class Exponential(Part):
    """Without memory: the chance to end is the same at every moment."""

    kind: Literal["exponential"]
    """Which distribution."""
    mean: PositiveDuration
    """Mean duration."""


class Lognormal(Part):
    """Most are short, a few are long; given by its median and the value that nine in ten do not exceed."""

    kind: Literal["lognormal"]
    """Which distribution."""
    median: PositiveDuration
    """Half are shorter."""
    p90: PositiveDuration
    """Nine in ten are shorter."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.p90 <= self.median:
            raise Faults(
                [
                    (
                        ("p90",),
                        f"nine in ten are shorter than {spoken(self.p90, 'duration')}, "
                        f"but half are longer than {spoken(self.median, 'duration')}",
                        "write a p90 above the median",
                    )
                ]
            )
        return self


class Uniform(Part):
    """Every duration in [low, high) is as likely."""

    kind: Literal["uniform"]
    """Which distribution."""
    low: Duration
    """Shortest."""
    high: PositiveDuration
    """Longest."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.high <= self.low:
            raise Faults(
                [
                    (
                        ("high",),
                        f"the longest is {spoken(self.high, 'duration')}, "
                        f"but the shortest {spoken(self.low, 'duration')}",
                        "write a high above low",
                    )
                ]
            )
        return self


class _TextIsFixed:
    """Lets `20 min` stand for `{kind: fixed, value: 20 min}`, in files and in the JSON Schema."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "description": "short form of a fixed duration", "examples": ["20 min"]}
        return {"anyOf": [text, {"const": 0}, handler(core)]}


def _spelled_out(written: Any) -> Any:
    if isinstance(written, str | int | float):
        return {"kind": "fixed", "value": written}
    if isinstance(written, dict | Part):
        return written
    told = {"got": shown(written), "hint": "write 20 min, or {kind: exponential, mean: 20 min}"}
    raise PydanticCustomError("random_duration", "expected a duration or a distribution, got {got}", told)


RandomDuration = Annotated[
    Annotated[Fixed | Exponential | Lognormal | Uniform, Field(discriminator="kind")],
    BeforeValidator(_spelled_out),
    _TextIsFixed(),
]
"""A duration drawn anew each time: `20 min`, or `{kind: lognormal, median: 2 h, p90: 5 h}`."""


def size_h(law: Fixed | Exponential | Lognormal | Uniform) -> float:
    """The order of magnitude of a distribution: its value, mean, median or upper end."""
    match law:
        case Fixed():
            return law.value
        case Exponential():
            return law.mean
        case Lognormal():
            return law.median
        case Uniform():
            return law.high
