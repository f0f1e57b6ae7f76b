/* The columns of rows, and the rows brought into a fit's space: z = (x - shift) * scale.

   Two passes do what the mean, the extent, the difference, the product and the variance would each
   take one or two for. The sums of the first run over the rows in their order, as NumPy's mean over
   the rows does: the shift is scikit-learn's to the last bit. */

#include "vectors.h"

enum { BLOCK = 2048 };

/* As FOR_FEATURES, with more constants: these passes do so little for each number that it is the sums
   they wait for, if those are not in registers. */
#define FOR_MORE_FEATURES(n_features, CALL) \
    switch (n_features) { \
    case 5: CALL(5); break; \
    case 6: CALL(6); break; \
    case 7: CALL(7); break; \
    case 8: CALL(8); break; \
    case 9: CALL(9); break; \
    case 10: CALL(10); break; \
    case 11: CALL(11); break; \
    case 12: CALL(12); break; \
    default: FOR_FEATURES(n_features, CALL) \
    }

INLINE void take_columns(const double *restrict rows, size_t n, size_t d, double *restrict sums,
                         double *restrict least, double *restrict most)
{
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
        for (size_t f = 0; f < d; f++) {
            sums[f] += rows[f];
            least[f] = rows[f] < least[f] ? rows[f] : least[f];
            most[f] = rows[f] > most[f] ? rows[f] : most[f];
        }
    }
}

/* Writes the sum, the least and the largest number of each column. */
void column_extents(const double *rows, size_t n, size_t n_features, double *sums, double *least,
                    double *most)
{
    for (size_t f = 0; f < n_features; f++) {
        sums[f] = 0;
        least[f] = INFINITE;
        most[f] = -INFINITE;
    }
#define CALL(d) take_columns(rows, n, d, sums, least, most)
    FOR_MORE_FEATURES(n_features, CALL)
#undef CALL
}

INLINE void enter_block(double *restrict rows, size_t n, size_t d, const double *restrict shift,
                        double scale, double *restrict sums, double *restrict squares)
{
    for (size_t i = 0; i < n; i++, rows += d) {
        ask_for_row(rows, d);
        for (size_t f = 0; f < d; f++) {
            double z = (rows[f] - shift[f]) * scale;
            rows[f] = z;
            sums[f] += z;
            squares[f] = __builtin_fma(z, z, squares[f]);
        }
    }
}

size_t entering_block(void) { return BLOCK; }

/* Brings rows into a space where they lie.

   scale   a power of two
   totals  shape (blocks, 2, n_features): of each block and column, the sum there and the sum of
           squares */
void enter_rows(double *rows, size_t n, size_t n_features, const double *shift, double scale,
                double *totals)
{
    for (size_t i = 0; i < n; i += BLOCK, totals += 2 * n_features) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        clear(totals, 2 * n_features);
#define CALL(d) enter_block(rows + i * d, m, d, shift, scale, totals, totals + d)
        FOR_MORE_FEATURES(n_features, CALL)
#undef CALL
    }
}
