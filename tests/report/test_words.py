"""Numbers as people read them."""

from __future__ import annotations

import pytest

from sim.report.words import amount, hours, interval, listed, number, percent, said


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234"), (7.0, "7"), (0.004, "0.004")],
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_share_that_is_not_quite_none_or_all_never_reads_so() -> None:
    shares = (0.0, 0.0001, 0.5, 0.9999, 1.0)
    told = [percent(share).replace("\u00a0", " ") for share in shares]
    assert told == ["0.0 %", "< 0.1 %", "50.0 %", "> 99.9 %", "100.0 %"]


def test_short_times_are_told_in_minutes() -> None:
    assert [hours(h).replace("\u00a0", " ") for h in (0.25, 1.575, 2.0, 12.34)] == [
        "15 min",
        "94 min",
        "2 h",
        "12.3 h",
    ]


def test_what_never_happened_is_told_in_a_word() -> None:
    assert amount(None, "h") == "none"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.6, 0.7, "60.0–70.0 %"),
        (0.6, 0.6, "all replications 60.0 %"),
        (0.6, 0.6001, "within 60.0 %"),
        (None, None, None),
    ],
)
def test_an_interval_names_its_unit_once(low: float | None, high: float | None, text: str | None) -> None:
    told = interval({"ci_low": low, "ci_high": high, "unit": "share"})
    assert (None if told is None else told.replace("\u00a0", " ")) == text


@pytest.mark.parametrize(
    ("resolved", "text"),
    [("43830 h", "5 years"), ("0.5 h", "30 min"), ("2.5 per h", "60 per day"), ("1.25 km", "1.25 km"), ("0.35", "0.35"),
     ("0.8333333333333334 per h", "20 per day"), ("50 km/h", "50 km/h"), ("0.004 per km per h", "0.096 per km per day")],
)  # fmt: skip
def test_values_are_told_in_an_authors_units(resolved: str, text: str) -> None:
    assert said(resolved) == text


def test_words_are_listed() -> None:
    assert [listed(w) for w in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
