/* k-means++ as scikit-learn draws it (sklearn.cluster._kmeans._kmeans_plusplus): each round draws
   some candidates by squared distance, and chooses the one that lowers the potential most, which is
   the sum of all rows' squared distances to the nearest chosen center.

   Source: Arthur and Vassilvitskii, k-means++: the advantages of careful seeding (2007).

   The potential is summed by blocks of BLOCK rows, and then over the blocks: that gives the same
   bits however many threads share the blocks, and finds a drawn row without a look at all of them. */

#include "seeding.h"
#include "vectors.h"

enum { AT_ONCE = 3 };

size_t seeding_block(void) { return BLOCK; }

/* Doubles of workspace that a call of `try_candidates` needs. */
size_t seeding_workspace(size_t n_features) { return LANES * n_features + LANES; }

/* --- norms and distances, rounded as NumPy and scikit-learn round them ----------------------- */

/* As NumPy's einsum does: even and odd features apart, eight of them from the last to the first. */
#define SUM_SQUARES(values, d, sums) \
    { \
        size_t f = 0; \
        for (; f + 8 <= (d); f += 8) \
            for (size_t back = 0; back < 8; back++) { \
                size_t at = f + (6 - back / 2 * 2) + back % 2; \
                sums[back % 2] += values[at] * values[at]; \
            } \
        for (; f < (d); f++) \
            sums[f % 2] += values[f] * values[f]; \
    }

INLINE doubles8 norms_of(const doubles8 *tile, size_t d)
{
    doubles8 sums[2] = {(doubles8)0, (doubles8)0};
    SUM_SQUARES(tile, d, sums)
    return sums[0] + sums[1];
}

INLINE double norm_of(const double *row, size_t d)
{
    double sums[2] = {0, 0};
    SUM_SQUARES(row, d, sums)
    return sums[0] + sums[1];
}

/* Points that rows are measured to: the center that was chosen last, and behind it the candidates. */
struct points {
    size_t n;
    const double *at[1 + MOST_CANDIDATES];
    double norms[1 + MOST_CANDIDATES];
};

INLINE struct points points_of(const struct round *round, size_t d)
{
    struct points points; /* an initializer would be a call of memset, which is not there */
    points.n = 1 + round->n_candidates;
    points.at[0] = round->last;
    for (size_t t = 0; t < round->n_candidates; t++)
        points.at[1 + t] = round->candidates + t * d;
    for (size_t t = 0; t < points.n; t++)
        points.norms[t] = norm_of(points.at[t], d);
    return points;
}

/* Of the rows of a tile to some points, as sklearn.metrics.pairwise._euclidean_distances has them. */
INLINE void measure(const doubles8 *tile, size_t d, doubles8 norms, const struct points *points,
                    size_t first, int count, doubles8 *squared)
{
    doubles8 products[AT_ONCE] = {0};
    for (size_t f = 0; f < d; f++)
        for (int i = 0; i < count; i++)
            products[i] = fma8(tile[f], (doubles8)points->at[first + (size_t)i][f], products[i]);
    for (int i = 0; i < count; i++)
        squared[first + (size_t)i] =
            max8((-2 * products[i] + points->norms[first + (size_t)i]) + norms, (doubles8)0);
}

INLINE void measure_all(const doubles8 *tile, size_t d, const struct points *points,
                        doubles8 *squared)
{
    doubles8 norms = norms_of(tile, d);
    size_t t = 0;
    for (; t + 3 <= points->n; t += 3)
        measure(tile, d, norms, points, t, 3, squared);
    if (t + 2 <= points->n)
        measure(tile, d, norms, points, t, 2, squared);
    else if (t < points->n)
        measure(tile, d, norms, points, t, 1, squared);
}

/* --- a round -------------------------------------------------------------------------------- */

/* The potentials of a block with each of the candidates; `closest` learns of the last center. */
INLINE void try_in_block(const double *rows, const double *row_weights, size_t n, size_t d,
                         const struct points *points, double *closest, doubles8 *tile,
                         double *potentials)
{
    doubles8 squared[1 + MOST_CANDIDATES], sums[1 + MOST_CANDIDATES];
    for (size_t t = 1; t < points->n; t++)
        sums[t] = (doubles8)0;
    for (size_t i = 0; i < n; i += LANES) {
        size_t m = n - i < LANES ? n - i : LANES;
        ask_for(rows + i * d + AHEAD, LANES * d * sizeof *rows);
        rows_to_lanes(rows + i * d, m, d, tile);
        measure_all(tile, d, points, squared);
        doubles8 nearest = min8(load_some(closest + i, m), squared[0]);
        store_some(closest + i, m, nearest);
        doubles8 weight = row_weights ? load_some(row_weights + i, m) : ones_then_zeros(m);
        for (size_t t = 1; t < points->n; t++)
            sums[t] = fma8(min8(squared[t], nearest), weight, sums[t]);
    }
    for (size_t t = 1; t < points->n; t++)
        potentials[t - 1] = sum8(sums[t]);
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
    struct points points = points_of(round, n_features);
    for (size_t i = 0; i < n; i += BLOCK, potentials += round->n_candidates) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        const double *weights = row_weights ? row_weights + i : NULL;
#define CALL(d) try_in_block(rows + i * d, weights, m, d, &points, closest + i, tile, potentials)
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
