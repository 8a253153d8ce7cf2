"""O20: the share that coverage computes without simulation is the share that the line clock sights when
nobody has to be sent.

Weather is drawn for each sector and day, so incidents of one day share their luck: replications are compared, not incidents.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage, merged

from sim.campaign.engine import simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import HAPPENED, LAYER_STANDING, SIGHTED
from sim.watch.coverage import seen_share

REPLICATIONS = 60
NOTHING = {
    "posts": {"count": 0},
    "patrols": {"rate": "0 per day"},
    "orbits": {"count": 0},
    "sensors": {"count": 0},
    "teams": {"count": 0},
}

LINE: dict[str, Any] = {
    "bufferzone": 1,
    "name": "a watch without an answer",
    "start": "2026-03-01",
    "horizon": "30 days",
    "line": {"length": "80 km"},
    "sectors": {"north": {"from": "0 km"}, "south": {"from": "50 km"}},
    "force": {"contingents": {"alpha": {"strength": 6000}}},
    "posture": {"everywhere": NOTHING},
    "violations": {
        "shelling": {"rate": "80 per day", "teams": 0, "night": 2.0, "duration": {"kind": "exponential", "mean": "1 h"}},
        "drone": {
            "rate": "80 per day", "teams": 0, "night": 0.3, "duration": {"kind": "lognormal", "median": "40 min", "p90": "4 h"},
            "hot_spots": {"town": {"chainage": "20 km", "share": 0.6, "spread": "5 km"}}, "months": [1.0, 1.0, 2.0] + [1.0] * 9,
        },
        "raid": {"rate": "80 per day", "teams": 0, "duration": "90 min"},
    },
}  # fmt: skip

POSTS = {"posture": {"everywhere": {"posts": {"count": 4}}}}
SENSORS = {"posture": {"everywhere": {"sensors": {"count": 3}}}}
PATROLS = {
    "posture": {"everywhere": {"patrols": {"rate": "9 per day"}}},
    "watch": {"patrols": {"hours": "always"}},
}
ORBITS = {
    "posture": {"everywhere": {"orbits": {"count": 1}}},
    "watch": {"orbits": {"speed": "30 km/h", "airframes": 1}},
}
REPORTS = {"watch": {"reports": {"probability": 0.3, "delay": "1 min"}}}
WEATHER = {"watch": {"weather": {"poor_share": 0.35}}}
SEEN_BY = {
    "violations": {
        "raid": {
            "seen_by": {
                "posts": {"detection": 0.3, "reach": "9 km"},
                "patrols": {"detection": 0.2},
                "reports": {"probability": 0.0},
            }
        }
    }
}


def pattern(layer: str, name: str) -> dict[str, Any]:
    return {"watch": {layer: {"pattern": name}}}


WORLDS: dict[str, list[dict[str, Any]]] = {
    "posts": [POSTS],
    "posts and weather": [POSTS, WEATHER],
    "sensors": [SENSORS],
    "reports": [REPORTS],
    **{
        f"patrols, {name}": [PATROLS, pattern("patrols", name)]
        for name in ("regular", "random", "back_and_forth")
    },
    "patrols by day": [PATROLS, {"watch": {"patrols": {"hours": "day"}}}],
    **{
        f"orbits, {name}": [ORBITS, pattern("orbits", name)]
        for name in ("regular", "random", "back_and_forth")
    },
    "orbits and weather": [ORBITS, WEATHER],
    "everything": [POSTS, SENSORS, PATROLS, ORBITS, REPORTS, WEATHER, SEEN_BY],
}


def world(changes: list[dict[str, Any]]) -> dict[str, Any]:
    what = LINE
    for change in changes:
        what = merged(what, change)
    return what


def expected(theatre: Theatre) -> tuple[np.ndarray, np.ndarray]:
    """(K, C) chance to be seen, and (K, C) expected incidents."""
    watch = theatre.watchers.watch(theatre.wanted)
    seen = seen_share(theatre.scenario, theatre.ground, watch, theatre.weight)
    return seen, incidents_of(theatre)


def incidents_of(theatre: Theatre) -> np.ndarray:
    """(K, C) expected incidents up to the horizon."""
    plan = theatre.plan
    total = np.array([np.interp(theatre.horizon_h, plan.piece_start_h, row) for row in plan.cumulative])
    return total[:, None] * np.diff(plan.place_cdf, axis=1, prepend=0.0)


def sighted(theatre: Theatre) -> tuple[np.ndarray, np.ndarray]:
    """[replication, type] share sighted, and [replication, sector] of all types."""
    by_type, by_sector = [], []
    for replication in range(REPLICATIONS):
        tally = simulate(theatre, 6, replication).tally
        by_type.append(tally.type_ledger[:, SIGHTED] / tally.type_ledger[:, HAPPENED])
        here = [tally.cell[theatre.ground.cell_sector == x].sum(axis=0) for x in range(2)]
        by_sector.append([h[SIGHTED] / h[HAPPENED] for h in here])
    return np.array(by_type), np.array(by_sector)


@pytest.mark.parametrize("changes", WORLDS.values(), ids=WORLDS.keys())
def test_coverage_is_what_is_seen(theatre_of: Stage, changes):
    """60 replications of about 2,400 incidents of each type: catches 0.03 of a share, 0.05 where weather
    makes days alike.
    """
    theatre = theatre_of(world(changes))
    seen, where = expected(theatre)
    by_type, by_sector = sighted(theatre)
    catches = 0.05 if WEATHER in changes else 0.03
    for k in range(3):
        oracles.agrees(by_type[:, k], float((seen[k] * where[k]).sum() / where[k].sum()), catches=catches)
    for x in range(2):
        here = theatre.ground.cell_sector == x
        oracles.agrees(
            by_sector[:, x], float((seen * where)[:, here].sum() / where[:, here].sum()), catches=catches
        )


def test_coverage_of_each_stretch_is_what_is_seen_there(theatre_of: Stage):
    """Without weather incidents are independent: exact binomial bounds for each type in stretches of 5 km; at
    20,000 incidents 0.03 is caught.
    """
    theatre = theatre_of(world([POSTS, PATROLS, ORBITS]))
    seen, where = expected(theatre)
    counts = sum(simulate(theatre, 7, r).tally.cell.astype(np.int64) for r in range(REPLICATIONS))
    for stretch in np.split(np.arange(80), 16):
        chance = float((seen * where)[:, stretch].sum() / where[:, stretch].sum())
        oracles.share_agrees(
            int(counts[stretch, SIGHTED].sum()), int(counts[stretch, HAPPENED].sum()), chance
        )


def test_the_layers_sight_in_their_proper_shares(theatre_of: Stage):
    """Standing watch comes first: its share is the mean of its own detection, whatever else there is."""
    theatre = theatre_of(world([POSTS, PATROLS, ORBITS]))
    watch = theatre.watchers.watch(theatre.wanted)
    where = incidents_of(theatre)
    in_sector = np.arange(2)[:, None] == theatre.ground.cell_sector
    stand = np.einsum("kwx,kwc,kc,xc->", theatre.weight, watch.stand_p, where, in_sector) / where.sum()
    tallies = [simulate(theatre, 8, r).tally for r in range(REPLICATIONS)]
    oracles.agrees(
        [t.sighted_by[LAYER_STANDING] / t.type_ledger[:, HAPPENED].sum() for t in tallies],
        float(stand),
        catches=0.03,
    )


@pytest.mark.parametrize(
    ("changes", "forgotten"),
    [
        ([POSTS, WEATHER], WEATHER),
        ([PATROLS, pattern("patrols", "regular")], pattern("patrols", "regular")),
        ([ORBITS, {"watch": {"orbits": {"serviceable": 0.5}}}], {"watch": {"orbits": {"serviceable": 0.5}}}),
        ([POSTS, REPORTS], REPORTS),
        ([PATROLS, {"watch": {"patrols": {"hours": "day"}}}], {"watch": {"patrols": {"hours": "day"}}}),
    ],
    ids=["weather", "pattern", "serviceability", "reports", "hours"],
)
def test_the_oracle_can_fail(theatre_of: Stage, changes, forgotten):
    """Coverage that forgets one thing is found out."""
    by_type, _ = sighted(theatre_of(world(changes)))
    seen, where = expected(theatre_of(world([c for c in changes if c != forgotten])))
    truths = (seen * where).sum(axis=1) / where.sum(axis=1)
    with pytest.raises(AssertionError, match="is not"):
        _all_agree(by_type, truths)


def _all_agree(by_type: np.ndarray, truths: np.ndarray) -> None:
    for k, truth in enumerate(truths):
        oracles.agrees(by_type[:, k], float(truth), catches=0.08)
