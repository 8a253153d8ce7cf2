"""What a run cannot say, said plainly; which of it applies is read off the resolved scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.report.words import listed, percent

if TYPE_CHECKING:
    from sim.report.run import Run


def limits(run: Run) -> list[tuple[str, str]]:
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
    deterred = [run.setting.type_title(name) for name, v in scenario.violations.items() if v.deterrence > 0]
    if deterred:
        shares = [percent(v.deterrence, 0) for v in scenario.violations.values() if v.deterrence > 0]
        effect = (
            f"Deterrence was set for {listed(deterred)} ({listed(shares)} of the incidents vanish where "
            "every one would be seen): that is its author's belief, not a result."
        )
    else:
        effect = (
            "No effect of the force on the parties was set: watching and attending change nothing about how "
            "many incidents happen."
        )
    out += [
        (
            "What the parties do is the author's assumption.",
            f"How often, where and when incidents happen was written into the scenario. {effect}",
        ),
        (
            "Incidents do not provoke each other.",
            (
                "Each happens independently of the others, of what was answered, and of events elsewhere, at "
                "the rates stated. Bursts, reprisals and decay of the ceasefire are not in this run."
            ),
        ),
        (
            "Watchers notice independently of each other.",
            (
                "What one post misses, another has its own chance to see. Where all are blinded by the same "
                "cause other than night and weather, the true share is lower."
            ),
        ),
        (
            "Nobody is shot at, and nothing is aimed at.",
            (
                "The model has no casualties, no combat, no targeting and no rules for the use of force. "
                "Posts and teams are numbers and distances; it is no plan for where to put anybody."
            ),
        ),
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
