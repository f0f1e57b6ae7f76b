"""A finished fit in two dimensions, for whoever draws it.

Where the model has two columns of numbers, these are the axes, in the user's units. Else they are
the two principal axes of the rows as the fit has clustered them, in the units of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining import numerals, sentences
from kmeans_service.explaining.described import Described, Rows
from kmeans_service.explaining.drawing import Draw, Drawer
from kmeans_service.explaining.gathering import MOST_NUMBERS, entered
from kmeans_service.models.model import Model

MOST_POINTS = 5_000
# Of the draw that principal axes are found of; the points are some of it.
MOST_ROWS = 20_000
MOST_LOADINGS = 10
# A column is named for an axis that it goes along with so closely.
TELLING = 0.5
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Loading:
    """A column, or a text of a category, in a principal axis.

    loading      its part in the axis, whose parts have the squared sum 1
    correlation  with the places of the rows on the axis
    """

    place: int
    level: str | None
    loading: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Axis:
    """place   of the column that it is; None of a principal axis, which has loadings

    share   of the variance
    """

    place: int | None
    share: float
    loadings: tuple[Loading, ...] = ()


@dataclass(frozen=True, eq=False)
class Projected:
    """points   the drawn rows, of which values have shape (n_points, 2)

    centers      shape (n_clusters, 2)
    n_rows       that were fitted
    sample_size  rows that principal axes were found of; None: all, or none were
    """

    columns: tuple[Described, ...]
    axes: tuple[Axis, Axis]
    points: Draw
    centers: Array
    n_rows: int
    sample_size: int | None


def project(
    rows: Rows, columns: tuple[Described, ...], model: Model, sizes: Sequence[int]
) -> Projected:
    """Of the columns that the model used, in its order."""
    most = min(MOST_ROWS, max(len(sizes), MOST_NUMBERS // model.predictor.centers.shape[1]))
    draw = _drawn(rows, sizes, most)
    z = entered(model, draw.values) / model.predictor.space.scale
    centers = model.predictor.centers / model.predictor.space.scale
    whole = len(draw) == sum(sizes)
    if _are_axes(columns, model):
        axes, places, middles = _by_columns(draw, columns, model, z)
        return Projected(columns, axes, _points(draw, places, sizes), middles, sum(sizes), None)
    axes, directions, mean = _principal(z, draw.weights, _features(columns))
    places, middles = (z - mean) @ directions.T, (centers - mean) @ directions.T
    size = None if whole else len(draw)
    return Projected(columns, axes, _points(draw, places, sizes), middles, sum(sizes), size)


def _drawn(rows: Rows, sizes: Sequence[int], most: int) -> Draw:
    drawer = Drawer(np.asarray(sizes), most)
    for values, labels, lines in rows():
        drawer.add(values, labels, lines)
    return drawer.drawn()


def _points(draw: Draw, places: Array, sizes: Sequence[int]) -> Draw:
    """As many of the drawn rows as a picture needs."""
    drawn = np.bincount(draw.labels, minlength=len(sizes))
    return Drawer(drawn, MOST_POINTS).add(places, draw.labels, draw.lines).drawn()


def _are_axes(columns: tuple[Described, ...], model: Model) -> bool:
    normalised = model.transform is not None and model.transform.normalize
    return len(columns) == 2 and not normalised and all(each.levels is None for each in columns)


def _by_columns(
    draw: Draw, columns: tuple[Described, ...], model: Model, z: Array
) -> tuple[tuple[Axis, Axis], Array, Array]:
    """The columns themselves, missing cells filled in."""
    fill = np.array([column.fill for column in columns])
    places = np.where(np.isnan(draw.values), fill, draw.values)
    centers = model.predictor.space.leave(model.predictor.centers)
    middles = model.transform.inverse(centers) if model.transform else centers
    variance = np.average((z - _mean(z, draw.weights)) ** 2, axis=0, weights=draw.weights)
    shares = variance / variance.sum() if variance.any() else np.zeros(2)
    return (Axis(0, float(shares[0])), Axis(1, float(shares[1]))), places, middles


def _features(columns: tuple[Described, ...]) -> list[tuple[int, str | None]]:
    """What the transform makes: numbers first, then each category's texts, then what is missing."""
    numbers: list[tuple[int, str | None]] = [
        (place, None) for place, column in enumerate(columns) if column.levels is None
    ]
    for place, column in enumerate(columns):
        numbers += [(place, level) for level in column.indicators]
    return numbers


def _mean(z: Array, weights: Array) -> Array:
    return np.asarray(np.average(z, axis=0, weights=weights))


def _principal(
    z: Array, weights: Array, features: list[tuple[int, str | None]]
) -> tuple[tuple[Axis, Axis], Array, Array]:
    """Two axes, their directions, shape (2, n_features), and the mean that they go through."""
    mean = _mean(z, weights)
    weighed = (z - mean) * np.sqrt(weights)[:, None]
    _, lengths, directions = np.linalg.svd(weighed, full_matrices=False)
    two = np.zeros((2, z.shape[1]))
    n_found = min(2, len(directions))
    two[:n_found] = directions[:n_found]
    # The sign is free: the largest part is positive.
    largest = np.abs(two).argmax(axis=1)
    two *= np.where(two[np.arange(2), largest] < 0, -1.0, 1.0)[:, None]
    total = float((lengths**2).sum())
    shares = [float(length**2) / total if total else 0.0 for length in lengths[:2]] + [0.0]
    axes = [
        Axis(None, shares[axis], tuple(_loadings(weighed, two[axis], features)))
        for axis in range(2)
    ]
    return (axes[0], axes[1]), two, mean


def _loadings(
    weighed: Array, direction: Array, features: list[tuple[int, str | None]]
) -> list[Loading]:
    along = weighed @ direction
    lengths = np.sqrt(np.einsum("ij,ij->j", weighed, weighed)) * np.sqrt(along @ along)
    correlations = np.divide(
        along @ weighed, lengths, out=np.zeros(len(lengths)), where=lengths > 0
    )
    order = np.argsort(-np.abs(direction), kind="stable")[:MOST_LOADINGS]
    found = []
    for index in order.tolist():
        place, level = features[index]
        if direction[index]:
            numbers = float(direction[index]), float(correlations[index])
            found.append(Loading(place, level, *numbers))
    return found


def axis_text(axis: Axis, columns: tuple[Described, ...]) -> str:
    """What the axis means, in the words of the columns."""
    if axis.place is not None:
        return sentences.called(columns[axis.place])
    telling = [each for each in axis.loadings if abs(each.correlation) >= TELLING][:MOST_NAMED]
    if not telling:
        return "no single column"
    return ", ".join(_told(each, columns) for each in telling)


def _told(loading: Loading, columns: tuple[Described, ...]) -> str:
    name = sentences.called(columns[loading.place])
    if loading.level is not None:
        way = "is" if loading.correlation > 0 else "is not"
        return f"{name} {way} {sentences.quoted(loading.level)}"
    return f"{'more' if loading.correlation > 0 else 'less'} {name}"


def as_json(projected: Projected) -> dict[str, Any]:
    """The answer, without names."""
    points = projected.points
    return {
        "axes": [_axis_json(axis, projected.columns) for axis in projected.axes],
        "points": [
            {"line": line, "label": label, "x": x, "y": y}
            for line, label, (x, y) in zip(
                points.lines.tolist(), points.labels.tolist(), points.values.tolist(), strict=True
            )
        ],
        "centers": [
            {"label": label, "number": label, "name": None, "x": x, "y": y}
            for label, (x, y) in enumerate(projected.centers.tolist())
        ],
        "n_rows": projected.n_rows,
        "sample_size": projected.sample_size,
        "note": _note(projected),
    }


def _axis_json(axis: Axis, columns: tuple[Described, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"text": axis_text(axis, columns), "share": axis.share}
    if axis.place is not None:
        return found | {"column": columns[axis.place].number, "name": columns[axis.place].name}
    return found | {"loadings": [_loading_json(each, columns) for each in axis.loadings]}


def _loading_json(loading: Loading, columns: tuple[Described, ...]) -> dict[str, Any]:
    column = columns[loading.place]
    level = {} if loading.level is None else {"value": loading.level}
    numbers = {"loading": loading.loading, "correlation": loading.correlation}
    return {"column": column.number, "name": column.name} | level | numbers


def _note(projected: Projected) -> str:
    """How much of the rows' differences the picture shows, and of how many rows."""
    drawn, n_rows = len(projected.points), projected.n_rows
    some = f"{drawn:,} of {n_rows:,} rows are drawn, at random, some of each cluster."
    return f"{_share(projected)} {'Every row is drawn.' if drawn == n_rows else some}"


def _share(projected: Projected) -> str:
    first, second = (axis.share for axis in projected.axes)
    if projected.axes[0].place is not None:
        return "These two columns are all that the rows were clustered by."
    return (
        f"The two directions in which the rows differ most; they show "
        f"{numerals.percent(first + second)} of the variance."
    )
