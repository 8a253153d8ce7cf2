"""From soldiers to a laydown, and back: what each task costs, what is manned, and what the whole laydown
would take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.line.earth import FloatArray, IntArray
from sim.line.ground import Ground
from sim.scenario.quantities import HOURS_PER_DAY
from sim.scenario.schema import Scenario
from sim.scenario.who import HowMany, LaydownPart, ManningPart, PatrolsWanted

TASKS = ("headquarters", "posts", "patrols", "teams", "orbits", "sensors")
"""What soldiers are put to; columns of every table of tasks."""
HEADQUARTERS, POSTS, PATROLS, TEAMS, ORBITS, SENSORS = range(6)
_SLACK = 1e-9


def task_prices(manning: ManningPart) -> FloatArray:
    """(6,) effective soldiers for one headquarters, post, daily patrol, team, orbit, sensor."""
    prices = manning.prices
    return np.array(
        [
            prices.headquarters,
            prices.post.seats * prices.post.persons_per_seat,
            prices.patrol.persons / prices.patrol.sorties_per_day,
            prices.team.persons * prices.team.shifts,
            prices.orbit,
            prices.sensor,
        ]
    )


def wanted_laydown(scenario: Scenario, ground: Ground) -> IntArray:
    """wanted[x, task]: headquarters, posts, daily patrols, teams, orbits and sensors wanted by sector."""
    everywhere = scenario.posture.everywhere
    rows = []
    for name, length_km in zip(ground.sector_names, ground.sector_length_km, strict=True):
        here = scenario.posture.sectors.get(name, LaydownPart())
        rows.append(
            [
                1,
                _count(here.posts or everywhere.posts, length_km),
                _patrols(here.patrols or everywhere.patrols, length_km),
                _count(here.teams or everywhere.teams, length_km),
                _count(here.orbits or everywhere.orbits, length_km),
                _count(here.sensors or everywhere.sensors, length_km),
            ]
        )
    return np.array(rows, dtype=np.int64)


def _count(asked: HowMany | None, length_km: float) -> int:
    if asked is None:
        return 0
    if asked.count is not None:
        return asked.count
    assert asked.every is not None, "the schema lets no number pass without count or every"
    return int(np.ceil(length_km / asked.every - _SLACK))


def _patrols(asked: PatrolsWanted | None, length_km: float) -> int:
    if asked is None:
        return 0
    if asked.rate is not None:
        return round(asked.rate * HOURS_PER_DAY)
    assert asked.every is not None, "the schema lets no number pass without rate or every"
    return int(np.ceil(length_km / asked.every - _SLACK))


def man(wanted: IntArray, prices: FloatArray, keep: tuple[str, ...], available: FloatArray) -> IntArray:
    """manned[x, task]: whole tasks that the available (X,) effective soldiers of each sector fill, in the
    order of *keep*.

    A headquarters works with whoever there is; every other task is manned whole or not at all.
    """
    manned = np.zeros_like(wanted)
    left = available.astype(float).copy()
    for word in keep:
        task = TASKS.index(word)
        price = prices[task]
        if task == HEADQUARTERS:
            manned[:, task] = np.where(left > _SLACK, wanted[:, task], 0)
            left -= np.minimum(left, manned[:, task] * price)
            continue
        affordable = np.floor(left / price + _SLACK).astype(np.int64)
        manned[:, task] = np.minimum(wanted[:, task], affordable)
        left -= manned[:, task] * price
        left = np.maximum(left, 0.0)
    return manned


def shares_of(count: int, weights: FloatArray) -> IntArray:
    """Whole parts of *count* in proportion to weights (largest remainders; ties go to the first)."""
    total = weights.sum()
    if count == 0 or total <= 0:
        return np.zeros(len(weights), dtype=np.int64)
    exact = count * weights / total
    parts: IntArray = np.floor(exact + _SLACK).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: count - int(parts.sum())]] += 1
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One bar of the troops-to-task waterfall."""

    label: str
    soldiers: float
    is_total: bool


def troops_to_task(scenario: Scenario, wanted: IntArray, pool_ratio: float) -> tuple[Step, ...]:
    """What the wanted laydown takes, from tasks up to the rotation pool: posts + patrols + ... -> effective
    -> on station -> pool.
    """
    by_task = wanted.sum(axis=0) * task_prices(scenario.manning)
    manning = scenario.manning
    effective = float(by_task.sum())
    present = effective / (1.0 - manning.support_share) if manning.support_share < 1 else np.inf
    on_station = present / (1.0 - manning.absent_share) if manning.absent_share < 1 else np.inf
    steps = [
        Step(label=task, soldiers=float(n), is_total=False) for task, n in zip(TASKS, by_task, strict=True)
    ]
    steps.append(Step(label="effective", soldiers=effective, is_total=True))
    steps.append(Step(label="support", soldiers=present - effective, is_total=False))
    steps.append(Step(label="absent", soldiers=on_station - present, is_total=False))
    steps.append(Step(label="on station", soldiers=on_station, is_total=True))
    steps.append(Step(label="at home in rotation", soldiers=on_station * (pool_ratio - 1.0), is_total=False))
    steps.append(Step(label="pool", soldiers=on_station * pool_ratio, is_total=True))
    return tuple(steps)
