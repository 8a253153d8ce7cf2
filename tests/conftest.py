"""What many plays share: a theatre from a few lines of YAML, and a kernel that is compiled before the clock
starts.
"""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st

from sim.campaign.engine import History, simulate
from sim.campaign.theatre import Theatre, stage
from sim.scenario.resolve import load

Stage = Callable[..., Theatre]

SMALL = """
bufferzone: 1
name: a short line
horizon: 20 days
line: {length: 60 km}
force: {contingents: {alpha: {strength: 800, unit_size: 200}}}
posture:
  everywhere: {posts: {count: 4}, patrols: {rate: 6 per day}, teams: {count: 3}, orbits: {count: 1}, sensors: {count: 2}}
violations:
  shelling: {rate: 10 per day, severity: 2, on_scene: {kind: lognormal, median: 2 h, p90: 5 h}}
  drone: {rate: 8 per day, severity: 1, false_reports: 1 per day}
"""
"""A scenario in which everything of the line clock has something to do; plays start from it."""


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """*base* with *over* laid on it, table by table; None takes an entry away."""
    out = copy.deepcopy(dict(base))
    for key, value in over.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = merged(out[key], value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def small(**over: Any) -> dict[str, Any]:
    """The short line with changes laid on it."""
    return merged(yaml.safe_load(SMALL), over)


LAWS = st.sampled_from(
    [
        "40 min",
        {"kind": "exponential", "mean": "50 min"},
        {"kind": "lognormal", "median": "1 h", "p90": "6 h"},
        {"kind": "uniform", "low": "10 min", "high": "3 h"},
    ]
)
PATTERNS = st.sampled_from(["regular", "random", "back_and_forth"])
SHARES = st.sampled_from([0.0, 0.3, 0.9, 1.0])


RECORDED = pathlib.Path(__file__).parent / "lineclock" / "recorded.csv"
KINDS = ("shelling", "drone", "raid")
LEVELS = ("calm", "tense", "violent", "war")
HAZARDS = st.sampled_from(
    [
        {"kind": "exponential", "mean": "40 h"},
        {"kind": "uniform", "low": "3 h", "high": "90 h"},
        {"kind": "lognormal", "median": "20 h", "p90": "70 h"},
        "31 h",
    ]
)


def sometimes(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None half of the time, which leaves an entry away."""
    return st.none() | strategy


def per_day(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map("{} per day".format)


def hours(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map("{} h".format)


RETALIATION = st.fixed_dictionaries(
    {
        "mean": st.sampled_from([0.2, 0.6]),
        "delay": LAWS,
        "spread": st.sampled_from(["0 km", "3 km", "90 km"]),
        "types": st.sampled_from([{}, {"drone": 1.0}, {"raid": 0.3, "shelling": 0.7}]),
        "calming": SHARES,
    }
)
"""Fewer than one for one, in every level of `ESCALATION`."""

TYPE = st.fixed_dictionaries(
    {
        "rate": per_day(1, 25),
        "severity": st.integers(1, 3),
        "teams": st.integers(0, 3),
        "night": st.sampled_from([0.2, 1.0, 3.0]),
        "duration": LAWS,
        "on_scene": LAWS,
        "evidence": LAWS,
        "standard": hours(1, 4),
        "attribution": SHARES,
        "false_reports": per_day(0, 3),
        "needs_arms": st.booleans(),
        "retaliation": sometimes(RETALIATION),
        "erodes": st.booleans(),
        "against_force": st.booleans(),
        "casualties": st.sampled_from([0.0, 0.0, 0.4]),
        "deterrence": st.sampled_from([0.0, 0.0, 0.8]),
    }
)

TRUCE = st.fixed_dictionaries(
    {
        "start": st.sampled_from([0.3, 1.0]),
        "doubling": sometimes(hours(10, 90)),
        "ceiling": st.sampled_from([1.0, 2.0]),
    }
)

SHOCKS = st.sampled_from([{"by": 6}, {"by": 15, "sectors": ["south"]}])
EVENTS = st.fixed_dictionaries(
    {
        "talks": sometimes(st.builds(lambda: {"after": 0.61, "recommit": {"drop": 0.8}})),
        "summits": sometimes(st.just({"rate": "0.7 per day", "recommit": {"drop": 0.4}})),
        "unrest": sometimes(st.fixed_dictionaries({"every": st.just("17 h"), "tension": SHOCKS})),
    }
)

"""Moments are shares of the horizon, here and in `INJECTS`."""

INJECTS = st.fixed_dictionaries(
    {
        "assault": sometimes(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(KINDS),
                    "after": st.sampled_from([0.0, 0.11, 0.61]),
                    "chainage": st.sampled_from(["0 km", "32.5 km", "60 km"]),
                    "count": st.sampled_from([1, 4, 25]),
                    "over": st.sampled_from(["0 h", "2 h"]),
                }
            )
        )
    }
)


@st.composite
def _levels(draw: Any) -> dict[str, Any]:
    """Thresholds so low that a few incidents cross them, and hazards in both directions."""
    enter = (None, draw(st.integers(3, 12)), draw(st.integers(13, 40)), draw(sometimes(st.integers(41, 200))))
    levels: dict[str, Any] = {}
    for v, name in enumerate(LEVELS):
        level: dict[str, Any] = {
            "incidents": draw(st.sampled_from([0.5, 1.0, 2.0])),
            "types": draw(st.sampled_from([{}, {"raid": 0.0}, {"drone": 3.0}])),
            "patrols": draw(SHARES),
            "orbits": draw(SHARES),
            "speed": draw(st.sampled_from([0.4, 1.0])),
            "needs_arms": draw(st.booleans()),
            "closed": draw(st.sampled_from([False, False, True])),
        }
        if enter[v] is not None:
            level["enter_at"] = enter[v]
        if v > 0:
            level["retaliation"] = draw(st.sampled_from([0.0, 0.7, 1.4]))
        if v < len(LEVELS) - 1:
            level["min_stay"] = draw(st.sampled_from(["0 h", "5 h"]))
        if 0 < v < len(LEVELS) - 1 and enter[v] is not None:
            low = 0.95 if level["min_stay"] == "0 h" else 1.0  # entered and left at one tension it must stay
            level["leave_below"] = draw(st.sampled_from([0.3, 0.8, low])) * enter[v]
        if v < len(LEVELS) - 1:
            others = [other for other in LEVELS[: 3 + (v > 1)] if other != name]
            level["hazards"] = draw(st.dictionaries(st.sampled_from(others), HAZARDS, max_size=2))
        levels[name] = level
    return levels


ESCALATION = st.fixed_dictionaries(
    {
        "half_life": hours(2, 40),
        "unanswered_factor": st.sampled_from([1.0, 1.5, 3.0]),
        "levels": _levels(),
        "collapse": st.fixed_dictionaries(
            {"sectors": st.integers(1, 2), "lasting": st.sampled_from(["0 h", "5.7 h"])}
        ),
    }
)

BRAVO = st.fixed_dictionaries(
    {
        "strength": st.sampled_from([0, 300, 600]),
        "armed": st.booleans(),
        "sectors": st.sampled_from([None, ["north"], ["south"]]),
        "caveats": st.fixed_dictionaries(
            {
                "no_night": st.booleans(),
                "no_types": st.sampled_from([[], ["drone"]]),
                "own_sectors_only": st.booleans(),
            }
        ),
    }
)


def _without_none(what: Any) -> Any:
    if isinstance(what, dict):
        return {key: _without_none(value) for key, value in what.items() if value is not None}
    return what


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    """Small scenarios of every kind whose force and roads do not change: nations, caveats, patterns, policies,
    laws; a truce, reprisals, injects, a trace, and levels that turn.
    """
    horizon_h = draw(st.integers(6, 150))
    escalation, events, injects = draw(sometimes(ESCALATION)), draw(EVENTS), draw(INJECTS)
    if escalation is None:
        events["unrest"] = None
    for part in (*events.values(), *injects.values()):
        if part is not None and "after" in part:
            part["after"] = f"{part['after'] * horizon_h:.1f} h"
    what = small(
        horizon=f"{horizon_h} h",
        sectors={"north": {"from": "0 km"}, "south": {"from": "33 km"}},
        base_layout={"every": draw(st.sampled_from(["10 km", "20 km"])), "depth": "7 km"},
        travel={"road_speed": f"{draw(st.integers(10, 60))} km/h"},
        force={"contingents": {"alpha": {"strength": draw(st.integers(1, 6)) * 200}, "bravo": draw(BRAVO)}},
        posture={"everywhere": {"teams": {"count": draw(st.integers(0, 7))}}},
        watch={
            "weather": {"poor_share": draw(SHARES)},
            "posts": {"reach": "4 km", "detection": draw(SHARES)},
            "patrols": {
                "pattern": draw(PATTERNS),
                "detection": draw(SHARES),
                "hours": draw(st.sampled_from(["day", "always"])),
            },
            "orbits": {"pattern": draw(PATTERNS), "detection": draw(SHARES)},
            "reports": {"probability": draw(SHARES), "delay": draw(LAWS)},
        },
        response={
            "policy": draw(st.sampled_from(["nearest", "own_sector_first", "hold_reserve"])),
            "reserve": draw(st.integers(0, 2)),
            "reserve_severity": draw(st.integers(1, 3)),
            "preempt": draw(st.booleans()),
            "move_up": draw(st.booleans()),
            "reaction": draw(LAWS),
            "reach": f"{draw(st.sampled_from([1, 2, 8]))} h",
            "give_up_after": f"{draw(st.sampled_from([0, 1, 6, 1000]))} h",
        },
        truce=draw(TRUCE),
        events=events,
        injects=injects,
        trace=draw(sometimes(st.just({"file": str(RECORDED)}))),
        escalation=escalation,
    )
    types = {name: draw(TYPE) for name in KINDS}
    whole: dict[str, Any] = _without_none(what | {"violations": types})
    return whole


def staged(folder: pathlib.Path, what: str | Mapping[str, Any]) -> Theatre:
    """A theatre from YAML text or plain data."""
    text = what if isinstance(what, str) else yaml.safe_dump(dict(what), sort_keys=False)
    path = folder / f"play_{len(list(folder.iterdir()))}.yaml"
    path.write_text(text, encoding="utf-8")
    file = load(path)
    return stage(file.scenario, file.document)


@pytest.fixture(scope="session")
def warm_kernel(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile (or fetch) the kernel once, so that no test's time is the compiler's."""
    simulate(staged(tmp_path_factory.mktemp("warm"), SMALL), 1, 0, keeps_journal=True)


@pytest.fixture(scope="session")
def play_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where plays write their scenario files; one for the whole session, so that fixtures of any scope may
    use it.
    """
    return tmp_path_factory.mktemp("plays")


@pytest.fixture(scope="session")
def theatre_of(play_folder: pathlib.Path, warm_kernel: None) -> Stage:
    """Makes a theatre from YAML text or plain data: `theatre_of(small(horizon="2 days"))`."""
    return lambda what: staged(play_folder, what)


@pytest.fixture(scope="session")
def history_of(theatre_of: Stage) -> Callable[..., History]:
    """Plays a scenario once, with a journal."""
    return lambda what, seed=1, replication=0: simulate(
        theatre_of(what), seed, replication, keeps_journal=True
    )
