"""The Earth as the line needs it: geodesics on WGS84 and one equal-area plane, both in kilometres."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pyproj

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WGS84_A_KM = 6378.137
WGS84_RF = 298.257223563
PIECE_KM = 2.0  # a geodesic is cut into pieces no longer than this before it is drawn on the plane


class LineError(ValueError):
    """The line, or its file, is not usable: the message is the fact, `hint` the remedy (or None)."""

    def __init__(self, fact: str, hint: str | None = None) -> None:
        super().__init__(fact)
        self.hint = hint


@lru_cache(maxsize=1)
def geod() -> pyproj.Geod:
    """The WGS84 ellipsoid with its axes in km, so that every length it returns is in km."""
    import pyproj

    return pyproj.Geod(a=WGS84_A_KM, rf=WGS84_RF)


@lru_cache(maxsize=32)
def plane(lon0_deg: float, lat0_deg: float) -> pyproj.Proj:
    """Lambert azimuthal equal-area plane in km, centred on a point (Snyder 1987, USGS PP 1395, ch. 24).

    Scale is off by 0.03 % at 300 km from the centre, 0.11 % at 600 km and 1.2 % at 2,000 km.
    """
    import pyproj

    return pyproj.Proj(proj="laea", lon_0=lon0_deg, lat_0=lat0_deg, datum="WGS84", units="km")


def inverse(lonlat_a: FloatArray, lonlat_b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Azimuth in degrees and geodesic distance in km from each row of *lonlat_a* to that of *lonlat_b*."""
    azimuth_deg, _, distance_km = geod().inv(lonlat_a[:, 0], lonlat_a[:, 1], lonlat_b[:, 0], lonlat_b[:, 1])
    return np.asarray(azimuth_deg, dtype=np.float64), np.asarray(distance_km, dtype=np.float64)


def forward(lonlat: FloatArray, azimuth_deg: FloatArray, distance_km: FloatArray) -> FloatArray:
    """The points (n, 2) reached from each row of *lonlat* by *distance_km* along a geodesic."""
    lon, lat, _ = geod().fwd(lonlat[:, 0], lonlat[:, 1], azimuth_deg, distance_km)
    return np.column_stack((lon, lat)).astype(np.float64)


def haversine_km(lonlat_a: FloatArray, lonlat_b: FloatArray) -> FloatArray:
    """Great-circle distance in km, good to 0.6 %: for looking for neighbours, not for measuring."""
    lon_a, lat_a = np.radians(lonlat_a[..., 0]), np.radians(lonlat_a[..., 1])
    lon_b, lat_b = np.radians(lonlat_b[..., 0]), np.radians(lonlat_b[..., 1])
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    found: FloatArray = 2 * WGS84_A_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return found


def nearest_on(
    route_xy_km: FloatArray, route_km: FloatArray, xy_km: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The nearest point of a polyline in the plane, for each of many points.

    route_xy_km (m, 2) and route_km (m,): vertices and their chainage; xy_km (n, 2): the points.
    -> chainage_km (n,), distance_km (n,), by straight pieces in the plane; the first piece wins a tie.
    """
    start, step = route_xy_km[:-1], np.diff(route_xy_km, axis=0)
    length2 = np.einsum("ij,ij->i", step, step)
    length2 = np.where(length2 > 0.0, length2, 1.0)
    chainage_km = np.empty(len(xy_km))
    distance_km = np.empty(len(xy_km))
    block = max(1, 2_000_000 // len(start))  # keeps the temporaries below about 100 MB
    for low in range(0, len(xy_km), block):
        some = slice(low, low + block)
        dx = xy_km[some, 0, None] - start[:, 0]
        dy = xy_km[some, 1, None] - start[:, 1]
        share = np.clip((dx * step[:, 0] + dy * step[:, 1]) / length2, 0.0, 1.0)
        gap2 = (dx - share * step[:, 0]) ** 2 + (dy - share * step[:, 1]) ** 2
        best = np.argmin(gap2, axis=1)
        row = np.arange(len(best))
        chainage_km[some] = route_km[best] + share[row, best] * (route_km[best + 1] - route_km[best])
        distance_km[some] = np.sqrt(gap2[row, best])
    return chainage_km, distance_km


def column(values: ArrayLike) -> FloatArray:
    """Any number or sequence of numbers as a float array (n,)."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()


def frozen(values: ArrayLike) -> FloatArray:
    """A private read-only copy as contiguous float64."""
    array = np.array(values, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def frozen_codes(values: ArrayLike) -> IntArray:
    """A private read-only copy as contiguous int64."""
    array = np.array(values, dtype=np.int64, order="C")
    array.flags.writeable = False
    return array


def spot(lonlat: FloatArray) -> str:
    """[34.2121, 51.455] -> 'lon 34.2121, lat 51.4550'."""
    return f"lon {lonlat[0]:.4f}, lat {lonlat[1]:.4f}"
