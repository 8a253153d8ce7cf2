"""O6 and O7: the share that the line clock sights by passing watch alone, against the textbook forms.

A line of 60 km that is passed every 1.5 h on average by patrols whose beat, or an orbit whose track, is the whole of it; nothing
else watches, every pass notices what is there, and what happens can be observed for an exponential time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import oracles
import pytest
from conftest import Stage

from sim.campaign.engine import simulate
from sim.lineclock.state import HAPPENED, SIGHTED
from sim.watch.coverage import seen_share

LENGTH_KM, GAP_H, LASTS_H = 60, 1.5, 1.0
NOTHING = {"posts": {"count": 0}, "sensors": {"count": 0}, "teams": {"count": 0}}
LAYERS: dict[str, dict[str, Any]] = {
    "patrols": {"posture": {"patrols": {"rate": "8 per day"}, "orbits": {"count": 0}}},
    "orbits": {"posture": {"patrols": {"rate": "0 per day"}, "orbits": {"count": 1}}},
}

FORMS: dict[str, Callable[[float], float]] = {
    "regular": lambda place: oracles.seen_by_regular_passes(GAP_H, LASTS_H),
    "random": lambda place: oracles.seen_by_random_search(GAP_H, LASTS_H, 1.0),
    "back_and_forth": lambda place: oracles.seen_on_a_beat(GAP_H, place, LASTS_H),
}


def passed(layer: str, pattern: str) -> dict[str, Any]:
    """8 patrols of 120 km a day on 60 km: 16 passes a day; 40 km/h over 60 km: one pass in 1.5 h."""
    return {
        "bufferzone": 1,
        "name": "a line that is passed",
        "horizon": "60 days",
        "line": {"length": f"{LENGTH_KM} km"},
        "force": {"contingents": {"alpha": {"strength": 9000}}},
        "posture": {"everywhere": NOTHING | LAYERS[layer]["posture"]},
        "watch": {
            "patrols": {"pattern": pattern, "route": f"{2 * LENGTH_KM} km", "detection": 1.0, "hours": "always"},
            "orbits": {
                "pattern": pattern, "speed": "40 km/h", "detection": 1.0, "night_factor": 1.0, "serviceable": 1.0, "airframes": 9,
            },
            "weather": {"poor_share": 0.0},
            "reports": {"probability": 0.0},
        },
        "violations": {
            "shelling": {"rate": "3000 per day", "teams": 0, "duration": {"kind": "exponential", "mean": f"{LASTS_H} h"}},
        },
    }  # fmt: skip


def places_agree(by_cell: np.ndarray, form: Callable[[float], float]) -> None:
    """Of each tenth of the line, the share sighted fits the mean of a form over its places."""
    for cells in np.split(np.arange(LENGTH_KM), 10):
        truth = float(np.mean([form((cell + 0.5) / LENGTH_KM) for cell in cells]))
        oracles.share_agrees(int(by_cell[cells, SIGHTED].sum()), int(by_cell[cells, HAPPENED].sum()), truth)


@pytest.mark.parametrize("pattern", FORMS)
@pytest.mark.parametrize("layer", LAYERS)
def test_passes_sight_what_the_textbook_says(theatre_of: Stage, layer: str, pattern: str):
    """180,000 incidents, 18,000 in each tenth of the line: a share that is off by 0.04 is caught.

    The closed form of coverage is held to the same forms, cell by cell. The broken twins: the forms of the other two patterns.
    """
    theatre = theatre_of(passed(layer, pattern))
    by_cell = simulate(theatre, 9, 0).tally.cell
    places_agree(by_cell, FORMS[pattern])
    seen = seen_share(
        theatre.scenario, theatre.ground, theatre.watchers.watch(theatre.wanted), theatre.weight
    )
    exact = [FORMS[pattern]((cell + 0.5) / LENGTH_KM) for cell in range(LENGTH_KM)]
    assert seen[0] == pytest.approx(exact, abs=2e-3)
    for other in FORMS.keys() - {pattern}:
        with pytest.raises(AssertionError, match="do not fit"):
            places_agree(by_cell, FORMS[other])
        others = [FORMS[other]((cell + 0.5) / LENGTH_KM) for cell in range(LENGTH_KM)]
        assert seen[0] != pytest.approx(others, abs=2e-3)
