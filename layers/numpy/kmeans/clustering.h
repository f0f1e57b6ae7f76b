/* A clustering of the swap search, and the distances that are known of it.

   Each row knows its squared distance to its own center, and a bound: no other center is nearer than
   lower[i] - drift - reach. `drift` is how far any center has come since the search began, as far as
   whole rounds go, and `reach` how far one has come from where it was as this round began; so bounds
   grow old without being touched. */

#ifndef KMEANS_CLUSTERING_H
#define KMEANS_CLUSTERING_H

#include "vectors.h"

/* What is asked for, and where the result goes. */
struct search {
    const double *rows;    /* shape (n, n_features) */
    const double *weights; /* shape (n,), or NULL: all 1 */
    size_t n, n_features, n_clusters;
    bool goes_on;          /* from the centers that are there; else from those of k-means++ */
    uint64_t seed;
    size_t patience;       /* jumps in vain, one after the other */
    size_t n_steps;        /* Lloyd's, after a jump */
    double most_work;      /* distances, in whole eights of centers */
    double more_work;      /* so many more for each Lloyd's step, of 20, that the start takes */
    double *workspace;     /* search_workspace() doubles */
    double *centers;       /* shape (n_clusters, n_features): the best ones; results from here on */
    double inertia;
    double work;           /* the distances that were computed */
    size_t in_vain;        /* the last jumps that were */
};

struct state {
    double *centers; /* shape (n_clusters, n_features) */
    double *tiles;   /* times -2, then squared norms, in lanes: shape (tiles, n_features + 1, 8) */
    double *sizes;   /* the weights of their rows: shape (tiles, 8) */
    double *shares;  /* s / (s + 1) of a size s: shape (tiles, 8) */
    double *squared, *lower;
    int32_t *labels;
    bool *changed; /* of a cluster: its center is no longer the mean of its rows */
    bool *moved;   /* of a cluster: its rows' squared distances are no longer right */
    double drift, reach, inertia;
    const double *norms; /* of the rows, squared: shape (n,); the same for all states */
    double slack;
};

/* Sums that are made side by side, as one would wait for each of its steps. */
enum { CHAINS = 3 };

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

INLINE size_t padded(size_t n_clusters) { return (n_clusters + LANES - 1) / LANES * LANES; }

static void copy(double *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

static void copy_state(const struct search *search, struct state *to, const struct state *from)
{
    copy(to->centers, from->centers, search->n_clusters * search->n_features);
    copy(to->tiles, from->tiles, padded(search->n_clusters) * (search->n_features + 1));
    copy(to->sizes, from->sizes, search->n_clusters);
    copy(to->shares, from->shares, search->n_clusters);
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
    double *tile = state->tiles + j / LANES * LANES * (d + 1) + j % LANES;
    for (size_t f = 0; f < d; f++)
        tile[f * LANES] = -2 * state->centers[j * d + f];
    tile[d * LANES] = squared_norm(state->centers + j * d, d);
}

/* Squared distances to eight centers, off by `slack` at most; infinite behind the last center. */
INLINE doubles8 to_eight(const struct search *search, const struct state *state, size_t i, size_t j)
{
    size_t d = search->n_features, f = 0;
    const double *row = row_of(search, i), *tile = state->tiles + j * (d + 1);
    doubles8 sums[CHAINS] = {load8(tile + d * LANES), (doubles8)0, (doubles8)0};
    for (; f + CHAINS <= d; f += CHAINS)
        for (size_t c = 0; c < CHAINS; c++)
            sums[c] = fma8((doubles8)row[f + c], load8(tile + (f + c) * LANES), sums[c]);
    for (; f < d; f++)
        sums[0] = fma8((doubles8)row[f], load8(tile + f * LANES), sums[0]);
    return ((sums[0] + sums[1]) + sums[2]) + state->norms[i];
}

INLINE double least8(doubles8 values)
{
    doubles4 four = values.lo < values.hi ? values.lo : values.hi;
    double a = four[0] < four[2] ? four[0] : four[2], b = four[1] < four[3] ? four[1] : four[3];
    return a < b ? a : b;
}

/* The first of the least of all lanes, and the least of all others. */
struct least { double value, second; size_t at; };

INLINE struct least least_of(doubles8 values, doubles8 seconds, doubles8 labels)
{
    const doubles8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    struct least least = {.value = least8(values)};
    labels += lanes;
    double at = least8(values == least.value ? labels : (doubles8)INFINITE);
    least.second = least8(min8(seconds, labels == at ? (doubles8)INFINITE : values));
    least.at = (size_t)at;
    return least;
}

/* What a distance is at least, of a square as `to_eight` has it. */
INLINE double least_distance(const struct state *state, double squared)
{
    return squared > state->slack ? root(squared - state->slack) * BELOW : 0;
}

INLINE void label(struct state *state, size_t i, size_t j)
{
    size_t before = (size_t)state->labels[i];
    if (j != before)
        state->changed[j] = state->changed[before] = true;
    state->labels[i] = (int32_t)j;
}

/* Looks at all centers. */
INLINE struct least look(struct search *search, const struct state *state, size_t i)
{
    doubles8 values = INFINITE, seconds = INFINITE, labels = 0;
    for (size_t j = 0; j < search->n_clusters; j += LANES) {
        doubles8 squared = to_eight(search, state, i, j);
        seconds = min8(seconds, max8(squared, values));
        labels = squared < values ? (doubles8)(double)j : labels;
        values = min8(squared, values);
    }
    search->work += (double)padded(search->n_clusters);
    return least_of(values, seconds, labels);
}

/* Gives a row to its nearest center. */
static void find_nearest(struct search *search, struct state *state, size_t i)
{
    struct least nearest = look(search, state, i);
    label(state, i, nearest.at);
    state->squared[i] = to_center(search, state, i, nearest.at);
    state->lower[i] = least_distance(state, nearest.second) + state->drift;
}

INLINE void resize(struct state *state, size_t j, double size)
{
    state->sizes[j] = size;
    state->shares[j] = size / (size + 1);
}

static size_t state_size(size_t n, size_t n_features, size_t n_clusters)
{
    size_t tiles = padded(n_clusters) * (n_features + 3), flags = (2 * n_clusters + 7) / 8;
    return tiles + n_clusters * n_features + 2 * n + (n + 1) / 2 + flags;
}

/* Doubles of workspace that a call of `swap_search` needs. */
size_t search_workspace(size_t n, size_t n_features, size_t n_clusters)
{
    return 2 * state_size(n, n_features, n_clusters) + n + n_clusters * (n_features + 1);
}

/* A state in a part of the workspace. */
static struct state state_in(const struct search *search, double *at)
{
    size_t n = search->n, d = search->n_features, lanes = padded(search->n_clusters);
    struct state state = {.tiles = at};
    state.sizes = state.tiles + lanes * (d + 1);
    state.shares = state.sizes + lanes;
    state.centers = state.shares + lanes;
    state.squared = state.centers + search->n_clusters * d;
    state.lower = state.squared + n;
    state.labels = (int32_t *)(state.lower + n);
    state.changed = (bool *)(state.lower + n + (n + 1) / 2);
    state.moved = state.changed + search->n_clusters;
    clear(state.tiles, lanes * (d + 3));
    for (size_t j = 0; j < lanes; j++) /* behind the last center all is infinitely far off */
        state.tiles[j / LANES * LANES * (d + 1) + d * LANES + j % LANES] = INFINITE;
    return state;
}

/* Writes the rows' norms, and what squared distances are off by that are made of them: products are
   rounded once for each feature, and so are the sums. */
static double take_norms(const struct search *search, double *norms)
{
    double largest = 0;
    for (size_t i = 0; i < search->n; i++) {
        norms[i] = squared_norm(row_of(search, i), search->n_features);
        largest = norms[i] > largest ? norms[i] : largest;
    }
    return (double)(search->n_features + 4) * 0x1p-49 * largest;
}

#endif
