"""The parts of a line's file, joined end to end into one directed line; gaps and forks are refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.line.earth import FloatArray, LineError, haversine_km, inverse, nearest_on, plane, spot
from sim.line.linefile import Part

BRIDGED_GAP_KM = 0.5  # parts whose ends lie this close are joined by a straight piece
SAME_POINT_KM = 0.001  # ends this close are one point
SAME_VERTEX_KM = 1e-6  # neighbours this close are one vertex


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """One line: lonlat (n, 2), its chainage vertex_km (n,), and (from_km, to_km, name) of its terrains."""

    lonlat: FloatArray
    vertex_km: FloatArray
    terrain: tuple[tuple[float, float, str], ...]


def join(name: str, parts: list[Part]) -> Joined:
    """One directed line from parts in any order and direction.

    Ends up to 0.5 km apart are joined. When all parts already run the same way, so does the line; otherwise
    the part that stands first in the file comes before the one that stands last. A single part is never
    turned round. Raises LineError for a gap (and says where), a fork, or a part that is there twice.
    """
    _refuse_twins(name, parts)
    chain = _chain(name, parts)
    order = [index for index, _ in chain]
    flips = [flipped for _, flipped in chain]
    if any(flips) and order.index(0) > order.index(len(parts) - 1):
        chain = [(index, not flipped) for index, flipped in reversed(chain)]
    pieces = [parts[index].lonlat[::-1] if flipped else parts[index].lonlat for index, flipped in chain]
    return _measure(pieces, [parts[index].terrain for index, _ in chain])


def _refuse_twins(name: str, parts: list[Part]) -> None:
    seen: dict[bytes, int] = {}
    for part in parts:
        rounded = np.round(part.lonlat, 7) + 0.0
        key = min(rounded.tobytes(), rounded[::-1].tobytes())
        if key in seen:
            raise LineError(f"{name}: parts {seen[key]} and {part.number} are the same line", "leave one out")
        seen[key] = part.number


def _chain(name: str, parts: list[Part]) -> list[tuple[int, bool]]:
    """(index, flipped) of every part along the line, in the direction that part 0 is written in."""
    ends = np.array([(part.lonlat[0], part.lonlat[-1]) for part in parts])  # ends[i] = first, last point
    free = list(range(1, len(parts)))
    chain = [(0, False)]
    tips = [ends[0, 0], ends[0, 1]]  # where the chain begins and where it ends
    while free:
        # far_km[t, i, s] = from tip t to side s (0 first, 1 last point) of the i-th free part
        far_km = np.stack([haversine_km(ends[free], tip) for tip in tips])
        tip, row, side = (int(k) for k in np.unravel_index(np.argmin(far_km), far_km.shape))
        near_km = far_km[tip].min(axis=1)
        if near_km[row] > BRIDGED_GAP_KM:
            raise _not_joined(name, parts, ends, free, chain, tips)
        rivals = np.flatnonzero(near_km <= near_km[row] + SAME_POINT_KM)
        if len(rivals) > 1:
            one, two = (parts[free[rival]].number for rival in rivals[:2])
            fact = f"{name}: the line forks at {spot(tips[tip])}: parts {one} and {two} both go on from there"
            raise LineError(fact, "a line has two ends and no branches")
        index = free.pop(row)
        chain.insert(len(chain) * tip, (index, side != 1 - tip))
        tips[tip] = ends[index, 1 - side]
    return chain


def _not_joined(
    name: str,
    parts: list[Part],
    ends: FloatArray,
    free: list[int],
    chain: list[tuple[int, bool]],
    tips: list[FloatArray],
) -> LineError:
    """The fork or the gap that keeps the free parts from the chain; the nearest of them is named."""
    joined = np.concatenate([parts[i].lonlat[::-1] if flipped else parts[i].lonlat for i, flipped in chain])
    centre = plane(float(tips[0][0]), float(tips[0][1]))
    route_xy = _finite(np.column_stack(centre(joined[:, 0], joined[:, 1])))
    loose = ends[free].reshape(-1, 2)  # both ends of every free part
    loose_xy = _finite(np.column_stack(centre(loose[:, 0], loose[:, 1])))
    _, off_km = nearest_on(route_xy, np.arange(len(joined), dtype=np.float64), loose_xy)
    if off_km.min() <= BRIDGED_GAP_KM:
        closest = int(np.argmin(off_km))
        number = parts[free[closest // 2]].number
        fact = f"{name}: the line forks at {spot(loose[closest])}: part {number} leaves it there"
        return LineError(fact, "a line has two ends and no branches")
    pairs = [(tip, end) for tip in tips for end in loose]
    tip, end = min(pairs, key=lambda pair: float(haversine_km(*pair)))
    _, gap_km = inverse(tip[None, :], end[None, :])
    fact = f"{name}: a gap of {gap_km[0]:.1f} km between {spot(tip)} and {spot(end)}"
    return LineError(fact, f"draw the missing piece; gaps up to {BRIDGED_GAP_KM:g} km are bridged")


def _finite(xy_km: FloatArray) -> FloatArray:
    """The antipode of the plane's centre has no place in it: far away will do."""
    return np.nan_to_num(xy_km, nan=1e6, posinf=1e6, neginf=-1e6)


def _measure(pieces: list[FloatArray], terrain: list[str | None]) -> Joined:
    """Vertices without those that repeat, their chainage, and where each named terrain begins and ends."""
    every = np.concatenate(pieces)
    first = np.cumsum([0] + [len(piece) for piece in pieces])
    same_km = np.full(len(every) - 1, SAME_VERTEX_KM)
    same_km[first[1:-1] - 1] = SAME_POINT_KM  # from the last vertex of one part to the first of the next
    _, step_km = inverse(every[:-1], every[1:])
    keep = np.concatenate(([True], step_km > same_km))
    lonlat = every[keep]
    km = np.concatenate(([0.0], np.cumsum(inverse(lonlat[:-1], lonlat[1:])[1])))
    place = (
        np.cumsum(keep) - 1
    )  # place[i] = index among the kept vertices of vertex i, or of its twin before it
    said = tuple(
        (float(km[place[low]]), float(km[place[high - 1]]), name)
        for low, high, name in zip(first[:-1], first[1:], terrain, strict=True)
        if name is not None and place[high - 1] > place[low]
    )
    return Joined(lonlat=lonlat, vertex_km=km, terrain=_merged(said))


def _merged(said: tuple[tuple[float, float, str], ...]) -> tuple[tuple[float, float, str], ...]:
    """Neighbours with the same terrain as one."""
    out: list[tuple[float, float, str]] = []
    for low, high, name in said:
        if out and out[-1][2] == name and low - out[-1][1] <= SAME_POINT_KM:
            out[-1] = (out[-1][0], high, name)
        else:
            out.append((low, high, name))
    return tuple(out)
