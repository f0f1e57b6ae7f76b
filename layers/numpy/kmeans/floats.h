/* Rows in float32, sixteen at once, and what that is off by. */

#ifndef KMEANS_FLOATS_H
#define KMEANS_FLOATS_H

#include "vectors.h"

typedef float floats4 __attribute__((ext_vector_type(4)));
typedef float floats16 __attribute__((ext_vector_type(16)));
typedef int32_t ints16 __attribute__((ext_vector_type(16)));
typedef bool bits16 __attribute__((ext_vector_type(16)));

enum { FLOAT_LANES = 16 };

INLINE floats16 load16(const float *at)
{
    floats16 values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}

/* Of up to sixteen values, with zeros behind them. */
INLINE floats16 load_floats(const float *at, size_t n)
{
    if (n == FLOAT_LANES)
        return load16(at);
    floats16 values = 0;
    for (size_t i = 0; i < n; i++)
        values[i] = at[i];
    return values;
}

INLINE floats16 min16(floats16 a, floats16 b) { return a < b ? a : b; }
INLINE floats16 max16(floats16 a, floats16 b) { return a > b ? a : b; }
INLINE floats16 fma16(floats16 a, floats16 b, floats16 c) { return __builtin_elementwise_fma(a, b, c); }

/* A bit for each lane for which something holds. */
INLINE unsigned where16(ints16 holds)
{
    bits16 bits = __builtin_convertvector(holds, bits16);
    uint16_t mask;
    __builtin_memcpy(&mask, &bits, 2);
    return mask;
}

struct sixteen { const double *row[FLOAT_LANES]; };

INLINE struct sixteen next_sixteen(const double *rows, size_t n, size_t n_features)
{
    struct sixteen some;
    for (size_t i = 0; i < FLOAT_LANES; i++)
        some.row[i] = rows + (i < n ? i : n - 1) * n_features;
    return some;
}

INLINE floats4 load_floats4(const double *at)
{
    return __builtin_convertvector(load4(at), floats4);
}

/* Sixteen rows that follow each other, of few features: the compiler makes shuffles of it. */
INLINE void few_to_float_lanes(const double *rows, size_t n_features, float *tile)
{
    for (size_t f = 0; f < n_features; f++)
        for (size_t i = 0; i < FLOAT_LANES; i++)
            tile[f * FLOAT_LANES + i] = (float)rows[i * n_features + f];
}

/* Four features, from f on, of sixteen rows. */
INLINE void four_to_float_lanes(const struct sixteen *some, size_t f, float *tile)
{
    for (int i = 0; i < FLOAT_LANES; i += 4) {
        floats4 a = load_floats4(some->row[i] + f), b = load_floats4(some->row[i + 1] + f);
        floats4 c = load_floats4(some->row[i + 2] + f), d = load_floats4(some->row[i + 3] + f);
        floats4 ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
        floats4 ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        floats4 cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
        floats4 cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        floats4 lanes[4] = {
            __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5),
            __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
            __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5),
            __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7)};
        for (size_t j = 0; j < 4; j++)
            __builtin_memcpy(tile + (f + j) * FLOAT_LANES + i, &lanes[j], sizeof lanes[j]);
    }
}

/* tile: shape (n_features, 16) */
INLINE void to_float_lanes(const struct sixteen *some, size_t n_features, float *tile)
{
    if (n_features < 4)
        for (size_t f = 0; f < n_features; f++)
            for (size_t i = 0; i < FLOAT_LANES; i++)
                tile[f * FLOAT_LANES + i] = (float)some->row[i][f];
    else
        for (size_t f = 0; f < n_features; f += 4)
            four_to_float_lanes(some, f + 4 <= n_features ? f : n_features - 4, tile);
}

/* What |x|^2 + |c|^2 - 2 x.c, in float32, is off by at most, in parts of |x|^2 + |c|^2.

   Each product is one of two rounded factors, and is rounded once more as it is added; the squares
   are no worse: less than d + 8 roundings of 2^-24 each, of terms that come to |x|^2 + |c|^2, twice. */
INLINE float float_error(size_t n_features) { return (float)(n_features + 8) * 0x1p-23f; }

/* Makes a number, rounded to float32, one that is not below it. */
#define ABOVE (1 + 0x1p-22f)

/* Asks for a feature of a tile behind this one: one after the other is sooner there than all. Of few
   features it is several tiles on, as memory takes longer than one. */
INLINE void ask_for_next(const float *tile, size_t n_features, size_t f)
{
    size_t n_tiles = 1 + 2 * FAR_AHEAD / (FLOAT_LANES * n_features);
    ask_for(tile + (n_tiles * n_features + f) * FLOAT_LANES, FLOAT_LANES * sizeof *tile);
}

/* The rows' squared norms, of a tile of shape (n_features, 16). */
INLINE floats16 float_norms_of(const float *tile, size_t n_features)
{
    floats16 norms = 0;
    for (size_t f = 0; f < n_features; f++)
        norms = fma16(load16(tile + f * FLOAT_LANES), load16(tile + f * FLOAT_LANES), norms);
    return norms;
}

/* The n rows from `rows` on, sixteen or less; behind the last of them it is repeated. */
INLINE void rows_to_float_lanes(const double *rows, size_t n, size_t n_features, float *tile)
{
    if (n >= FLOAT_LANES && n_features <= 4) {
        few_to_float_lanes(rows, n_features, tile);
    } else {
        struct sixteen some = next_sixteen(rows, n, n_features);
        to_float_lanes(&some, n_features, tile);
    }
}

/* Writes the n rows from `rows` on, sixteen or less, as a tile; returns their largest squared norm. */
INLINE double make_tile(const double *rows, size_t n, size_t n_features, float *tile)
{
    double largest = 0;
    rows_to_float_lanes(rows, n, n_features, tile);
    for (size_t r = 0; r < n; r++) {
        double norm = squared_norm(rows + r * n_features, n_features);
        largest = norm > largest ? norm : largest;
    }
    return largest;
}

#endif
