/* The whole model as lean as C allows: what simpy_full.py simulates, without ledgers by day and place and without
 * keyed chance.
 *
 * Candidates of all types come from one stream outside the heap; the heap holds the ends of jobs, sightings,
 * deadlines and reprisals; those that wait stand in order of severity and age.
 */
#include <string.h>

#include "full_line.h"

/* What is answered ----------------------------------------------------------------------------------------- */

static inline void lets_go(World *w, int slot) {
    if (w->slots[slot].is_over && !w->slots[slot].held) w->free_slots[w->free_count++] = slot;
}

static void is_over(World *w, int slot) {
    Incident *i = &w->slots[slot];
    const Line *l = w->l;
    i->is_over = 1;
    if (i->is_real && i->arrive_h < w->horizon_h) {
        double took_h = i->arrive_h - i->start_h;
        w->out[ATTENDED]++;
        w->out[RESPONSE_H] += i->arrive_h - i->sighted_h;
        w->out[IN_TIME] += took_h <= l->standard_h[i->kind];
        if (took_h <= lasting(&w->c, l->evidence + 3 * i->kind))
            w->out[ATTRIBUTED] += unit(&w->c) < l->attribution[i->kind];
    }
    lets_go(w, slot);
}

static void is_sent(World *w, int slot, int team, double wait_h, double drive_h) {
    Incident *i = &w->slots[slot];
    Team *t = &w->teams[team];
    double reaction_h = lasting(&w->c, w->l->reaction_law);
    double arrive_h = w->now_h + (wait_h > reaction_h ? wait_h : reaction_h) + drive_h;
    t->slot = slot; t->is_free = 0;
    i->need--; i->open++;
    if (arrive_h < i->arrive_h) i->arrive_h = arrive_h;
    push(w, arrive_h + lasting(&w->c, w->l->on_scene + 3 * i->kind), 4 * team + TEAM_DONE);
}

static int sends_nearest(World *w, int slot) { /* whether a team was free */
    const Line *l = w->l;
    int cell = w->slots[slot].cell, best = -1;
    double slow = is_night(l, w->now_h) ? l->night_slowness : 1.0, best_h = INFINITY, wait_h = 0, drive_h = 0;
    for (int j = 0; j < l->bases; j++) {
        int base = l->order[cell * l->bases + j];
        double drive = l->drive_h[cell * l->bases + base] * slow;
        if (drive > l->reach_h || drive >= best_h) break;
        for (int m = l->first_team[base]; m < l->first_team[base + 1]; m++) {
            if (!w->teams[m].is_free) continue;
            double wait = w->teams[m].home_h > w->now_h ? w->teams[m].home_h - w->now_h : 0.0;
            if (wait + drive < best_h) { best_h = wait + drive; best = m; wait_h = wait; drive_h = drive; }
            if (wait <= 0) break;
        }
    }
    if (best >= 0) is_sent(w, slot, best, wait_h, drive_h);
    return best >= 0;
}

static int waits(World *w, int slot) { /* gravest first, then oldest -> 0, or 1 when there is no room */
    const Incident *new = &w->slots[slot];
    if (w->waiters == w->room) return 1;
    int i = w->waiters++;
    for (; i > 0; i--) {
        const Incident *other = &w->slots[w->waiting[i - 1]];
        double a = w->l->severity[other->kind], b = w->l->severity[new->kind];
        if (a > b || (a == b && other->start_h <= new->start_h)) break;
        w->waiting[i] = w->waiting[i - 1];
    }
    w->waiting[i] = slot;
    return 0;
}

static void stops_waiting(World *w, int i) {
    memmove(w->waiting + i, w->waiting + i + 1, sizeof(int) * (--w->waiters - i));
}

static int is_sighted(World *w, int slot) {
    Incident *i = &w->slots[slot];
    i->sighted_h = w->now_h;
    w->out[SIGHTED] += i->is_real;
    if (i->need == 0) { i->is_over = 1; lets_go(w, slot); return 0; }
    while (i->need > 0) if (!sends_nearest(w, slot)) return waits(w, slot);
    return 0;
}

static void team_is_done(World *w, int team) {
    const Line *l = w->l;
    Team *t = &w->teams[team];
    int done = t->slot;
    double slow = is_night(l, w->now_h) ? l->night_slowness : 1.0;
    double back_h = l->drive_h[w->slots[done].cell * l->bases + t->base] * slow;
    t->is_free = 1;
    t->home_h = w->now_h + (back_h < l->reach_h ? back_h : l->reach_h);
    if (--w->slots[done].open == 0 && w->slots[done].need == 0) is_over(w, done);
    for (int k = 0; k < w->waiters;) {
        int slot = w->waiting[k];
        Incident *i = &w->slots[slot];
        if (w->now_h > i->sighted_h + l->give_up_h) {
            stops_waiting(w, k);
            i->need = 0;
            if (i->open == 0) is_over(w, slot);
            continue;
        }
        double drive_h = l->drive_h[i->cell * l->bases + t->base] * slow;
        if (drive_h > l->reach_h) { k++; continue; }
        is_sent(w, slot, team, t->home_h - w->now_h, drive_h);
        if (i->need == 0) stops_waiting(w, k);
        return;
    }
}

/* What happens --------------------------------------------------------------------------------------------- */

static double patrol_comes_h(World *w, int kind, int cell, int night) { /* random: Poisson passes that notice */
    double gap_h = w->l->gap_h[night * w->l->cells + cell], p = w->l->detection[2 * kind + night];
    return p > 0 && gap_h < INFINITY ? -log(unit(&w->c)) * gap_h / p : INFINITY;
}

static double orbit_comes_h(World *w, int kind, int cell, int night) { /* back and forth: two gaps in turn */
    const Line *l = w->l;
    double gap_h = l->gap_h[(2 + night) * l->cells + cell], p = l->detection[2 * (l->kinds + kind) + night];
    if (p <= 0 || gap_h == INFINITY || unit(&w->c) >= l->up[night * l->sectors + l->cell_sector[cell]])
        return INFINITY;
    double cycle_h = 2 * gap_h, first_h = l->split[cell] * cycle_h, phase_h = unit(&w->c) * cycle_h;
    double missed = p >= 1 ? 0 : floor(log(unit(&w->c)) / log1p(-p)), pairs = floor(missed / 2);
    double wait_h = phase_h < first_h ? first_h - phase_h : cycle_h - phase_h;
    double odd_h = phase_h < first_h ? cycle_h - first_h : first_h;
    return wait_h + pairs * cycle_h + (missed > 2 * pairs ? odd_h : 0);
}

static double seen_after_h(World *w, int kind, int cell) {
    const Line *l = w->l;
    int night = is_night(l, w->now_h);
    if (unit(&w->c) < l->stand_p[(2 * kind + night) * l->cells + cell]) return 0;
    double lasts_h = lasting(&w->c, l->duration + 3 * kind), best_h = INFINITY;
    double patrol_h = patrol_comes_h(w, kind, cell, night), orbit_h = orbit_comes_h(w, kind, cell, night);
    double pass_h = patrol_h < orbit_h ? patrol_h : orbit_h;
    if (pass_h < lasts_h) best_h = pass_h;
    if (unit(&w->c) < l->reports_p[kind]) {
        double report_h = lasting(&w->c, l->report_law);
        if (report_h < best_h) best_h = report_h;
    }
    return best_h;
}

static int takes_slot(World *w, int kind, int cell, int parent) {
    int slot = w->free_slots[--w->free_count];
    w->slots[slot] = (Incident){.kind = kind, .cell = cell, .parent = parent, .is_over = 1, .is_real = 1};
    return slot;
}

static void provokes(World *w, int slot) {
    const Line *l = w->l;
    int kind = w->slots[slot].kind, cell = w->slots[slot].cell, count = 0;
    double mean = l->breeds_mean[kind] * l->level_breeds[w->sectors[l->cell_sector[cell]].level];
    double chance = exp(-mean), below = chance;
    for (double u = unit(&w->c); u > below && count < 60; below += chance) chance *= mean / ++count;
    for (int i = 0; i < count; i++) {
        double u = unit(&w->c), away_km = -l->breeds_km[kind] * log(2 * (u < 0.5 ? u : 1 - u));
        double middle_km = (cell + 0.5) * l->cell_km;
        if (middle_km > l->length_km) middle_km = l->length_km;
        double at_km = fmod(fabs(u < 0.5 ? middle_km - away_km : middle_km + away_km), 2 * l->length_km);
        if (at_km > l->length_km) at_km = 2 * l->length_km - at_km;
        int there = (int)(at_km / l->cell_km), child = 0;
        for (u = unit(&w->c); l->breeds_cdf[kind * l->kinds + child] <= u;) child++;
        int its = takes_slot(w, child, there < l->cells ? there : (int)l->cells - 1, slot);
        w->slots[slot].held++;
        push(w, w->now_h + lasting(&w->c, l->breeds_law + 3 * kind), 4 * its + REPRISAL);
    }
}

static int begins(World *w, int slot) {
    const Line *l = w->l;
    Incident *i = &w->slots[slot];
    i->start_h = w->now_h; i->arrive_h = i->sighted_h = INFINITY;
    i->need = l->teams_wanted[i->kind]; i->is_over = 0;
    if (!i->is_real) return is_sighted(w, slot);
    w->out[HAPPENED]++;
    provokes(w, slot);
    strains(w, l->cell_sector[i->cell], l->severity[i->kind]);
    if (i->need > 0) { i->held++; push(w, w->now_h + l->standard_h[i->kind], 4 * slot + DEADLINE); }
    double delay_h = seen_after_h(w, i->kind, i->cell);
    if (delay_h <= 0) return is_sighted(w, slot);
    if (delay_h < INFINITY) push(w, w->now_h + delay_h, 4 * slot + NOTICED);
    else { i->is_over = 1; lets_go(w, slot); }
    return 0;
}

static int reprisal_is_due(World *w, int slot) {
    int parent = w->slots[slot].parent, kind = w->slots[parent].kind;
    int is_calmed = w->slots[parent].arrive_h <= w->now_h && unit(&w->c) < w->l->calming[kind];
    w->slots[parent].held--;
    lets_go(w, parent);
    if (!is_calmed) return begins(w, slot);
    lets_go(w, slot);
    return 0;
}

static void deadline_passes(World *w, int slot) {
    Incident *i = &w->slots[slot];
    if (i->arrive_h > w->now_h)
        strains(w, w->l->cell_sector[i->cell], w->l->extra * w->l->severity[i->kind]);
    i->held--;
    lets_go(w, slot);
}

static int candidate_is_due(World *w, const double *upto) {
    const Line *l = w->l;
    int p = 0, kinds = (int)l->kinds;
    for (double u = unit(&w->c) * upto[2 * kinds - 1]; upto[p] <= u && p < 2 * kinds - 1;) p++;
    int kind = p % kinds, is_real = p < kinds;
    double u = unit(&w->c);
    int cell = l->place_guide[kind * l->cells + (int)(u * (double)l->cells)];
    while (l->place_cdf[kind * l->cells + cell] <= u) cell++;
    if (is_real) {
        double truce = w->truce * exp(l->truce_growth * (w->now_h - w->truce_h)) / l->truce_ceiling;
        double happens = l->happens_p[kind * l->levels + w->sectors[l->cell_sector[cell]].level];
        if (unit(&w->c) >= happens * (truce < 1 ? truce : 1)) return 0;
    }
    int slot = takes_slot(w, kind, cell, -1);
    w->slots[slot].is_real = is_real;
    return begins(w, slot);
}

/* The clock ------------------------------------------------------------------------------------------------ */

static int runs(World *w) {
    const Line *l = w->l;
    const int kinds = (int)l->kinds;
    double upto[2][32], due_h = 0, turn_h = l->sunrise_h[0];
    int night = 1, day = 0, recommitments = 0;
    for (int n = 0; n < 2; n++) {
        double sum = 0;
        for (int k = 0; k < kinds; k++) upto[n][k] = sum += l->most_per_h[2 * k + n];
        for (int k = 0; k < kinds; k++) upto[n][kinds + k] = sum += l->false_per_h[k];
    }
    for (;;) {
        double step = -log(unit(&w->c)), rate; /* the next candidate, past as many dawns and dusks as it takes */
        while (due_h + step / (rate = upto[night][2 * kinds - 1]) > turn_h && due_h < w->horizon_h) {
            step -= (turn_h - due_h) * rate;
            due_h = turn_h;
            night = !night;
            turn_h = night ? l->sunrise_h[++day] : l->sunset_h[day];
        }
        due_h += step / rate;
        for (;;) {
            double now_h = due_h, heap_h = w->heap_size ? w->heap[0].at_h : INFINITY;
            double word_h = l->recommit_h[recommitments];
            if (heap_h < now_h) now_h = heap_h;
            if (word_h < now_h) now_h = word_h;
            if (w->next_fall_h < now_h) now_h = w->next_fall_h;
            if (now_h >= w->horizon_h) return 0;
            if (w->free_count < 64 || w->heap_size + 128 > w->room) return 1;
            w->now_h = now_h;
            if (now_h == w->next_fall_h) { may_fall(w); continue; }
            if (now_h == word_h) {
                double grown = w->truce * exp(l->truce_growth * (now_h - w->truce_h));
                w->truce = fmin(grown, l->truce_ceiling) * (1 - l->drop);
                w->truce_h = now_h;
                recommitments++;
                continue;
            }
            if (now_h == due_h) break;
            int what = pop(w), which = what >> 2;
            switch (what & 3) {
                case TEAM_DONE: team_is_done(w, which); break;
                case NOTICED: if (is_sighted(w, which)) return 1; break;
                case DEADLINE: deadline_passes(w, which); break;
                default: if (reprisal_is_due(w, which)) return 1;
            }
        }
        if (candidate_is_due(w, upto[night])) return 1;
    }
}

/* out: see the second enum of full_line.h. -> 0, or 1 when memory ran out. */
int full_line(const Line *l, double horizon_h, uint64_t seed, double *out) {
    const int room = 1 << 14, teams = l->first_team[l->bases];
    World w = {.l = l, .c = seeded(seed), .truce = l->truce_start, .out = out, .room = room, .free_count = room};
    w.next_fall_h = INFINITY; w.horizon_h = horizon_h;
    w.heap = malloc(sizeof(Event) * room); w.slots = malloc(sizeof(Incident) * room);
    w.teams = calloc(teams, sizeof(Team)); w.sectors = calloc(l->sectors, sizeof(Sector));
    w.free_slots = malloc(sizeof(int) * room); w.waiting = malloc(sizeof(int) * room);
    int failed = !w.heap || !w.slots || !w.teams || !w.sectors || !w.free_slots || !w.waiting;
    memset(out, 0, sizeof(double) * OUT);
    if (!failed) {
        for (int i = 0; i < room; i++) { w.free_slots[i] = room - 1 - i; w.slots[i].is_over = 1; }
        for (int x = 0; x < l->sectors; x++) w.sectors[x].fall_h = INFINITY;
        for (int b = 0; b < l->bases; b++)
            for (int m = l->first_team[b]; m < l->first_team[b + 1]; m++) w.teams[m] = (Team){-1, b, 1, 0.0};
        failed = runs(&w);
        for (int i = 0; i < room; i++) if (!w.slots[i].is_over) is_over(&w, i);
        for (int x = 0; x < l->sectors; x++)
            if (w.sectors[x].level > 0) out[RAISED_H] += horizon_h - w.sectors[x].raised_since_h;
    }
    free(w.heap); free(w.slots); free(w.teams); free(w.sectors); free(w.free_slots); free(w.waiting);
    return failed;
}
