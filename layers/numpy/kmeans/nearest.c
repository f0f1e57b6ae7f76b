/* The nearest center of each row: Lloyd's assignment, with the decisions of scikit-learn.

   The nearest is the first center of the least |c|^2 - 2 x.c, rounded as scikit-learn rounds it
   (sklearn.cluster._k_means_lloyd, _update_chunk_dense). That is float64; but float32 looks first,
   sixteen rows at a time, and only those rows are decided in float64 that float32 cannot vouch for.
   Where there is much to look at, a row remembers how far the centers may come before it has to be
   looked at again.

   Source of this bound: Hamerly, Making k-means even faster (2010), whose two are one number here. */

#include "floats.h"

enum { BLOCK = 2048, AT_ONCE = 6, GATHERED = 64 };

/* What is known of the centers. Behind the last one the tiles have infinite norms. */
struct centers {
    size_t n_clusters, n_features;
    const double *rows;         /* shape (n_clusters, n_features) */
    const double *factors;      /* times -2: shape (tiles of 8 clusters, n_features, 8) */
    const double *norms;        /* squared: shape (tiles of 8 clusters, 8) */
    const float *float_factors; /* shape (n_clusters, n_features) */
    const float *float_norms;   /* shape (n_clusters,) */
    double largest_norm;        /* squared */
};

/* How far the centers have come since the rows were first labelled, rounded up and summed over the
   steps: each of them, and the one that moved most. Where a look at a row costs next to nothing,
   `of` is NULL, and `most` of the two that moved most. */
struct drift {
    const double *of; /* shape (n_clusters,), or NULL */
    double most;
    double margin; /* more than two squared distances in float64 are off by */
};

/* Of each row: its cluster; and what the drift of its own center and of the others must come to,
   together, until another one may be as near. */
struct known { int32_t *labels; float *until; };

struct float_nearest { floats16 value, second; ints16 label; };
struct exact_nearest { double value, second; int32_t label; };

/* --- float32, sixteen rows ------------------------------------------------------------------ */

INLINE void compare(const float *tile, size_t d, const struct centers *centers, size_t first,
                    int count, struct float_nearest *found)
{
    const float *factors = centers->float_factors + first * d;
    floats16 values[AT_ONCE];
    for (int i = 0; i < count; i++)
        values[i] = (floats16)centers->float_norms[first + (size_t)i];
    for (size_t f = 0; f < d; f++) {
        floats16 x = load16(tile + f * FLOAT_LANES);
        for (int i = 0; i < count; i++)
            values[i] = fma16(x, (floats16)factors[(size_t)i * d + f], values[i]);
    }
    for (int i = 0; i < count; i++) {
        ints16 closer = values[i] < found->value;
        found->second = min16(found->second, max16(values[i], found->value));
        found->value = min16(values[i], found->value);
        found->label = closer ? (ints16)(int32_t)(first + (size_t)i) : found->label;
    }
}

/* So many centers at once that their sums stay in registers, and few are left over. */
INLINE struct float_nearest nearest_in_float(const float *tile, size_t d, const struct centers *centers)
{
    struct float_nearest found = {
        (floats16)__builtin_inff(), (floats16)__builtin_inff(), (ints16)0};
    size_t j = 0, k = centers->n_clusters;
    for (; k - j >= 6 && k - j != 8; j += 6)
        compare(tile, d, centers, j, 6, &found);
    for (; k - j >= 4; j += 4)
        compare(tile, d, centers, j, 4, &found);
    for (; k - j >= 2; j += 2)
        compare(tile, d, centers, j, 2, &found);
    if (j < k)
        compare(tile, d, centers, j, 1, &found);
    return found;
}

/* --- float64, one row ----------------------------------------------------------------------- */

/* The lanes are centers here, each with its first nearest. */
INLINE struct exact_nearest first_of_lanes(doubles8 value, doubles8 second, longs8 label)
{
    struct exact_nearest found = {INFINITE, INFINITE, 0};
    for (int i = 0; i < LANES; i++) {
        int32_t at = (int32_t)label[i] + i;
        bool closer = value[i] < found.value || (value[i] == found.value && at < found.label);
        double other = closer ? found.value : value[i];
        other = second[i] < other ? second[i] : other;
        found.second = other < found.second ? other : found.second;
        found.label = closer ? at : found.label;
        found.value = closer ? value[i] : found.value;
    }
    return found;
}

static struct exact_nearest nearest_exactly(const double *row, const struct centers *centers)
{
    size_t d = centers->n_features;
    doubles8 value = INFINITE, second = INFINITE;
    longs8 label = 0;
    for (size_t j = 0; j < centers->n_clusters; j += LANES) {
        const double *factors = centers->factors + j * d;
        doubles8 product = 0;
        for (size_t f = 0; f < d; f++)
            product = fma8((doubles8)row[f], load8(factors + f * LANES), product);
        product += load8(centers->norms + j);
        longs8 closer = product < value;
        second = min8(second, max8(product, value));
        value = min8(product, value);
        label = closer ? (longs8)(long)j : label;
    }
    return first_of_lanes(value, second, label);
}

/* --- bounds --------------------------------------------------------------------------------- */

INLINE floats16 roots16(floats16 squared)
{
    return __builtin_elementwise_sqrt(max16(squared, (floats16)0));
}

/* Both distances change by no more than their centers move: the one to the nearest grows by that, the
   one to the next shrinks.

   errors  of what was found; all else are roundings, far below 2^-20 together */
INLINE floats16 until_of(const struct float_nearest *found, floats16 norms, floats16 errors,
                         const struct drift *drift)
{
    floats16 near = roots16(found->value + norms + 2 * errors);
    floats16 far = roots16(found->second + norms - 2 * errors);
    floats16 come = (float)drift->most;
    if (drift->of)
        for (size_t r = 0; r < FLOAT_LANES; r++)
            come[r] += (float)drift->of[found->label[r]];
    return (far - near + come) - (far + near + come) * 0x1p-20f;
}

/* Lists the rows of a block that may change their cluster; returns how many they are. */
static size_t list_uncertain(struct known known, size_t n, const struct drift *drift,
                             uint32_t *list)
{
    double others = drift->most + __builtin_elementwise_sqrt(drift->margin);
    floats16 at_most = (float)(drift->of ? drift->most + others : others) * ABOVE;
    size_t n_listed = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES) {
        size_t m = n - i < FLOAT_LANES ? n - i : FLOAT_LANES;
        floats16 until = load_floats(known.until + i, m);
        unsigned rest = ~where16(until > at_most) & ((1u << m) - 1);
        for (; rest; rest &= rest - 1) {
            size_t r = i + (size_t)__builtin_ctz(rest);
            if (!drift->of
                || !(known.until[r] > (drift->of[known.labels[r]] + others) * (double)ABOVE))
                list[n_listed++] = (uint32_t)r;
        }
    }
    return n_listed;
}

/* --- passes --------------------------------------------------------------------------------- */

/* Sixteen rows, or less, that lie in a tile: rows[i] is where the one in lane i is labelled. */
struct lanes { const float *tile; const double *rows; const uint32_t *at; size_t n; };

/* Writes what is known of them now. Returns how many have two nearest centers within the margin. */
INLINE size_t decide(struct lanes lanes, size_t d, const struct centers *centers,
                     const struct drift *drift, struct known known)
{
    struct float_nearest found = nearest_in_float(lanes.tile, d, centers);
    floats16 norms = float_norms_of(lanes.tile, d);
    floats16 errors = (norms + (float)centers->largest_norm * ABOVE) * float_error(d);
    ints16 doubts = found.second - found.value <= (2 * errors + (float)drift->margin) * ABOVE;
    unsigned doubtful = where16(doubts) & ((1u << lanes.n) - 1);
    floats16 until = known.until ? until_of(&found, norms, errors, drift) : (floats16)0;
    if (lanes.n == FLOAT_LANES && !lanes.at) {
        __builtin_memcpy(known.labels, &found.label, sizeof found.label);
        if (known.until)
            __builtin_memcpy(known.until, &until, sizeof until);
    } else {
        for (size_t r = 0; r < lanes.n; r++) {
            size_t i = lanes.at ? lanes.at[r] : r;
            known.labels[i] = found.label[r];
            if (known.until)
                known.until[i] = until[r];
        }
    }
    size_t n_near = 0;
    for (; doubtful; doubtful &= doubtful - 1) {
        size_t r = (size_t)__builtin_ctz(doubtful), i = lanes.at ? lanes.at[r] : r;
        struct exact_nearest nearest = nearest_exactly(lanes.rows + i * d, centers);
        n_near += nearest.second - nearest.value <= drift->margin;
        known.labels[i] = nearest.label;
        if (known.until)
            known.until[i] = -INFINITE; /* as near as this it will hardly be certain soon */
    }
    return n_near;
}

INLINE size_t all_rows(const double *rows, const float *tiles, size_t n, size_t d,
                       const struct centers *centers, const struct drift *drift, struct known known,
                       float *tile)
{
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES) {
        struct lanes lanes = {tile, rows + i * d, NULL, n - i < FLOAT_LANES ? n - i : FLOAT_LANES};
        if (tiles) {
            lanes.tile = tiles + i * d;
            ask_for(lanes.tile + 2 * FAR_AHEAD, FLOAT_LANES * d * sizeof *tiles);
        } else {
            ask_for(lanes.rows + AHEAD, FLOAT_LANES * d * sizeof *rows);
            rows_to_float_lanes(lanes.rows, lanes.n, d, tile);
        }
        struct known here = {known.labels + i, known.until ? known.until + i : NULL};
        n_near += decide(lanes, d, centers, drift, here);
    }
    return n_near;
}

/* The listed rows of a block. */
static size_t some_rows(const double *rows, const uint32_t *list, size_t n_listed,
                        const struct centers *centers, const struct drift *drift, struct known known,
                        float *tile)
{
    size_t n_near = 0, d = centers->n_features;
    for (size_t i = 0; i < n_listed; i++)
        ask_for(rows + list[i] * d, d * sizeof *rows);
    for (size_t i = 0; i < n_listed; i += FLOAT_LANES) {
        struct lanes lanes = {
            tile, rows, list + i, n_listed - i < FLOAT_LANES ? n_listed - i : FLOAT_LANES};
        struct sixteen some;
        for (size_t r = 0; r < FLOAT_LANES; r++)
            some.row[r] = rows + lanes.at[r < lanes.n ? r : lanes.n - 1] * d;
        to_float_lanes(&some, d, tile);
        n_near += decide(lanes, d, centers, drift, known);
    }
    return n_near;
}

/* A block, or those of its rows that are not certain: where they are many all of it, as it takes some
   time to gather them. */
INLINE size_t in_block(const double *rows, const float *tiles, size_t n, size_t d,
                       const struct centers *centers, const struct drift *drift, struct known known,
                       float *tile)
{
    if (!known.until)
        return all_rows(rows, tiles, n, d, centers, drift, known, tile);
    uint32_t list[BLOCK];
    size_t n_listed = list_uncertain(known, n, drift, list), k = centers->n_clusters;
    if (n_listed * (k + GATHERED) <= n * k)
        return some_rows(rows, list, n_listed, centers, drift, known, tile);
    return all_rows(rows, tiles, n, d, centers, drift, known, tile);
}

INLINE double make_tiles_in(const double *rows, size_t n, size_t d, float *tiles)
{
    double largest = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES) {
        ask_for(rows + i * d + AHEAD, FLOAT_LANES * d * sizeof *rows);
        size_t m = n - i < FLOAT_LANES ? n - i : FLOAT_LANES;
        double norm = make_tile(rows + i * d, m, d, tiles + i * d);
        largest = norm > largest ? norm : largest;
    }
    return largest;
}

/* Writes n rows in float32, in tiles of sixteen: shape (tiles, n_features, 16).

   Returns the largest squared norm of a row. */
double make_float_tiles(const double *rows, size_t n, size_t n_features, float *tiles)
{
    double largest = 0;
#define CALL(d) largest = make_tiles_in(rows, n, d, tiles)
    FOR_FEATURES(n_features, CALL)
#undef CALL
    return largest;
}

/* Doubles of workspace that a call of `nearest` needs. */
size_t nearest_workspace(size_t n_features) { return FLOAT_LANES / 2 * n_features; }

/* Writes the label of each of n rows.

   Returns how many rows have two nearest centers within the margin, in squared distance.
   rows       shape (n, n_features); no norm beyond 1e12, the largest not below 1e-12
   tiles      of make_float_tiles, or NULL: they are made on the way
   until      shape (n,), or NULL: all rows are looked at; with it labels and until are those of the
              last call, at first 0 and -infinity
   workspace  nearest_workspace(n_features) doubles; not shared by calls at the same time */
size_t nearest(const double *rows, const float *tiles, size_t n, const struct centers *centers,
               const struct drift *drift, int32_t *labels, float *until, double *workspace)
{
    float *tile = (float *)workspace;
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        struct known known = {labels + i, until ? until + i : NULL};
#define CALL(d) \
    n_near += in_block(rows + i * d, tiles ? tiles + i * d : NULL, m, d, centers, drift, known, tile)
        FOR_FEATURES(centers->n_features, CALL)
#undef CALL
    }
    return n_near;
}
