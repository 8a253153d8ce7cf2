"""Night and season: sunrise and sunset from the sun's declination, and the calendar month of every day.

Clocks show line time, by which the sun stands highest at 12:00 every day: the equation of time (at most 16
minutes) and the distance to the time zone's meridian are left out, because no rate or watch in the model
depends on them.
"""

from __future__ import annotations

import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.line.earth import FloatArray, IntArray
from sim.scenario.quantities import HOURS_PER_DAY

HORIZON_DEG = -0.833  # centre of the sun at sunrise: half a disc (16') and refraction (34') below the horizon
_NOON_H = HOURS_PER_DAY / 2
_J2000 = datetime.date(2000, 1, 1)
_TYPICAL_YEAR = datetime.date(
    2026, 1, 1
)  # halfway between two leap years: day n is never a day off its mean sun
_DAYS_PER_YEAR = 365


def declination_deg(days_since_j2000: ArrayLike) -> FloatArray:
    """Declination of the sun in degrees, n days after 1 January 2000, 12:00 UT; good to 0.01 degrees.

    sin(declination) = sin(obliquity) x sin(ecliptic longitude), with the low-precision longitude of the
    Astronomical Almanac, section C, "Low precision formulas for the Sun's coordinates".
    """
    n = np.asarray(days_since_j2000, dtype=np.float64)
    mean_longitude_deg = 280.460 + 0.9856474 * n
    anomaly = np.radians(357.528 + 0.9856003 * n)
    longitude_deg = mean_longitude_deg + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    obliquity = np.radians(23.439 - 4e-7 * n)
    sine = np.sin(obliquity) * np.sin(np.radians(longitude_deg))
    declination: FloatArray = np.degrees(np.arcsin(sine))
    return declination


def night_h(latitude_deg: ArrayLike, day_of_year: ArrayLike) -> FloatArray:
    """Hours between sunset and sunrise, by latitude and day of the year (1 = 1 January), broadcast.

    Taken in 2026, halfway between two leap years. 0 in the polar day, 24 in the polar night.
    Raises ValueError for a latitude beyond the poles or a day outside [1, 367).
    """
    day = np.asarray(day_of_year, dtype=np.float64)
    if not ((day >= 1) & (day < _DAYS_PER_YEAR + 2)).all():
        raise ValueError(
            f"day_of_year must be from 1 to 366, got {day[~((day >= 1) & (day < 367))].flat[0]:g}"
        )
    return HOURS_PER_DAY - _day_h(latitude_deg, (_TYPICAL_YEAR - _J2000).days + day - 1)


@lru_cache(maxsize=16)
def night_share_of_year(latitude_deg: float) -> float:
    """Share of the year between sunset and sunrise: a little under one half, by `HORIZON_DEG`."""
    nights_h = night_h(latitude_deg, np.arange(1, _DAYS_PER_YEAR + 1))
    return float(nights_h.mean() / HOURS_PER_DAY)


def sun_times_h(latitude_deg: float, start: datetime.date, days: int) -> tuple[FloatArray, FloatArray]:
    """(sunrise_h, sunset_h), each (days,): hours since midnight at the beginning of *start*, in line time.

    It is day over [sunrise_h[d], sunset_h[d]). In the polar day these are the day's two midnights, so that
    one day runs into the next; in the polar night both are its noon.
    """
    half_h = _day_h(latitude_deg, (start - _J2000).days + np.arange(_checked(days))) / 2
    noon_h = np.arange(days) * HOURS_PER_DAY + _NOON_H
    return noon_h - half_h, noon_h + half_h


def months(start: datetime.date, days: int) -> IntArray:
    """(days,) calendar month, 1 to 12, of each day from *start* on."""
    dates = np.datetime64(start, "D") + np.arange(_checked(days))
    since_1970: NDArray[np.int64] = dates.astype("datetime64[M]").astype(np.int64)
    return since_1970 % 12 + 1


def _day_h(latitude_deg: ArrayLike, days_since_j2000: ArrayLike) -> FloatArray:
    """Hours from sunrise to sunset: 24 h x H / 180 degrees, cos H = (sin h - sin f sin d) / (cos f cos d).

    H hour angle of sunset, h altitude of the sun's centre then, f latitude, d declination at the line's noon.
    """
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    if not (np.abs(latitude) <= 90.0).all():
        off = latitude[~(np.abs(latitude) <= 90.0)].flat[0]
        raise ValueError(f"latitude must be between -90 and 90 degrees, got {off:g}")
    f, d = np.radians(latitude), np.radians(declination_deg(days_since_j2000))
    above = np.sin(np.radians(HORIZON_DEG)) - np.sin(f) * np.sin(d)
    hour_angle = np.arccos(np.clip(above / np.maximum(np.cos(f) * np.cos(d), 1e-12), -1.0, 1.0))
    day_h: FloatArray = HOURS_PER_DAY * hour_angle / np.pi
    return day_h


def _checked(days: int) -> int:
    if days < 0:
        raise ValueError(f"days must not be negative, got {days}")
    return days
