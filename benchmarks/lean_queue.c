/* The spatial queue and nothing else: the same model as simpy_queue.py, as lean as C allows.
 *
 * A heap holds the moments at which teams are done, the next incident is kept outside it, bases are sorted by
 * distance for each cell, and those that wait stand in a ring. No ledgers, no outcomes, no keyed chance.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct { uint64_t s[4]; } Chance; /* xoshiro256++ (Blackman and Vigna 2019) */

static inline uint64_t turned(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t word(Chance *c) {
    uint64_t *s = c->s, result = turned(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = turned(s[3], 45);
    return result;
}

static inline double unit(Chance *c) { return ((word(c) >> 11) + 0.5) * 0x1.0p-53; }
static inline double exponential(Chance *c, double mean) { return -mean * log(unit(c)); }

static Chance seeded(uint64_t seed) { /* splitmix64, as its authors advise */
    Chance c;
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        c.s[i] = z ^ (z >> 31);
    }
    return c;
}

/* drive_h[cell * bases + base], order[cell * bases + j] = the j-th nearest base, first[base] = its first team.
 * out: happened, attended, waited, sum of hours until a team was there. -> 0, or 1 when memory ran out. */
int lean_queue(int cells, int bases, const double *drive_h, const int32_t *order, const int32_t *first,
               double rate_per_h, double on_scene_h, double horizon_h, uint64_t seed, double *out) {
    const int teams = first[bases], room = 1 << 20;
    double *done_h = malloc(sizeof(double) * (teams + 1)), *home_h = malloc(sizeof(double) * teams);
    double *wait_h = malloc(sizeof(double) * room);
    int *who = malloc(sizeof(int) * (teams + 1)), *where = malloc(sizeof(int) * teams);
    int *wait_cell = malloc(sizeof(int) * room), *base_of = malloc(sizeof(int) * teams);
    if (!done_h || !home_h || !wait_h || !who || !where || !wait_cell || !base_of) return 1;
    for (int b = 0; b < bases; b++)
        for (int m = first[b]; m < first[b + 1]; m++) { base_of[m] = b; home_h[m] = 0.0; }
    Chance chance = seeded(seed);
    int busy = 0;
    unsigned head = 0, tail = 0;
    double next_h = exponential(&chance, 1.0 / rate_per_h), happened = 0, attended = 0, waited = 0, response = 0;
    for (;;) {
        int arrives = !busy || next_h <= done_h[0];
        double now = arrives ? next_h : done_h[0], began;
        if (now >= horizon_h) break;
        int team = -1, cell;
        if (arrives) {
            next_h = now + exponential(&chance, 1.0 / rate_per_h);
            cell = (int)(unit(&chance) * cells);
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
                wait_h[tail % room] = now; wait_cell[tail++ % room] = cell;
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
            began = wait_h[head % room]; cell = wait_cell[head++ % room];
        }
        double arrive = (home_h[team] > now ? home_h[team] : now) + drive_h[cell * bases + base_of[team]];
        double done = arrive + exponential(&chance, on_scene_h);
        if (arrive < horizon_h) { attended++; response += arrive - began; }
        home_h[team] = INFINITY; /* out */
        where[team] = cell;
        int i = busy++;
        for (int up; i > 0 && done_h[up = (i - 1) / 2] > done; i = up) { done_h[i] = done_h[up]; who[i] = who[up]; }
        done_h[i] = done; who[i] = team;
    }
    out[0] = happened; out[1] = attended; out[2] = waited; out[3] = response;
    free(done_h); free(home_h); free(wait_h); free(who); free(where); free(wait_cell); free(base_of);
    return 0;
}
