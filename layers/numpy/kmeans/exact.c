/* Sums that are the same in whatever order, and in however many parts, they are taken.

   Each number is split into multiples of 2^-39 and of 2^-79. Of 8192 numbers below 1 either kind adds
   up without rounding in a double, and after so many rows it goes on as an integer. */

#include "vectors.h"

typedef unsigned __int128 fixed __attribute__((aligned(8)));

enum { BLOCK = 8192 };

/* Added to a number and taken away again, they leave it a multiple of 2^-39, or of 2^-79. */
#define TO_HIGH 0x1.8p13
#define TO_LOW 0x1.8p-27

INLINE void add_block(const double *restrict rows, const double *row_weights, const int32_t *labels,
                      size_t n, size_t d, const double *restrict scales, double *restrict parts)
{
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
        double *high = parts + (labels ? (size_t)labels[i] * 2 * d : 0), *low = high + d;
        double weight = row_weights ? row_weights[i] : 1;
        for (size_t f = 0; f < d; f++) {
            double value = rows[f] * weight * scales[f];
            double whole = (value + TO_HIGH) - TO_HIGH;
            high[f] += whole;
            low[f] += (value - whole + TO_LOW) - TO_LOW;
        }
    }
}

/* Moves what a block came to into the integers, which count multiples of 2^-90. */
static void move_parts(double *parts, size_t n_clusters, size_t d, fixed *sums)
{
    for (size_t c = 0; c < n_clusters; c++, parts += 2 * d, sums += d)
        for (size_t f = 0; f < d; f++) {
            sums[f] += (fixed)(__int128)(int64_t)(parts[f] * 0x1p39) << 51;
            sums[f] += (fixed)(__int128)(int64_t)(parts[d + f] * 0x1p79) << 11;
            parts[f] = parts[d + f] = 0;
        }
}

/* Adds each row, times its weight, to its cluster's row of `sums`, integers of 128 bits.

   row_weights  shape (n,), or NULL: all 1
   labels       shape (n,), or NULL: all 0
   scales       of each feature: with it, what is added is 1 at most
   parts        shape (n_clusters, 2, n_features), zero, and left so
   Of fewer than 2^37 rows no sum overflows. */
void add_exactly(const double *rows, const double *row_weights, const int32_t *labels, size_t n,
                 size_t n_features, size_t n_clusters, const double *scales, double *parts,
                 fixed *sums)
{
    for (size_t start = 0; start < n; start += BLOCK) {
        size_t m = n - start < BLOCK ? n - start : BLOCK;
        const double *some = rows + start * n_features;
        const double *weights = row_weights ? row_weights + start : row_weights;
        const int32_t *own = labels ? labels + start : labels;
#define CALL(d) add_block(some, weights, own, m, d, scales, parts)
        FOR_FEATURES(n_features, CALL)
#undef CALL
        move_parts(parts, n_clusters, n_features, sums);
    }
}
