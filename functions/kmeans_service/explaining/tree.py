"""A rule for each cluster, from one decision tree over all of them, in the user's units.

The tree is scikit-learn's; its thresholds become the roundest numbers that split the same rows.
Everything that is said of a rule is counted with these.
"""

from dataclasses import dataclass
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmeans_service.arrays import Array
from kmeans_service.explaining import numerals
from kmeans_service.explaining.described import Described
from kmeans_service.explaining.drawing import Draw

type Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a number: above `above` and at most `up_to`; of a category: is, or is not, `level`."""

    place: int
    above: float | None = None
    up_to: float | None = None
    level: str | None = None
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """The leaf that has most of a cluster's rows.

    coverage   share of the cluster's rows that it holds for
    precision  share of the rows that it holds for which are the cluster's
    """

    conditions: tuple[Condition, ...]
    coverage: float
    precision: float


@dataclass(frozen=True, eq=False)
class Rules:
    """of   each cluster's rule, None where no leaf names it

    fidelity  share of all rows whose cluster the tree names
    """

    of: tuple[Rule | None, ...]
    depth: int
    fidelity: float


@dataclass(frozen=True, slots=True)
class _Feature:
    """What the tree splits by: a column, or whether it is one of its levels."""

    place: int
    level: str | None = None


def rules_of(draw: Draw, columns: tuple[Described, ...], n_clusters: int) -> Rules:
    """The rules of drawn rows, whose values and labels these are."""
    features, values = _features(draw.values, columns)
    depth = max(3, ceil(log2(n_clusters)) + 1)
    leaves = _Leaves(_grown(values, draw, depth), values, draw, n_clusters).found()
    fidelity = sum(leaf.weights[leaf.cluster] for leaf in leaves) / draw.weights.sum()
    sizes = np.bincount(draw.labels, draw.weights, minlength=n_clusters)
    rules = [_rule(cluster, leaves, sizes, features) for cluster in range(n_clusters)]
    return Rules(tuple(rules), depth, min(1.0, float(fidelity)))  # weights are no whole numbers


def _features(values: Array, columns: tuple[Described, ...]) -> tuple[list[_Feature], Array]:
    """Columns of numbers, filled in as the fit did, and an indicator for each level."""
    features: list[_Feature] = []
    found: list[Array] = []
    for place, column in enumerate(columns):
        cells = values[:, place]
        if not column.used:
            continue
        if column.levels is None:
            features.append(_Feature(place))
            found.append(np.where(np.isnan(cells), column.fill, cells))
        else:
            features += [_Feature(place, level) for level in column.levels]
            found += [(cells == code).astype(np.float64) for code in range(len(column.levels))]
    return features, np.column_stack(found)


def _grown(values: Array, draw: Draw, depth: int) -> Any:
    """scikit-learn's tree. It rounds to float32, of which no offset should cost the digits."""
    from sklearn.tree import DecisionTreeClassifier  # takes longer than all else here

    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0)
    return tree.fit(scaled, draw.labels, sample_weight=draw.weights).tree_, scaled, tree.classes_


@dataclass(frozen=True, eq=False)
class _Leaf:
    """Where it lies: of each feature, above and at most what; and the weight of each cluster."""

    above: dict[int, float]
    up_to: dict[int, float]
    cluster: int
    weights: Array


class _Leaves:
    """The tree's leaves, two that name the same cluster being one."""

    def __init__(self, grown: Any, values: Array, draw: Draw, n_clusters: int) -> None:
        self._tree, self._scaled, self._classes = grown
        self._values, self._draw, self._n_clusters = values, draw, n_clusters

    def found(self) -> list[_Leaf]:
        return self._below(0, np.arange(len(self._values)), {}, {})

    def _below(
        self, node: int, rows: NDArray[np.int64], above: dict[int, float], up_to: dict[int, float]
    ) -> list[_Leaf]:
        leaf = self._leaf(rows, above, up_to)
        left, right = self._tree.children_left[node], self._tree.children_right[node]
        if left == right:
            return [leaf]
        feature = int(self._tree.feature[node])
        goes_left = self._scaled[rows, feature].astype(np.float32) <= self._tree.threshold[node]
        cells = self._values[rows, feature]
        split = numerals.shortest_between(
            float(cells[goes_left].max()), float(cells[~goes_left].min())
        )
        leaves = self._below(left, rows[goes_left], above, up_to | {feature: split})
        leaves += self._below(right, rows[~goes_left], above | {feature: split}, up_to)
        return [leaf] if all(each.cluster == leaf.cluster for each in leaves) else leaves

    def _leaf(
        self, rows: NDArray[np.int64], above: dict[int, float], up_to: dict[int, float]
    ) -> _Leaf:
        labels, weights = self._draw.labels[rows], self._draw.weights[rows]
        found = np.bincount(labels, weights, minlength=self._n_clusters)
        return _Leaf(above, up_to, int(found.argmax()), found)


def _rule(cluster: int, leaves: list[_Leaf], sizes: Array, features: list[_Feature]) -> Rule | None:
    own = [leaf for leaf in leaves if leaf.cluster == cluster]
    if not own:
        return None
    best = max(own, key=lambda leaf: float(leaf.weights[cluster]))
    weight = best.weights[cluster]
    return Rule(
        tuple(_conditions(best, features)),
        min(1.0, float(weight / sizes[cluster])),
        min(1.0, float(weight / best.weights.sum())),
    )


def _conditions(leaf: _Leaf, features: list[_Feature]) -> list[Condition]:
    found = []
    for index in sorted(leaf.above.keys() | leaf.up_to.keys()):
        feature, above, up_to = features[index], leaf.above.get(index), leaf.up_to.get(index)
        if feature.level is None:
            found.append(Condition(feature.place, above, up_to))
        else:
            holds = above is not None
            found.append(Condition(feature.place, level=feature.level, holds=holds))
    return found
