"""What a scenario may say but hardly means: warnings, never errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.campaign.incidents import breeding, spectral_radius
from sim.campaign.ladder import Ladder
from sim.campaign.theatre import Theatre
from sim.errors import Path, Problem
from sim.force.manning import TEAMS
from sim.lineclock.state import TRACE
from sim.scenario.quantities import HOURS_PER_DAY, spoken
from sim.scenario.resolve import ScenarioFile
from sim.study.estimate import estimate

DENSEST_PER_KM = 156.0
"""Soldiers per kilometre of the largest force proposed for the 800-mile line (200,000 on 1,287.5 km), rounded
up.
"""

HIGHEST_RADIUS = 0.9
"""Spectral radius of what provokes what from which on reprisals are nine tenths of what happens."""
HIGHEST_LOAD = 0.5
"""Load on teams above which the closed form no longer tells: distance and queues feed on each other."""
SILENT_FROM = 0.1
"""Share of the horizon before or after a record from which on its silence is worth a word."""
IDLE_FROM = 1.1
"""Effective soldiers over those wanted, from which on the rest is worth a word."""


def unlikely(theatre: Theatre, file: ScenarioFile) -> tuple[Problem, ...]:
    """Warnings in order of place."""
    problems = list(_unlikely(theatre))
    return file.document.refusal(problems).problems if problems else ()


def _unlikely(theatre: Theatre) -> Iterator[Problem]:
    scenario, ground = theatre.scenario, theatre.ground
    pledged = sum(c.strength for c in theatre.contingents)
    per_km = pledged / ground.line.length_km

    def warn(path: Path, fact: str, hint: str | None = None) -> Problem:
        return Problem(path=path, fact=fact, hint=hint)

    if per_km > DENSEST_PER_KM:
        yield warn(
            ("force",),
            f"{pledged:,} soldiers are {per_km:.0f} per km of line; the largest published proposal has 155",
        )
    for name, part in scenario.force.contingents.items():
        first = part.arrival.first
        if first >= scenario.horizon:
            yield warn(
                ("force", "contingents", name, "arrival"), "arrives after the horizon: it takes no part"
            )
        if 0 < part.strength * scenario.force.scale < part.unit_size:
            yield warn(
                ("force", "contingents", name, "unit_size"),
                f"a strength of {part.strength} does not fill one unit of {part.unit_size}",
            )
    asks = any(v.teams > 0 for v in scenario.violations.values())
    if asks and theatre.wanted[:, TEAMS].sum() == 0:
        yield warn(
            ("posture",), "violations ask for teams but no sector wants any", "give posture.everywhere.teams"
        )
    for x, name in enumerate(ground.sector_names):
        if theatre.wanted[x, TEAMS] and not (ground.base_sector == x).any():
            fact = "has no base, so none of the teams that it wants can be posted"
            yield warn(("sectors", name), fact, "give a base with this sector")
    if not scenario.violations:
        yield warn(("violations",), "nothing happens on this line: coverage can be computed, response cannot")
    for name, violation in scenario.violations.items():
        if violation.deterrence > 0:
            yield warn(
                ("violations", name, "deterrence"), "assumes that being watched deters; reports will say so"
            )
        if violation.retaliation is not None and violation.retaliation.calming > 0:
            fact = "assumes that a team on the spot prevents reprisals; reports will say so"
            yield warn(("violations", name, "retaliation", "calming"), fact)
    yield from _truce(theatre)
    yield from _record(theatre)
    yield from _events(theatre)
    yield from _injects(theatre)
    yield from _reprisals(theatre)
    yield from _levels(theatre)
    yield from _collapse(theatre)
    answer = estimate(theatre)
    if answer.short_share is not None and answer.short_share > 0.5:
        yield warn(("posture",), f"the pledged force mans {1 - answer.short_share:.0%} of the laydown wanted")
    if answer.team_load is not None and answer.team_load > HIGHEST_LOAD:
        fact = f"teams would be out {answer.team_load:.0%} of their time if the nearest always went"
        hint = "when it is out others come from farther away, and the queue can run away: want more teams"
        yield warn(("response",), fact, hint)
    if answer.wanted_effective > 0 and answer.effective > IDLE_FROM * answer.wanted_effective:
        idle = answer.effective - answer.wanted_effective
        fact = f"{idle:,.0f} of {answer.effective:,.0f} effective soldiers have no task in this laydown"
        yield warn(
            ("posture",), fact, "want more posts, patrols or teams; more soldiers alone change nothing"
        )


def _truce(theatre: Theatre) -> Iterator[Problem]:
    """A truce that wears out and yet changes nothing."""
    scenario = theatre.scenario
    truce = scenario.truce
    if not any(v.erodes for v in scenario.violations.values()):
        if truce.doubling is not None or truce.start != 1.0:
            fact, hint = "changes nothing: no violation type follows it", "set erodes of a type to true"
            yield Problem(path=("truce",), fact=fact, hint=hint)
    elif truce.doubling is not None and not truce.grows and not scenario.recommits:
        fact = f"changes nothing: the truce begins at its ceiling of {truce.ceiling:g} and nobody recommits"
        hint = "raise ceiling, lower start, or add an event that recommits"
        yield Problem(path=("truce", "doubling"), fact=fact, hint=hint)
    elif truce.doubling is None and truce.ceiling > truce.start and "ceiling" in truce.model_fields_set:
        fact = f"changes nothing: without doubling the truce stays at {truce.start:g}"
        yield Problem(path=("truce", "ceiling"), fact=fact, hint="add doubling, or leave it out")


def _record(theatre: Theatre) -> Iterator[Problem]:
    """Types that a recorded trace silences: they are not drawn, and where it says nothing nothing happens."""
    scenario, plan = theatre.scenario, theatre.plan
    if scenario.trace is None:
        return
    here, hint = ("trace", "file"), "choose start and horizon to fit the record, or leave the trace out"
    at_h = plan.listed_h[:-1][plan.listed_cause == TRACE]
    if not len(at_h):
        fact = "has no row within the horizon, and types that occur in it are not drawn: they never happen"
        yield Problem(path=here, fact=fact, hint=hint)
        return
    told = (
        ("begins", float(at_h[0]), "after the start"),
        ("ends", theatre.horizon_h - float(at_h[-1]), "early"),
    )
    for what, silent_h, when in told:
        if silent_h > SILENT_FROM * theatre.horizon_h:
            fact = f"{what} {silent_h / HOURS_PER_DAY:.0f} days {when}: its types do not happen in that time"
            yield Problem(path=here, fact=fact, hint=hint)


def _events(theatre: Theatre) -> Iterator[Problem]:
    """Events that can never come, or that change nothing when they do."""
    scenario = theatre.scenario
    erodes = any(v.erodes for v in scenario.violations.values())
    for name, event in scenario.events.items():
        here = ("events", name)
        if event.rate == 0:
            yield Problem(path=(*here, "rate"), fact="never comes", hint="raise its rate, or leave it out")
        if event.every is not None and event.every >= scenario.horizon:
            fact = f"never comes: the horizon is {spoken(scenario.horizon, 'duration')}"
            yield Problem(path=(*here, "every"), fact=fact, hint="choose a shorter time")
        if event.recommit is not None and not erodes:
            fact = "changes nothing: no violation type follows the truce"
            yield Problem(path=(*here, "recommit"), fact=fact, hint="set erodes of a type to true")
        elif event.recommit is not None and event.recommit.drop > 0 and scenario.truce.doubling is None:
            fact = "rates never come back after it: the truce does not wear out"
            yield Problem(
                path=(*here, "recommit"), fact=fact, hint="add truce.doubling, unless this is meant"
            )


def _injects(theatre: Theatre) -> Iterator[Problem]:
    """Injects of which the horizon cuts off a part."""
    scenario = theatre.scenario
    for name, inject in scenario.injects.items():
        first_h = inject.moment_h(scenario.start)
        assert first_h is not None, "the schema lets no inject pass without a moment"
        happen = sum(first_h + inject.over * i / inject.count < scenario.horizon for i in range(inject.count))
        if happen < inject.count:
            lost = inject.count - happen
            fact = f"runs past the horizon: {lost:,} of {inject.count:,} incidents never happen"
            yield Problem(path=("injects", name, "over"), fact=fact, hint="choose a shorter time")


def _reprisals(theatre: Theatre) -> Iterator[Problem]:
    """Reprisals that multiply what happens of its own by a number that few authors have in mind."""
    radius = spectral_radius(breeding(theatre.scenario) * theatre.ladder.breeds[0])
    if HIGHEST_RADIUS < radius < 1.0:
        fact = (
            f"one incident leads to {1 / (1 - radius):,.0f} in all: the spectral radius of what provokes "
            f"what is {radius:.3f}"
        )
        yield Problem(path=("violations",), fact=fact, hint="lower retaliation.mean, unless this is meant")


def _collapse(theatre: Theatre) -> Iterator[Problem]:
    """A collapse that takes longer than what is simulated."""
    scenario = theatre.scenario
    if scenario.escalation is not None and scenario.escalation.collapse.lasting >= scenario.horizon:
        fact = f"the ceasefire can never collapse: the horizon is {spoken(scenario.horizon, 'duration')}"
        here = ("escalation", "collapse", "lasting")
        yield Problem(path=here, fact=fact, hint="choose a shorter time")


def _levels(theatre: Theatre) -> Iterator[Problem]:
    """Levels in which reprisals never end, and levels that no sector can come to."""
    escalation, ladder = theatre.scenario.escalation, theatre.ladder
    if escalation is None:
        return
    reached = _reachable(ladder)
    ends_at_once = escalation.collapse.sectors == 1 and escalation.collapse.lasting == 0
    for v, name in enumerate(ladder.names):
        here = ("escalation", "levels", name)
        if v not in reached:
            hint = "give enter_at, or a hazard of another level that leads to it"
            yield Problem(path=here, fact="no level leads to this one", hint=hint)
            continue
        radius = spectral_radius(breeding(theatre.scenario) * ladder.breeds[v])
        if radius >= 1.0 and not (v == ladder.last and ends_at_once):
            fact = (
                f"reprisals never end in this level: the spectral radius of what provokes what is "
                f"{radius:.3f}, not below 1"
            )
            yield Problem(path=(*here, "retaliation"), fact=fact, hint="lower it, unless this is meant")


def _reachable(ladder: Ladder) -> set[int]:
    """Levels that a sector can come to: by tension, by falling back, by hazards."""
    reached, new = {0}, [0]
    while new:
        v = new.pop()
        leads = [u for u in range(v + 1, len(ladder.names)) if np.isfinite(ladder.enter_at[u])]
        leads += [to for to, _ in ladder.hazards[v]]
        if ladder.leave_below[v] > 0:
            leads.append(v - 1)
        new += [u for u in leads if u not in reached]
        reached.update(leads)
    return reached
