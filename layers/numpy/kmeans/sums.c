/* Sums of the rows of clusters: in the order of the rows, as scikit-learn sums. */

#include "vectors.h"

enum { BLOCK = 512 };

INLINE double largest_norm_in(const double *rows, size_t n, size_t d)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
        double norm = squared_norm(rows, d);
        largest = norm > largest ? norm : largest;
    }
    return largest;
}

/* The largest squared norm of a row. */
double largest_norm(const double *rows, size_t n, size_t n_features)
{
    double largest = 0;
#define CALL(d) largest = largest_norm_in(rows, n, d)
    FOR_FEATURES(n_features, CALL)
#undef CALL
    return largest;
}

INLINE void add_rows_in(const double *restrict rows, const double *row_weights,
                        const int32_t *labels, size_t n, size_t d, double *restrict sums,
                        double *restrict weights)
{
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
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

/* Lists the rows whose label has changed, and asks for them; returns how many they are. */
static size_t list_changed(const double *rows, const int32_t *labels, const int32_t *previous,
                           size_t n, size_t n_features, uint32_t *list)
{
    size_t n_listed = 0;
    for (size_t i = 0; i < n; i++) {
        while (i + LANES <= n && same8(labels + i, previous + i))
            i += LANES;
        if (i < n && labels[i] != previous[i]) {
            list[n_listed++] = (uint32_t)i;
            ask_for(rows + i * n_features, n_features * sizeof *rows);
        }
    }
    return n_listed;
}

/* Takes a row from one cluster's sum to another's. */
INLINE void move_row(const double *restrict row, size_t d, size_t from, size_t to,
                     double *restrict sums, double *restrict weights, int64_t *restrict moves)
{
    for (size_t f = 0; f < d; f++) {
        sums[to * d + f] += row[f];
        sums[from * d + f] -= row[f];
    }
    weights[to] += 1;
    weights[from] -= 1;
    moves[to]++;
    moves[from]++;
}

/* Takes rows whose label has changed from one sum to another; returns how many they are.

   previous  the labels that the sums are of; becomes the labels
   moves     of each cluster, how many rows came or left; added to */
size_t move_rows(const double *rows, const int32_t *labels, int32_t *previous, size_t n,
                 size_t n_features, double *sums, double *weights, int64_t *moves)
{
    uint32_t list[BLOCK];
    size_t n_moved = 0;
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t m = n - start < BLOCK ? n - start : BLOCK;
        size_t n_listed = list_changed(rows + start * n_features, labels + start, previous + start,
                                       m, n_features, list);
        for (size_t l = 0; l < n_listed; l++) {
            size_t i = start + list[l];
            move_row(rows + i * n_features, n_features, (size_t)previous[i], (size_t)labels[i],
                     sums, weights, moves);
            previous[i] = labels[i];
        }
        n_moved += n_listed;
    }
    return n_moved;
}

/* The squared distance of a row to its center, rounded step by step as scikit-learn does. */
INLINE double squared_to_center(const double *row, const double *center, size_t d)
{
    double squared = 0;
    size_t f = 0;
    for (; f + 4 <= d; f += 4) {
        doubles4 e = load4(row + f) - load4(center + f);
        e *= e;
        squared += ((e[0] + e[1]) + e[2]) + e[3];
    }
    for (; f < d; f++)
        squared += (row[f] - center[f]) * (row[f] - center[f]);
    return squared;
}

INLINE double inertia_in(const double *rows, const double *row_weights, const int32_t *labels,
                         size_t n, size_t d, const double *centers)
{
    double total = 0;
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
        double squared = squared_to_center(rows, centers + (size_t)labels[i] * d, d);
        total += squared * (row_weights ? row_weights[i] : 1);
    }
    return total;
}

/* The sum of the rows' weighted squared distances to their centers.

   In scikit-learn's order and rounding (_inertia_dense), so that of two fits of the same inertia the
   same one is the better. */
double inertia(const double *rows, const double *row_weights, const int32_t *labels, size_t n,
               size_t n_features, const double *centers)
{
    double total = 0;
#define CALL(d) total = inertia_in(rows, row_weights, labels, n, d, centers)
    FOR_FEATURES(n_features, CALL)
#undef CALL
    return total;
}
