"""The line clock on a bare spatial queue, beside the same model in SimPy and twice in plain C.

A line of 40 km with eight bases; one type of incident, anywhere on it with equal chance, known as it begins;
one team each: the one that would be there first, a team that drives home counting as free. Nothing else
happens: no campaign events, no night, no reserve, and no team looks for who did it (`attribution: 0`). The
line clock keeps all its ledgers meanwhile and keys every draw; the others only count what is compared. `c`
has a generator of its own, `c_keyed` is the same loop with as many keyed draws as the line clock makes.
"""

from __future__ import annotations

import functools
import pathlib
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.lean_queue import Result, lean_queue
from benchmarks.measuring import agreement, rates, ratio, rounded, tell
from benchmarks.simpy_queue import SpatialQueue
from sim.campaign.engine import simulate, warm
from sim.campaign.theatre import Theatre, stage
from sim.lineclock.state import ATTENDED, HAPPENED, N_WAITED, S_RESPONSE_H
from sim.scenario.resolve import load

TEAMS = (32, 128)
BASES = 8
LINE_KM = 40
ON_SCENE_H = 2.0
CALLS_PER_TEAM_H = 0.3
"""Teams are out for two thirds of the time, and for less than all of it even if each drove far."""

TOO_RARE = 0.01
"""Waits rarer than this come in a few bursts; a comparison of means would need far more of them."""

SCENARIO = """
bufferzone: 1
name: A bare queue
horizon: {horizon_h} h
line: {{length: {line_km} km}}
base_layout: {{every: {base_km} km, depth: 1 km}}
travel: {{road_speed: 60 km/h, off_road_speed: 60 km/h, night_factor: 1}}
force: {{contingents: {{alpha: {{strength: 20000, support_share: 0, absent_share: 0}}}}}}
posture: {{everywhere: {{teams: {{count: {teams}}}}}}}
watch: {{reports: {{probability: 1, delay: 0 h}}}}
violations:
  shot:
    rate: {rate} per h
    duration: 1 h
    on_scene: {{kind: exponential, mean: {on_scene_h} h}}
    attribution: 0
response: {{reaction: 0 h, reach: 100 h, give_up_after: 10 years}}
"""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Incidents in a round of each program, and rounds."""

    kernel: int
    simpy: int
    simpy_runs: int  # independent replications that the incidents of a round are cut into
    checks: int  # replications of the others, for the comparison of means
    rounds: int


FULL = Sizes(kernel=1_000_000, simpy=40_000, simpy_runs=8, checks=400, rounds=7)
QUICK = Sizes(kernel=8_000, simpy=4_000, simpy_runs=4, checks=40, rounds=5)


class Field:
    """One size of the queue, ready for all programs; they share its table of drives."""

    def __init__(self, teams: int, sizes: Sizes) -> None:
        self.teams = teams
        self.rate_per_h = CALLS_PER_TEAM_H * teams
        self.sizes = sizes
        self.short_h = sizes.simpy / sizes.simpy_runs / self.rate_per_h
        self.long_h = sizes.kernel / self.rate_per_h
        self.long, self.short = self._staged(self.long_h), self._staged(self.short_h)
        self.drive_h = self.long.station_travel[0]
        self.drive_rows: list[list[float]] = self.drive_h.tolist()
        self.first_team = self.long.plan.station_first
        self.base_of_team = np.repeat(np.arange(BASES), np.diff(self.first_team)).tolist()
        self.lean = {
            name: program
            for name, keyed in (("c", False), ("c_keyed", True))
            if (program := self._lean(keyed=keyed)) is not None
        }
        self.simpy_means: list[tuple[float, float]] = []
        self.turn = 0
        warm(self.long)

    def _staged(self, horizon_h: float) -> Theatre:
        text = SCENARIO.format(
            horizon_h=repr(horizon_h),
            line_km=LINE_KM,
            base_km=LINE_KM / BASES,
            teams=self.teams,
            rate=self.rate_per_h,
            on_scene_h=ON_SCENE_H,
        )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "queue.yaml"
            path.write_text(text, encoding="utf-8")
            file = load(path)
            return stage(file.scenario, file.document)

    def _lean(self, *, keyed: bool) -> Callable[[float, int], Result] | None:
        return lean_queue(self.drive_h, self.first_team, self.rate_per_h, ON_SCENE_H, keyed=keyed)

    def kernel(self) -> int:
        """One long history of the line clock -> incidents."""
        self.turn += 1
        return int(simulate(self.long, 1, self.turn).tally.type_ledger[0, HAPPENED])

    def simpy(self) -> int:
        """Some shorter histories of the SimPy queue, remembered for the comparison -> incidents."""
        happened = 0
        for _ in range(self.sizes.simpy_runs):
            queue = SpatialQueue(
                self.drive_rows, self.base_of_team, self.rate_per_h, ON_SCENE_H, seed=len(self.simpy_means)
            )
            queue.run(self.short_h)
            happened += queue.happened
            self.simpy_means.append((queue.response_h / queue.attended, queue.waited / queue.happened))
        return happened

    def c(self, lean: Callable[[float, int], Result]) -> int:
        """One long history of a C queue -> incidents."""
        self.turn += 1
        return int(lean(self.long_h, self.turn)[0])

    def kernel_means(self) -> list[tuple[float, float]]:
        """(mean hours until a team is there, share that waits) of short histories of the line clock."""
        means = []
        for replication in range(self.sizes.checks):
            tally = simulate(self.short, 2, replication).tally
            happened, attended = tally.type_ledger[0, HAPPENED], tally.type_ledger[0, ATTENDED]
            means.append(
                (float(tally.sums[S_RESPONSE_H] / attended), float(tally.counts[N_WAITED] / happened))
            )
        return means

    def c_means(self, lean: Callable[[float, int], Result]) -> list[tuple[float, float]]:
        """The same of a C queue."""
        runs = (lean(self.short_h, 1000 + seed) for seed in range(self.sizes.checks))
        return [(response / attended, waited / happened) for happened, attended, waited, response in runs]

    def utilisation(self) -> float:
        """Share of the time for which teams are out."""
        history = simulate(self.long, 3, 0)
        return float(history.tally.team_busy_h.sum() / history.team_duty_h)


def run(*, quick: bool = False, rounds: int | None = None) -> dict[str, Any]:
    """Measure all sizes and programs in turn."""
    sizes = QUICK if quick else FULL
    rounds = rounds or sizes.rounds
    fields = {teams: Field(teams, sizes) for teams in TEAMS}
    work: dict[str, Callable[[], int]] = {}
    for teams, field in fields.items():
        work[f"kernel_{teams}"] = field.kernel
        work[f"simpy_{teams}"] = field.simpy
        for name, lean in field.lean.items():
            work[f"{name}_{teams}"] = functools.partial(field.c, lean)
    tell(f"{rounds} rounds of {', '.join(work)}")
    rate = rates(work, rounds)
    agree = {}
    for teams, field in fields.items():
        ours = field.kernel_means()
        others = {"simpy": field.simpy_means}
        others |= {name: field.c_means(lean) for name, lean in field.lean.items()}
        for name, theirs in others.items():
            for i, what in enumerate(("mean_response_h", "waited_share")):
                if what == "waited_share" and statistics.fmean(m[i] for m in ours) < TOO_RARE:
                    continue
                agree[f"{what}_{teams}_{name}"] = agreement(
                    f"{what} at {teams} teams", [m[i] for m in ours], [m[i] for m in theirs], name
                )
    few, many = TEAMS
    ratios = {
        "vs_simpy": ratio(rate[f"kernel_{few}"], rate[f"simpy_{few}"]),
        f"vs_simpy_{many}": ratio(rate[f"kernel_{many}"], rate[f"simpy_{many}"]),
        "per_team_growth": ratio(rate[f"kernel_{few}"], rate[f"kernel_{many}"]),
    }
    for name in fields[few].lean:
        ratios[f"vs_{name}"] = ratio(rate[f"kernel_{few}"], rate[f"{name}_{few}"])
        ratios[f"vs_{name}_{many}"] = ratio(rate[f"kernel_{many}"], rate[f"{name}_{many}"])
    return {
        **{name: found["median"] for name, found in ratios.items()},
        "incidents_per_s": {name: rounded(statistics.median(values)) for name, values in rate.items()},
        "ranges": {name: [found["low"], found["high"]] for name, found in ratios.items()},
        "utilisation": {str(teams): rounded(field.utilisation(), 3) for teams, field in fields.items()},
        "agreement": agree,
        "rounds": rounds,
        "quick": quick,
    }


def table(found: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"{'incidents per second of CPU':<32}{'32 teams':>12}{'128 teams':>12}"]
    rate = found["incidents_per_s"]
    for name in ("kernel", "simpy", "c", "c_keyed"):
        if f"{name}_32" in rate:
            lines.append(f"  {name:<30}{rate[f'{name}_32']:>12,.0f}{rate[f'{name}_128']:>12,.0f}")
    lines.append(f"{'line clock over SimPy':<32}{found['vs_simpy']:>12.1f}{found['vs_simpy_128']:>12.1f}")
    for name, what in (("vs_c", "line clock over plain C"), ("vs_c_keyed", "line clock over keyed C")):
        if name in found:
            lines.append(f"{what:<32}{found[name]:>12.2f}{found[f'{name}_128']:>12.2f}")
    lines.append(f"cost of an incident with 128 teams over 32: {found['per_team_growth']:.2f}")
    lines.append(f"medians of {found['rounds']} rounds; waiting and response times agree")
    return "\n".join(lines)
