"""The points of a request: a file in a form, or JSON."""

import io
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.errors import FeatureMismatch, InvalidParameter, quoted
from kmeans_service.http import json_body
from kmeans_service.http.multipart_form import check_names, csv_part
from kmeans_service.http.request import Request
from kmeans_service.json_values import is_finite_number, shown
from kmeans_service.media_types import JSON
from kmeans_service.models.columns import Columns
from kmeans_service.models.points import PointsTable, chosen, points_of

FORM = "multipart/form-data"


class Points(Protocol):
    """The used columns of points, in their order; raises the ServiceError that says why not."""

    def __call__(self, columns: Columns, *, complete: bool) -> Array: ...


def read_points(request: Request) -> tuple[int, Points]:
    """The job's id, and its points; raises the ServiceError that names what is wrong."""
    if request.expect(FORM, JSON) == JSON:
        body = json_body.fields(request.json(), ("job_id", "points"))
        return json_body.job_id(body["job_id"]), _of_json(body["points"])
    parts = request.form()
    check_names(parts, ("job_id", "file"))
    if "job_id" not in parts:
        raise InvalidParameter("the field 'job_id' is missing", field="job_id")
    job_id = json_body.job_id_text(parts["job_id"].text())
    return job_id, points_in(csv_part(parts, "file").body)


@dataclass(frozen=True)
class PointsFile:
    """Points as a file of them."""

    body: bytes

    def __call__(self, columns: Columns, *, complete: bool) -> Array:
        return points_of(self.body, columns, complete=complete)

    def table(self, columns: Columns, *, complete: bool) -> PointsTable:
        """To be read row by row, as it is written; raises as `points_of` does."""
        return PointsTable.read(lambda: io.BytesIO(self.body), columns, complete=complete)


def points_in(file: bytes) -> PointsFile:
    return PointsFile(file)


def _of_json(points: Any) -> Points:
    if not isinstance(points, list) or not points:
        raise _refused("points", shown(points), "an array of points, at least one")
    if isinstance(points[0], dict):
        return partial(_of_objects, points)
    return partial(_of_arrays, _array(points))


def _of_arrays(X: Array, columns: Columns, *, complete: bool) -> Array:
    places = columns.places(X.shape[1], None)
    return _checked(chosen(X, places), list(map(str, places)), complete=complete)


def _of_objects(points: list[Any], columns: Columns, *, complete: bool) -> Array:
    """Objects by the names of the used columns; other members are passed over."""
    names = columns.used_names
    if names is None or None in names:
        raise FeatureMismatch(
            "the points are objects, but the columns of the model have no names; "
            "send arrays of numbers"
        )
    rows = [_row(f"points[{index}]", point, names) for index, point in enumerate(points)]
    return _checked(_array(rows), [quoted(name or "") for name in names], complete=complete)


def _row(place: str, point: Any, names: tuple[str | None, ...]) -> list[Any]:
    if not isinstance(point, dict):
        raise _refused(place, shown(point), "an object, as the first is")
    for name in names:
        if name not in point:
            raise FeatureMismatch(
                f"{place} has no member {quoted(name or '')}, which the model was fitted with"
            )
    return [point[name] for name in names]


def _checked(X: Array, called: list[str], *, complete: bool) -> Array:
    """Raise InvalidParameter for a missing number that the model has nothing to put in place of.

    called  the members of a point that the columns are, as a message shows them
    """
    if complete and np.isnan(X).any():
        row, column = np.argwhere(np.isnan(X))[0].tolist()
        limit = "a number: the model was fitted without missing cells"
        raise _refused(f"points[{row}][{called[column]}]", "null", limit)
    return X


def _array(points: list[Any]) -> Array:
    """The points, shape (n_samples, n_features), NaN for null; raises InvalidParameter."""
    width = len(points[0]) if isinstance(points[0], list) else 0
    for row, point in enumerate(points):
        place = f"points[{row}]"
        if not isinstance(point, list) or not point:
            raise _refused(place, shown(point), "an array of numbers, one for each feature")
        if len(point) != width:
            found = f"an array of {len(point)}"
            raise _refused(place, found, f"an array of {width}, as many as in the first")
        for column, number in enumerate(point):
            if number is not None and not _is_number(number):
                limit = f"a number of magnitude at most {config.MAX_MAGNITUDE:g}"
                raise _refused(f"{place}[{column}]", shown(number), limit)
    return np.array(points, dtype=np.float64)


def _is_number(value: Any) -> bool:
    return is_finite_number(value) and abs(value) <= config.MAX_MAGNITUDE


def _refused(place: str, found: str, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"{place} is {found}; allowed is {allowed}", field=place)
