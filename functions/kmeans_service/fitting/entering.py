"""Rows brought into the space of their fit, in two passes where NumPy takes six."""

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting import column_facts
from kmeans_service.fitting.column_facts import Columns
from kmeans_service.fitting.kernel import entering, library
from kmeans_service.fitting.kernel.rows import Rows
from kmeans_service.fitting.runs import rows_of
from kmeans_service.models import predictor
from kmeans_service.models.predictor import Space


def enter(X: Array) -> tuple[Space, Columns]:
    """The space of these data, which are brought into it where they lie, and their columns there.

    X  shape (n_samples, n_features), float64, C-contiguous
    """
    if not library.runs_here():
        space = predictor.take(X)
        return space, column_facts.columns_of(column_facts.in_chunks(X), X.shape[1])
    space = _space_of(X)
    sums, squares = entering.enter(rows_of(X), space.shift, space.scale)
    return space, column_facts.from_sums(len(X), sums, squares)


def enter_known(X: Array, space: Space) -> Array:
    """The rows in a space that is known, where they lie if the kernel runs here."""
    if not library.runs_here():
        return space.enter(X)
    entering.enter(Rows(X), space.shift, space.scale)
    return X


def _space_of(X: Array) -> Space:
    """As `predictor.take` finds it: differences are rounded in the order of what they are of."""
    sums, least, most = entering.extents_of(X)
    shift = sums / len(X) if X.shape[1] > 1 else predictor.mean_of(X)
    extent = np.maximum(most - shift, shift - least).max()
    return Space(shift, predictor.scale_of(float(extent)))
