"""The whole model over five years, beside the same model in SimPy and in plain C.

800 miles, 7 sectors, 24 bases: posts and sensors, patrols, orbits and others' reports; four types of incident
and false reports; night; reprisals that teams may calm; a truce that wears out and is renewed; tension with
three levels, and a collapse that is practically never reached. Campaign events stay few: no aircraft are
lost, no seasons change. The line clock keeps all its ledgers and keys every draw; the others count what is
compared.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.full_line import full_line
from benchmarks.full_scenario import RATES, staged
from benchmarks.full_tables import Outcome, tables
from benchmarks.measuring import agreement, rates, ratio, rounded, tell
from benchmarks.simpy_full import FullLine
from sim.campaign.engine import simulate, warm
from sim.campaign.history import History
from sim.campaign.theatre import Theatre
from sim.lineclock import kernel
from sim.lineclock.state import ATTENDED, ATTRIBUTED, HAPPENED, IN_TIME_COUNT, S_RESPONSE_H, SIGHTED
from sim.scenario.quantities import HOURS_PER_DAY

DAYS_PER_YEAR = 365.25
MAIN = 100
"""Incidents a day for which the one-figure results stand."""

TOO_RARE = 0.01
"""Shares below this come in a few bursts; a comparison of means would need far more of them."""

KERNELS = ("starts", "advance", "serves_waiting", "duty_changes", "closes")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How long, how often: numbers by incidents a day where these differ."""

    years: float
    horizons: tuple[float, float]  # years of the two horizons whose cost per incident is compared
    histories: Mapping[int, int]  # of the line clock and of C in a round
    short_days: Mapping[int, float]  # horizon of SimPy's histories, and of those that are compared
    simpy: Mapping[int, int]  # SimPy's histories in a round
    checks: Mapping[int, int]  # histories of the others, for the comparison of means
    rounds: int


FULL = Sizes(
    years=5,
    horizons=(1, 10),
    histories={20: 10, 100: 3, 800: 1},
    short_days={20: 60, 100: 60, 800: 60},
    simpy={20: 12, 100: 3, 800: 2},
    checks={20: 300, 100: 150, 800: 60},
    rounds=7,
)
QUICK = Sizes(
    years=0.25,
    horizons=(0.2, 0.4),
    histories={20: 3, 100: 1, 800: 1},
    short_days={20: 60, 100: 10, 800: 2},
    simpy={20: 3, 100: 2, 800: 2},
    checks={20: 30, 100: 30, 800: 30},
    rounds=5,
)


class Field:
    """The whole model at one rate, ready for all programs; they share its tables."""

    def __init__(self, per_day: int, sizes: Sizes) -> None:
        self.per_day = per_day
        self.long = staged(per_day, sizes.years * DAYS_PER_YEAR)
        self.short = staged(per_day, sizes.short_days[per_day])
        self.histories, self.runs = sizes.histories[per_day], sizes.simpy[per_day]
        self.checks = sizes.checks[per_day]
        self.in_c = full_line(tables(self.long))
        self.lists = tables(self.short).as_lists()
        self.simpy_means: list[dict[str, float]] = []
        self.turn = 0

    def kernel(self, *, keeps_journal: bool = False) -> int:
        """Some long histories of the line clock -> incidents."""
        self.turn += 1
        return _happened(self.long, self.turn * self.histories, self.histories, keeps_journal=keeps_journal)

    def simpy(self) -> int:
        """Some shorter histories of the SimPy line, remembered for the comparison -> incidents."""
        happened = 0.0
        for _ in range(self.runs):
            outcome = FullLine(self.lists, seed=len(self.simpy_means)).run(self.short.horizon_h)
            self.simpy_means.append(outcome.means())
            happened += outcome.happened
        return int(happened)

    def c(self) -> int:
        """Some long histories of the C line -> incidents."""
        assert self.in_c is not None
        self.turn += self.histories
        seeds = range(self.turn, self.turn + self.histories)
        return int(sum(self.in_c(self.long.horizon_h, seed).happened for seed in seeds))

    def compared(self) -> dict[str, Any]:
        """Means of short histories by all programs; raises Disagreement where they differ."""
        ours = [outcome_of(self.short, simulate(self.short, 2, n)).means() for n in range(self.checks)]
        others = {"simpy": self.simpy_means}
        if self.in_c is not None:
            seeds = range(1_000_000, 1_000_000 + self.checks)
            others["c"] = [self.in_c(self.short.horizon_h, seed).means() for seed in seeds]
        found = {}
        for name, theirs in others.items():
            for what in ours[0]:
                mine = [means[what] for means in ours]
                if statistics.fmean(mine) >= TOO_RARE:
                    found[f"{what}_{self.per_day}_{name}"] = agreement(
                        f"{what} at {self.per_day} a day", mine, [means[what] for means in theirs], name
                    )
        return found

    def setting(self) -> dict[str, float]:
        """What one long history was like, and the share of its time spent in the compiled kernel."""
        with clocked_kernel() as spent:
            began = time.perf_counter()
            history = simulate(self.long, 1, 0)
            whole = time.perf_counter() - began
        outcome = outcome_of(self.long, history)
        return {
            "kernel_share": rounded(spent[0] / whole, 3),
            "incidents_a_day": rounded(outcome.happened / self.long.horizon_h * HOURS_PER_DAY, 3),
            "campaign_events": history.campaign_events,
            "teams": len(self.long.plan.team_station),
            "teams_out": rounded(float(history.tally.team_busy_h.sum() / history.team_duty_h), 2),
            "raised_share": rounded(outcome.raised_share, 2),
        }


def outcome_of(theatre: Theatre, history: History) -> Outcome:
    """What the line clock says of a history, as the other programs say it."""
    ledger = history.tally.type_ledger.sum(axis=0)
    turns = history.turns
    raised_h = 0.0
    for x in range(len(theatre.ground.sector_names)):
        here = turns.sector == x
        until_h = np.append(turns.at_h[here], theatre.horizon_h)
        raised_h += float(np.diff(until_h)[turns.to_level[here] > 0].sum())
    return Outcome(
        happened=float(ledger[HAPPENED]),
        sighted=float(ledger[SIGHTED]),
        attended=float(ledger[ATTENDED]),
        in_time=float(ledger[IN_TIME_COUNT]),
        attributed=float(ledger[ATTRIBUTED]),
        response_h=float(history.tally.sums[S_RESPONSE_H]),
        raised_share=raised_h / theatre.horizon_h / len(theatre.ground.sector_names),
    )


@contextmanager
def clocked_kernel() -> Iterator[list[float]]:
    """Count the seconds that go by in calls of the compiled kernel."""
    spent = [0.0]

    def around(compiled: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return compiled(*args)
            finally:
                spent[0] += time.perf_counter() - began

        return timed

    plain = {name: getattr(kernel, name) for name in KERNELS}
    for name, compiled in plain.items():
        setattr(kernel, name, around(compiled))
    try:
        yield spent
    finally:
        for name, compiled in plain.items():
            setattr(kernel, name, compiled)


def _happened(theatre: Theatre, first: int, histories: int, *, keeps_journal: bool = False) -> int:
    """Incidents of so many histories of the line clock."""
    runs = (simulate(theatre, 1, first + n, keeps_journal=keeps_journal) for n in range(histories))
    return int(sum(history.tally.type_ledger[:, HAPPENED].sum() for history in runs))


def run(*, quick: bool = False, rounds: int | None = None) -> dict[str, Any]:
    """Measure all rates and programs in turn."""
    sizes = QUICK if quick else FULL
    rounds = rounds or sizes.rounds
    fields = {per_day: Field(per_day, sizes) for per_day in RATES}
    work: dict[str, Callable[[], int]] = {}
    for per_day, field in fields.items():
        work[f"kernel_{per_day}"] = field.kernel
        work[f"simpy_{per_day}"] = field.simpy
        if field.in_c is not None:
            work[f"c_{per_day}"] = field.c
    main = fields[MAIN]
    work["journal"] = functools.partial(main.kernel, keeps_journal=True)
    brief, lasting = sizes.horizons
    for name, years, histories in (("brief", brief, round(lasting / brief)), ("lasting", lasting, 1)):
        theatre = staged(MAIN, years * DAYS_PER_YEAR)
        work[name] = functools.partial(_happened, theatre, 0, histories)
    warm(main.long)
    tell(f"{rounds} rounds of {', '.join(work)}")
    rate = rates(work, rounds)
    ratios = {
        "growth_with_horizon": ratio(rate["brief"], rate["lasting"]),
        "journal_cost": ratio(rate[f"kernel_{MAIN}"], rate["journal"]),
    }
    for per_day in RATES:
        for name in ("simpy", "c"):
            if f"{name}_{per_day}" in rate:
                key = f"vs_{name}" if per_day == MAIN else f"vs_{name}_{per_day}"
                ratios[key] = ratio(rate[f"kernel_{per_day}"], rate[f"{name}_{per_day}"])
    by_program = {name: rounded(statistics.median(values)) for name, values in rate.items()}
    agree: dict[str, Any] = {}
    for field in fields.values():
        agree |= field.compared()
    return {
        "incidents_per_s": by_program[f"kernel_{MAIN}"],
        **{name: found["median"] for name, found in ratios.items()},
        "incidents_per_s_by_program": by_program,
        "ranges": {name: [found["low"], found["high"]] for name, found in ratios.items()},
        "settings": {str(per_day): field.setting() for per_day, field in fields.items()},
        "agreement": agree,
        "rounds": rounds,
        "quick": quick,
    }


def table(found: dict[str, Any]) -> str:
    """The result for people."""

    def line(what: str, values: list[float], form: str = ",.0f") -> str:
        return f"{what:<36}" + "".join(f"{value:>12{form}}" for value in values)

    rate, settings = found["incidents_per_s_by_program"], found["settings"]
    lines = [f"{'incidents per second of CPU':<36}" + "".join(f"{f'{n} a day':>12}" for n in RATES)]
    for name in ("kernel", "simpy", "c"):
        if f"{name}_{MAIN}" in rate:
            lines.append(line(f"  {name}", [rate[f"{name}_{n}"] for n in RATES]))
    for name, what in (("vs_simpy", "line clock over SimPy"), ("vs_c", "line clock over plain C")):
        if name in found:
            each = [found[name if n == MAIN else f"{name}_{n}"] for n in RATES]
            lines.append(line(what, each, ".1f" if name == "vs_simpy" else ".2f"))
    of = [settings[str(n)] for n in RATES]
    lines.append(line("share of time in the kernel", [each["kernel_share"] for each in of], ".0%"))
    lines.append(line("campaign events", [each["campaign_events"] for each in of]))
    lines.append(f"cost of an incident, long horizon over short: {found['growth_with_horizon']:.2f}")
    lines.append(f"time with a journal over time without: {found['journal_cost']:.2f}")
    lines.append(f"medians of {found['rounds']} rounds; what happens, is seen and is answered agrees")
    return "\n".join(lines)
