/* What the passes of the kernel share: rows in lanes, and distances of a row.

   Every lane is a row of its own, and every sum of products runs over the features in their order,
   with one rounding a step (fma): the bits do not depend on how wide a machine's vectors are. It is
   also the order of OpenBLAS in the product that scikit-learn takes its distances from. */

#ifndef KMEANS_VECTORS_H
#define KMEANS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define INFINITE __builtin_inf()

typedef double doubles4 __attribute__((ext_vector_type(4)));
typedef double doubles8 __attribute__((ext_vector_type(8)));
typedef long longs8 __attribute__((ext_vector_type(8))); // as comparisons of doubles give them
typedef int32_t ints8 __attribute__((ext_vector_type(8)));
typedef bool bits8 __attribute__((ext_vector_type(8)));

enum { LANES = 8, AHEAD = 256, FAR_AHEAD = 1024 };

INLINE doubles4 load4(const double *at)
{
    doubles4 values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}

INLINE doubles8 load8(const double *at)
{
    doubles8 values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}

INLINE void store8(double *at, doubles8 values) { __builtin_memcpy(at, &values, sizeof values); }

INLINE doubles8 min8(doubles8 a, doubles8 b) { return a < b ? a : b; }
INLINE doubles8 max8(doubles8 a, doubles8 b) { return a > b ? a : b; }
INLINE doubles8 fma8(doubles8 a, doubles8 b, doubles8 c) { return __builtin_elementwise_fma(a, b, c); }

/* A bit for each lane for which something holds. */
INLINE unsigned where8(longs8 holds)
{
    bits8 bits = __builtin_convertvector(holds, bits8);
    uint8_t mask;
    __builtin_memcpy(&mask, &bits, 1);
    return mask;
}

INLINE double sum8(doubles8 v)
{
    doubles4 half = v.lo + v.hi;
    return (half[0] + half[2]) + (half[1] + half[3]);
}

/* Asks for memory that a pass comes to next. A processor looks ahead by itself, but not beyond a
   page, and rows are many pages. What lies behind the last row may be asked for too: nobody reads. */
INLINE void ask_for(const void *memory, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i += 64)
        __builtin_prefetch((const char *)memory + i);
}

/* For a pass that goes from row to row; of few features the processor's own looking ahead does. One
   that makes tiles of rows asks for those that are AHEAD: farther ahead it was slower. */
INLINE void ask_for_row(const double *row, size_t n_features)
{
    if (n_features > 4)
        ask_for(row + FAR_AHEAD, n_features * sizeof *row);
}

INLINE void clear(double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = 0;
}

/* Rows that are to lie in lanes; behind the last of them it is repeated. */
struct eight { const double *row[LANES]; };

INLINE struct eight next_eight(const double *rows, size_t n, size_t n_features)
{
    struct eight some;
    for (size_t i = 0; i < LANES; i++)
        some.row[i] = rows + (i < n ? i : n - 1) * n_features;
    return some;
}

/* Four features, from f on, of eight rows. */
INLINE void four_to_lanes(const struct eight *some, size_t f, doubles8 *tile)
{
    doubles4 half[2][4];
    for (int h = 0; h < 2; h++) {
        doubles4 a = load4(some->row[4 * h] + f), b = load4(some->row[4 * h + 1] + f);
        doubles4 c = load4(some->row[4 * h + 2] + f), d = load4(some->row[4 * h + 3] + f);
        doubles4 ab0 = __builtin_shufflevector(a, b, 0, 4, 2, 6);
        doubles4 ab1 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
        doubles4 cd0 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
        doubles4 cd1 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
        half[h][0] = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
        half[h][1] = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
        half[h][2] = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
        half[h][3] = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
    }
    for (int i = 0; i < 4; i++)
        tile[f + (size_t)i] = __builtin_shufflevector(half[0][i], half[1][i], 0, 1, 2, 3, 4, 5, 6, 7);
}

/* tile[feature] has the rows' values of this feature. */
INLINE void to_lanes(const struct eight *some, size_t n_features, doubles8 *tile)
{
    if (n_features < 4)
        for (size_t f = 0; f < n_features; f++)
            for (int i = 0; i < LANES; i++)
                tile[f][i] = some->row[i][f];
    else
        for (size_t f = 0; f < n_features; f += 4) /* the last four may be some of those before */
            four_to_lanes(some, f + 4 <= n_features ? f : n_features - 4, tile);
}

/* The same for the rows from `rows` on, n of them, 1 to 8. */
INLINE void rows_to_lanes(const double *rows, size_t n, size_t n_features, doubles8 *tile)
{
    if (n == LANES && n_features == 1) {
        tile[0] = load8(rows);
    } else if (n == LANES && n_features == 2) {
        doubles8 a = load8(rows), b = load8(rows + 8);
        tile[0] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        tile[1] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    } else {
        struct eight some = next_eight(rows, n, n_features);
        to_lanes(&some, n_features, tile);
    }
}

/* Of up to eight values, with zeros behind them. */
INLINE doubles8 load_some(const double *at, size_t n)
{
    if (n == LANES)
        return load8(at);
    doubles8 values = 0;
    for (size_t i = 0; i < n; i++)
        values[i] = at[i];
    return values;
}

INLINE void store_some(double *at, size_t n, doubles8 values)
{
    if (n == LANES)
        store8(at, values);
    else
        for (size_t i = 0; i < n; i++)
            at[i] = values[i];
}

INLINE doubles8 ones_then_zeros(size_t n_ones)
{
    doubles8 values = 0;
    for (size_t i = 0; i < n_ones; i++)
        values[i] = 1;
    return values;
}

/* A whole cache line's begin in a workspace, whose size has LANES doubles for this. */
INLINE doubles8 *tile_in(double *workspace)
{
    uintptr_t at = ((uintptr_t)workspace + 63) & ~(uintptr_t)63;
    return (doubles8 *)at;
}

/* Calls a pass with the number of features as a constant where it is small: its loops unroll. */
#define FOR_FEATURES(n_features, CALL) \
    switch (n_features) { \
    case 1: CALL(1); break; \
    case 2: CALL(2); break; \
    case 3: CALL(3); break; \
    case 4: CALL(4); break; \
    default: CALL(n_features); \
    }

/* The squared distance of two rows, from their differences: sixteen features at once, then eight, then
   one by one. */
INLINE double squared_distance(const double *a, const double *b, size_t n_features)
{
    doubles8 sums[2] = {(doubles8)0, (doubles8)0};
    size_t f = 0;
    for (; f + 16 <= n_features; f += 16)
        for (int i = 0; i < 2; i++) {
            doubles8 difference = load8(a + f + 8 * i) - load8(b + f + 8 * i);
            sums[i] = fma8(difference, difference, sums[i]);
        }
    if (f + 8 <= n_features) {
        doubles8 difference = load8(a + f) - load8(b + f);
        sums[0] = fma8(difference, difference, sums[0]);
        f += 8;
    }
    double total = n_features < 8 ? 0 : sum8(sums[0] + sums[1]);
    for (; f < n_features; f++)
        total = __builtin_fma(a[f] - b[f], a[f] - b[f], total);
    return total;
}

INLINE double squared_norm(const double *row, size_t n_features)
{
    doubles4 sums[2] = {(doubles4)0, (doubles4)0};
    size_t f = 0;
    for (; f + 8 <= n_features; f += 8)
        for (int i = 0; i < 2; i++) {
            doubles4 values = load4(row + f + 4 * i);
            sums[i] = __builtin_elementwise_fma(values, values, sums[i]);
        }
    doubles4 four = sums[0] + sums[1];
    double total = (four[0] + four[2]) + (four[1] + four[3]);
    for (; f < n_features; f++)
        total = __builtin_fma(row[f], row[f], total);
    return total;
}

#endif
