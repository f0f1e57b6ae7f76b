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

enum { MOST_ROUNDS = 300, MORE_ROUNDS = 400 };

/* The sums of the rows of clusters that have changed. */
static void sum_changed(const struct search *search, struct state *state, double *sums)
{
    size_t d = search->n_features;
    for (size_t j = 0; j < search->n_clusters; j++)
        if (state->changed[j]) {
            clear(sums + j * d, d);
            state->sizes[j] = 0;
        }
    for (size_t i = 0; i < search->n; i++) {
        size_t j = (size_t)state->labels[i];
        if (!state->changed[j])
            continue;
        double weight = weight_of(search, i);
        state->sizes[j] += weight;
        for (size_t f = 0; f < d; f++)
            sums[j * d + f] += row_of(search, i)[f] * weight;
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

/* The distance of each row whose center has moved; its nearest where the bound does not tell. */
static void assign(struct search *search, struct state *state)
{
    state->inertia = 0;
    for (size_t i = 0; i < search->n; i++) {
        if (state->moved[state->labels[i]]) {
            state->squared[i] = to_center(search, state, i, (size_t)state->labels[i]);
            search->work++;
        }
        double lower = state->lower[i] - state->drift;
        if (lower <= 0 || state->squared[i] * (1 + 0x1p-38) > lower * lower)
            find_nearest(search, state, i);
        state->inertia += state->squared[i] * weight_of(search, i);
    }
    for (size_t j = 0; j < search->n_clusters; j++)
        state->moved[j] = false;
}

/* What is known of the other centers' squared distance, as a bound for the rest of the round. */
INLINE void set_bound(struct state *state, size_t i, double squared)
{
    state->lower[i] = least_distance(state, squared) + state->drift - state->reach;
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

/* Where a row would go, at what cost, and how near any other center is. */
struct offer { size_t to; double cost, nearest; };

INLINE struct offer best_offer(struct search *search, const struct state *state, size_t i)
{
    double weight = weight_of(search, i), label = (double)state->labels[i];
    doubles8 costs = INFINITE, nearest = INFINITE, labels = 0;
    const doubles8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    for (size_t j = 0; j < search->n_clusters; j += LANES) {
        doubles8 squared = to_eight(search, state, i, j), sizes = load8(state->sizes + j);
        squared = lanes + (double)j == label ? (doubles8)INFINITE : squared;
        doubles8 shares = search->weights ? sizes / (sizes + weight) : load8(state->shares + j);
        doubles8 cost = squared * shares;
        labels = cost < costs ? (doubles8)(double)j : labels;
        costs = min8(cost, costs);
        nearest = min8(squared, nearest);
    }
    search->work += (double)padded(search->n_clusters);
    size_t to = least_of(costs, costs, labels).at;
    double share = state->sizes[to] / (state->sizes[to] + weight);
    return (struct offer){to, to_center(search, state, i, to) * share, least8(nearest)};
}

/* Moves a row where that lowers the inertia; whether it has. */
static bool improve(struct search *search, struct state *state, size_t i, double gain,
                    const double *starts)
{
    struct offer best = best_offer(search, state, i);
    if (best.to == (size_t)state->labels[i] || !(best.cost < gain * (1 - 1e-12))) {
        set_bound(state, i, best.nearest);
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
    size_t n_moved = 0;
    copy(starts, state->centers, search->n_clusters * search->n_features);
    state->drift += state->reach;
    state->reach = 0;
    double smallest = smallest_size(search, state);
    for (size_t i = 0; i < search->n; i++) {
        double weight = weight_of(search, i), size = state->sizes[state->labels[i]];
        if (!(weight > 0) || !(size > weight * (1 + 1e-9)))
            continue;
        size_t from = (size_t)state->labels[i];
        if (state->moved[from]) {
            state->squared[i] = to_center(search, state, i, from);
            search->work++;
        }
        double gain = state->squared[i] * (size / (size - weight));
        double lower = state->lower[i] - state->drift - state->reach;
        if (lower > 0 && gain <= lower * lower * (smallest / (smallest + weight)))
            continue;
        if (improve(search, state, i, gain, starts)) {
            n_moved++;
            smallest = state->sizes[from] < smallest ? state->sizes[from] : smallest;
        }
    }
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
