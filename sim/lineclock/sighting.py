"""When an incident is noticed, and by whom: what stands there, what passes by, what others report."""

from __future__ import annotations

import math

import numpy as np

from sim.lineclock.compiled import inlined
from sim.lineclock.dispatch import is_night
from sim.lineclock.draws import quantile
from sim.lineclock.state import (
    DAY,
    LAYER_NONE,
    LAYER_PATROL,
    LAYER_REPORT,
    LAYER_STANDING,
    RANDOM,
    REGULAR,
    ROW_BIRTH,
    ROW_PASSES,
    ROW_STANDING,
)


@inlined
def first_sighting(plan, laydown, state, slot, row, lane):
    """When and by whom an incident is noticed -> (delay in hours or inf, layer).

    What is certain is not drawn: draws are keyed, so nothing else changes by that.
    """
    kind, cell, start_h = state.slots[slot].kind, state.slots[slot].cell, state.slots[slot].start_h
    sector = plan.cell_sector[cell]
    night = int(is_night(state, start_h))
    weather = 2 * night + state.is_poor[sector, state.pointers[DAY]]
    stands, reports = laydown.stand_p[kind, weather, cell], plan.reports_p[kind]
    u_report, u_delay = 0.5, 0.5
    law = plan.report_law
    if stands > 0.0 or 0.0 < reports < 1.0 or (reports > 0.0 and law[0] != 0.0):
        if state.ahead[row, ROW_STANDING, 0, lane] < stands:
            return 0.0, LAYER_STANDING
        u_report = state.ahead[row, ROW_STANDING, 1, lane]
        u_delay = state.ahead[row, ROW_STANDING, 2, lane]
    best_h, best_layer = np.inf, LAYER_NONE
    lasts_h = -1.0
    for layer in range(2):
        gap_h = laydown.pass_gap_h[layer, night, cell]
        detection = plan.pass_detection[layer, kind, night]
        if gap_h < np.inf and detection > 0.0:
            if lasts_h < 0.0:
                law_d = plan.duration_law[kind]
                lasts_h = quantile(law_d[0], law_d[1], law_d[2], state.ahead[row, ROW_BIRTH, 2, lane])
            u_phase = state.ahead[row, ROW_PASSES + layer, 0, lane]
            u_miss = state.ahead[row, ROW_PASSES + layer, 1, lane]
            if state.ahead[row, ROW_PASSES + layer, 2, lane] < laydown.pass_up[layer, weather, sector]:
                split = laydown.pass_split[layer, cell]
                wait_h = next_pass_h(plan.pass_pattern[layer], gap_h, split, detection, u_phase, u_miss)
                if wait_h < lasts_h and wait_h < best_h:
                    best_h, best_layer = wait_h, LAYER_PATROL + layer
    if u_report < reports:
        wait_h = quantile(law[0], law[1], law[2], u_delay)
        if wait_h < best_h:
            best_h, best_layer = wait_h, LAYER_REPORT
    return best_h, best_layer


@inlined
def next_pass_h(pattern, gap_h, split, detection, u_phase, u_miss):
    """Hours until a passing watch notices what stays; each pass notices with the same chance, on its own.

    regular: the phase is uniform on the gap. random: passes that notice are a Poisson process (Koopman 1946).
    back and forth: at place x of its beat the gaps alternate between 2 x gap and 2 (1 - x) gap (Szechtman et
    al. 2008).
    """
    if detection <= 0.0 or gap_h == np.inf:
        return np.inf
    if pattern == RANDOM:
        return -math.log(u_phase) * gap_h / detection
    missed = 0.0 if detection >= 1.0 else math.floor(math.log(u_miss) / math.log1p(-detection))
    if pattern == REGULAR:
        return (u_phase + missed) * gap_h
    cycle_h = 2.0 * gap_h
    first_h = split * cycle_h
    phase_h = u_phase * cycle_h
    if phase_h < first_h:
        wait_h, odd_h = first_h - phase_h, cycle_h - first_h
    else:
        wait_h, odd_h = cycle_h - phase_h, first_h
    pairs = math.floor(missed / 2.0)
    return wait_h + pairs * cycle_h + (odd_h if missed > 2.0 * pairs else 0.0)
