/* k-means++ where rows have many features: float32 looks, float64 decides.

   A round of seeding.c measures every row to every candidate in float64. Here float32 marks the rows
   that a candidate may be closer to, and estimates by how much it lowers their potential, with a bound
   on what that is off by. Only the rows of the chosen candidate are measured in float64; only where
   two estimates are too near each other to tell, those of all candidates are. The first center has no
   rivals: all rows are measured to it, and written in float32 on the way. */

#include "floats.h"
#include "seeding.h"

enum { CANDIDATES_AT_ONCE = 6, MANY_OF = 3 };

/* The candidates in float32: times -2, shape (n_candidates, n_features), and their squared norms. */
struct float_candidates { const float *factors, *norms; };

/* --- the first center ----------------------------------------------------------------------- */

static double potential_of(const double *closest, const double *row_weights, size_t n)
{
    doubles8 sum = 0;
    for (size_t i = 0; i < n; i += LANES) {
        size_t m = n - i < LANES ? n - i : LANES;
        doubles8 weight = row_weights ? load_some(row_weights + i, m) : (doubles8)1;
        sum = fma8(load_some(closest + i, m), weight, sum);
    }
    return sum8(sum);
}

/* Writes each row's squared distance to the first center, and the blocks' potentials.

   tiles    as of make_float_tiles, or NULL: they are not to be written
   Returns the largest squared norm of a row, where tiles are written. */
double measure_first(const double *rows, const double *row_weights, size_t n, size_t n_features,
                     const double *center, float *tiles, double *closest, double *potentials)
{
    size_t d = n_features;
    double largest = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES) {
        const double *some = rows + i * d;
        size_t m = n - i < FLOAT_LANES ? n - i : FLOAT_LANES;
        ask_for(some + AHEAD, FLOAT_LANES * d * sizeof *some);
        double norm = tiles ? make_tile(some, m, d, tiles + i * d) : 0;
        largest = norm > largest ? norm : largest;
        for (size_t r = 0; r < m; r++)
            closest[i + r] = squared_distance(some + r * d, center, d);
    }
    for (size_t i = 0; i < n; i += BLOCK)
        potentials[i / BLOCK] = potential_of(closest + i, row_weights ? row_weights + i : NULL,
                                             n - i < BLOCK ? n - i : BLOCK);
    return largest;
}

/* --- estimates ------------------------------------------------------------------------------ */

/* Sixteen rows, or less. */
struct float_tile { floats16 sizes, closest, weights; unsigned mask; };

/* Of each candidate: how much it lowers the potential, and what that is the difference of. */
struct estimates { floats16 gains[MOST_CANDIDATES], terms[MOST_CANDIDATES]; };

/* Of up to sixteen numbers, with another one behind them. */
INLINE floats16 floats_of(const double *values, size_t n, float behind)
{
    floats16 floats = behind;
    if (n == FLOAT_LANES)
        for (size_t r = 0; r < FLOAT_LANES; r++)
            floats[r] = (float)values[r];
    else
        for (size_t r = 0; r < n; r++)
            floats[r] = (float)values[r];
    return floats;
}

/* Adds how much some candidates lower the potential, and marks the rows that they are perhaps closer
   to: not one is missing. */
INLINE void try_some(const float *values, size_t d, const struct float_tile *tile,
                     const struct float_candidates *candidates, size_t first, int count,
                     struct estimates *sums, uint16_t *perhaps)
{
    const float *factors = candidates->factors + first * d;
    floats16 products[CANDIDATES_AT_ONCE] = {0};
    for (size_t f = 0; f < d; f++) {
        floats16 x = load16(values + f * FLOAT_LANES);
        if (first == 0)
            ask_for_next(values, d, f);
        for (int i = 0; i < count; i++)
            products[i] = fma16(x, (floats16)factors[(size_t)i * d + f], products[i]);
    }
    for (int i = 0; i < count; i++) {
        size_t t = first + (size_t)i;
        floats16 size = tile->sizes + candidates->norms[t], squared = size + products[i];
        ints16 closer = squared - size * float_error(d) <= tile->closest * ABOVE;
        floats16 gain = max16(tile->closest - squared, (floats16)0);
        floats16 terms = closer ? size + tile->closest : (floats16)0;
        sums->gains[t] = fma16(gain, tile->weights, sums->gains[t]);
        sums->terms[t] = fma16(terms, tile->weights, sums->terms[t]);
        perhaps[t] = (uint16_t)(where16(closer) & tile->mask);
    }
}

INLINE void try_all(const float *values, size_t d, const struct float_tile *tile,
                    const struct float_candidates *candidates, size_t n_candidates,
                    struct estimates *sums, uint16_t *perhaps)
{
    size_t t = 0;
    for (; t + 6 <= n_candidates && t + 8 != n_candidates; t += 6) /* eight are twice four */
        try_some(values, d, tile, candidates, t, 6, sums, perhaps);
    for (; t + 4 <= n_candidates; t += 4)
        try_some(values, d, tile, candidates, t, 4, sums, perhaps);
    if (t + 3 == n_candidates)
        try_some(values, d, tile, candidates, t, 3, sums, perhaps);
    else if (t + 2 == n_candidates)
        try_some(values, d, tile, candidates, t, 2, sums, perhaps);
    else if (t < n_candidates)
        try_some(values, d, tile, candidates, t, 1, sums, perhaps);
}

INLINE double sum16(floats16 v)
{
    return sum8(__builtin_convertvector(v.lo, doubles8) + __builtin_convertvector(v.hi, doubles8));
}

INLINE void estimate_in_block(const float *tiles, const double *row_weights, size_t n, size_t d,
                              const struct float_candidates *candidates, size_t n_candidates,
                              const double *closest, double *gains, double *terms,
                              uint16_t *perhaps)
{
    struct estimates sums;
    for (size_t t = 0; t < n_candidates; t++)
        sums.gains[t] = sums.terms[t] = (floats16)0;
    for (size_t i = 0; i < n; i += FLOAT_LANES, tiles += FLOAT_LANES * d, perhaps += n_candidates) {
        size_t m = n - i < FLOAT_LANES ? n - i : FLOAT_LANES;
        struct float_tile tile = {
            float_norms_of(tiles, d), floats_of(closest + i, m, -__builtin_inff()),
            row_weights ? floats_of(row_weights + i, m, 0) : (floats16)1, (1u << m) - 1};
        try_all(tiles, d, &tile, candidates, n_candidates, &sums, perhaps);
    }
    for (size_t t = 0; t < n_candidates; t++) {
        gains[t] = sum16(sums.gains[t]);
        terms[t] = sum16(sums.terms[t]);
    }
}

/* Writes an estimate of how much each candidate lowers each block's potential.

   A row's gain is the difference of two squared distances, off by less than float_error(n_features +
   8) of |x|^2 + |c|^2 + closest, the row's terms: by the roundings that `float_error` counts, and a
   few more. Their sum, in float32 over a block, is off by less than 2^-17 of itself besides.

   tiles     rows in float32, as make_float_tiles has written them
   gains     shape (blocks, n_candidates)
   terms     likewise: the terms of the marked rows, times their weights; of others the gain is 0
   perhaps   shape (tiles, n_candidates): marks, a bit for each row of a tile that may be closer */
void estimate_gains(const float *tiles, const double *row_weights, size_t n, size_t n_features,
                    const struct float_candidates *candidates, size_t n_candidates,
                    const double *closest, double *gains, double *terms, uint16_t *perhaps)
{
    for (size_t i = 0; i < n; i += BLOCK) {
        const double *weights = row_weights ? row_weights + i : NULL;
        size_t m = n - i < BLOCK ? n - i : BLOCK;
#define CALL(d) \
    estimate_in_block(tiles + i * d, weights, m, d, candidates, n_candidates, closest + i, \
                      gains + i / BLOCK * n_candidates, terms + i / BLOCK * n_candidates, \
                      perhaps + i / FLOAT_LANES * n_candidates)
        FOR_FEATURES(n_features, CALL)
#undef CALL
    }
}

/* --- decisions ------------------------------------------------------------------------------ */

/* What a candidate lowers the potential of a tile by. */
static double gain_in_tile(const double *rows, const double *row_weights, size_t d,
                           const double *candidate, unsigned perhaps, const double *closest)
{
    double gain = 0;
    for (; perhaps; perhaps &= perhaps - 1) {
        size_t r = (size_t)__builtin_ctz(perhaps);
        double squared = squared_distance(rows + r * d, candidate, d);
        if (squared < closest[r])
            gain += (closest[r] - squared) * (row_weights ? row_weights[r] : 1);
    }
    return gain;
}

/* Writes how much each of the candidates lowers each block's potential.

   round    its `last` is in `closest` already
   perhaps  as estimate_gains has written it
   gains    shape (blocks, n_candidates) */
void measure_gains(const double *rows, const double *row_weights, size_t n,
                   const struct round *round, const uint16_t *perhaps, const double *closest,
                   double *gains)
{
    size_t d = round->n_features, n_candidates = round->n_candidates;
    for (size_t i = 0; i < n; i += FLOAT_LANES, perhaps += n_candidates) {
        const double *weights = row_weights ? row_weights + i : NULL;
        double *of_block = gains + i / BLOCK * n_candidates;
        if (i % BLOCK == 0)
            clear(of_block, n_candidates);
        for (size_t t = 0; t < n_candidates; t++)
            of_block[t] += gain_in_tile(rows + i * d, weights, d, round->candidates + t * d,
                                        perhaps[t], closest + i);
    }
}

static size_t count_marked(size_t n, const uint16_t *perhaps, size_t n_candidates)
{
    size_t n_marked = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES, perhaps += n_candidates)
        n_marked += (size_t)__builtin_popcount(*perhaps);
    return n_marked;
}

/* Lists the marked rows of a block, and asks for them; returns how many they are. */
static size_t list_marked(const double *rows, size_t n, size_t d, const uint16_t *perhaps,
                          size_t n_candidates, uint32_t *list)
{
    size_t n_listed = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES, perhaps += n_candidates)
        for (unsigned rest = *perhaps; rest; rest &= rest - 1) {
            size_t r = i + (size_t)__builtin_ctz(rest);
            list[n_listed++] = (uint32_t)r;
            ask_for(rows + r * d, d * sizeof *rows);
        }
    return n_listed;
}

/* Whether a candidate is closer to a row; `closest`, which is the row's, learns of it. */
INLINE bool choose_for_row(const double *row, size_t d, const double *candidate, double *closest)
{
    double squared = squared_distance(row, candidate, d);
    bool closer = squared < *closest;
    *closest = closer ? squared : *closest;
    return closer;
}

/* Whether it is to any row of a block. Where many are marked all are measured, as memory is read
   faster row after row than here and there.

   perhaps  the candidate's mark of each tile, n_candidates from each other */
static bool choose_in_block(const double *rows, size_t n, size_t d, const double *candidate,
                            const uint16_t *perhaps, size_t n_candidates, double *closest)
{
    bool closer = false;
    if (count_marked(n, perhaps, n_candidates) * MANY_OF > n) {
        for (size_t r = 0; r < n; r++) {
            ask_for_row(rows + r * d, d);
            closer |= choose_for_row(rows + r * d, d, candidate, closest + r);
        }
        return closer;
    }
    uint32_t list[BLOCK];
    size_t n_listed = list_marked(rows, n, d, perhaps, n_candidates, list);
    for (size_t l = 0; l < n_listed; l++)
        closer |= choose_for_row(rows + list[l] * d, d, candidate, closest + list[l]);
    return closer;
}

/* Tells `closest` of the candidate that was chosen, and sums the potential of blocks that it changes.

   chosen   which of them it is
   perhaps  shape (tiles, n_candidates), as estimate_gains has written it */
void choose_candidate(const double *rows, const double *row_weights, size_t n,
                      const struct round *round, size_t chosen, const uint16_t *perhaps,
                      double *closest, double *potentials)
{
    size_t d = round->n_features, n_candidates = round->n_candidates;
    const double *candidate = round->candidates + chosen * d;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        if (choose_in_block(rows + i * d, m, d, candidate,
                            perhaps + i / FLOAT_LANES * n_candidates + chosen, n_candidates,
                            closest + i))
            potentials[i / BLOCK] =
                potential_of(closest + i, row_weights ? row_weights + i : NULL, m);
    }
}
