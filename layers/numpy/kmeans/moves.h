/* What makes a clustering of the swap search better: Lloyd's steps, and Hartigan's moves.

   Lloyd gives a row to its nearest center. Hartigan also reckons that both centers move with it: a
   row of weight w leaves a cluster of weight s, which spares its squared distance times s / (s - w),
   for one of weight t, which costs its squared distance times t / (t + w). So it leaves many a
   partition that Lloyd rests at, and never the other way round.

   Sources: Hartigan, Clustering algorithms (1975), chapter 4; Telgarsky and Vattani, Hartigan's
   method: k-means clustering without Voronoi (2010). */

#ifndef KMEANS_MOVES_H
#define KMEANS_MOVES_H

#include "clustering.h"

enum { MOST_ROUNDS = 300, MORE_ROUNDS = 400, BLOCK = 256 };

/* Lists those rows, of some, whose clusters have changed: without a branch, as it would often be
   guessed wrong. Returns how many they are. */
static size_t list_changed(const struct state *state, size_t start, size_t end, size_t *list)
{
    size_t n_listed = 0;
    for (size_t i = start; i < end; i++) {
        list[n_listed] = i;
        n_listed += state->changed[state->labels[i]];
    }
    return n_listed;
}

INLINE void add_row(const struct search *search, struct state *state, double *sums, size_t i)
{
    size_t d = search->n_features, j = (size_t)state->labels[i];
    const double *row = row_of(search, i);
    double weight = weight_of(search, i), *sum = sums + j * d;
    state->sizes[j] += weight;
    for (size_t f = 0; f < d; f++)
        sum[f] += row[f] * weight;
}

/* The sums of the rows of clusters that have changed. */
static void sum_changed(const struct search *search, struct state *state, double *sums)
{
    size_t list[BLOCK], d = search->n_features;
    for (size_t j = 0; j < search->n_clusters; j++)
        if (state->changed[j]) {
            clear(sums + j * d, d);
            state->sizes[j] = 0;
        }
    for (size_t start = 0; start < search->n; start += BLOCK) {
        size_t end = search->n - start < BLOCK ? search->n : start + BLOCK;
        size_t n_listed = list_changed(state, start, end, list);
        for (size_t l = 0; l < n_listed; l++)
            add_row(search, state, sums, list[l]);
    }
}

/* Centers become the means of their rows; one without rows stays where it is. */
static void take_means(const struct search *search, struct state *state, double *means)
{
    size_t d = search->n_features;
    double most = 0;
    sum_changed(search, state, means);
    for (size_t j = 0; j < search->n_clusters; j++) {
        if (!state->changed[j])
            continue;
        state->changed[j] = false;
        resize(state, j, state->sizes[j]);
        if (state->sizes[j] <= 0)
            continue;
        for (size_t f = 0; f < d; f++)
            means[j * d + f] /= state->sizes[j];
        double squared = squared_distance(means + j * d, state->centers + j * d, d);
        most = squared > most ? squared : most;
        state->moved[j] = true;
        copy(state->centers + j * d, means + j * d, d);
        place(search, state, j);
    }
    state->drift += root(most) * BEYOND + state->reach;
    state->reach = 0;
}

/* Brings the distance of a row to where its center is now; whether it had to be measured, which is
   for the caller to count: a sum in memory, row by row, takes longer than the distance. */
INLINE bool measure(const struct search *search, struct state *state, size_t i)
{
    size_t own = (size_t)state->labels[i];
    bool moved = state->moved[own];
    if (moved)
        state->squared[i] = to_center(search, state, i, own);
    return moved;
}

/* Lists those rows, of some, that may have another nearest center: without a branch, as it would often
   be guessed wrong. Returns how many they are. */
static size_t list_uncertain(struct search *search, struct state *state, size_t start, size_t end,
                             size_t *list)
{
    size_t n_listed = 0, n_measured = 0;
    for (size_t i = start; i < end; i++) {
        n_measured += measure(search, state, i);
        double lower = state->lower[i] - state->drift;
        list[n_listed] = i;
        n_listed += (lower <= 0) | (state->squared[i] * (1 + 0x1p-38) > lower * lower);
    }
    search->work += (double)n_measured;
    return n_listed;
}

/* Each row to its nearest center, where the bounds do not tell that it is there. */
static void assign(struct search *search, struct state *state)
{
    size_t list[BLOCK];
    double inertia = 0;
    for (size_t start = 0; start < search->n; start += BLOCK) {
        size_t end = search->n - start < BLOCK ? search->n : start + BLOCK;
        size_t n_listed = list_uncertain(search, state, start, end, list);
        for (size_t l = 0; l < n_listed; l++)
            find_nearest(search, state, list[l]);
        for (size_t i = start; i < end; i++)
            inertia += state->squared[i] * weight_of(search, i);
    }
    state->inertia = inertia;
    for (size_t j = 0; j < search->n_clusters; j++)
        state->moved[j] = false;
}

/* What is known of the other centers' squared distance, as a bound for the rest of the round. */
INLINE void set_bound(const struct search *search, struct state *state, size_t i, float squared)
{
    double distance = least_distance((double)squared, error_of(search, state, i));
    state->lower[i] = distance + state->drift - state->reach;
}

/* Moves a center, whose place at the begin of the round was `start`. */
INLINE void shift_center(const struct search *search, struct state *state, size_t j,
                         const double *row, double part, const double *starts)
{
    size_t d = search->n_features;
    double *center = state->centers + j * d;
    for (size_t f = 0; f < d; f++)
        center[f] += (row[f] - center[f]) * part;
    place(search, state, j);
    double reach = root(squared_distance(center, starts + j * d, d)) * BEYOND;
    state->reach = reach > state->reach ? reach : state->reach;
}

/* Moves a row to another cluster, and both centers with it. */
static void move(struct search *search, struct state *state, size_t i, size_t to,
                 const double *starts)
{
    size_t from = (size_t)state->labels[i];
    double weight = weight_of(search, i), *sizes = state->sizes;
    double left = weight / (sizes[from] - weight), came = weight / (sizes[to] + weight);
    shift_center(search, state, from, row_of(search, i), -left, starts);
    shift_center(search, state, to, row_of(search, i), came, starts);
    resize(state, from, sizes[from] - weight);
    resize(state, to, sizes[to] + weight);
    state->moved[from] = state->moved[to] = true;
    label(state, i, to);
    state->lower[i] = 0;
}

/* What it costs a row to go to each of sixteen clusters: their squared distances, as `squared` has
   them, times a share of their sizes. */
INLINE floats16 costs_of(const struct search *search, const struct state *state, size_t i, size_t j,
                         floats16 squared)
{
    floats16 sizes = load16(state->lanes + j);
    return squared * (search->weights ? sizes / (sizes + (float)search->weights[i])
                                      : load16(state->shares + j));
}

/* The squared distances to sixteen centers, with the row's own infinitely far off. */
INLINE floats16 to_others(const struct search *search, const struct state *state, size_t i, size_t j)
{
    const ints16 numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    ints16 own = numbers + (int32_t)j == state->labels[i];
    return own ? (floats16)__builtin_inff() : to_sixteen(search, state, i, j);
}

INLINE double cost_of(const struct search *search, const struct state *state, size_t i, size_t j)
{
    return to_center(search, state, i, j) * (state->sizes[j] / (state->sizes[j] + weight_of(search, i)));
}

/* The cheapest of those clusters that do not cost more than this, in float32. */
static size_t cheapest_within(struct search *search, const struct state *state, size_t i, float cost)
{
    size_t cheapest = 0;
    double least = INFINITE;
    for (size_t j = 0; j < search->n_clusters; j += FLOAT_LANES) {
        floats16 costs = costs_of(search, state, i, j, to_others(search, state, i, j));
        unsigned cheap = where16(costs <= cost);
        for (; cheap; cheap &= cheap - 1, search->work++) {
            size_t at = j + (size_t)__builtin_ctz(cheap);
            double measured = cost_of(search, state, i, at);
            cheapest = measured < least ? at : cheapest;
            least = measured < least ? measured : least;
        }
    }
    count_look(search);
    return cheapest;
}

/* Where a row would go, at what cost, and how near any other center is. */
struct offer { size_t to; double cost; float nearest; };

INLINE struct offer best_offer(struct search *search, const struct state *state, size_t i)
{
    struct lanes lanes = no_lanes();
    floats16 nearest = lanes.values;
    for (size_t j = 0; j < search->n_clusters; j += FLOAT_LANES) {
        floats16 squared = to_others(search, state, i, j);
        take_lanes(&lanes, costs_of(search, state, i, j, squared), j);
        nearest = min16(squared, nearest);
    }
    count_look(search);
    struct least least = least_of(&lanes);
    float limit = at_most(least.value, error_of(search, state, i)) * ABOVE; /* a cost is rounded more */
    size_t to = least.second <= limit ? cheapest_within(search, state, i, limit) : least.at;
    return (struct offer){to, cost_of(search, state, i, to), least16(nearest)};
}

/* Moves a row where that lowers the inertia; whether it has. */
static bool improve(struct search *search, struct state *state, size_t i, double gain,
                    const double *starts)
{
    struct offer best = best_offer(search, state, i);
    if (best.to == (size_t)state->labels[i] || !(best.cost < gain * (1 - 1e-12))) {
        set_bound(search, state, i, best.nearest);
        return false;
    }
    state->inertia -= (gain - best.cost) * weight_of(search, i);
    move(search, state, i, best.to, starts);
    return true;
}

static double smallest_size(const struct search *search, const struct state *state)
{
    double smallest = INFINITE;
    for (size_t j = 0; j < search->n_clusters; j++)
        smallest = state->sizes[j] < smallest ? state->sizes[j] : smallest;
    return smallest > 0 ? smallest : 0;
}

/* One look at all rows; how many have moved. */
static size_t improve_all(struct search *search, struct state *state, double *starts)
{
    size_t n_moved = 0, n_measured = 0;
    copy(starts, state->centers, search->n_clusters * search->n_features);
    state->drift += state->reach;
    state->reach = 0;
    double smallest = smallest_size(search, state);
    for (size_t i = 0; i < search->n; i++) {
        double weight = weight_of(search, i), size = state->sizes[state->labels[i]];
        if (!(weight > 0) || !(size > weight * (1 + 1e-9)))
            continue;
        size_t from = (size_t)state->labels[i];
        n_measured += measure(search, state, i);
        double gain = state->squared[i] * (size / (size - weight));
        double lower = state->lower[i] - state->drift - state->reach;
        if (lower > 0 && gain <= lower * lower * (smallest / (smallest + weight)))
            continue;
        if (improve(search, state, i, gain, starts)) {
            n_moved++;
            smallest = state->sizes[from] < smallest ? state->sizes[from] : smallest;
        }
    }
    search->work += (double)n_measured;
    return n_moved;
}

/* Whether MORE_ROUNDS like the last one would not do. */
static bool hopeless(const struct state *state, double before, double target)
{
    return state->inertia - target > MORE_ROUNDS * (before - state->inertia);
}

/* Down to a partition that no single move makes better; given up where the target is out of reach.
   Returns how many of Lloyd's steps it took. */
static size_t descend(struct search *search, struct state *state, double *means, size_t n_lloyd,
                      double target)
{
    size_t step = 0;
    for (; step < n_lloyd && search->work < search->most_work; step++) {
        double before = state->inertia;
        take_means(search, state, means);
        assign(search, state);
        if (hopeless(state, before, target))
            return step;
        if (state->inertia >= before)
            break;
    }
    take_means(search, state, means);
    for (size_t round = 0; round < MOST_ROUNDS && search->work < search->most_work; round++) {
        double before = state->inertia;
        if (improve_all(search, state, means) == 0)
            break;
        if (hopeless(state, before, target))
            return step;
    }
    take_means(search, state, means);
    assign(search, state);
    return step;
}

#endif
