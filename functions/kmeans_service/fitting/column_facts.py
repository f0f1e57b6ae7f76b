"""What a fit's columns are like, and what a practitioner would want to be told about it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kmeans_service.arrays import Array, in_lines
from kmeans_service.errors import quoted
from kmeans_service.models.predictor import Space
from kmeans_service.models.scores import Scores
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.work import TELLING_GAIN

# Above so many standard deviations from zero, a double holds fewer than ten digits of what varies.
FAR_OFF = 1e6
MOST_OF_THE_VARIANCE = 0.9
# A variance so far below the mean square is what rounding makes of a constant.
CONSTANT = 1e-10
SHOWN_COLUMNS = 3
CHUNK_BYTES = 1024**2


@dataclass(frozen=True, eq=False)
class Columns:
    """Of each column, in a fit's space: mean and variance, both of shape (n_features,)."""

    means: Array
    variances: Array

    @property
    def mean_variance(self) -> float:
        """What scikit-learn's `tol` is relative to."""
        return float(np.mean(self.variances))

    def offsets(self, space: Space) -> Array:
        """Distance of each column's mean from zero in its standard deviations; 0 of a constant."""
        center = np.abs(space.shift + self.means / space.scale)
        varies = self.variances > 0
        deviations = np.sqrt(self.variances, where=varies, out=np.ones_like(center)) / space.scale
        return np.divide(center, deviations, where=varies, out=np.zeros_like(center))


def columns_of(chunks: Iterable[Array], n_features: int) -> Columns:
    """Of rows in a fit's space: they are near enough to zero for their squares to tell."""
    n_samples, sums, squares = 0, np.zeros(n_features), np.zeros(n_features)
    for chunk in chunks:
        n_samples += len(chunk)
        for part in in_lines(chunk):
            sums += part.sum(axis=0).reshape(-1, n_features).sum(axis=0)
            squares += np.einsum("ij,ij->j", part, part).reshape(-1, n_features).sum(axis=0)
    return from_sums(n_samples, sums, squares)


def from_sums(n_samples: int, sums: Array, squares: Array) -> Columns:
    """Of each column's sum, and of the sum of its squares."""
    means, squares = sums / n_samples, squares / n_samples
    variances = squares - means**2
    return Columns(means, np.where(variances > CONSTANT * squares, variances, 0.0))


def in_chunks(Z: Array) -> Iterable[Array]:
    rows = max(1, CHUNK_BYTES // (8 * Z.shape[1]))
    for start in range(0, len(Z), rows):
        yield Z[start : start + rows]


def distinct_rows(chunks: Iterable[Array], most: int) -> int:
    """How many different rows there are; `most` if there are so many or more."""
    found: Array | None = None
    for chunk in chunks:
        rows = chunk if found is None else np.concatenate([found, chunk])
        found = np.unique(rows, axis=0)
        if len(found) >= most:
            return most
    return 0 if found is None else len(found)


def warnings_of(
    columns: Columns,
    space: Space,
    recipe: Recipe,
    scores: Scores,
    distinct: int,
    gain: float,
    names: tuple[str, ...] | None,
) -> list[str]:
    """A sentence for each thing about the fit that is legal and seldom meant.

    gain      the share of the inertia that a swap search has found to be too much
    distinct  how many different rows there are, as far as n_clusters
    """
    said = [
        _of_distinct(distinct, recipe, scores),
        _of_iterations(recipe, scores),
        _of_gain(gain),
        _of_offsets(columns.offsets(space), names),
        _of_variance(columns.variances, names),
        _of_inertia(scores),
    ]
    return [sentence for sentence in said if sentence]


def _of_distinct(distinct: int, recipe: Recipe, scores: Scores) -> str | None:
    clusters = recipe.n_clusters
    filled = sum(size > 0 for size in scores.cluster_sizes)
    if filled == clusters:
        return None
    if distinct < clusters:
        return (
            f"The file has {distinct} distinct rows, fewer than n_clusters={clusters}: "
            f"{clusters - filled} clusters are empty. Set n_clusters to {distinct} or less."
        )
    return (
        f"{clusters - filled} of the {clusters} clusters are empty. "
        f"Set n_clusters to {filled}, or try another random_state or init."
    )


def _of_iterations(recipe: Recipe, scores: Scores) -> str | None:
    most = recipe.max_iter
    if scores.n_iter < most:
        return None
    return (
        f"All max_iter={most} iterations were used, and the centers may not have come to rest. "
        "Raise max_iter, or tol."
    )


def _of_gain(gain: float) -> str | None:
    if gain <= TELLING_GAIN:
        return None
    return (
        f"A search that went on from here found clusters of {_percent(gain)} % less inertia: "
        'this start did not lead to the best ones. Ask for "algorithm": "swap" to have those that '
        "such a search finds."
    )


def _percent(share: float) -> str:
    """Of three digits, rounded down: 100 only of the whole."""
    digits = 2 - math.floor(math.log10(100 * share))
    return f"{math.floor(100 * share * 10**digits) / 10**digits:.3g}"


def _of_offsets(offsets: Array, names: tuple[str, ...] | None) -> str | None:
    far = np.flatnonzero(offsets > FAR_OFF).tolist()
    if not far:
        return None
    by = f"{offsets.max():.2g} standard deviations"
    lies = f"lies {by} from zero" if len(far) == 1 else f"lie as much as {by} from zero"
    return (
        f"{_named(far, names)} {lies}. The service subtracts the mean; scikit-learn's own predict "
        "does not, and the downloaded model may go wrong there. Subtract a constant from the "
        "column before uploading to have both agree."
    )


def _of_variance(variances: Array, names: tuple[str, ...] | None) -> str | None:
    whole, largest = float(variances.sum()), int(variances.argmax())
    if len(variances) == 1 or not whole or variances[largest] < MOST_OF_THE_VARIANCE * whole:
        return None
    percent = math.floor(1000 * variances[largest] / whole) / 10  # 100 only if no other varies
    return (
        f"{_named([largest], names)} has {percent:.3g} % of the "
        "variance of all columns and decides nearly alone which rows are alike. If that is not "
        'meant, ask for "preprocessing": {"scaling": "standard"}: then each column counts alike.'
    )


def _of_inertia(scores: Scores) -> str | None:
    if scores.inertia or not scores.davies_bouldin:
        return None
    return (
        "The inertia is not zero but smaller than the smallest number that a double holds, and "
        "shown as 0. Multiply the data by a large number to see it."
    )


def _named(columns: Sequence[int], names: tuple[str, ...] | None) -> str:
    """As a sentence begins."""
    shown = [_name(column, names) for column in columns[:SHOWN_COLUMNS]]
    more = len(columns) - len(shown)
    text = ", ".join(shown) + (f" and {more} more" if more else "")
    return text[0].upper() + text[1:]


def _name(column: int, names: tuple[str, ...] | None) -> str:
    """Its name, or its number from 1."""
    return f"column {quoted(names[column])}" if names else f"column {column + 1}"
