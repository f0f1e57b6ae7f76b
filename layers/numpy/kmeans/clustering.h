/* A clustering of the swap search, and the distances that are known of it.

   Each row knows its squared distance to its own center, and a bound: no other center is nearer than
   lower[i] - drift - reach. `drift` is how far any center has come since the search began, as far as
   whole rounds go, and `reach` how far one has come from where it was as this round began; so bounds
   grow old without being touched.

   A look at all centers is float32's, sixteen of them at once. It tells no row from another by itself:
   what two centers are too near each other for is measured in float64, and so is whatever is kept. */

#ifndef KMEANS_CLUSTERING_H
#define KMEANS_CLUSTERING_H

#include "floats.h"

/* What is asked for, and where the result goes. */
struct search {
    const double *rows;    /* shape (n, n_features) */
    const double *weights; /* shape (n,), or NULL: all 1 */
    size_t n, n_features, n_clusters;
    bool goes_on;          /* from the centers that are there; else from those of k-means++ */
    uint64_t seed;
    size_t patience;       /* jumps in vain, one after the other */
    size_t n_steps;        /* Lloyd's, after a jump */
    double most_work;      /* distances, of a look in whole eights of centers */
    double more_work;      /* so many more for each Lloyd's step, of 20, that the start takes */
    double *workspace;     /* search_workspace() doubles */
    double *centers;       /* shape (n_clusters, n_features): the best ones; results from here on */
    double inertia;
    double work;           /* the distances that were computed */
    size_t in_vain;        /* the last jumps that were */
};

struct state {
    double *centers; /* shape (n_clusters, n_features) */
    double *sizes;   /* the weights of their rows: shape (n_clusters,) */
    float *tiles;    /* times -2, then squared norms, in lanes: shape (tiles, n_features + 1, 16) */
    float *lanes;    /* the sizes: shape (tiles, 16) */
    float *shares;   /* s / (s + 1) of a size s: shape (tiles, 16) */
    double *squared, *lower;
    int32_t *labels;
    bool *changed; /* of a cluster: its center is no longer the mean of its rows */
    bool *moved;   /* of a cluster: its rows' squared distances are no longer right */
    double drift, reach, inertia;
    const struct float_rows *rows; /* the same for all states */
};

/* The rows in float32, shape (n, n_features), and their squared norms, shape (n,). */
struct float_rows { float *values, *norms; };

/* Sums that are made side by side, as one would wait for each of its steps. */
enum { CHAINS = 4 };

/* What roots and sums of a few roundings are off by, on the safe side. */
#define BELOW (1 - 0x1p-40)
#define BEYOND (1 + 0x1p-40)

INLINE double weight_of(const struct search *search, size_t i)
{
    return search->weights ? search->weights[i] : 1;
}

INLINE const double *row_of(const struct search *search, size_t i)
{
    return search->rows + i * search->n_features;
}

INLINE double to_center(const struct search *search, const struct state *state, size_t i, size_t j)
{
    size_t d = search->n_features;
    const double *row = row_of(search, i), *center = state->centers + j * d;
    if (d == 2) { /* the usual number of few features, without a loop */
        double x = row[0] - center[0], y = row[1] - center[1];
        return x * x + y * y;
    }
    return squared_distance(row, center, d);
}

INLINE double root(double squared) { return __builtin_elementwise_sqrt(squared); }

INLINE size_t padded(size_t n_clusters)
{
    return (n_clusters + FLOAT_LANES - 1) / FLOAT_LANES * FLOAT_LANES;
}

static void copy(double *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void copy_floats(float *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void copy_state(const struct search *search, struct state *to, const struct state *from)
{
    copy(to->centers, from->centers, search->n_clusters * search->n_features);
    copy_floats(to->tiles, from->tiles, padded(search->n_clusters) * (search->n_features + 1));
    copy(to->sizes, from->sizes, search->n_clusters);
    copy_floats(to->lanes, from->lanes, search->n_clusters);
    copy_floats(to->shares, from->shares, search->n_clusters);
    copy(to->squared, from->squared, search->n);
    copy(to->lower, from->lower, search->n);
    for (size_t i = 0; i < search->n; i++)
        to->labels[i] = from->labels[i];
    for (size_t j = 0; j < search->n_clusters; j++)
        to->changed[j] = to->moved[j] = false;
    to->drift = from->drift;
    to->reach = from->reach;
    to->inertia = from->inertia;
}

/* Tells the lanes where a center is now. */
static void place(const struct search *search, struct state *state, size_t j)
{
    size_t d = search->n_features;
    float *tile = state->tiles + j / FLOAT_LANES * FLOAT_LANES * (d + 1) + j % FLOAT_LANES;
    for (size_t f = 0; f < d; f++)
        tile[f * FLOAT_LANES] = (float)(-2 * state->centers[j * d + f]);
    tile[d * FLOAT_LANES] = (float)squared_norm(state->centers + j * d, d);
}

/* --- looks in float32 ------------------------------------------------------------------------ */

/* Squared distances to sixteen centers; infinite behind the last one. */
INLINE floats16 to_sixteen(const struct search *search, const struct state *state, size_t i, size_t j)
{
    size_t d = search->n_features, f = 0;
    const float *row = state->rows->values + i * d, *tile = state->tiles + j * (d + 1);
    floats16 sums[CHAINS] = {load16(tile + d * FLOAT_LANES), (floats16)0, (floats16)0, (floats16)0};
    for (; f + CHAINS <= d; f += CHAINS)
        for (size_t c = 0; c < CHAINS; c++)
            sums[c] = fma16((floats16)row[f + c], load16(tile + (f + c) * FLOAT_LANES), sums[c]);
    for (; f < d; f++)
        sums[0] = fma16((floats16)row[f], load16(tile + f * FLOAT_LANES), sums[0]);
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + state->rows->norms[i];
}

/* What these are off by: float_error(n_features) of |x|^2 + |c|^2 at most, and |c|^2 is not above
   2 |x|^2 + 2 |x - c|^2. So there is a part that the distance does not change, and a part of it. */
struct error { float fixed, part; };

INLINE struct error error_of(const struct search *search, const struct state *state, size_t i)
{
    float error = float_error(search->n_features) * ABOVE;
    return (struct error){3 * error * state->rows->norms[i] + 0x1p-120f, 2 * error};
}

/* A value that true ones of at most `squared` are not above, as float32 has them. */
INLINE float at_most(float squared, struct error error)
{
    return (squared + 2 * error.fixed) * (1 + 3 * error.part);
}

/* What a distance is at least. */
INLINE double least_distance(double squared, struct error error)
{
    double least = squared * (1 - (double)error.part) - (double)error.fixed;
    return least > 0 ? root(least) * BELOW : 0;
}

INLINE float least16(floats16 values)
{
    typedef float floats8 __attribute__((ext_vector_type(8)));
    floats8 eight = values.lo < values.hi ? values.lo : values.hi;
    floats4 four = eight.lo < eight.hi ? eight.lo : eight.hi;
    float a = four[0] < four[2] ? four[0] : four[2], b = four[1] < four[3] ? four[1] : four[3];
    return a < b ? a : b;
}

/* The least value of all centers, and the least of the others. */
struct least { float value, second; size_t at; };

/* Of sixteen centers after the other: each lane's least value, the next one, and of which tile. */
struct lanes { floats16 values, seconds; ints16 tiles; };

INLINE struct lanes no_lanes(void)
{
    const float infinite = __builtin_inff();
    return (struct lanes){(floats16)infinite, (floats16)infinite, (ints16)0};
}

INLINE void take_lanes(struct lanes *lanes, floats16 values, size_t first)
{
    lanes->seconds = min16(lanes->seconds, max16(values, lanes->values));
    lanes->tiles = values < lanes->values ? (ints16)(int32_t)first : lanes->tiles;
    lanes->values = min16(values, lanes->values);
}

INLINE struct least least_of(const struct lanes *lanes)
{
    const ints16 numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct least least = {.value = least16(lanes->values)};
    int32_t lane = (int32_t)__builtin_ctz(where16(lanes->values == least.value) | 1u << 15);
    floats16 others = numbers == lane ? lanes->seconds : lanes->values;
    least.second = least16(min16(others, lanes->seconds));
    least.at = (size_t)(lanes->tiles[lane] + lane);
    return least;
}

INLINE void count_look(struct search *search)
{
    search->work += (double)((search->n_clusters + LANES - 1) / LANES * LANES);
}

/* Looks at all centers. */
INLINE struct least look(struct search *search, const struct state *state, size_t i)
{
    struct lanes lanes = no_lanes();
    for (size_t j = 0; j < search->n_clusters; j += FLOAT_LANES)
        take_lanes(&lanes, to_sixteen(search, state, i, j), j);
    count_look(search);
    return least_of(&lanes);
}

/* --- what float64 decides -------------------------------------------------------------------- */

INLINE void label(struct state *state, size_t i, size_t j)
{
    size_t before = (size_t)state->labels[i];
    if (j != before)
        state->changed[j] = state->changed[before] = true;
    state->labels[i] = (int32_t)j;
}

/* The nearest of those centers that are not farther than this, in float32. */
static size_t nearest_within(struct search *search, const struct state *state, size_t i, float squared)
{
    size_t nearest = 0;
    double least = INFINITE;
    for (size_t j = 0; j < search->n_clusters; j += FLOAT_LANES) {
        unsigned near = where16(to_sixteen(search, state, i, j) <= squared);
        for (; near; near &= near - 1, search->work++) {
            size_t at = j + (size_t)__builtin_ctz(near);
            double measured = to_center(search, state, i, at);
            nearest = measured < least ? at : nearest;
            least = measured < least ? measured : least;
        }
    }
    count_look(search);
    return nearest;
}

/* Gives a row to its nearest center. */
static void find_nearest(struct search *search, struct state *state, size_t i)
{
    struct least found = look(search, state, i);
    struct error error = error_of(search, state, i);
    size_t nearest = found.at;
    float limit = at_most(found.value, error);
    if (found.second <= limit)
        nearest = nearest_within(search, state, i, limit);
    label(state, i, nearest);
    state->squared[i] = to_center(search, state, i, nearest);
    float other = nearest == found.at ? found.second : found.value;
    state->lower[i] = least_distance((double)other, error) + state->drift;
}

INLINE void resize(struct state *state, size_t j, double size)
{
    state->sizes[j] = size;
    state->lanes[j] = (float)size;
    state->shares[j] = (float)(size / (size + 1));
}

static size_t state_size(size_t n, size_t n_features, size_t n_clusters)
{
    size_t tiles = padded(n_clusters) * (n_features + 3) / 2, flags = (2 * n_clusters + 7) / 8;
    return tiles + n_clusters * (n_features + 1) + 2 * n + (n + 1) / 2 + flags;
}

/* Doubles of workspace that a call of `swap_search` needs. */
size_t search_workspace(size_t n, size_t n_features, size_t n_clusters)
{
    size_t rows = (n * (n_features + 1) + 1) / 2;
    return 2 * state_size(n, n_features, n_clusters) + rows + n_clusters * (n_features + 1);
}

/* A state in a part of the workspace. */
static struct state state_in(const struct search *search, double *at, const struct float_rows *rows)
{
    size_t n = search->n, k = search->n_clusters, d = search->n_features, n_lanes = padded(k);
    struct state state = {.centers = at, .rows = rows};
    state.sizes = state.centers + k * d;
    state.squared = state.sizes + k;
    state.lower = state.squared + n;
    state.tiles = (float *)(state.lower + n);
    state.lanes = state.tiles + n_lanes * (d + 1);
    state.shares = state.lanes + n_lanes;
    state.labels = (int32_t *)(state.shares + n_lanes);
    state.changed = (bool *)(state.labels + (n + 1) / 2 * 2);
    state.moved = state.changed + k;
    for (size_t i = 0; i < n_lanes * (d + 1); i++)
        state.tiles[i] = 0;
    for (size_t j = 0; j < n_lanes; j++) { /* behind the last center all is infinitely far off */
        state.tiles[j / FLOAT_LANES * FLOAT_LANES * (d + 1) + d * FLOAT_LANES + j % FLOAT_LANES] =
            __builtin_inff();
        state.lanes[j] = state.shares[j] = 1;
    }
    return state;
}

/* Writes the rows in float32. */
static struct float_rows float_rows_in(const struct search *search, double *at)
{
    size_t n = search->n, d = search->n_features;
    struct float_rows rows = {(float *)at, (float *)at + n * d};
    for (size_t i = 0; i < n * d; i++)
        rows.values[i] = (float)search->rows[i];
    for (size_t i = 0; i < n; i++)
        rows.norms[i] = (float)squared_norm(row_of(search, i), d);
    return rows;
}

#endif
