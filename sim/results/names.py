"""The metrics of a run: their names, units and meanings."""

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
    "force.pledged": "soldiers",
    "force.on_station": "soldiers",
    "force.effective": "soldiers",
    "force.short_share": "share",
    "force.patrols_per_day": "per day",
    "force.pool": "soldiers",
    "force.person_tours": "tours",
    "force.aircraft_lost": "aircraft",
}
"""Every metric that a run can have, with its unit. Shares of attendance are of incidents that ask for a team.
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
    "force.pledged": "Soldiers pledged",
    "force.on_station": "Soldiers on the line, mean over the horizon",
    "force.effective": "Soldiers present and free of support duties, mean over the horizon",
    "force.short_share": "Share of the wanted laydown, in soldiers, that could not be manned",
    "force.patrols_per_day": "Patrols manned, mean over the horizon",
    "force.pool": "Soldiers that the nations tie up in rotation for those pledged",
    "force.person_tours": "Soldier tours served over the horizon",
    "force.aircraft_lost": "Drones lost over the horizon",
}
"""What each metric says, in one line."""
