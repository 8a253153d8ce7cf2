/* The spatial queue and nothing else: the same model as simpy_queue.py, as lean as C allows.
 *
 * A heap holds the moments at which teams are done, the next incident is kept outside it, bases are sorted by
 * distance for each cell, and those that wait stand in a ring. No ledgers, no outcomes. Chance comes from
 * xoshiro256++, one draw after the other; with KEYED defined it is keyed as in the line clock: a Philox block for
 * each incident's birth, another for the team that is sent.
 */
#include "chance.h"

enum { BIRTH = 0, SENT = 8 };

#ifdef KEYED
typedef uint64_t Source;
static inline void two(Source *key, uint32_t number, uint32_t block, double *a, double *b) {
    keyed(number, block, 0x6c696e65, *key, a, b);
}
static inline double one(Source *key, uint32_t number, uint32_t block) {
    double a, b;
    keyed(number, block, 0x6c696e65, *key, &a, &b);
    return a;
}
#else
typedef Chance Source;
static inline void two(Source *c, uint32_t number, uint32_t block, double *a, double *b) {
    (void)number; (void)block;
    *a = unit(c); *b = unit(c);
}
static inline double one(Source *c, uint32_t number, uint32_t block) { (void)number; (void)block; return unit(c); }
#endif

/* drive_h[cell * bases + base], order[cell * bases + j] = the j-th nearest base, first[base] = its first team.
 * out: happened, attended, waited, sum of hours until a team was there. -> 0, or 1 when memory ran out. */
int lean_queue(int cells, int bases, const double *drive_h, const int32_t *order, const int32_t *first,
               double rate_per_h, double on_scene_h, double horizon_h, uint64_t seed, double *out) {
    const int teams = first[bases], room = 1 << 20;
    double *done_h = malloc(sizeof(double) * (teams + 1)), *home_h = malloc(sizeof(double) * teams);
    double *wait_h = malloc(sizeof(double) * room);
    int *who = malloc(sizeof(int) * (teams + 1)), *where = malloc(sizeof(int) * teams);
    int *wait_cell = malloc(sizeof(int) * room), *wait_number = malloc(sizeof(int) * room), *base_of = malloc(sizeof(int) * teams);
    if (!done_h || !home_h || !wait_h || !who || !where || !wait_cell || !wait_number || !base_of) return 1;
    for (int b = 0; b < bases; b++)
        for (int m = first[b]; m < first[b + 1]; m++) { base_of[m] = b; home_h[m] = 0.0; }
#ifdef KEYED
    Source chance = seed;
#else
    Source chance = seeded(seed);
#endif
    int busy = 0;
    unsigned head = 0, tail = 0;
    double next_h = exponential(one(&chance, UINT32_MAX, BIRTH), 1.0 / rate_per_h), happened = 0, attended = 0, waited = 0, response = 0;
    for (;;) {
        int arrives = !busy || next_h <= done_h[0];
        double now = arrives ? next_h : done_h[0], began;
        if (now >= horizon_h) break;
        int team = -1, cell;
        uint32_t number;
        if (arrives) {
            double u_gap, u_place;
            number = (uint32_t)happened;
            two(&chance, number, BIRTH, &u_gap, &u_place);
            next_h = now + exponential(u_gap, 1.0 / rate_per_h);
            cell = (int)(u_place * cells);
            began = now;
            happened++;
            double best = INFINITY;
            for (int j = 0; j < bases && busy < teams; j++) {
                int base = order[cell * bases + j];
                double drive = drive_h[cell * bases + base];
                if (drive >= best) break;
                for (int m = first[base]; m < first[base + 1]; m++) {
                    double wait = home_h[m] > now ? home_h[m] - now : 0.0;
                    if (wait + drive < best) { best = wait + drive; team = m; if (wait <= 0.0) break; }
                }
            }
            if (team < 0) {
                waited++;
                wait_h[tail % room] = now; wait_number[tail % room] = (int)number; wait_cell[tail++ % room] = cell;
                if (tail - head > (unsigned)room) return 1;
                continue;
            }
        } else {
            team = who[0];
            busy--;
            double last_h = done_h[busy];
            int last = who[busy], i = 0;
            for (int down; (down = 2 * i + 1) < busy; i = down) {
                if (down + 1 < busy && done_h[down + 1] < done_h[down]) down++;
                if (last_h <= done_h[down]) break;
                done_h[i] = done_h[down]; who[i] = who[down];
            }
            done_h[i] = last_h; who[i] = last;
            home_h[team] = now + drive_h[where[team] * bases + base_of[team]];
            if (head == tail) continue;
            began = wait_h[head % room]; number = (uint32_t)wait_number[head % room]; cell = wait_cell[head++ % room];
        }
        double arrive = (home_h[team] > now ? home_h[team] : now) + drive_h[cell * bases + base_of[team]];
        double done = arrive + exponential(one(&chance, number, SENT), on_scene_h);
        if (arrive < horizon_h) { attended++; response += arrive - began; }
        home_h[team] = INFINITY; /* out */
        where[team] = cell;
        int i = busy++;
        for (int up; i > 0 && done_h[up = (i - 1) / 2] > done; i = up) { done_h[i] = done_h[up]; who[i] = who[up]; }
        done_h[i] = done; who[i] = team;
    }
    out[0] = happened; out[1] = attended; out[2] = waited; out[3] = response;
    free(done_h); free(home_h); free(wait_h); free(who); free(where); free(wait_cell); free(wait_number);
    free(base_of);
    return 0;
}
