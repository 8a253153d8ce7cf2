"""The answer on the first screen: one or two sentences written from the data, and five numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.report.words import amount, interval, listed, number, percent
from sim.results.names import COLLAPSE, FROM_THE_START
from sim.results.statistics import opposite

if TYPE_CHECKING:
    from sim.report.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One number that matters, with its interval and its meaning."""

    label: str
    value: str
    interval: str
    meaning: str


def sentences(run: Run) -> list[str]:
    """What the run says to the question that its author asked."""
    metrics = run.answer["metrics"]
    pledged, present = (metrics[name]["mean"] for name in ("force.pledged", "force.on_station"))
    force = f"With {number(pledged)} pledged soldiers, {number(present, 0)} on station on average"
    parts = []
    if (share := _mean(metrics, "coverage.line_watched_share")) is not None:
        parts.append(f"watch {_rounded(metrics['coverage.line_watched_share'], share)} of the line")
    if (share := _mean(metrics, "coverage.sighted_share")) is not None:
        parts.append(f"see {_rounded(metrics['coverage.sighted_share'], share)} of incidents")
    if (share := _mean(metrics, "coverage.attended_in_time_share")) is not None:
        parts.append(
            "have a team on the spot in time at "
            f"{_rounded(metrics['coverage.attended_in_time_share'], share)} of those that call for one"
        )
    first = f"{force}, the force would {listed(parts)}." if parts else f"{force}."
    short = _mean(metrics, "force.short_share")
    if short is None:
        second = "No laydown was asked for, so none is missing."
    elif short == 0:
        second = "It can man all of the wanted laydown."
    else:
        second = (
            f"Averaged over the whole time, arrival included, it is short of {percent(short)} of the wanted "
            "laydown."
        )
    out = [*_interrupted(run), *_holds(run), first, second]
    if "coverage.sighted_share" not in metrics:
        out.append("No violations were described, so nothing is said about sighting or response.")
    elif metrics["coverage.sighted_share"]["mean"] is None:
        out.append("Nothing happened in any replication, so nothing is said about sighting or response.")
    return out


def _interrupted(run: Run) -> list[str]:
    """That there are fewer histories than were asked for; nothing where all are there."""
    if not run.manifest.get("interrupted"):
        return []
    done, asked = run.replication_count, int(run.manifest["replications_asked"])
    return [f"{done:,} of {asked:,} replications: interrupted."]


def _holds(run: Run) -> list[str]:
    """Whether the ceasefire stands, and how tense its sectors are; nothing where nothing escalates."""
    metrics, escalation = run.answer["metrics"], run.setting.scenario.escalation
    if COLLAPSE not in metrics or escalation is None:
        return []
    stands = opposite(metrics[COLLAPSE])
    if run.replication_count > 1:
        holds = f"In {_rounded(stands, stands['mean'])} of histories the ceasefire stands at the end."
    else:
        holds = "In this history the ceasefire " + ("stands at the end." if stands["mean"] else "collapses.")
    days = [
        f"{number(metrics[f'{FROM_THE_START}{name}']['mean'])} in {part.title or name.replace('_', ' ')}"
        for name, part in escalation.levels.items()
    ]
    spent = f"Of {number(run.setting.horizon_days, 0)} days a sector spends {listed(days)}, on average."
    return [f"{holds} {spent}"]


def cards(run: Run) -> list[Card]:
    """Five numbers, the most asked for first."""
    metrics = run.answer["metrics"]
    wanted = (
        (
            "coverage.attended_in_time_share",
            "attended in time",
            "of the incidents that call for a team, one was on the spot within the standard",
        ),
        ("coverage.sighted_share", "sighted", "of all incidents were noticed by the mission"),
        (
            "coverage.line_watched_share",
            "of the line watched",
            "over all hours: within reach of a post or sensor, or passed often enough",
        ),
        (
            "response.time_h.p90",
            "nine in ten reached within",
            "from sighting to the first team; incidents that were never reached do not count",
        ),
        (
            "force.short_share",
            "short of the wanted laydown",
            "in soldiers, averaged over the whole time; 0 means that everything wanted was manned",
        ),
        ("force.on_station", "on station", "mean over the whole time, build-up included"),
        ("force.pool", "rotation pool", "soldiers that the nations tie up to keep up what they pledged"),
    )
    out: list[Card] = []
    if COLLAPSE in metrics:
        stands = opposite(metrics[COLLAPSE])
        out.append(
            Card(
                label="ceasefire stands at the end",
                value=percent(stands["mean"]),
                interval=_interval(run, stands),
                meaning="share of histories without a collapse, under the levels that the author set",
            )
        )
    for name, label, meaning in wanted:
        if name not in metrics or metrics[name]["mean"] is None or len(out) == 5:
            continue
        out.append(
            Card(
                label=label,
                value=amount(metrics[name]["mean"], metrics[name]["unit"]),
                interval=_interval(run, metrics[name]),
                meaning=meaning,
            )
        )
    return out


def _interval(run: Run, metric: dict[str, Any]) -> str:
    if run.replication_count < 2:
        return "one replication: no interval"
    told = interval(metric)
    if told is None:
        return "in too few replications for an interval"
    return (
        "the same in every replication" if metric["ci_low"] == metric["ci_high"] else f"95 % interval {told}"
    )


def _mean(metrics: dict[str, Any], name: str) -> float | None:
    return metrics[name]["mean"] if name in metrics else None


def _rounded(metric: dict[str, Any], share: float) -> str:
    """A share in the sentence: whole per cent, with its interval where that is wider than a point."""
    ends = metric["ci_low"], metric["ci_high"]
    text = percent(share, 0)
    if None in ends or ends[1] - ends[0] < 0.01:
        return text
    low, high = (percent(end, 0).removesuffix("\u00a0%") for end in ends)
    return f"{text} ({low}{chr(0x2013)}{high})"
