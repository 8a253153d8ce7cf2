/* Chance for the C programs: xoshiro256++, keyed Philox4x32-10, laws of duration. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct { uint64_t s[4]; double spare; int has_spare; } Chance; /* xoshiro256++ (Blackman and Vigna 2019) */

static inline uint64_t turned(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline double unit(Chance *c) {
    uint64_t *s = c->s, result = turned(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = turned(s[3], 45);
    return ((result >> 11) + 0.5) * 0x1.0p-53;
}

static inline Chance seeded(uint64_t seed) { /* splitmix64, as its authors advise */
    Chance c = {{0}, 0.0, 0};
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        c.s[i] = z ^ (z >> 31);
    }
    return c;
}

static inline double exponential(double u, double mean) { return -mean * log(u); }

/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): two of the four uniforms for a counter and a key. */
static inline void keyed(uint32_t index, uint32_t block, uint32_t stream, uint64_t key, double *a, double *b) {
    uint32_t c0 = index, c1 = block, c2 = stream, c3 = 0, k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int i = 0; i < 10; i++) {
        uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0; c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1; c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
    *a = (c0 + 0.5) * 0x1.0p-32; *b = (c1 + 0.5) * 0x1.0p-32;
}

static inline double normal(Chance *c) { /* Marsaglia's polar method gives two at a time */
    if (c->has_spare) { c->has_spare = 0; return c->spare; }
    double x, y, r;
    do { x = 2 * unit(c) - 1; y = 2 * unit(c) - 1; r = x * x + y * y; } while (r >= 1 || r == 0);
    double f = sqrt(-2 * log(r) / r);
    c->spare = y * f; c->has_spare = 1;
    return x * f;
}

static inline double lasting(Chance *c, const double *law) { /* law: fixed, exponential, lognormal, uniform */
    switch ((int)law[0]) {
        case 0: return law[1];
        case 1: return -law[1] * log(unit(c));
        case 2: return exp(law[1] + law[2] * normal(c));
        default: return law[1] + (law[2] - law[1]) * unit(c);
    }
}
