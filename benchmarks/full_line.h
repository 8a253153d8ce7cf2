/* What full_line.c works on: its arrays, the heap of coming events, and the levels of sectors.
 *
 * `Line` has the fields of `Tables` in full_tables.py, in the same order.
 */
#include "chance.h"

typedef struct {
    int64_t cells, bases, sectors, kinds, levels;
    const int32_t *order, *first_team, *cell_sector, *teams_wanted, *place_guide;
    const double *drive_h, *place_cdf, *stand_p, *gap_h, *split, *up, *detection, *sunrise_h, *sunset_h;
    const double *most_per_h, *false_per_h, *happens_p, *recommit_h;
    const double *severity, *standard_h, *attribution, *reports_p, *duration, *on_scene, *evidence;
    const double *breeds_mean, *breeds_cdf, *breeds_km, *breeds_law, *calming;
    const double *level_breeds, *enter_at, *leave_below, *min_stay_h;
    const double *report_law, *reaction_law;
    double drop, truce_start, truce_growth, truce_ceiling, reach_h, give_up_h, night_slowness, decay, extra;
    double cell_km, length_km;
} Line;

enum { TEAM_DONE, NOTICED, DEADLINE, REPRISAL };
enum { HAPPENED, SIGHTED, ATTENDED, IN_TIME, ATTRIBUTED, RESPONSE_H, RAISED_H, OUT };

typedef struct { double at_h; int what; } Event;
typedef struct {
    double start_h, sighted_h, arrive_h;
    int kind, cell, need, open, held, parent, is_real, is_over;
} Incident;
typedef struct { int slot, base, is_free; double home_h; } Team;
typedef struct { double tension, tension_h, fall_h, stay_until_h, raised_since_h; int level; } Sector;

typedef struct {
    const Line *l;
    Chance c;
    double now_h, truce, truce_h, next_fall_h, horizon_h, *out;
    Event *heap;
    Incident *slots; /* is_over: has ended, or is a reprisal that may yet be prevented, or nothing */
    Team *teams;
    Sector *sectors;
    int *free_slots, *waiting;
    int heap_size, free_count, waiters, room;
} World;

static void push(World *w, double at_h, int what) {
    Event *heap = w->heap;
    int i = w->heap_size++;
    for (int up; i > 0 && heap[up = (i - 1) / 2].at_h > at_h; i = up) heap[i] = heap[up];
    heap[i] = (Event){at_h, what};
}

static int pop(World *w) {
    Event *heap = w->heap, last = heap[--w->heap_size];
    int what = heap[0].what, i = 0, size = w->heap_size;
    for (int down; (down = 2 * i + 1) < size; i = down) {
        if (down + 1 < size && heap[down + 1].at_h < heap[down].at_h) down++;
        if (last.at_h <= heap[down].at_h) break;
        heap[i] = heap[down];
    }
    heap[i] = last;
    return what;
}

static inline int is_night(const Line *l, double at_h) {
    int day = (int)(at_h / 24.0);
    return at_h < l->sunrise_h[day] || at_h >= l->sunset_h[day];
}

/* Levels --------------------------------------------------------------------------------------------------- */

static inline double tension_at(const World *w, const Sector *s, double at_h) {
    return s->tension * exp((s->tension_h - at_h) * w->l->decay);
}

static void enters(World *w, Sector *s, int level) {
    if (s->level > 0 && level == 0) w->out[RAISED_H] += w->now_h - s->raised_since_h;
    if (s->level == 0 && level > 0) s->raised_since_h = w->now_h;
    s->level = level;
    s->stay_until_h = w->now_h + w->l->min_stay_h[level];
}

static void expects_fall(World *w, Sector *s) {
    double below = w->l->leave_below[s->level];
    s->fall_h = INFINITY;
    if (below <= 0) return;
    double over = s->tension / below, at_h = s->tension_h + (over > 1 ? log(over) / w->l->decay : 0.0);
    s->fall_h = at_h > s->stay_until_h ? at_h : s->stay_until_h;
    if (s->fall_h < w->next_fall_h) w->next_fall_h = s->fall_h;
}

static void strains(World *w, int sector, double by) {
    Sector *s = &w->sectors[sector];
    int level = s->level;
    s->tension = tension_at(w, s, w->now_h) + by;
    s->tension_h = w->now_h;
    while (level + 1 < w->l->levels && s->tension >= w->l->enter_at[level + 1]) level++;
    if (level != s->level) enters(w, s, level);
    expects_fall(w, s);
}

static void may_fall(World *w) { /* next_fall_h is a lower bound: tension that rises puts a fall off */
    w->next_fall_h = INFINITY;
    for (int x = 0; x < w->l->sectors; x++) {
        Sector *s = &w->sectors[x];
        if (s->fall_h <= w->now_h) {
            s->tension = tension_at(w, s, w->now_h);
            s->tension_h = w->now_h;
            enters(w, s, s->level - 1);
            expects_fall(w, s);
        }
        if (s->fall_h < w->next_fall_h) w->next_fall_h = s->fall_h;
    }
}
