"""What a scenario may say but hardly means: warnings, never errors."""

from __future__ import annotations

from collections.abc import Iterator

from sim.campaign.theatre import Theatre
from sim.errors import Path, Problem
from sim.force.manning import TEAMS
from sim.scenario.resolve import ScenarioFile
from sim.study.estimate import estimate

DENSEST_PER_KM = 155.0
"""Soldiers per kilometre of the largest force proposed for the 800-mile line (200,000)."""

HIGHEST_LOAD = 0.5
"""Load on teams above which the closed form no longer tells: distance and queues feed on each other."""
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
