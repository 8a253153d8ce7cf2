"""Run folders to report on, each simulated once for the session."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from sim.scenario.resolve import load
from sim.study.replicate import Asked, run_into

HOSTILE = '</title></p><script>alert(1)</script><img src=x onerror="alert(2)">$x_1$'

PLAY = f"""
bufferzone: 1
name: '{HOSTILE}'
question: 'Is <b>this</b> escaped? {HOSTILE}'
horizon: 70 days
line: {{length: 120 km}}
sectors:
  west: {{title: 'West {HOSTILE}', from: 0 km}}
  east: {{title: East, from: 70 km}}
force:
  contingents:
    alpha: {{title: '{HOSTILE}', strength: 900, unit_size: 100, arrival: {{first: 2 days, last: 20 days}}}}
posture: {{everywhere: {{posts: {{every: 12 km}}, patrols: {{rate: 8 per day}}, teams: {{count: 2}}}}}}
violations:
  shelling: {{title: '{HOSTILE}', rate: 12 per day, hot_spots: {{h: {{chainage: 90 km, share: 0.4}}}}}}
  drone: {{rate: 6 per day, teams: 0}}
sources:
  line.length: C02
  violations.shelling.rate: 'assumption: {HOSTILE}'
"""
QUIET = """
bufferzone: 1
name: Nothing happens
horizon: 3 days
line: {length: 60 km}
force: {contingents: {alpha: {strength: 300}}}
posture: {everywhere: {posts: {count: 2}}}
"""
ON_THE_MAP = """
bufferzone: 1
name: On the map
horizon: 40 days
line: {file: LINE}
sectors: {s1: {title: North, from: 0 km}, s2: {title: South, from: 600 km}}
force: {contingents: {alpha: {strength: 9000}}}
posture: {everywhere: {posts: {every: 20 km}, teams: {every: 60 km}}}
violations: {shelling: {rate: 30 per day}}
"""

TENSE = f"""
bufferzone: 1
name: It may not hold
horizon: 70 days
line: {{length: 120 km}}
sectors: {{west: {{title: West, from: 0 km}}, east: {{title: East, from: 70 km}}}}
force: {{contingents: {{alpha: {{strength: 900, unit_size: 100}}}}}}
posture: {{everywhere: {{posts: {{every: 12 km}}, teams: {{count: 2}}}}}}
violations:
  shelling: {{rate: 6 per day, severity: 2, retaliation: {{mean: 0.3, calming: 0.25}}}}
  drone: {{rate: 6 per day, deterrence: 0.1}}
  ambush: {{rate: 0.2 per day, against_force: true, casualties: 0.4}}
truce: {{doubling: 30 days, ceiling: 4}}
events: {{talks: {{every: 20 days, recommit: {{drop: 0.4}}}}}}
escalation:
  half_life: 4 days
  levels:
    calm: {{}}
    tense: {{title: '{HOSTILE}', enter_at: 110, leave_below: 80}}
    violent: {{enter_at: 200, leave_below: 150, hazards: {{war: {{kind: exponential, mean: 40 days}}}}}}
    war: {{}}
"""

Simulate = Callable[[str, int], pathlib.Path]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulate:
    """Simulates YAML text into a run folder: `simulated(QUIET, 3)`."""

    def simulate(text: str, replications: int) -> pathlib.Path:
        home = tmp_path_factory.mktemp("report")
        (home / "play.yaml").write_text(text, encoding="utf-8")
        asked = Asked(replications=range(replications), seed=5, jobs=1, keeps_journal=False)
        return run_into(load(home / "play.yaml"), home / "run", asked)

    return simulate


@pytest.fixture(scope="session")
def play(simulated: Simulate) -> pathlib.Path:
    """Six replications of a hostile scenario."""
    return simulated(PLAY, 6)


@pytest.fixture(scope="session")
def tense(simulated: Simulate) -> pathlib.Path:
    """Twelve replications of a scenario that escalates, reported on."""
    from sim.report.page import build

    folder = simulated(TENSE, 12)
    build(folder)
    return folder


@pytest.fixture(scope="session")
def play_page(play: pathlib.Path) -> str:
    """Its report."""
    from sim.report.page import build

    return build(play).read_text(encoding="utf-8")
