/* Swap search: better clusterings than restarts find.

   From a start by k-means++, Lloyd's steps and Hartigan's moves lead to a partition that no move of a
   single row makes better. Then one center after the other jumps to a row that is drawn by its
   squared distance, the best of a few; some of Lloyd's steps and the moves follow, and what is better is
   kept, until `patience` jumps in a row were for nothing. The center that jumps is the one, of some that are
   drawn, whose rows have it the least farther to their next center: a tournament, so that the
   cheapest one goes most often, and every one sometimes.

   The work is counted in distances, never in seconds: the same call has the same answer anywhere.

   Sources: Franti, Efficiency of random swap clustering (2018); Arthur and Vassilvitskii, k-means++
   (2007); moves.h and clustering.h name theirs. */

#include "moves.h"

enum { TOURNAMENT = 10, PLACES = 3, MOST_COUNTED = 20 };

/* --- random numbers: SplitMix64, which is a counter that is mixed --------------------------- */

static uint64_t next_bits(uint64_t *counter)
{
    uint64_t bits = *counter += 0x9E3779B97F4A7C15;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
    return bits ^ bits >> 31;
}

/* From 0 to 1, without 1. */
static double next_number(uint64_t *counter)
{
    return (double)(next_bits(counter) >> 11) * 0x1p-53;
}

static size_t next_index(uint64_t *counter, size_t n)
{
    return (size_t)(next_number(counter) * (double)n);
}

/* A row that is drawn by weight and squared distance; any where all distances are 0. */
static size_t draw(const struct search *search, const struct state *state, uint64_t *random)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < search->n; i++)
        total += state->squared[i] * weight_of(search, i);
    double target = next_number(random) * total;
    for (size_t i = 0; i < search->n; i++) {
        sum += state->squared[i] * weight_of(search, i);
        if (sum > target)
            return i;
    }
    return next_index(random, search->n);
}

/* k-means++, with one candidate each. */
static void seed_centers(struct search *search, struct state *state, uint64_t *random)
{
    size_t d = search->n_features;
    for (size_t i = 0; i < search->n; i++)
        state->squared[i] = 1;
    for (size_t j = 0; j < search->n_clusters; j++) {
        copy(state->centers + j * d, row_of(search, draw(search, state, random)), d);
        place(search, state, j);
        for (size_t i = 0; i < search->n; i++) {
            double squared = to_center(search, state, i, j);
            if (j == 0 || squared < state->squared[i])
                state->squared[i] = squared;
        }
    }
    search->work += (double)(search->n * search->n_clusters);
}

/* --- the search ------------------------------------------------------------------------------ */

/* What the inertia would rise by at least, were each cluster's rows to go to their next center. */
static void removal_costs(struct search *search, struct state *state, double *costs)
{
    clear(costs, search->n_clusters);
    for (size_t i = 0; i < search->n; i++) {
        size_t own = (size_t)state->labels[i];
        struct least nearest = look(search, state, i);
        double next = (double)(nearest.at == own ? nearest.second : nearest.value);
        state->lower[i] = least_distance(next, error_of(search, state, i)) + state->drift;
        costs[own] += (next - state->squared[i]) * weight_of(search, i);
    }
}

/* The cheapest to remove of some clusters that are drawn. */
static size_t draw_cluster(const struct search *search, const double *costs, uint64_t *random)
{
    size_t k = search->n_clusters, best = next_index(random, k);
    size_t n_others = next_index(random, TOURNAMENT);
    for (size_t i = 0; i < n_others; i++) {
        size_t other = next_index(random, k);
        best = costs[other] < costs[best] ? other : best;
    }
    return best;
}

/* Of some rows that are drawn the one that, as a center, lowers the inertia most. */
static size_t draw_place(struct search *search, const struct state *state, uint64_t *random)
{
    size_t best = 0, d = search->n_features;
    double most = -1;
    for (int c = 0; c < PLACES; c++) {
        size_t row = draw(search, state, random);
        double gain = 0;
        for (size_t i = 0; i < search->n; i++) {
            double squared = squared_distance(row_of(search, i), row_of(search, row), d);
            if (squared < state->squared[i])
                gain += (state->squared[i] - squared) * weight_of(search, i);
        }
        best = gain > most ? row : best;
        most = gain > most ? gain : most;
    }
    search->work += (double)(PLACES * search->n);
    return best;
}

/* Lets a center jump to a row; the rows it leaves, and those it comes near, are labelled anew. */
static void swap(struct search *search, struct state *state, size_t cluster, size_t row)
{
    size_t d = search->n_features;
    copy(state->centers + cluster * d, row_of(search, row), d);
    place(search, state, cluster);
    state->changed[cluster] = true;
    double inertia = 0;
    for (size_t i = 0; i < search->n; i++) {
        if (state->labels[i] == (int32_t)cluster) {
            find_nearest(search, state, i);
            inertia += state->squared[i] * weight_of(search, i);
            continue;
        }
        double squared = to_center(search, state, i, cluster);
        double distance = root(squared) * BELOW + state->drift;
        if (squared < state->squared[i]) {
            state->lower[i] = root(state->squared[i]) * BELOW + state->drift;
            label(state, i, cluster);
            state->squared[i] = squared;
        } else if (distance < state->lower[i]) {
            state->lower[i] = distance;
        }
        inertia += state->squared[i] * weight_of(search, i);
    }
    state->inertia = inertia;
    search->work += (double)search->n;
}

/* From where the search begins down to a first partition that no move makes better. */
static void begin(struct search *search, struct state *state, double *means, uint64_t *random)
{
    if (search->goes_on) {
        copy(state->centers, search->centers, search->n_clusters * search->n_features);
        for (size_t j = 0; j < search->n_clusters; j++)
            place(search, state, j);
    } else {
        seed_centers(search, state, random);
    }
    for (size_t i = 0; i < search->n; i++) {
        state->labels[i] = 0;
        find_nearest(search, state, i);
    }
    for (size_t j = 0; j < search->n_clusters; j++)
        state->changed[j] = true;
    size_t steps = descend(search, state, means, MOST_ROUNDS, INFINITE);
    search->most_work += search->more_work * (double)(steps < MOST_COUNTED ? steps : MOST_COUNTED);
}

/* An inertia that is nothing but the rounding of centers that lie on their rows. */
static double rounded_off(const struct search *search, const struct float_rows *rows)
{
    double total = 0;
    for (size_t i = 0; i < search->n; i++)
        total += (double)rows->norms[i] * weight_of(search, i);
    return total * 0x1p-100;
}

/* One search. It ends by patience, or as soon as the work is done that it may do. */
void swap_search(struct search *search)
{
    size_t size = state_size(search->n, search->n_features, search->n_clusters);
    double *means = search->workspace + 2 * size;
    double *costs = means + search->n_clusters * search->n_features;
    struct float_rows rows = float_rows_in(search, costs + search->n_clusters);
    struct state best = state_in(search, search->workspace, &rows);
    struct state other = state_in(search, search->workspace + size, &rows);
    best.inertia = INFINITE;
    uint64_t random = search->seed;
    search->work = 0;
    search->in_vain = 0;
    begin(search, &best, means, &random);
    removal_costs(search, &best, costs);
    double least = rounded_off(search, &rows);
    while (search->in_vain < search->patience && search->work < search->most_work
           && best.inertia > least && search->n_clusters > 1) {
        copy_state(search, &other, &best);
        size_t cluster = draw_cluster(search, costs, &random);
        swap(search, &other, cluster, draw_place(search, &best, &random));
        descend(search, &other, means, search->n_steps, best.inertia);
        search->in_vain++;
        if (other.inertia < best.inertia * (1 - 1e-12)) {
            struct state kept = best;
            best = other;
            other = kept;
            removal_costs(search, &best, costs);
            search->in_vain = 0;
        }
    }
    copy(search->centers, best.centers, search->n_clusters * search->n_features);
    search->inertia = best.inertia;
}
