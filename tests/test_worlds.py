"""O15: minimally different worlds. Whatever a change does not touch stays the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import merged, small

from sim.campaign.engine import History, simulate
from sim.campaign.theatre import Theatre
from sim.lineclock.state import CAUSES, JOURNAL_WHOLE

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
    """The journal by stream, or by cause where there is none, and by the words that key an incident's draws. A
    station is told by its base and its place in the coalition's rules; numbers in the order of beginning are
    left out, since another incident elsewhere moves them on.
    """
    out: Rows = {name: [] for name in theatre.stream_names}
    names = dict(zip(theatre.plan.stream_code.tolist(), theatre.stream_names, strict=True))
    for w, h in zip(history.journal.whole, history.journal.hours, strict=True):
        told = dict(zip(JOURNAL_WHOLE, w.tolist(), strict=True))
        name = names.get(told["id_1"], CAUSES[told["cause"]])
        station = told["station"]
        base = "" if station < 0 else theatre.ground.base_names[theatre.station_base[station]]
        rules = None if station < 0 else theatre.classes[theatre.station_class[station]]
        rest = (told[key] for key in ("cell", "outcome", "layer", "teams_sent", "finding", "children"))
        out.setdefault(name, []).append((told["id_0"], told["id_1"], *rest, base, rules, *h.tobytes()))
    return {name: sorted(some, key=lambda row: (*row[:2], *row[-40:])) for name, some in out.items()}


def when_and_where(rows: Rows) -> Rows:
    """What the parties do, whoever is there."""
    return {name: [(*row[:3], row[7], *row[10:18]) for row in some] for name, some in rows.items()}


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


PROVOKED = merged(
    TWO_SECTORS,
    {
        "violations": {
            "shelling": {"retaliation": {"mean": 0.5, "calming": 0.6, "spread": "300 m", "delay": "4 h"}},
            "drone": {"retaliation": {"mean": 0.4, "spread": "300 m", "types": {"shelling": 1.0}}},
            "attack": {
                "rate": "1 per day",
                "terrain": {"lake": 0.0},
                "against_force": True,
                "casualties": 1.0,
            },
        },
        "truce": {"start": 0.5, "doubling": "5 days", "ceiling": 3.0},
        "events": {"talks": {"every": "8 days", "recommit": {"drop": 0.8}}},
        "injects": {"provocation": {"type": "shelling", "chainage": "9 km", "count": 6, "after": "4 days"}},
    },
)
"""The same line, where incidents provoke each other and the truce wears out."""

TENSE = merged(
    PROVOKED,
    {
        "escalation": {
            "half_life": "1 day",
            "levels": {
                "calm": {"hazards": {"crisis": {"kind": "exponential", "mean": "12 days"}}},
                "tense": {
                    "enter_at": 30,
                    "leave_below": 20,
                    "incidents": 1.3,
                    "speed": 0.6,
                    "retaliation": 0.5,
                },
                "crisis": {"enter_at": 60, "leave_below": 40, "patrols": 0.5, "needs_arms": True},
                "collapse": {},
            },
        }
    },
)
"""And escalates."""

WORLDS = {"plain": TWO_SECTORS, "provoked": PROVOKED, "tense": TENSE}
RAISES_TENSION = ("a type that nobody is sent to", "a type that nobody sees")  # as all that happens does


@pytest.fixture(scope="module")
def known_of(rows_of: Callable[..., Rows]) -> Callable[[str], Rows]:
    known: dict[str, Rows] = {}

    def play(world: str) -> Rows:
        if world not in known:
            known[world] = rows_of(WORLDS[world])
        return known[world]

    return play


@pytest.mark.parametrize(
    ("world", "change"),
    [(w, c) for w in WORLDS for c in UNTOUCHED if not (w == "tense" and c in RAISES_TENSION)],
)
def test_what_touches_nothing_changes_nothing(rows_of, known_of, world, change):
    alike(rows_of(merged(WORLDS[world], UNTOUCHED[change])), known_of(world))


def test_the_worlds_have_something_in_them(theatre_of, known_of):
    assert {"retaliation", "inject"} <= set(known_of("provoked"))
    assert len(known_of("provoked")["retaliation"]) > 20
    assert len(simulate(theatre_of(TENSE), 7, 2).turns.at_h) > 4


WITHOUT_EFFECT = {
    "levels that nobody reaches": {
        "escalation": {"levels": {"calm": {}, "war": {"enter_at": 900000, "incidents": 1.0, "closed": True}}}
    },
    "levels that change nothing": {
        "escalation": {
            "half_life": "1 day",
            "levels": {"calm": {}, "tense": {"enter_at": 20, "leave_below": 10}, "war": {"enter_at": 900000}},
        }
    },
    "a recommitment that drops nothing": {
        "events": {"talks": {"every": "3 days", "recommit": {"drop": 0.0}}}
    },
    "reprisals of which there are none": {
        "violations": {"shelling": {"retaliation": {"mean": 0.0, "calming": 1.0}}}
    },
    "casualties": {"violations": {"shelling": {"casualties": 3.0}}},
    "an inject that nobody is sent to": {
        "violations": {"raid": {"rate": "0 per day", "teams": 0}},
        "injects": {
            "raids": {"type": "raid", "chainage": "9 km", "count": 30, "over": "9 days", "after": "1 day"}
        },
    },
}


@pytest.mark.parametrize("change", WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT.keys())
def test_what_has_no_effect_changes_nothing(rows_of, as_it_was, change):
    alike(rows_of(merged(TWO_SECTORS, change)), as_it_was)


def test_an_inject_far_away_leaves_the_rest_as_it_was(rows_of, known_of):
    """What is injected in the south breeds there; the north has its own incidents, and teams to spare."""
    plenty = merged(PROVOKED, {"posture": {"everywhere": {"teams": {"count": 40}}}})
    more = {
        "injects": {
            "south": {"type": "drone", "chainage": "59 km", "count": 9, "over": "9 days", "after": "1 h"}
        }
    }
    known, other = rows_of(plenty), rows_of(merged(plenty, more))
    for name, some in known.items():
        assert set(some) <= set(other[name]), name
    assert len(other["inject"]) == len(known["inject"]) + 9


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
def test_incidents_are_drawn_before_the_force_exists(rows_of, as_it_was, force):
    """Where and when does not depend on who is there."""
    alike(when_and_where(rows_of(merged(TWO_SECTORS, force))), when_and_where(as_it_was))


@pytest.mark.parametrize("force", FORCES.values(), ids=FORCES.keys())
def test_reprisals_are_drawn_before_the_force_exists(rows_of, force):
    """Without calming, what is provoked does not depend on who is there either."""
    calmed = {"violations": {"shelling": {"retaliation": {"calming": 0.0}}}}
    world = merged(PROVOKED, calmed)
    alike(when_and_where(rows_of(merged(world, force))), when_and_where(rows_of(world)))


def test_with_calming_they_do_depend_on_it(rows_of, known_of):
    nobody = when_and_where(rows_of(merged(PROVOKED, FORCES["nobody"])))
    with pytest.raises(AssertionError):
        alike(nobody, when_and_where(known_of("provoked")))
    for name, some in when_and_where(known_of("provoked")).items():
        assert set(some) <= set(nobody[name]), "calming only ever takes away"


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
