"""Nights: O10 against published day lengths, the sun's year, and what happens beyond the polar circles."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.line.daylight import declination_deg, months, night_h, night_share_of_year, sun_times_h

MINUTE_H = 1 / 60
PUBLISHED = [
    # place, latitude, day of the year, hours and minutes from sunrise to sunset
    ("Kyiv, 21 June", 50.45, 172, 16, 27),
    ("Kyiv, 21 December", 50.45, 355, 8, 0),
    ("Kyiv, 20 March", 50.45, 79, 12, 10),
    ("Greenwich, 21 June", 51.48, 172, 16, 38),
    ("Greenwich, 21 December", 51.48, 355, 7, 50),
    ("Berlin, 21 June", 52.52, 172, 16, 50),
    ("Berlin, 21 December", 52.52, 355, 7, 39),
    ("New York, 21 June", 40.71, 172, 15, 5),
    ("New York, 21 December", 40.71, 355, 9, 15),
    ("Helsinki, 21 June", 60.17, 172, 18, 56),
    ("Helsinki, 21 December", 60.17, 355, 5, 49),
    ("Sydney, 21 June", -33.87, 172, 9, 54),
    ("Sydney, 21 December", -33.87, 355, 14, 25),
    ("equator, 20 March", 0.0, 79, 12, 7),
    ("equator, 21 June", 0.0, 172, 12, 7),
    ("Tromso, 21 June", 69.65, 172, 24, 0),
    ("Tromso, 21 December", 69.65, 355, 0, 0),
]


def agree(night, latitude_deg: float, day: int, hours: int, minutes: int) -> None:
    assert 24.0 - night(latitude_deg, day) == pytest.approx(hours + minutes / 60, abs=4 * MINUTE_H)


@pytest.mark.parametrize(("place", "latitude_deg", "day", "hours", "minutes"), PUBLISHED)
def test_day_lengths_agree_with_published_tables(place, latitude_deg, day, hours, minutes):
    """O10, to 4 minutes: sunrise tables of almanacs and calendar sites (upper limb, 34' refraction)."""
    agree(night_h, latitude_deg, day, hours, minutes)


@pytest.mark.parametrize("broken", ["twelve hours", "no refraction", "other hemisphere", "a month late"])
def test_the_oracle_can_fail(broken, monkeypatch):
    twins = {
        "twelve hours": lambda latitude, day: 12.0,
        "no refraction": night_h,
        "other hemisphere": lambda latitude, day: night_h(-latitude, day),
        "a month late": lambda latitude, day: night_h(latitude, (day + 30) % 365 + 1),
    }
    if broken == "no refraction":
        monkeypatch.setattr("sim.line.daylight.HORIZON_DEG", 0.0)
    row = PUBLISHED[1][1:]
    with pytest.raises(AssertionError):
        agree(twins[broken], *row)


def test_declination_at_solstices_and_equinoxes():
    """The four instants of 2025, in UT, as the Astronomical Almanac gives them."""
    noon = datetime.datetime(2000, 1, 1, 12)
    instants = [(3, 20, 9, 1), (6, 21, 2, 42), (9, 22, 18, 19), (12, 21, 15, 3)]
    days = [(datetime.datetime(2025, *instant) - noon) / datetime.timedelta(days=1) for instant in instants]
    assert declination_deg(days) == pytest.approx([0.0, 23.44, 0.0, -23.44], abs=0.015)


@given(st.floats(-90.0, 90.0), st.integers(1, 365))
def test_a_night_is_between_nothing_and_a_whole_day(latitude_deg, day):
    assert 0.0 <= night_h(latitude_deg, day) <= 24.0


def test_poles_have_one_day_and_one_night():
    nights_h = night_h(90.0, np.arange(1, 366))
    assert set(nights_h.tolist()) == {0.0, 24.0}
    assert 0.46 < night_share_of_year(90.0) < 0.5


def test_the_year_is_a_little_less_than_half_night():
    assert night_share_of_year(0.0) == pytest.approx(0.5 - 2 * 0.833 / 360, abs=0.0005)
    assert night_share_of_year(48.7) == pytest.approx(0.4895, abs=0.0005)


def test_nights_by_latitude_and_day_make_a_table():
    assert night_h(np.array([[0.0], [50.0]]), [80, 172, 355]).shape == (2, 3)


def test_sun_times_are_hours_since_the_first_midnight_and_lie_about_noon():
    sunrise_h, sunset_h = sun_times_h(48.7, datetime.date(2025, 3, 15), 400)
    assert sunrise_h.shape == sunset_h.shape == (400,)
    assert (sunrise_h + sunset_h) / 2 == pytest.approx(np.arange(400) * 24 + 12)
    assert (np.diff(sunrise_h) > 23.9).all()
    assert (sunset_h[:-1] < sunrise_h[1:]).all()


def test_sun_times_agree_with_the_night_of_the_typical_year():
    sunrise_h, sunset_h = sun_times_h(48.7, datetime.date(2026, 1, 1), 365)
    assert 24.0 - (sunset_h - sunrise_h) == pytest.approx(night_h(48.7, np.arange(1, 366)))


@pytest.mark.parametrize("year", [2024, 2025, 2027])
def test_other_years_differ_from_the_typical_one_by_less_than_three_minutes(year):
    sunrise_h, sunset_h = sun_times_h(50.0, datetime.date(year, 1, 1), 365)
    assert 24.0 - (sunset_h - sunrise_h) == pytest.approx(night_h(50.0, np.arange(1, 366)), abs=3 * MINUTE_H)


def test_in_the_polar_day_one_day_runs_into_the_next_and_in_the_polar_night_both_are_noon():
    sunrise_h, sunset_h = sun_times_h(69.65, datetime.date(2025, 6, 20), 3)
    assert sunrise_h.tolist() == [0.0, 24.0, 48.0]
    assert sunset_h.tolist() == [24.0, 48.0, 72.0]
    sunrise_h, sunset_h = sun_times_h(69.65, datetime.date(2025, 12, 20), 2)
    assert sunrise_h.tolist() == sunset_h.tolist() == [12.0, 36.0]


def test_months_run_through_leap_days_and_new_year():
    assert months(datetime.date(2024, 2, 28), 3).tolist() == [2, 2, 3]
    assert months(datetime.date(2025, 12, 31), 2).tolist() == [12, 1]
    assert months(datetime.date(1969, 12, 31), 2).tolist() == [12, 1]
    assert months(datetime.date(2025, 1, 1), 0).tolist() == []
    year = months(datetime.date(2025, 1, 1), 365)
    assert np.bincount(year).tolist() == [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(
    ("ask", "fact"),
    [
        (lambda: night_h(91.0, 1), "latitude must be between -90 and 90 degrees, got 91"),
        (lambda: night_h([10.0, np.nan], 1), "latitude must be between -90 and 90 degrees, got nan"),
        (lambda: night_h(50.0, 0), "day_of_year must be from 1 to 366, got 0"),
        (lambda: night_h(50.0, [5, 367]), "day_of_year must be from 1 to 366, got 367"),
        (lambda: sun_times_h(50.0, datetime.date(2025, 1, 1), -1), "days must not be negative, got -1"),
        (lambda: months(datetime.date(2025, 1, 1), -1), "days must not be negative, got -1"),
    ],
)
def test_nonsense_is_refused_with_the_value_it_holds(ask, fact):
    with pytest.raises(ValueError) as bad:  # noqa: PT011 - the message is compared in full below
        ask()
    assert str(bad.value) == fact
