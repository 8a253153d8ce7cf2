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
