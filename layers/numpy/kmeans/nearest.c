/* The nearest center of each row: Lloyd's assignment, with the decisions of scikit-learn.

   The nearest is the first center of the least |c|^2 - 2 x.c, rounded as scikit-learn rounds it
   (sklearn.cluster._k_means_lloyd, _update_chunk_dense). That is float64; but float32 looks first,
   sixteen rows at a time, and only those rows are decided in float64 that float32 cannot vouch for.
   Where there are many clusters, two bounds a row tell which rows need no look at all.

   Source of the bounds: Hamerly, Making k-means even faster (2010). */

#include "floats.h"

enum { BLOCK = 2048, AT_ONCE = 6 };

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

/* How far the centers have moved since the bounds were made; rounded up. */
struct shifts {
    const double *of; /* shape (n_clusters,) */
    size_t farthest;  /* the cluster that moved most, by `most`; another one moved by `next` */
    double most, next;
};

/* Of each row: its cluster, its distance to that center at most, to all others at least. */
struct bounds { int32_t *labels; double *upper, *lower; };

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

/* What a distance in float64 is off by at most, in parts of it. */
INLINE double rounding(size_t n_features) { return (double)(n_features + 8) * 0x1p-52; }

INLINE double root(double squared)
{
    return squared > 0 ? __builtin_elementwise_sqrt(squared) : 0;
}

INLINE void set_bounds(struct bounds bounds, size_t i, const struct centers *centers, double norm,
                       double error, struct exact_nearest nearest)
{
    double slack = error + (norm + centers->largest_norm) * rounding(centers->n_features);
    bounds.upper[i] = root(nearest.value + norm + slack) * (1 + 0x1p-50);
    bounds.lower[i] = root(nearest.second + norm - slack) * (1 - 0x1p-50);
}

INLINE bool stays(double upper, double lower, double margin)
{
    return lower > upper && (lower - upper) * (lower + upper) > margin;
}

/* Lists the rows of a block that may change their cluster; returns how many they are. */
static size_t list_uncertain(const double *rows, size_t n, const struct centers *centers,
                             const struct shifts *shifts, double margin, struct bounds bounds,
                             uint32_t *list)
{
    size_t n_listed = 0, d = centers->n_features;
    for (size_t i = 0; i < n; i++) {
        size_t label = (size_t)bounds.labels[i];
        bounds.upper[i] += shifts->of[label];
        bounds.lower[i] -= label == shifts->farthest ? shifts->next : shifts->most;
        if (stays(bounds.upper[i], bounds.lower[i], margin))
            continue;
        double squared = squared_distance(rows + i * d, centers->rows + label * d, d);
        bounds.upper[i] = root(squared) * (1 + rounding(d));
        if (!stays(bounds.upper[i], bounds.lower[i], margin))
            list[n_listed++] = (uint32_t)i;
    }
    return n_listed;
}

/* --- passes --------------------------------------------------------------------------------- */

/* Sixteen rows, or less, that lie in a tile: rows[i] is where the one in lane i is labelled. */
struct lanes { const float *tile; const double *rows; const uint32_t *at; size_t n; };

/* Writes their labels, and their bounds where there are any.

   Returns how many have two nearest centers within the margin. */
INLINE size_t decide(struct lanes lanes, size_t d, const struct centers *centers, double margin,
                     struct bounds bounds)
{
    struct float_nearest found = nearest_in_float(lanes.tile, d, centers);
    floats16 norms = float_norms_of(lanes.tile, d);
    floats16 errors = (norms + (float)centers->largest_norm * ABOVE) * float_error(d);
    ints16 doubts = found.second - found.value <= (2 * errors + (float)margin) * ABOVE;
    unsigned doubtful = where16(doubts) & ((1u << lanes.n) - 1);
    if (lanes.n == FLOAT_LANES && !lanes.at)
        __builtin_memcpy(bounds.labels, &found.label, sizeof found.label);
    else
        for (size_t r = 0; r < lanes.n; r++)
            bounds.labels[lanes.at ? lanes.at[r] : r] = found.label[r];
    if (bounds.upper)
        for (size_t r = 0; r < lanes.n; r++) {
            struct exact_nearest nearest = {found.value[r], found.second[r], found.label[r]};
            size_t i = lanes.at ? lanes.at[r] : r;
            set_bounds(bounds, i, centers, norms[r], errors[r] * (double)ABOVE, nearest);
        }
    size_t n_near = 0;
    for (; doubtful; doubtful &= doubtful - 1) {
        size_t r = (size_t)__builtin_ctz(doubtful), i = lanes.at ? lanes.at[r] : r;
        const double *row = lanes.rows + i * d;
        struct exact_nearest nearest = nearest_exactly(row, centers);
        n_near += nearest.second - nearest.value <= margin;
        bounds.labels[i] = nearest.label;
        if (bounds.upper)
            set_bounds(bounds, i, centers, squared_norm(row, d), 0, nearest);
    }
    return n_near;
}

INLINE size_t all_rows(const double *rows, const float *tiles, size_t n, size_t d,
                       const struct centers *centers, double margin, struct bounds bounds,
                       float *tile)
{
    size_t n_near = 0;
    for (size_t i = 0; i < n; i += FLOAT_LANES) {
        struct lanes lanes = {tile, rows + i * d, NULL, n - i < FLOAT_LANES ? n - i : FLOAT_LANES};
        if (tiles) {
            lanes.tile = tiles + i * d;
            ask_for(lanes.tile + 2 * AHEAD, FLOAT_LANES * d * sizeof *tiles);
        } else {
            ask_for(lanes.rows + AHEAD, FLOAT_LANES * d * sizeof *rows);
            rows_to_float_lanes(lanes.rows, lanes.n, d, tile);
        }
        struct bounds here = {
            bounds.labels + i, bounds.upper ? bounds.upper + i : NULL,
            bounds.upper ? bounds.lower + i : NULL};
        n_near += decide(lanes, d, centers, margin, here);
    }
    return n_near;
}

/* The listed rows of a block. */
static size_t some_rows(const double *rows, const uint32_t *list, size_t n_listed,
                        const struct centers *centers, double margin, struct bounds bounds,
                        float *tile)
{
    size_t n_near = 0, d = centers->n_features;
    for (size_t i = 0; i < n_listed; i += FLOAT_LANES) {
        struct lanes lanes = {
            tile, rows, list + i, n_listed - i < FLOAT_LANES ? n_listed - i : FLOAT_LANES};
        struct sixteen some;
        for (size_t r = 0; r < FLOAT_LANES; r++)
            some.row[r] = rows + lanes.at[r < lanes.n ? r : lanes.n - 1] * d;
        to_float_lanes(&some, d, tile);
        n_near += decide(lanes, d, centers, margin, bounds);
    }
    return n_near;
}

/* Writes n rows in float32, in tiles of sixteen: shape (tiles, n_features, 16). */
void make_float_tiles(const double *rows, size_t n, size_t n_features, float *tiles)
{
#define CALL(d) \
    for (size_t i = 0; i < n; i += FLOAT_LANES) { \
        ask_for(rows + i * d + AHEAD, FLOAT_LANES * d * sizeof *rows); \
        rows_to_float_lanes(rows + i * d, n - i, d, tiles + i * d); \
    }
    FOR_FEATURES(n_features, CALL)
#undef CALL
}

/* Doubles of workspace that a call of `nearest` needs. */
size_t nearest_workspace(size_t n_features) { return FLOAT_LANES / 2 * n_features; }

/* Writes the label of each of n rows.

   Returns how many rows have two nearest centers within `margin`, in squared distance.
   rows       shape (n, n_features); no norm beyond 1e12, the largest not below 1e-12
   tiles      of make_float_tiles, or NULL: they are made on the way
   shifts     since the last call with these bounds; NULL if there was none
   margin     more than float64 can be off by
   upper, lower  bounds, shape (n,); both NULL: none are kept
   workspace  nearest_workspace(n_features) doubles; not shared by calls at the same time */
size_t nearest(const double *rows, const float *tiles, size_t n, const struct centers *centers,
               const struct shifts *shifts, double margin, int32_t *labels, double *upper,
               double *lower, double *workspace)
{
    float *tile = (float *)workspace;
    struct bounds bounds = {labels, upper, lower};
    size_t n_near = 0;
    if (!shifts || !upper) {
#define CALL(d) n_near = all_rows(rows, tiles, n, d, centers, margin, bounds, tile)
        FOR_FEATURES(centers->n_features, CALL)
#undef CALL
        return n_near;
    }
    uint32_t list[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const double *block = rows + i * centers->n_features;
        struct bounds here = {labels + i, upper + i, lower + i};
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        size_t n_listed = list_uncertain(block, m, centers, shifts, margin, here, list);
        n_near += some_rows(block, list, n_listed, centers, margin, here, tile);
    }
    return n_near;
}
