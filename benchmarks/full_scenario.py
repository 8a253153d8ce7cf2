"""The whole model at one rate of incidents, as a scenario."""

from __future__ import annotations

import pathlib
import tempfile

from sim.campaign.theatre import Theatre, stage
from sim.scenario.resolve import load

RATES = (20, 100, 800)
"""Incidents a day."""

BASES = 24
SECTORS = 7
LINE_KM = 1287.475  # 800 miles
TEAMS_OF_SECTOR = {20: 3, 100: 6, 800: 32}
"""Teams in each sector grow with what happens, so that they have to wait seldom but at every rate."""

HAPPENS_PER_STATED = 1.6
"""Incidents that happen for each that the rates state: truce and levels take away and add, reprisals add."""

SCENARIO = """
bufferzone: 1
name: The whole model
horizon: {horizon_days} days
line: {{length: 800 mi}}
sectors: {{{sectors}}}
bases: {{{bases}}}
force: {{contingents: {{alpha: {{strength: 500000, unit_size: 50000, support_share: 0, absent_share: 0}}}}}}
posture:
  everywhere:
    posts: {{every: 6 km}}
    sensors: {{every: 5 km}}
    patrols: {{every: 3 km}}
    orbits: {{count: 3}}
    teams: {{count: {teams}}}
watch:
  posts: {{reach: 4 km, detection: 0.4, night_factor: 0.6}}
  sensors: {{reach: 5 km, detection: 0.25}}
  patrols: {{pattern: random, route: 20 km, detection: 0.5, hours: always}}
  orbits: {{pattern: back_and_forth, detection: 0.2}}
  reports: {{probability: 0.2, delay: {{kind: exponential, mean: 6 h}}}}
violations:
  small_arms:
    severity: 1
    rate: {small_arms} per day
    night: 2
    hot_spots: &fronts {{{fronts}}}
    duration: {{kind: exponential, mean: 20 min}}
    standard: 3 h
    on_scene: {{kind: lognormal, median: 1 h, p90: 3 h}}
    attribution: 0.5
    false_reports: {false_small_arms} per day
    retaliation: {{mean: 0.2, delay: {{kind: exponential, mean: 12 h}}, calming: 0.5}}
  shelling:
    severity: 4
    rate: {shelling} per day
    night: 2
    hot_spots: *fronts
    duration: {{kind: lognormal, median: 20 min, p90: 2 h}}
    standard: 3 h
    on_scene: {{kind: lognormal, median: 2 h, p90: 5 h}}
    evidence: {{kind: exponential, mean: 7 days}}
    attribution: 0.8
    false_reports: {false_shelling} per day
    seen_by: {{posts: {{reach: 12 km}}, patrols: {{detection: 0.9}}, reports: {{probability: 0.4}}}}
    retaliation:
      {{mean: 0.4, delay: {{kind: exponential, mean: 8 h}}, spread: 8 km,
        types: {{shelling: 0.6, small_arms: 0.4}}, calming: 0.3}}
  drone:
    severity: 1
    rate: {drone} per day
    duration: 15 min
    teams: 0
    seen_by: {{reports: {{probability: 0.05}}}}
  incursion:
    severity: 5
    rate: {incursion} per day
    night: 3
    duration: {{kind: lognormal, median: 3 h, p90: 12 h}}
    teams: 2
    standard: 4 h
    on_scene: {{kind: lognormal, median: 3 h, p90: 8 h}}
truce: {{start: 1.5, doubling: 120 days, ceiling: 1.5}}
events:{first}
  again: {{every: 182 days, recommit: {{drop: 0.5}}}}
escalation:
  half_life: 14 days
  unanswered_factor: 1.5
  levels:
    calm: {{}}
    strained:
      {{enter_at: {strained}, leave_below: {calm_again}, min_stay: 7 days, incidents: 1.15, retaliation: 1.2}}
    tense:
      {{enter_at: {tense}, leave_below: {strained_again}, min_stay: 7 days, incidents: 1.3, retaliation: 1.4}}
    collapse: {{enter_at: {collapse}}}
response:
  reaction: {{kind: lognormal, median: 20 min, p90: 40 min}}
  reach: 6 h
  give_up_after: 12 h
"""
FIRST_DAY = 45
FIRST = f"""
  first: {{after: {FIRST_DAY} days, recommit: {{drop: 0.5}}}}"""
"""A recommitment that short histories see as well."""

SHARES = {"small_arms": 0.42, "shelling": 0.2, "drone": 0.33, "incursion": 0.05}
FALSE_SHARES = {"false_small_arms": 0.04, "false_shelling": 0.02}
LEVELS = {"strained": 9.0, "calm_again": 6.3, "tense": 13.5, "strained_again": 9.0, "collapse": 200.0}
"""Tension over the incidents that the rates state for a sector and a day."""


def staged(per_day: int, horizon_days: float) -> Theatre:
    """The whole model, ready to run."""
    stated = per_day / HAPPENS_PER_STATED
    numbers = {name: share * stated for name, share in {**SHARES, **FALSE_SHARES}.items()}
    numbers |= {name: times * stated for name, times in LEVELS.items()}
    sectors = (f"s{x}: {{from: {x * LINE_KM / SECTORS:.3f} km}}" for x in range(SECTORS))
    fronts = (
        f"f{x}: {{chainage: {(x + 0.4) * LINE_KM / SECTORS:.3f} km, share: 0.08, spread: 8 km}}"
        for x in range(SECTORS)
    )
    bases = (f"b{b}: {{chainage: {(b + 0.5) * LINE_KM / BASES:.3f} km}}" for b in range(BASES))
    text = SCENARIO.format(
        horizon_days=horizon_days,
        sectors=", ".join(sectors),
        fronts=", ".join(fronts),
        bases=", ".join(bases),
        first=FIRST if horizon_days > FIRST_DAY else "",
        teams=TEAMS_OF_SECTOR[per_day],
        **{name: repr(round(value, 6)) for name, value in numbers.items()},
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "full.yaml"
        path.write_text(text, encoding="utf-8")
        file = load(path)
        return stage(file.scenario, file.document)
