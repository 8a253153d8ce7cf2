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


@st.composite
def scenarios(draw: Any) -> dict[str, Any]:
    """Small scenarios of every kind whose force does not change: nations, caveats, patterns, policies, laws."""
    types = {
        name: {
            "rate": f"{draw(st.integers(1, 25))} per day",
            "severity": draw(st.integers(1, 3)),
            "teams": draw(st.integers(0, 3)),
            "night": draw(st.sampled_from([0.2, 1.0, 3.0])),
            "duration": draw(LAWS),
            "on_scene": draw(LAWS),
            "evidence": draw(LAWS),
            "standard": f"{draw(st.integers(1, 4))} h",
            "false_reports": f"{draw(st.integers(0, 3))} per day",
            "needs_arms": draw(st.booleans()),
        }
        for name in ("shelling", "drone", "raid")
    }
    bravo = {
        "strength": draw(st.sampled_from([0, 300, 600])),
        "armed": draw(st.booleans()),
        "sectors": draw(st.sampled_from([None, ["north"], ["south"]])),
        "caveats": {
            "no_night": draw(st.booleans()),
            "no_types": draw(st.sampled_from([[], ["drone"]])),
            "own_sectors_only": draw(st.booleans()),
        },
    }
    if bravo["sectors"] is None:
        del bravo["sectors"]
    what = small(
        horizon=f"{draw(st.integers(6, 150))} h",
        sectors={"north": {"from": "0 km"}, "south": {"from": "33 km"}},
        base_layout={"every": "20 km", "depth": "7 km"},
        travel={"road_speed": f"{draw(st.integers(10, 60))} km/h"},
        force={"contingents": {"alpha": {"strength": draw(st.integers(1, 6)) * 200}, "bravo": bravo}},
        posture={"everywhere": {"teams": {"count": draw(st.integers(0, 5))}}},
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
            "reaction": draw(LAWS),
            "reach": f"{draw(st.sampled_from([1, 2, 8]))} h",
            "give_up_after": f"{draw(st.sampled_from([0, 1, 6, 1000]))} h",
        },
    )
    return what | {"violations": types}


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
