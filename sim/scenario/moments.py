"""Moments of the campaign as an author writes them: a day of the calendar, or a time after the start."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from sim.scenario.part import Faults, Part, shown
from sim.scenario.quantities import HOURS_PER_DAY, Duration


def _date(written: Any) -> Any:
    if isinstance(written, datetime.date):
        return written
    if not isinstance(written, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        raise _no_date("expected a date, got {got}", written)
    try:
        return datetime.date.fromisoformat(written)
    except ValueError:
        raise _no_date("{got} is not a day of the calendar", written) from None


def _no_date(fact: str, written: Any) -> PydanticCustomError:
    return PydanticCustomError("date", fact, {"got": shown(written), "hint": "write it as 2026-01-31"})


Date = Annotated[
    datetime.date,
    BeforeValidator(_date),
    PlainSerializer(datetime.date.isoformat),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "examples": ["2026-01-31"]}),
]


class MomentPart(Part):
    """Something at one moment."""

    at: Date | None = None
    """The day on which it happens, at midnight."""
    after: Duration | None = None
    """How long after the start it happens."""

    def moment_h(self, start: datetime.date) -> float | None:
        """Hours from the scenario's start to the moment, or None when there is none."""
        if self.at is not None:
            return (self.at - start).days * HOURS_PER_DAY
        return self.after

    @model_validator(mode="after")
    def _not_twice(self) -> Self:
        if self.at is not None and self.after is not None:
            raise Faults([(("after",), "at and after both say when", "keep one of them")])
        return self
