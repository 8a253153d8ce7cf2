"""The line clock's arrays: one set of types for every scenario, and room enough for whatever comes."""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import numba
import numpy as np
import pytest
from conftest import Stage, merged, scenarios, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.campaign.engine import Campaign, simulate, warm
from sim.lineclock import compiled, kernel
from sim.lineclock.begin import with_more_room
from sim.lineclock.state import FREE_SLOTS, HEAP_SIZE, JOURNAL_WHOLE, RAN_ON

CROWD = {
    "posture": {"everywhere": {"teams": {"count": 40}}},
    "force": {
        "contingents": {
            "alpha": {"strength": 360},
            "bravo": {"strength": 5000, "arrival": {"first": "5 days"}},
        }
    },
    "violations": {"shelling": {"rate": "60 per day", "on_scene": "40 h"}},
    "watch": {"reports": {"probability": 1.0, "delay": "0 h"}},
    "response": {"give_up_after": "30 days"},
}
"""Few teams and many who wait; on the fifth day forty teams come at once."""


TENSE = {
    "violations": {
        "shelling": {"retaliation": {"mean": 0.5}, "casualties": 0.1},
        "drone": {"against_force": True},
    },
    "truce": {"doubling": "10 days"},
    "injects": {"assault": {"type": "drone", "after": "3 days", "chainage": "20 km"}},
    "escalation": {
        "levels": {"calm": {}, "tense": {"enter_at": 20, "leave_below": 10}, "war": {"enter_at": 400}}
    },
    "response": {"preempt": True, "move_up": True},
}


@pytest.mark.parametrize(
    "what",
    [
        small(),
        small(response={"policy": "hold_reserve", "reserve_severity": 2}, travel={"night_factor": 1.0}),
        small(force={"scale": 0.0}),
        small(violations=None),
        small(
            seasons={"mud": {"months": [7], "road_factor": 0.5}},
            force={"contingents": {"alpha": {"commitment": "9 days"}}},
        ),
        merged(small(), CROWD),
        merged(small(), TENSE),
    ],
    ids=[
        "usual",
        "reserve",
        "nobody",
        "nothing",
        "a season that does not come",
        "many at once",
        "escalation",
    ],
)
def test_one_compiled_kernel_serves_every_scenario(theatre_of: Stage, monkeypatch, what):
    """Arrays and numbers of one scenario have the types of another's: nothing is compiled twice."""
    seen: dict[str, set[Any]] = {}

    def spied(name: str, door: Any, *args: Any) -> Any:
        seen.setdefault(name, set()).add(tuple(map(numba.typeof, args)))
        return door(*args)

    for name in ("starts", "advance", "duty_changes", "serves_waiting", "closes"):
        monkeypatch.setattr(kernel, name, functools.partial(spied, name, getattr(kernel, name)))
    for scenario in (small(), what):
        Campaign(theatre_of(scenario), 1, 0, keeps_journal=True).run()
    for name, types in seen.items():
        assert len(types) == 1, (name, [t[-1] for t in types])


class Tight(Campaign):
    """Its list of coming events has just the room that `advance` promises to leave, when those who wait are served."""

    def _in_line(self, act: Any, at_h: float) -> None:
        if act is kernel.serves_waiting:
            used = int(self._state.pointers[HEAP_SIZE])
            hours, whats = np.zeros(used + 4096), np.zeros(used + 4096, dtype=np.int64)
            hours[:used], whats[:used] = self._state.heap_h[:used], self._state.heap_what[:used]
            self._state = self._state._replace(heap_h=hours[: used + 9], heap_what=whats[: used + 9])
        super()._in_line(act, at_h)
        assert self._state.pointers[HEAP_SIZE] <= len(self._state.heap_h)


def test_serving_those_who_wait_never_writes_beyond_the_list_of_events(theatre_of: Stage):
    Tight(theatre_of(merged(small(), CROWD)), 1, 0).run()


def test_more_room_changes_nothing_under_way(theatre_of: Stage):
    campaign = Campaign(theatre_of(merged(small(), CROWD)), 1, 0)
    campaign.run()
    state = campaign._state
    grown = with_more_room(state)
    old = len(state.slots)
    assert len(grown.slots) == 2 * old
    assert grown.pointers[FREE_SLOTS] == state.pointers[FREE_SLOTS] + old
    free = grown.free_slot[: grown.pointers[FREE_SLOTS]]
    assert len(np.unique(free)) == len(free)
    for name, array in state._asdict().items():
        if name not in ("pointers", "free_slot"):
            assert getattr(grown, name)[: len(array)].tobytes() == array.tobytes(), name


def test_a_clock_that_has_to_grow_tells_the_same_story(theatre_of: Stage, monkeypatch):
    """From 4 slots or from 4,096: the same counts."""
    theatre = theatre_of(merged(small(), CROWD))
    tallies = []
    for slots in (4, 4096):
        monkeypatch.setattr("sim.lineclock.begin.SLOTS", slots)
        tallies.append(Campaign(theatre, 1, 0).run().tally)
    for name, few, many in zip(tallies[0]._fields, *tallies, strict=True):
        assert np.array_equal(few, many), name


@given(what=scenarios(), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_history_is_the_same_whether_its_journal_is_kept_or_not(theatre_of: Stage, what, seed):
    theatre = theatre_of(what)
    kept, told = (simulate(theatre, seed, 2, keeps_journal=keeps) for keeps in (True, False))
    assert len(told.journal.whole) == len(told.journal.trip_whole) == 0
    for name, of_kept, of_told in zip(kept.tally._fields, kept.tally, told.tally, strict=True):
        assert np.array_equal(of_kept, of_told), name
    for name in ("at_h", "sector", "from_level", "to_level", "cause"):
        assert np.array_equal(getattr(kept.turns, name), getattr(told.turns, name)), name
    for name in ("watched_h", "gap_weight", "stood_h", "collapsed", "team_duty_h"):
        assert np.array_equal(getattr(kept, name), getattr(told, name)), name


def served(theatre_of: Stage, drones: str) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Outcome and teams sent of every shelling and its reprisals, when nobody attends drones."""
    crowded = {
        "posture": {"everywhere": {"teams": {"count": 1}}},
        "violations": {
            "shelling": {"rate": "4 per day", "retaliation": {"mean": 0.9, "delay": "5 h"}},
            "drone": {"rate": drones, "teams": 0, "false_reports": "0 per day"},
        },
        "watch": {"reports": {"probability": 1.0, "delay": "10 min"}},
    }
    journal = simulate(theatre_of(merged(small(), crowded)), 3, 0, keeps_journal=True).journal
    outcome, sent = JOURNAL_WHOLE.index("outcome"), JOURNAL_WHOLE.index("teams_sent")
    shelling = journal.whole[journal.whole[:, JOURNAL_WHOLE.index("kind")] == 0]
    return {tuple(row[-2:]): (row[outcome], row[sent]) for row in shelling.tolist()}


def test_who_comes_first_of_those_that_come_together_is_not_up_to_what_else_is_under_way(theatre_of: Stage):
    """Reprisals of a fixed delay are simultaneous, and one team serves them: drones, which take room among what is
    under way and nothing else, change nothing about it.
    """
    few, many = served(theatre_of, "1 per day"), served(theatre_of, "30 per day")
    assert len(few) > 200
    assert few == many


def test_every_kernel_is_known_by_name_and_warmed(theatre_of: Stage, tmp_path: pathlib.Path) -> None:
    """`is_compiled` looks for the very files that `warm` leaves behind."""
    warm(theatre_of(small()))
    assert compiled.CACHE_DIR is not None
    left = {path.name.split("-")[0] for path in compiled.CACHE_DIR.rglob("*.nbc")}
    assert left == set(compiled.ENTRIES)
    assert compiled.is_compiled()


def test_a_crowded_line_that_has_ended_holds_nothing_any_more(theatre_of: Stage):
    """Two thousand calls a day for one team: at the end nobody waits, and no slot is given back twice."""
    crowded = {
        "posture": {"everywhere": {"teams": {"count": 1}}},
        "violations": {"shelling": {"rate": "2000 per day", "on_scene": "40 h"}},
        "response": {"give_up_after": "2 h"},
    }
    theatre = theatre_of(merged(small(horizon="2 days"), crowded))
    warm(theatre)
    campaign = Campaign(theatre, 1, 0)
    campaign.run()
    free = int(campaign._state.pointers[FREE_SLOTS])
    late = (campaign._plan, campaign._laydown, campaign._state, campaign._tally, campaign._journal, 60.0)
    assert kernel.serves_waiting(*late) == RAN_ON
    assert int(campaign._state.pointers[FREE_SLOTS]) == free <= len(campaign._state.free_slot)
