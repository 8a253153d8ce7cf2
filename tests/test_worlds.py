"""O15: minimally different worlds. Whatever a change does not touch stays the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import merged, small

from sim.campaign.engine import History, simulate
from sim.campaign.theatre import Theatre

TWO_SECTORS = small(
    sectors={"north": {"from": "0 km"}, "south": {"from": "40 km"}},
    line={
        "stretches": [
            {"from": "0 km", "to": "25 km", "terrain": "plain"},
            {"from": "25 km", "to": "60 km", "terrain": "lake"},
        ]
    },
    force={"contingents": {"alpha": {"strength": 4000}}},
    violations={"shelling": {"terrain": {"lake": 0.0}}, "drone": {"terrain": {"lake": 0.0}}},
    watch={"reports": {"probability": 0.2}, "weather": {"poor_share": 0.3}},
)
"""Nothing happens in the south, nor within the reach of its posts and sensors; soldiers are plenty, so that
no task in it costs another one its crew.
"""

Rows = dict[str, list[tuple[Any, ...]]]


def rows(theatre: Theatre, history: History) -> Rows:
    """The journal by name of stream and number in it; a station is told by its base and its place in the
    coalition's rules.
    """
    journal = history.journal
    out: Rows = {name: [] for name in theatre.stream_names}
    for p, name in enumerate(theatre.stream_names):
        here = journal.whole[:, 0] == p
        whole, hours = journal.whole[here], journal.hours[here]
        order = np.argsort(whole[:, 1])
        for w, h in zip(whole[order], hours[order], strict=True):
            station = int(w[5])
            base = "" if station < 0 else theatre.ground.base_names[theatre.station_base[station]]
            rules = None if station < 0 else theatre.classes[theatre.station_class[station]]
            out[name].append(
                (int(w[1]), int(w[2]), int(w[3]), int(w[4]), base, rules, int(w[6]), int(w[7]), *h.tobytes())
            )
    return out


@pytest.fixture(scope="module")
def rows_of(theatre_of: Callable[..., Theatre]) -> Callable[..., Rows]:
    def play(what: Any, seed: int = 7, replication: int = 2) -> Rows:
        theatre = theatre_of(what)
        return rows(theatre, simulate(theatre, seed, replication, keeps_journal=True))

    return play


@pytest.fixture(scope="module")
def as_it_was(rows_of: Callable[..., Rows]) -> Rows:
    known = rows_of(TWO_SECTORS)
    assert min(len(r) for r in known.values()) > 10
    return known


def alike(rows: Rows, known: Rows) -> None:
    """Every stream of the known world is in the other one, row for row."""
    for name, expected in known.items():
        assert rows[name] == expected, name


UNTOUCHED = {
    "a post where nothing happens": {"posture": {"sectors": {"south": {"posts": {"count": 9}}}}},
    "patrols where nothing happens": {"posture": {"sectors": {"south": {"patrols": {"rate": "40 per day"}}}}},
    "an orbit where nothing happens": {"posture": {"sectors": {"south": {"orbits": {"count": 3}}}}},
    "a sensor where nothing happens": {"posture": {"sectors": {"south": {"sensors": {"count": 30}}}}},
    "a contingent of nobody": {"force": {"contingents": {"zulu": {"strength": 0}}}},
    "a contingent of nobody with rules of its own": {
        "force": {
            "contingents": {
                "aaa": {"strength": 0, "armed": False, "caveats": {"no_night": True, "no_types": ["drone"]}}
            }
        }
    },
    "a contingent that never comes": {
        "force": {"contingents": {"zulu": {"strength": 900, "arrival": {"first": "3 years"}}}}
    },
    "more soldiers than tasks": {"force": {"contingents": {"alpha": {"strength": 8000}}}},
    "a type that never happens": {"violations": {"raid": {"rate": "0 per day", "severity": 9, "teams": 3}}},
    "a type that nobody is sent to": {
        "violations": {"raid": {"rate": "50 per day", "severity": 9, "teams": 0}}
    },
    "a type that nobody sees": {
        "violations": {
            "raid": {
                "rate": "9 per day",
                "teams": 5,
                "seen_by": {layer: {"detection": 0.0} for layer in ("posts", "sensors", "patrols", "orbits")}
                | {"reports": {"probability": 0.0}},
            }
        }
    },
    "a pattern without a layer": {
        "posture": {"everywhere": {"orbits": {"count": 0}}, "sectors": {"north": {"orbits": {"count": 1}}}}
    },
    "another name for people": {"name": "the same line", "question": "Is it the same?"},
    "another wish for replications": {"replications": 3},
}


@pytest.mark.parametrize("change", UNTOUCHED.values(), ids=UNTOUCHED.keys())
def test_what_touches_nothing_changes_nothing(rows_of, as_it_was, change):
    alike(rows_of(merged(TWO_SECTORS, change)), as_it_was)


def test_an_unreachable_base_with_idle_teams_changes_nothing(rows_of):
    """Two sectors; the teams of the south are too far away to be sent north, where everything happens."""
    far = merged(
        TWO_SECTORS,
        {
            "bases": {
                "n": {"chainage": "20 km"},
                "s": {"chainage": "50 km", "depth": "900 km", "sector": "south"},
            }
        },
    )
    none = merged(far, {"posture": {"sectors": {"south": {"teams": {"count": 0}}}}})
    many = merged(far, {"posture": {"sectors": {"south": {"teams": {"count": 7}}}}})
    alike(rows_of(many), rows_of(none))


def test_a_later_layer_adds_nothing_to_what_posts_are_sure_to_see(rows_of):
    sure = merged(
        TWO_SECTORS,
        {"watch": {"posts": {"detection": 1.0, "reach": "400 km", "night_factor": 1.0, "poor_factor": 1.0}}},
    )
    alike(
        rows_of(
            merged(
                sure,
                {"posture": {"everywhere": {"patrols": {"rate": "90 per day"}, "sensors": {"count": 0}}}},
            )
        ),
        rows_of(sure),
    )


def test_a_sure_post_beside_a_sure_post_adds_nothing(rows_of):
    sure = merged(
        TWO_SECTORS,
        {"watch": {"posts": {"detection": 1.0, "reach": "400 km", "night_factor": 1.0, "poor_factor": 1.0}}},
    )
    alike(rows_of(merged(sure, {"posture": {"everywhere": {"posts": {"count": 5}}}})), rows_of(sure))


def test_one_more_idle_team_changes_nothing_where_there_are_always_enough(rows_of):
    plenty = merged(TWO_SECTORS, {"posture": {"everywhere": {"teams": {"count": 40}}}})
    alike(rows_of(merged(plenty, {"posture": {"everywhere": {"teams": {"count": 41}}}})), rows_of(plenty))


def test_replication_17_can_be_run_alone(theatre_of, rows_of):
    theatre = theatre_of(TWO_SECTORS)
    in_turn = [rows(theatre, simulate(theatre, 7, r, keeps_journal=True)) for r in (16, 17)]
    alike(in_turn[1], rows_of(TWO_SECTORS, 7, 17))
    assert in_turn[0] != in_turn[1]


def test_a_theatre_is_not_worn_by_use(theatre_of):
    theatre = theatre_of(TWO_SECTORS)
    first, second = (rows(theatre, simulate(theatre, 7, 2, keeps_journal=True)) for _ in range(2))
    assert first == second


def test_a_journal_costs_nothing_but_its_paper(theatre_of):
    theatre = theatre_of(TWO_SECTORS)
    kept, not_kept = (simulate(theatre, 7, 2, keeps_journal=keeps) for keeps in (True, False))
    for name, with_it, without in zip(kept.tally._fields, kept.tally, not_kept.tally, strict=True):
        assert np.array_equal(with_it, without), name
    assert len(not_kept.journal.whole) == 0


def test_a_longer_horizon_leaves_the_past_as_it_was(rows_of, as_it_was):
    longer = rows_of(merged(TWO_SECTORS, {"horizon": "26 days"}))
    for name, known in as_it_was.items():
        ended = [
            row for row in known if row[-8:] != tuple(np.float64(480.0).tobytes())
        ]  # but for what the old horizon cut off
        assert len(ended) > 0.9 * len(known)
        assert set(ended) <= set(longer[name])


FORCES = {
    "nobody": {"force": {"scale": 0.0}},
    "a hundred times as many": {
        "force": {"scale": 100.0},
        "posture": {"everywhere": {"teams": {"count": 30}, "posts": {"count": 40}}},
    },
    "no watch": {
        "posture": {"everywhere": {"posts": None, "patrols": None, "orbits": None, "sensors": None}}
    },
    "unarmed": {"force": {"contingents": {"alpha": {"armed": False}}}},
    "another policy": {"response": {"policy": "hold_reserve", "preempt": True}},
    "other roads": {
        "travel": {"road_speed": "5 km/h"},
        "seasons": {"mud": {"months": [1], "road_factor": 0.2}},
    },
    "nicer weather": {"watch": {"weather": {"poor_share": 0.0}}},
}


@pytest.mark.parametrize("force", FORCES.values(), ids=FORCES.keys())
def test_incidents_are_drawn_before_the_force_exists(theatre_of, as_it_was, force):
    """Where and when does not depend on who is there."""
    theatre = theatre_of(merged(TWO_SECTORS, force))
    journal = simulate(theatre, 7, 2, keeps_journal=True).journal
    for p, name in enumerate(theatre.stream_names):
        here = journal.whole[:, 0] == p
        whole, hours = journal.whole[here], journal.hours[here]
        order = np.argsort(whole[:, 1])
        when_and_where = [
            (int(w[1]), int(w[2]), *h[:1].tobytes()) for w, h in zip(whole[order], hours[order], strict=True)
        ]
        assert when_and_where == [(row[0], row[1], *row[8:16]) for row in as_it_was[name]]


TOUCHED = {
    "another seed": {"seed": 8},
    "one team less": {"posture": {"everywhere": {"teams": {"count": 2}}}},
    "a post where things happen": {"posture": {"sectors": {"north": {"posts": {"count": 5}}}}},
    "a type that asks for teams": {"violations": {"raid": {"rate": "9 per day", "severity": 9, "teams": 3}}},
}


@pytest.mark.parametrize("change", TOUCHED.values(), ids=TOUCHED.keys())
def test_the_oracle_can_fail(rows_of, as_it_was, change):
    """What does touch the world is noticed."""
    data = merged(TWO_SECTORS, change)
    with pytest.raises(AssertionError):
        alike(rows_of(data, seed=data.get("seed", 7)), as_it_was)
