"""What a run cannot say, said plainly; which of it applies is read off the resolved scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.report.words import listed, number, percent
from sim.scenario.quantities import spoken

if TYPE_CHECKING:
    from sim.report.run import Run
    from sim.scenario.schema import Scenario

Limit = tuple[str, str]


def limits(run: Run) -> list[Limit]:
    """(what, in a sentence or two), gravest first."""
    scenario, count = run.setting.scenario, run.replication_count
    out = [
        (
            "It does not predict.",
            (
                "Every number here follows from the assumptions listed above. It says what a force could see "
                "and reach if they held, not what will happen."
            ),
        )
    ]
    if count > 1:
        out.append(
            (
                "The intervals cover chance only.",
                (
                    f"They say how much {count:,} replications of the same assumptions differ. That an "
                    "assumption is wrong is not in them, and usually matters more."
                ),
            )
        )
    else:
        out.append(
            (
                "One replication.",
                "This is one random history. It has no intervals, and another seed gives other numbers.",
            )
        )
    out += [
        (
            "What the parties do is the author's assumption.",
            "How often, where and when incidents happen was written into the scenario. "
            + _effects_of_the_force(run),
        ),
        _reprisals(run),
        _truce(run),
        *_listed(run),
        _levels(scenario),
        (
            "Watchers notice independently of each other.",
            (
                "What one post misses, another has its own chance to see. Where all are blinded by the same "
                "cause other than night and weather, the true share is lower."
            ),
        ),
        _casualties(run),
    ]
    if scenario.line.file is None:
        out.append(
            (
                "The line is straight.",
                "It has a length and no place on the map; roads, rivers and towns play no part.",
            )
        )
    elif run.setting.is_illustrative:
        out.append(
            (
                "The line is illustrative.",
                (
                    "It is hand-drawn, generalised and dated 15 March 2025. It says nothing about where a "
                    "border or a ceasefire line is or ought to be. Legs are good to some kilometres."
                ),
            )
        )
    else:
        out.append(("The line is the author's.", "It was taken as its file has it."))
    if scenario.travel.roads is None:
        out.append(
            (
                "Travel is reckoned, not routed.",
                (
                    f"Straight distance times {scenario.travel.detour:g}, at the stated speeds; no mines, no "
                    "broken bridges, no traffic."
                ),
            )
        )
    else:
        out.append(
            (
                "Roads are schematic.",
                (
                    "Lengths and speeds of the road graph are as good as their file says; mines, broken "
                    "bridges and traffic are not in it."
                ),
            )
        )
    return out


def _effects_of_the_force(run: Run) -> str:
    """Everything that was set as an effect of watching and attending on what the parties do."""
    title, scenario = run.setting.type_title, run.setting.scenario
    kinds = scenario.violations.items()
    deters = [f"{title(name)} ({percent(v.deterrence, 0)})" for name, v in kinds if v.deterrence > 0]
    calms = [
        f"{title(name)} ({percent(v.retaliation.calming, 0)})"
        for name, v in kinds
        if v.retaliation is not None and v.retaliation.mean * v.retaliation.calming > 0
    ]
    effects = []
    if deters:
        effects.append(
            f"deterrence, for {listed(deters)}: so many of these vanish where every one would be seen"
        )
    if calms:
        effects.append(
            f"calming, for {listed(calms)}: with that chance a team on the spot prevents a reprisal"
        )
    if scenario.escalation is not None and scenario.escalation.unanswered_factor > 1:
        factor = number(scenario.escalation.unanswered_factor)
        effects.append(
            f"tension: an incident that nobody attends in time weighs {factor} times as much as one that is"
        )
    if not effects:
        return (
            "No effect of the force on the parties was set: watching and attending change nothing about how "
            "many incidents happen."
        )
    return (
        "What the force does to the parties is the author's belief as well, not a result: "
        f"{'; '.join(effects)}."
    )


def _reprisals(run: Run) -> Limit:
    scenario, title = run.setting.scenario, run.setting.type_title
    provoke = [
        f"{title(name)} ({number(v.retaliation.mean)})"
        for name, v in scenario.violations.items()
        if v.retaliation is not None and v.retaliation.mean > 0
    ]
    if not provoke:
        return (
            "Incidents do not provoke each other.",
            "Each happens independently of the others: bursts and reprisals are not in this run.",
        )
    return (
        "Reprisals follow a stated law.",
        "An incident provokes a random number of others nearby and soon after, whoever was to blame; how "
        f"many on average, directly and in the lowest level: {listed(provoke)}. Nobody in the model decides "
        "to strike back, or not to.",
    )


def _truce(run: Run) -> Limit:
    scenario, title = run.setting.scenario, run.setting.type_title
    truce, recommits = scenario.truce, scenario.recommits
    follow = [title(name) for name, v in scenario.violations.items() if v.erodes]
    if not follow or not (truce.grows or recommits):
        held = (
            f" Throughout, the rates of {listed(follow)} are {number(truce.start)} times those stated."
            if follow and truce.start != 1.0
            else ""
        )
        return (
            "The ceasefire does not wear out.",
            "With time alone, incidents become neither more nor fewer, but for the months of the year."
            + held,
        )
    every = len(follow) == len(scenario.violations)
    rates = "Rates" if every else f"The rates of {listed(follow)}, and of no other type,"
    times = f"{number(truce.ceiling)} times what was stated"
    if truce.doubling is None:
        at = "as stated" if truce.start == 1.0 else f"at {number(truce.start)} times what was stated"
        wears = f"{rates} stay {at} until the parties recommit"
    elif truce.grows:
        wears = f"{rates} double every {spoken(truce.doubling, 'duration')}, up to {times}"
    else:
        wears = f"{rates} begin at their ceiling, {times}, and double every "
        wears += f"{spoken(truce.doubling, 'duration')} up to it after the parties have recommitted"
    events = "the parties recommit when the scenario says so" if recommits else "nobody recommits"
    return (
        "The truce wears out by the clock.",
        f"{wears}; {events}. The model knows nothing of the politics behind it.",
    )


def _listed(run: Run) -> Iterator[Limit]:
    """What happens at stated times: it is no result."""
    scenario, title = run.setting.scenario, run.setting.type_title
    if scenario.trace is not None:
        counts = run.types.groupby("type", sort=False)["cause_trace"].sum()
        recorded = [title(str(name)) for name, count in counts.items() if count > 0]
        of = f"{listed(recorded)} happen" if recorded else "Nothing of it happens"
        yield (
            "A record is replayed.",
            f"{of} as recorded, in every history alike, and not where the record is silent; its incidents "
            "provoke nothing. What was not recorded did not happen here, and no force changes what was.",
        )
    if scenario.injects:
        count = sum(part.count for part in scenario.injects.values())
        kinds = dict.fromkeys(title(part.type) for part in scenario.injects.values())
        yield (
            "Some incidents were put in by hand.",
            f"{count:,} of {listed(list(kinds))}, at times and places that the author chose, are in every "
            "history and in all counts.",
        )


def _levels(scenario: Scenario) -> Limit:
    escalation = scenario.escalation
    if escalation is None:
        return (
            "Nothing escalates.",
            "There are no levels and no collapse: the ceasefire stands in every history because the scenario "
            "knows nothing else.",
        )
    hazards = sum(len(level.hazards) for level in escalation.levels.values())
    outside = " Some changes come at random, for reasons that are outside the model." if hazards else ""
    return (
        "Escalation is a ladder that the author built.",
        "Tension, thresholds and what each of the "
        f"{len(escalation.levels)} levels changes were set.{outside} "
        "The chance that the ceasefire stands follows from them; it is no forecast. After a collapse nothing "
        "more is counted: numbers per day are over the time for which it stood.",
    )


def _casualties(run: Run) -> Limit:
    kinds, title = run.setting.scenario.violations.items(), run.setting.type_title
    attacks = [title(name) for name, v in kinds if v.against_force]
    harmful = [f"{title(name)} ({number(v.casualties)})" for name, v in kinds if v.casualties > 0]
    aimed = "no combat, no targeting and no rules for the use of force"
    plan = "Posts and teams are numbers and distances; it is no plan for where to put anybody."
    if not harmful and not attacks:
        return (
            "Nobody is shot at, and nothing is aimed at.",
            f"This run has no casualties, {aimed}. {plan}",
        )
    against = f"Directed at the mission: {listed(attacks)}. " if attacks else ""
    hurt = (
        f"Its dead and wounded are a mean number per incident, for {listed(harmful)}, whatever the force "
        "does; they are counted and not taken off its strength. "
        if harmful
        else "No casualties were set. "
    )
    return ("Harm to the mission is a stated number.", f"{against}{hurt}The model has {aimed}. {plan}")
