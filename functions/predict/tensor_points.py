"""Points as tensors: all columns in one, or a tensor for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.errors import FeatureMismatch, InvalidParameter, quoted
from kmeans_service.http.points import code_of, refused
from kmeans_service.models.columns import Columns
from kmeans_service.models.points import chosen
from predict.tensors import TEXTS, Tensor

POINTS = "points"


def inputs_of(columns: Columns) -> list[dict[str, Any]]:
    """What a model takes, as its metadata says it: one tensor, or where there are texts, many."""
    if not columns.categories:
        return [{"name": POINTS, "datatype": "FP64", "shape": [-1, len(columns.positions)]}]
    return [
        {"name": name, "datatype": "FP64" if known is None else TEXTS, "shape": [-1, 1]}
        for name, known in _named(columns)
    ]


def _named(columns: Columns) -> Iterator[tuple[str, dict[str, float] | None]]:
    """Each used column: its name, and the code of each of its texts."""
    names = columns.used_names or [None] * len(columns.positions)
    for position, name, known in zip(columns.positions, names, columns.codes(), strict=True):
        yield name or f"column {position + 1}", known


@dataclass(frozen=True)
class TensorPoints:
    """Rows for the model; raises as Points does."""

    tensors: list[Tensor]

    def __call__(self, columns: Columns, *, complete: bool) -> Array:
        first = self.tensors[0]
        if len(self.tensors) == 1 and len(first.shape) == 2 and not columns.categories:
            X, places = _matrix(first, columns), [f"{first.place}.data"] * len(columns.positions)
        else:
            found = [self._column(name, known) for name, known in _named(columns)]
            X = np.column_stack([values for _, values in found])
            places = [f"{place}.data" for place, _ in found]
        _check(X, places, complete=complete)
        return X

    def _column(self, name: str, known: dict[str, float] | None) -> tuple[str, Array]:
        tensor = next((tensor for tensor in self.tensors if tensor.name == name), None)
        if tensor is None:
            told = f"inputs has no tensor {quoted(name)}, which the model was fitted with"
            raise FeatureMismatch(told, field="inputs")
        n_samples = self.tensors[0].shape[:1]
        if tensor.shape not in (n_samples, (*n_samples, 1)) or not sum(n_samples):
            allowed = "[n, 1] or [n], of at least one row, the same n in all inputs"
            raise refused(f"{tensor.place}.shape", str(list(tensor.shape)), allowed)
        if known is None:
            return tensor.place, tensor.numbers().ravel()
        texts = tensor.texts()
        codes = [np.nan if text is None else code_of(text.strip(" \t"), known) for text in texts]
        return tensor.place, np.array(codes, dtype=np.float64)


def _matrix(tensor: Tensor, columns: Columns) -> Array:
    if not tensor.shape[0]:
        raise refused(f"{tensor.place}.shape", str(list(tensor.shape)), "[n, columns], n from 1 on")
    try:
        places = columns.places(tensor.shape[1], None)
    except FeatureMismatch as mismatch:
        raise mismatch.of_field(f"{tensor.place}.shape") from None
    return chosen(tensor.numbers(), places)


def _check(X: Array, places: list[str], *, complete: bool) -> None:
    """Raises InvalidParameter for the first number that is none of those that a point may have."""
    fits = np.abs(X) <= config.MAX_MAGNITUDE
    wrong = np.argwhere(~fits if complete else ~(fits | np.isnan(X)))
    if not len(wrong):
        return
    row, column = map(int, wrong[0])
    value = X[row, column]
    place = f"row {row + 1}, column {column + 1}"
    if np.isnan(value):
        told = f"{place} is missing; the model was fitted without missing cells"
    else:
        told = f"{place} is {value:g}; allowed is magnitude at most {config.MAX_MAGNITUDE:g}"
    raise InvalidParameter(f"{places[column]}: {told}", field=places[column])
