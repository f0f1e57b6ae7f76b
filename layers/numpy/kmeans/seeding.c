/* k-means++ as scikit-learn draws it (sklearn.cluster._kmeans._kmeans_plusplus): each round draws
   some candidates by squared distance, and chooses the one that lowers the potential most, which is
   the sum of all rows' squared distances to the nearest chosen center.

   Source: Arthur and Vassilvitskii, k-means++: the advantages of careful seeding (2007).

   The potential is summed by blocks of BLOCK rows, and then over the blocks: that gives the same
   bits however many threads share the blocks, and finds a drawn row without a look at all of them. */

#include "vectors.h"

enum { BLOCK = 512, MOST_CANDIDATES = 32, CANDIDATES_AT_ONCE = 4 };

/* What a round knows. */
struct round {
    size_t n_features, n_candidates;
    const double *last;       /* shape (n_features,): the center chosen last, not yet in `closest` */
    const double *candidates; /* shape (n_candidates, n_features) */
};

size_t seeding_block(void) { return BLOCK; }

/* Doubles of workspace that a call of `try_candidates` needs. */
size_t seeding_workspace(size_t n_features) { return LANES * n_features + LANES; }

/* --- norms and distances, rounded as NumPy and scikit-learn round them ----------------------- */

/* As NumPy's einsum does: even and odd features apart, eight of them from the last to the first. */
INLINE size_t in_order(size_t position, size_t n_features)
{
    size_t whole = n_features / 8 * 8, pair = position / 2 % 4;
    return position < whole ? position - 2 * pair + 2 * (3 - pair) : position;
}

INLINE doubles8 norms_of(const doubles8 *tile, size_t d)
{
    doubles8 sums[2] = {(doubles8)0, (doubles8)0};
    for (size_t i = 0; i < d; i++) {
        size_t f = in_order(i, d);
        sums[f % 2] += tile[f] * tile[f];
    }
    return sums[0] + sums[1];
}

INLINE double norm_of(const double *row, size_t d)
{
    double sums[2] = {0, 0};
    for (size_t i = 0; i < d; i++) {
        size_t f = in_order(i, d);
        sums[f % 2] += row[f] * row[f];
    }
    return sums[0] + sums[1];
}

/* Of the rows of a tile to a point, as sklearn.metrics.pairwise._euclidean_distances has them. */
INLINE doubles8 squared_distances(const doubles8 *tile, size_t d, doubles8 norms,
                                  const double *point, double norm)
{
    doubles8 product = 0;
    for (size_t f = 0; f < d; f++)
        product = fma8(tile[f], (doubles8)point[f], product);
    return max8((-2 * product + norm) + norms, (doubles8)0);
}

/* --- a round -------------------------------------------------------------------------------- */

/* The potentials of a block with each of the candidates; `closest` learns of the last center. */
INLINE void try_in_block(const double *rows, const double *row_weights, size_t n, size_t d,
                         const struct round *round, double *closest, doubles8 *tile,
                         double *potentials)
{
    doubles8 sums[MOST_CANDIDATES];
    double last_norm = norm_of(round->last, d), point_norms[MOST_CANDIDATES];
    for (size_t t = 0; t < round->n_candidates; t++) {
        point_norms[t] = norm_of(round->candidates + t * d, d);
        sums[t] = (doubles8)0;
    }
    for (size_t i = 0; i < n; i += LANES) {
        size_t m = n - i < LANES ? n - i : LANES;
        ask_for(rows + i * d + AHEAD, LANES * d * sizeof(double));
        rows_to_lanes(rows + i * d, m, d, tile);
        doubles8 norms = norms_of(tile, d), weight = ones_then_zeros(m);
        if (row_weights)
            weight = load_some(row_weights + i, m);
        doubles8 nearest = squared_distances(tile, d, norms, round->last, last_norm);
        nearest = min8(load_some(closest + i, m), nearest);
        store_some(closest + i, m, nearest);
        for (size_t t = 0; t < round->n_candidates; t++) {
            const double *point = round->candidates + t * d;
            doubles8 squared = squared_distances(tile, d, norms, point, point_norms[t]);
            sums[t] = fma8(min8(squared, nearest), weight, sums[t]);
        }
    }
    for (size_t t = 0; t < round->n_candidates; t++)
        potentials[t] = sum8(sums[t]);
}

/* Writes each block's potential with each of the candidates.

   rows         shape (n, n_features)
   row_weights  shape (n,), or NULL: all 1
   closest      shape (n,): squared distance to the nearest chosen center, infinite at first
   potentials   shape (blocks, n_candidates)
   workspace    seeding_workspace(n_features) doubles; not shared by calls at the same time */
void try_candidates(const double *rows, const double *row_weights, size_t n,
                    const struct round *round, double *closest, double *potentials,
                    double *workspace)
{
    size_t n_features = round->n_features;
    doubles8 few[4], *tile = n_features <= 4 ? few : tile_in(workspace);
    for (size_t i = 0; i < n; i += BLOCK, potentials += round->n_candidates) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        const double *weights = row_weights ? row_weights + i : NULL;
#define CALL(d) try_in_block(rows + i * d, weights, m, d, round, closest + i, tile, potentials)
        FOR_FEATURES(n_features, CALL)
#undef CALL
    }
}

/* The first of the rows of a block at which their potential, summed up, reaches `target`. */
static size_t draw_in_block(const double *rows, const double *row_weights, size_t n,
                            size_t n_features, const double *last, const double *closest,
                            double target)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double squared = closest[i];
        if (last) {
            double to_last = squared_distance(rows + i * n_features, last, n_features);
            squared = to_last < squared ? to_last : squared;
        }
        sum += row_weights ? squared * row_weights[i] : squared;
        if (sum >= target)
            return i;
    }
    return n - 1;
}

/* Draws rows by what each adds to the potential: drawn[i] is where uniform[i] of it is reached.

   last        the center that `closest` does not know of yet; NULL: it knows of all
   potentials  shape (blocks,)
   uniform     shape (n_drawn,): numbers from 0 to 1 */
void draw_rows(const double *rows, const double *row_weights, size_t n, size_t n_features,
               const double *last, const double *closest, const double *potentials,
               const double *uniform, size_t n_drawn, int64_t *drawn)
{
    double total = 0;
    for (size_t block = 0; block * BLOCK < n; block++)
        total += potentials[block];
    for (size_t i = 0; i < n_drawn; i++) {
        double target = uniform[i] * total, sum = 0;
        size_t block = 0;
        for (; (block + 1) * BLOCK < n && sum + potentials[block] < target; block++)
            sum += potentials[block];
        size_t start = block * BLOCK, m = n - start < BLOCK ? n - start : BLOCK;
        drawn[i] = (int64_t)(start + draw_in_block(
            rows + start * n_features, row_weights ? row_weights + start : NULL, m, n_features,
            last, closest + start, target - sum));
    }
}

/* --- many features: float32 looks, float64 decides ---------------------------------------- */

/* Tiles of float32 that `try_filtered` reads, 16 rows each: shape (tiles, n_features, 16).

   norms  shape (n,): squared, in float64 */
void make_float_tiles(const double *rows, size_t n, size_t n_features, float *tiles, double *norms)
{
    for (size_t i = 0; i < n; i += FLOAT_LANES, tiles += FLOAT_LANES * n_features) {
        struct sixteen some = next_sixteen(rows + i * n_features, n - i, n_features);
        to_float_lanes(&some, n_features, tiles);
        for (size_t r = 0; r < FLOAT_LANES && i + r < n; r++)
            norms[i + r] = squared_norm(rows + (i + r) * n_features, n_features);
    }
}

/* A tile of rows, and what is known of it. */
struct float_tile {
    const float *values;
    const double *rows, *row_weights, *norms, *closest;
    size_t n;
};

INLINE floats16 floats_of(const double *values, size_t n)
{
    if (n == FLOAT_LANES) {
        floats16 floats;
        for (size_t r = 0; r < FLOAT_LANES; r++)
            floats[r] = (float)values[r];
        return floats;
    }
    floats16 floats = 0;
    for (size_t r = 0; r < n; r++)
        floats[r] = (float)values[r];
    return floats;
}

/* Which rows some candidates can be closer to than their nearest center: not one is missing. */
INLINE void perhaps_closer(const struct float_tile *tile, size_t d, const float *factors,
                           const double *norms, int count, floats16 sizes, floats16 closest,
                           unsigned *perhaps)
{
    floats16 products[CANDIDATES_AT_ONCE] = {0};
    for (size_t f = 0; f < d; f++) {
        floats16 x = load16(tile->values + f * FLOAT_LANES);
        for (int i = 0; i < count; i++)
            products[i] = fma16(x, (floats16)factors[(size_t)i * d + f], products[i]);
    }
    for (int i = 0; i < count; i++) {
        floats16 size = sizes + (float)norms[i];
        floats16 least = size + products[i] - size * float_error(d);
        perhaps[i] = where16(least <= closest) & ((1u << tile->n) - 1);
    }
}

INLINE void perhaps_all_closer(const struct float_tile *tile, size_t d, const float *factors,
                               const double *norms, size_t n_candidates, unsigned *perhaps)
{
    floats16 sizes = floats_of(tile->norms, tile->n);
    floats16 closest = floats_of(tile->closest, tile->n) * ABOVE;
    size_t t = 0;
    for (; t + 4 <= n_candidates; t += 4)
        perhaps_closer(tile, d, factors + t * d, norms + t, 4, sizes, closest, perhaps + t);
    for (; t + 2 <= n_candidates; t += 2)
        perhaps_closer(tile, d, factors + t * d, norms + t, 2, sizes, closest, perhaps + t);
    if (t < n_candidates)
        perhaps_closer(tile, d, factors + t * d, norms + t, 1, sizes, closest, perhaps + t);
}

/* Takes what the candidate lowers the potential by, and marks the rows it is closer to. */
static double gain_in_tile(const struct float_tile *tile, size_t d, const double *candidate,
                           unsigned perhaps, unsigned mark, uint32_t *marks)
{
    double gain = 0;
    for (; perhaps; perhaps &= perhaps - 1) {
        size_t r = (size_t)__builtin_ctz(perhaps);
        double squared = squared_distance(tile->rows + r * d, candidate, d);
        if (squared >= tile->closest[r])
            continue;
        double weight = tile->row_weights ? tile->row_weights[r] : 1;
        gain += (tile->closest[r] - squared) * weight;
        marks[r] |= 1u << mark;
    }
    return gain;
}

/* Writes how much each of the candidates lowers each block's potential, and who is closer to it.

   n_candidates  32 at most
   factors       shape (n_candidates, n_features): the candidates times -2, in float32
   norms         shape (n_candidates,): theirs, squared
   tiles, row_norms  as make_float_tiles has written them
   gains         shape (blocks, n_candidates)
   marks         shape (n,): a bit for each candidate */
void try_filtered(const double *rows, const double *row_weights, size_t n,
                  const struct round *round, const float *factors, const double *norms,
                  const float *tiles, const double *row_norms, const double *closest,
                  double *gains, uint32_t *marks)
{
    size_t d = round->n_features;
    for (size_t i = 0; i < n; i += FLOAT_LANES, tiles += FLOAT_LANES * d) {
        if (i % BLOCK == 0 && i > 0)
            gains += round->n_candidates;
        if (i % BLOCK == 0)
            clear(gains, round->n_candidates);
        struct float_tile tile = {
            tiles, rows + i * d, row_weights ? row_weights + i : NULL, row_norms + i, closest + i,
            n - i < FLOAT_LANES ? n - i : FLOAT_LANES};
        ask_for(tiles + FLOAT_LANES * d, FLOAT_LANES * d * sizeof(float));
        unsigned perhaps[MOST_CANDIDATES];
        perhaps_all_closer(&tile, d, factors, norms, round->n_candidates, perhaps);
        for (size_t r = 0; r < tile.n; r++)
            marks[i + r] = 0;
        for (size_t t = 0; t < round->n_candidates; t++)
            if (perhaps[t])
                gains[t] += gain_in_tile(&tile, d, round->candidates + t * d, perhaps[t],
                                         (unsigned)t, marks + i);
    }
}

/* Tells `closest` of the candidate that was chosen, and sums the potential of each block. */
void choose_candidate(const double *rows, const double *row_weights, size_t n, size_t n_features,
                      const double *candidate, unsigned mark, const uint32_t *marks,
                      double *closest, double *potentials)
{
    for (size_t i = 0; i < n; i++) {
        if (i % BLOCK == 0)
            potentials[i / BLOCK] = 0;
        if (marks[i] >> mark & 1)
            closest[i] = squared_distance(rows + i * n_features, candidate, n_features);
        potentials[i / BLOCK] += row_weights ? closest[i] * row_weights[i] : closest[i];
    }
}
