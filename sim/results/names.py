"""The metrics of a run: their names, units and meanings.

Most have one name for every scenario. Those of a family end in the name of an escalation level, which is the
author's.
"""

from __future__ import annotations

from collections.abc import Sequence

UNITS = {
    "coverage.line_watched_share": "share",
    "coverage.sighted_share": "share",
    "coverage.attended_in_time_share": "share",
    "coverage.attributed_share": "share",
    "coverage.revisit_gap_h": "h",
    "response.time_h.mean": "h",
    "response.time_h.p90": "h",
    "response.team_utilisation": "share",
    "response.waited_share": "share",
    "incidents.happened_per_day": "per day",
    "incidents.sighted_per_day": "per day",
    "incidents.false_reports_per_day": "per day",
    "incidents.deterred_per_day": "per day",
    "incidents.from_retaliation_share": "share",
    "incidents.prevented_per_day": "per day",
    "escalation.collapse_probability": "probability",
    "escalation.stood_days": "days",
    "force.pledged": "soldiers",
    "force.on_station": "soldiers",
    "force.effective": "soldiers",
    "force.short_share": "share",
    "force.patrols_per_day": "per day",
    "force.pool": "soldiers",
    "force.person_tours": "tours",
    "force.aircraft_lost": "aircraft",
    "force.casualties": "soldiers",
}
"""Every metric that a run can have, with its unit; families apart. Shares of attendance are of incidents that
ask for a team. A probability is a share of histories; in one of them it is 0 or 1.
"""

MEANINGS = {
    "coverage.line_watched_share": "Share of line and hours in reach of a post or sensor, or passed often",
    "coverage.sighted_share": "Share of all incidents that the mission noticed",
    "coverage.attended_in_time_share": "Share of incidents asking for a team that had one within standard",
    "coverage.attributed_share": "Share of incidents asking for a team where the mission can say who did it",
    "coverage.revisit_gap_h": "Time between looks that half of the line, over all hours, does not exceed",
    "response.time_h.mean": "Mean time from sighting to the first team on the spot",
    "response.time_h.p90": "Time from sighting to first team that nine in ten attended did not exceed",
    "response.team_utilisation": "Share of their duty time for which response teams were out",
    "response.waited_share": "Share of calls for a team that had to wait because none was free",
    "incidents.happened_per_day": "Incidents that happened, seen or not",
    "incidents.sighted_per_day": "Incidents that the mission noticed",
    "incidents.false_reports_per_day": "Reports with nothing behind them",
    "incidents.deterred_per_day": "Incidents that did not happen because they would have been seen",
    "incidents.from_retaliation_share": "Share of incidents that another one provoked",
    "incidents.prevented_per_day": "Reprisals that did not happen because a team was on the spot",
    "escalation.collapse_probability": "Share of histories in which the ceasefire collapses",
    "escalation.stood_days": "Days until the ceasefire collapses; the whole horizon where it stands",
    "force.pledged": "Soldiers pledged",
    "force.on_station": "Soldiers on the line, mean over the horizon",
    "force.effective": "Soldiers present and free of support duties, mean over the horizon",
    "force.short_share": "Share of the wanted laydown, in soldiers, that could not be manned",
    "force.patrols_per_day": "Patrols manned, mean over the horizon",
    "force.pool": "Soldiers that the nations tie up in rotation for those pledged",
    "force.person_tours": "Soldier tours served over the horizon",
    "force.aircraft_lost": "Drones lost over the horizon",
    "force.casualties": "The mission's dead and wounded in incidents",
}
"""What each metric says, in one line. Incidents are counted for as long as the ceasefire stands, and numbers
per day are over that time, means of them and of shares over that of all histories together (`WEIGHTS`);
soldiers are counted over the whole horizon.
"""

STOOD_DAYS = "escalation.stood_days"
WEIGHTS = {
    "coverage.line_watched_share": STOOD_DAYS,
    "coverage.sighted_share": "weight.incidents",
    "coverage.attended_in_time_share": "weight.asking",
    "coverage.attributed_share": "weight.asking",
    "response.time_h.mean": "weight.attended",
    "response.team_utilisation": "weight.team_duty_h",
    "response.waited_share": "weight.calls",
    "incidents.happened_per_day": STOOD_DAYS,
    "incidents.sighted_per_day": STOOD_DAYS,
    "incidents.false_reports_per_day": STOOD_DAYS,
    "incidents.deterred_per_day": STOOD_DAYS,
    "incidents.from_retaliation_share": "weight.incidents",
    "incidents.prevented_per_day": STOOD_DAYS,
}
"""What a metric is a share of, or a number per, by the column that has it for each replication. Where the
ceasefire may collapse, histories are unlike in length: means and intervals of these are of all histories
together, a history counting by what there was in it.
"""

FAMILIES = {
    "escalation.days_in.": ("days", "Days that a sector spends in level {}, mean over sectors"),
    "escalation.reach_probability.": (
        "probability",
        "Share of histories in which a sector comes as high as level {}",
    ),
    "escalation.first_reach_days.": (
        "days",
        "Days until the first sector comes as high as level {}, over the histories in which one does",
    ),
}
"""Metrics of every level by the beginning of their names: unit and meaning."""

COLLAPSE = "escalation.collapse_probability"
"""There is this metric if and only if a scenario escalates."""

SHARES = ("share", "probability")
"""Units between 0 and 1, told in per cent."""

FROM_THE_START = "escalation.days_in."
"""The one family that knows the lowest level too: every sector begins there."""


def metric_names(levels: Sequence[str]) -> list[str]:
    """Every metric that a run with these escalation levels can have."""
    own = [
        family + level
        for family in FAMILIES
        for level in (levels if family == FROM_THE_START else levels[1:])
    ]
    return [*UNITS, *own]


def unit_of(name: str) -> str | None:
    """Unit of a metric, or None for what is no metric."""
    family = _family_of(name)
    return UNITS.get(name) if family is None else FAMILIES[family][0]


def meaning_of(name: str) -> str:
    """What a metric says, in one line."""
    family = _family_of(name)
    return MEANINGS.get(name, "") if family is None else FAMILIES[family][1].format(name.removeprefix(family))


def _family_of(name: str) -> str | None:
    return next((family for family in FAMILIES if name.startswith(family)), None)
