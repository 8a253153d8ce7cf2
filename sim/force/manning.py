"""From soldiers to a laydown, and back: what each task costs, what is manned, and what the whole laydown
would take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.force.contingent import Contingent
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
        return int(np.ceil(asked.rate * HOURS_PER_DAY - _SLACK))
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
        affordable = np.minimum(wanted[:, task], np.floor(left / price + _SLACK))
        manned[:, task] = affordable.astype(np.int64)
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


def troops_to_task(
    scenario: Scenario, wanted: IntArray, coalition: tuple[Contingent, ...]
) -> tuple[Step, ...]:
    """What the wanted laydown takes, from tasks up to the rotation pool.

    Posts + patrols + ... -> effective -> on station -> pool, with the shares of the coalition as it is
    composed;
    with those of `manning` where nobody is pledged.
    """
    by_task = wanted.sum(axis=0) * task_prices(scenario.manning)
    manning = scenario.manning
    strength = np.array([float(c.strength) for c in coalition])
    effective_share = (1.0 - manning.support_share) * (1.0 - manning.absent_share)
    absent_share, pool_ratio = manning.absent_share, 1.0
    if strength.sum() > 0:
        weight = strength / strength.sum()
        effective_share = float(weight @ [c.effective_share for c in coalition])
        absent_share = float(weight @ [c.absent_share for c in coalition])
        pool_ratio = float(weight @ [c.pool_ratio for c in coalition])
    effective = float(by_task.sum())
    on_station = effective / effective_share if effective_share > 0 else np.inf
    absent = on_station * absent_share
    steps = [
        Step(label=task, soldiers=float(n), is_total=False) for task, n in zip(TASKS, by_task, strict=True)
    ]
    steps += [
        Step(label="effective", soldiers=effective, is_total=True),
        Step(label="support", soldiers=on_station - absent - effective, is_total=False),
        Step(label="absent", soldiers=absent, is_total=False),
        Step(label="on station", soldiers=on_station, is_total=True),
        Step(label="at home in rotation", soldiers=on_station * (pool_ratio - 1.0), is_total=False),
        Step(label="pool", soldiers=on_station * pool_ratio, is_total=True),
    ]
    return tuple(steps)
