"""What the clusters of a finished fit are: the JSON of GET /kmeans/jobs/{job_id}/clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining import numerals, sentences
from kmeans_service.explaining.described import Described, Rows
from kmeans_service.explaining.file_rows import FileRow
from kmeans_service.explaining.gathering import Gathered, gather
from kmeans_service.explaining.setting_apart import SHARES, Difference, Quantiles, differences
from kmeans_service.explaining.tree import Condition, Rule, Rules, rules_of
from kmeans_service.models.model import Model


@dataclass(frozen=True, slots=True)
class Center:
    """A cluster's middle in one column.

    value  of numbers the center in the user's units, of a category the most frequent text, None
           where no row has one
    share  of the cluster's rows that have this text
    mean   of the raw values, where the fit has normalised the rows and the center is of these
    """

    place: int
    value: float | str | None
    share: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """typical   the row nearest to the center, from 0 in the file, None of a cluster without rows;
    `distance` is how far it is
    """

    label: int
    size: int
    share: float
    sentence: str
    center: tuple[Center, ...]
    typical: int | None
    distance: float | None
    sets_apart: tuple[Difference, ...]
    rule: Rule | None


@dataclass(frozen=True, eq=False)
class Explained:
    """All clusters of a fit; `sample_size` is None where all rows were looked at for all of it."""

    columns: tuple[Described, ...]
    clusters: tuple[Cluster, ...]
    rules: Rules
    n_dropped: int
    sample_size: int | None


def explain(
    rows: Rows, columns: tuple[Described, ...], model: Model, sizes: Sequence[int]
) -> Explained:
    """The clusters of a model, whose rows and labels these are.

    columns  those that it used, in the model's order, and categories behind them
    sizes    rows of each cluster
    """
    found = gather(rows, columns, model, np.asarray(sizes))
    rules = rules_of(found.draw, columns, model.n_clusters)
    centers = _centers(model)
    clusters = tuple(
        _cluster(found, columns, label, _middle(found, columns, model, centers, label), rules)
        for label in range(model.n_clusters)
    )
    sample = None if found.draw.is_whole else len(found.draw)
    return Explained(columns, clusters, rules, found.n_dropped, sample)


def _cluster(
    found: Gathered,
    columns: tuple[Described, ...],
    label: int,
    center: tuple[Center, ...],
    rules: Rules,
) -> Cluster:
    different = differences(found, columns, label)
    typical = int(found.typical[label])
    return Cluster(
        label,
        int(found.sizes[label]),
        float(found.sizes[label] / found.sizes.sum()),
        sentences.sentence_of(found, columns, label, different),
        center,
        typical if typical >= 0 else None,
        float(found.distances[label]) if typical >= 0 else None,
        tuple(different),
        rules.of[label],
    )


def _centers(model: Model) -> Array:
    """In the user's units; of columns of numbers first, as the transform has them."""
    centers = model.predictor.space.leave(model.predictor.centers)
    return model.transform.inverse(centers) if model.transform else centers


def _middle(
    found: Gathered, columns: tuple[Described, ...], model: Model, centers: Array, label: int
) -> tuple[Center, ...]:
    numbers = iter(centers[label].tolist())
    normalised = model.transform is not None and model.transform.normalize
    middle = []
    for place, column in enumerate(columns):
        if column.levels is not None:
            middle.append(_most_frequent(found, column.levels, place, label))
        else:
            mean = float(found.means[label, place]) if normalised else None
            middle.append(Center(place, next(numbers), mean=mean))
    return tuple(middle)


def _most_frequent(found: Gathered, levels: tuple[str, ...], place: int, label: int) -> Center:
    """Of equally frequent texts the first."""
    counts = found.levels[place][label]
    best = int(counts[: len(levels)].argmax()) if levels else 0
    if not levels or not counts[best]:
        return Center(place, None)
    return Center(place, levels[best], share=float(counts[best] / counts.sum()))


def as_json(explained: Explained, typical: Mapping[int, FileRow]) -> dict[str, Any]:
    """The answer, without names and numbers.

    typical   rows of the file by their indices
    """
    columns = explained.columns
    return {
        "clusters": [_cluster_json(each, columns, typical) for each in explained.clusters],
        "tree": {"depth": explained.rules.depth, "fidelity": explained.rules.fidelity},
        "columns": [_column_json(column) for column in columns],
        "sample_size": explained.sample_size,
        "notes": _notes(explained),
    }


def _notes(explained: Explained) -> list[str]:
    """What a reader would take for granted otherwise."""
    notes = []
    if explained.sample_size:
        notes.append(
            f"Medians, quantiles and rules are those of {explained.sample_size:,} rows drawn at "
            "random; sizes, centers, differences and typical rows are those of all rows."
        )
    if explained.n_dropped:
        notes.append(f"{explained.n_dropped:,} rows were dropped by the fit, and count nowhere.")
    notes += [
        f"The cluster labelled {each.label} has no rule: no leaf of the tree names it."
        for each in explained.clusters
        if each.rule is None
    ]
    beside = [column for column in explained.columns if not column.used]
    notes += [
        f"The column {sentences.called(column)} is described, but the fit did not use it: "
        f"{column.reason}."
        for column in beside
    ]
    return notes


def _column_json(column: Described) -> dict[str, Any]:
    named = {"column": column.number, "name": column.name, "used": column.used}
    return named | ({"reason": column.reason} if column.reason else {})


def _cluster_json(
    cluster: Cluster, columns: tuple[Described, ...], typical: Mapping[int, FileRow]
) -> dict[str, Any]:
    return {
        "label": cluster.label,
        "number": cluster.label,
        "name": None,
        "size": cluster.size,
        "share": cluster.share,
        "sentence": cluster.sentence,
        "center": [_center_json(each, columns[each.place]) for each in cluster.center],
        "typical_row": _typical_json(cluster, typical),
        "sets_apart": [_difference_json(each, columns[each.place]) for each in cluster.sets_apart],
        "rule": cluster.rule and _rule_json(cluster.rule, columns),
    }


def _typical_json(cluster: Cluster, typical: Mapping[int, FileRow]) -> dict[str, Any] | None:
    if cluster.typical is None:
        return None
    row = typical[cluster.typical]
    return {"line": row.line, "distance": cluster.distance, "cells": list(row.cells)}


def _named(column: Described) -> dict[str, Any]:
    return {"column": column.number, "name": column.name}


def _center_json(center: Center, column: Described) -> dict[str, Any]:
    more = {"share": center.share, "mean": center.mean}
    said = {name: value for name, value in more.items() if value is not None}
    return _named(column) | {"value": center.value} | said


def _difference_json(each: Difference, column: Described) -> dict[str, Any]:
    found = _named(column) | {"difference": each.difference}
    if each.level is not None:
        return found | {"value": each.level, "share": each.inside, "rest_share": each.rest}
    found |= {"mean": each.inside, "rest_mean": each.rest}
    if each.quantiles:
        own, rest = each.quantiles
        found |= {"quantiles": _quantiles_json(own), "rest_quantiles": _quantiles_json(rest)}
    return found


def _quantiles_json(quantiles: Quantiles) -> dict[str, float]:
    return dict(zip(map(str, SHARES), asdict(quantiles).values(), strict=True))


def _rule_json(rule: Rule, columns: tuple[Described, ...]) -> dict[str, Any]:
    return {
        "text": rule_text(rule, columns),
        "conditions": [_condition_json(each, columns[each.place]) for each in rule.conditions],
        "coverage": rule.coverage,
        "precision": rule.precision,
    }


def _condition_json(condition: Condition, column: Described) -> dict[str, Any]:
    if condition.level is not None:
        return _named(column) | {"is" if condition.holds else "is_not": condition.level}
    ends = {"above": condition.above, "up_to": condition.up_to}
    return _named(column) | {name: end for name, end in ends.items() if end is not None}


def rule_text(rule: Rule, columns: tuple[Described, ...]) -> str:
    """The rule in words."""
    said = [_said(condition, columns[condition.place]) for condition in rule.conditions]
    return ", and ".join(said) or "every row"


def _said(condition: Condition, column: Described) -> str:
    name = sentences.called(column)
    if condition.level is not None:
        return f"{name} is {'' if condition.holds else 'not '}{sentences.quoted(condition.level)}"
    if condition.above is None:
        return f"{name} at most {_exact(condition.up_to)}"
    if condition.up_to is None:
        return f"{name} above {_exact(condition.above)}"
    return f"{name} above {_exact(condition.above)} and at most {_exact(condition.up_to)}"


def _exact(value: float | None) -> str:
    """A threshold as it is: it is round already, and rows lie close to it."""
    if value is None:
        raise ValueError("a condition has an end")
    whole = value == int(value) and abs(value) < 1e15
    return numerals.number(value, 0, whole=True) if whole else repr(value)
