/* Sums of the rows of clusters: in the order of the rows, as scikit-learn sums. */

#include "vectors.h"

/* The largest squared norm of a row. */
double largest_norm(const double *rows, size_t n, size_t n_features)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++) {
        double norm = squared_norm(rows + i * n_features, n_features);
        largest = norm > largest ? norm : largest;
    }
    return largest;
}

INLINE void add_rows_in(const double *rows, const double *row_weights, const int32_t *labels,
                        size_t n, size_t d, double *sums, double *weights)
{
    for (size_t i = 0; i < n; i++, rows += d) {
        size_t label = (size_t)labels[i];
        double weight = row_weights ? row_weights[i] : 1;
        weights[label] += weight;
        for (size_t f = 0; f < d; f++)
            sums[label * d + f] += rows[f] * weight;
    }
}

/* Adds each row, times its weight, to its cluster's row of `sums`, and the weight to `weights`.

   row_weights  shape (n,), or NULL: all 1 */
void add_rows(const double *rows, const double *row_weights, const int32_t *labels, size_t n,
              size_t n_features, double *sums, double *weights)
{
#define CALL(d) add_rows_in(rows, row_weights, labels, n, d, sums, weights)
    FOR_FEATURES(n_features, CALL)
#undef CALL
}

INLINE bool same8(const int32_t *a, const int32_t *b)
{
    ints8 of_a, of_b;
    __builtin_memcpy(&of_a, a, sizeof of_a);
    __builtin_memcpy(&of_b, b, sizeof of_b);
    return __builtin_reduce_or(of_a ^ of_b) == 0;
}

/* Takes rows whose label has changed from one sum to another; returns how many they are.

   previous  the labels that the sums are of; becomes the labels
   moves     of each cluster, how many rows came or left; added to */
size_t move_rows(const double *rows, const int32_t *labels, int32_t *previous, size_t n,
                 size_t n_features, double *sums, double *weights, int64_t *moves)
{
    size_t n_moved = 0;
    for (size_t i = 0; i < n; i++) {
        while (i + LANES <= n && same8(labels + i, previous + i))
            i += LANES;
        if (i == n)
            break;
        if (labels[i] == previous[i])
            continue;
        size_t to = (size_t)labels[i], from = (size_t)previous[i];
        for (size_t f = 0; f < n_features; f++) {
            sums[to * n_features + f] += rows[i * n_features + f];
            sums[from * n_features + f] -= rows[i * n_features + f];
        }
        weights[to] += 1;
        weights[from] -= 1;
        moves[to]++;
        moves[from]++;
        previous[i] = labels[i];
        n_moved++;
    }
    return n_moved;
}

/* The sum of the rows' weighted squared distances to their centers.

   Rounded step by step as scikit-learn does (_inertia_dense), so that of two fits of the same
   inertia the same one is the better. */
double inertia(const double *rows, const double *row_weights, const int32_t *labels, size_t n,
               size_t n_features, const double *centers)
{
    double total = 0;
    for (size_t i = 0; i < n; i++, rows += n_features) {
        const double *center = centers + (size_t)labels[i] * n_features;
        double squared = 0;
        size_t f = 0;
        for (; f + 4 <= n_features; f += 4) {
            doubles4 e = load4(rows + f) - load4(center + f);
            e *= e;
            squared += ((e[0] + e[1]) + e[2]) + e[3];
        }
        for (; f < n_features; f++)
            squared += (rows[f] - center[f]) * (rows[f] - center[f]);
        total += squared * (row_weights ? row_weights[i] : 1);
    }
    return total;
}
