"""`bufferzone estimate`: the closed-form answer."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys

import click

from sim.campaign.theatre import stage
from sim.cli.options import json_option, loaded, scenario_argument, set_option
from sim.force.manning import TASKS
from sim.study.estimate import Estimate, estimate
from sim.study.lint import unlikely


@click.command("estimate")
@scenario_argument
@set_option
@json_option
def command(scenario: pathlib.Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Answer SCENARIO in closed form: coverage without simulation, troops to task, rotation pool.

    For the time when every unit has arrived. Nothing queues here: `bufferzone run` has the last word.
    """
    file = loaded(scenario, settings)
    theatre = stage(file.scenario, file.document)
    answer = estimate(theatre)
    for warning in unlikely(theatre, file):
        print(f"warning: {warning}", file=sys.stderr)
    if as_json:
        print(json.dumps(dataclasses.asdict(answer), indent=2, ensure_ascii=False))
        return
    _print(file.scenario.name, theatre.ground.line.length_km, answer)


def _print(name: str, length_km: float, e: Estimate) -> None:
    print(f"{name}: closed form, every unit arrived, nothing queues\n")
    print(f"  line                    {length_km:>10,.1f} km")
    print(f"  pledged                 {e.pledged:>10,} soldiers ({e.pledged / length_km:.1f} per km)")
    print(
        f"  effective               {e.effective:>10,.0f} of {e.wanted_effective:,.0f} "
        f"that the laydown wants{_short(e.short_share)}"
    )
    print(f"  tied up with rotation   {e.pool:>10,.0f} soldiers")
    print(
        f"  line watched            {e.line_watched_share:>10.1%} of its length and hours; "
        f"longest stretch watched less than half the time {e.longest_unwatched_km:.0f} km"
    )
    gap = "never looked at" if e.revisit_gap_h is None else f"{e.revisit_gap_h:.1f} h"
    print(f"  time between looks      {gap:>10} for the middle kilometre (0 = standing watch)")
    if e.sighted_share is not None:
        print(f"  incidents sighted       {e.sighted_share:>10.1%}")
    for kind, share in e.sighted_by_type.items():
        print(f"    {kind:<22}{share:>10.1%}")
    print(f"  calls for a team        {e.calls_per_day:>10.1f} a day")
    if e.nearest_drive_h is not None and e.team_load is not None:
        print(
            f"  drive from nearest base {e.nearest_drive_h:>10.1f} h on average by day; "
            f"teams out {e.team_load:.0%} of their time"
        )
    print(
        "\n  sector                             km   watched  sighted  "
        + "".join(f"{task:>14}" for task in TASKS[1:])
        + "   (manned/wanted)"
    )
    for s in e.sectors:
        sighted = "-" if s.sighted_share is None else f"{s.sighted_share:.0%}"
        tasks = "".join(f"{f'{s.manned[t]}/{s.wanted[t]}':>14}" for t in TASKS[1:])
        print(f"  {s.title[:32]:<32}{s.length_km:>6.0f}{s.watched_share:>9.0%}{sighted:>9}  {tasks}")
    if e.leaves_out:
        print("\n  knows nothing of")
        for what in e.leaves_out:
            print(f"  - {what}")
    print("\n  troops to task, for the laydown as wanted")
    for step in e.troops_to_task:
        sign = "=" if step.is_total else "+"
        print(f"  {sign} {step.label:<22}{step.soldiers:>12,.0f}")


def _short(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%} short)" if share >= 0.0005 else " (nothing short)"
