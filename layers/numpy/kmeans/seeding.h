/* What the two ways to draw centers by k-means++ share. */

#ifndef KMEANS_SEEDING_H
#define KMEANS_SEEDING_H

#include <stddef.h>

/* The potential is summed by blocks of so many rows, whoever sums them. */
enum { BLOCK = 512, MOST_CANDIDATES = 32 };

/* What a round knows. */
struct round {
    size_t n_features, n_candidates;
    const double *last;       /* shape (n_features,): the center chosen last, not yet in `closest` */
    const double *candidates; /* shape (n_candidates, n_features) */
};

#endif
