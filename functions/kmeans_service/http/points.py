"""The points of a request: a file in a form, or JSON."""

import io
from collections.abc import Iterable
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
from kmeans_service.models.points import PointsTable, points_of
from kmeans_service.tables.cells import is_missing_text

FORM = "multipart/form-data"
_OF_CELLS = frozenset([int, float, str, type(None)])
_A_NUMBER = f"a number of magnitude at most {config.MAX_MAGNITUDE:g}"


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
    """Points as a file of them, in a form's field."""

    body: bytes
    field: str = "file"

    def __call__(self, columns: Columns, *, complete: bool) -> Array:
        try:
            return points_of(self.body, columns, complete=complete)
        except FeatureMismatch as mismatch:
            raise mismatch.of_field(self.field) from None

    def table(self, columns: Columns, *, complete: bool) -> PointsTable:
        """To be read row by row, as it is written; raises as `points_of` does."""
        try:
            return PointsTable.read(lambda: io.BytesIO(self.body), columns, complete=complete)
        except FeatureMismatch as mismatch:
            raise mismatch.of_field(self.field) from None


def points_in(file: bytes, field: str = "file") -> PointsFile:
    return PointsFile(file, field)


def _of_json(points: Any) -> Points:
    if not isinstance(points, list) or not points:
        raise refused("points", shown(points), "an array of points, at least one")
    if isinstance(points[0], dict):
        return partial(_of_objects, points)
    for row, point in enumerate(points):
        _check_point(f"points[{row}]", point, points[0])
    return partial(_of_arrays, points)


def _check_point(place: str, point: Any, first: Any) -> None:
    if not isinstance(point, list) or not point:
        raise refused(place, shown(point), "an array of numbers, one for each feature")
    if len(point) != len(first):
        found = f"an array of {len(point)}"
        raise refused(place, found, f"an array of {len(first)}, as many as in the first")
    if not _OF_CELLS.issuperset(map(type, point)):
        column = next(at for at, value in enumerate(point) if type(value) not in _OF_CELLS)
        raise refused(f"{place}[{column}]", shown(point[column]), _A_NUMBER)


def _of_arrays(points: list[list[Any]], columns: Columns, *, complete: bool) -> Array:
    try:
        places = columns.places(len(points[0]), None)
    except FeatureMismatch as mismatch:
        raise mismatch.of_field("points") from None
    rows = ([point[place] for place in places] for point in points)
    return _array(rows, list(map(str, places)), columns, complete=complete)


def _of_objects(points: list[Any], columns: Columns, *, complete: bool) -> Array:
    """Objects by the names of the used columns; other members are passed over."""
    names = columns.used_names
    if names is None or None in names:
        raise FeatureMismatch(
            "the points are objects, but the columns of the model have no names; "
            "send arrays of numbers",
            field="points",
        )
    rows = (_row(f"points[{index}]", point, names) for index, point in enumerate(points))
    return _array(rows, [quoted(name or "") for name in names], columns, complete=complete)


def _row(place: str, point: Any, names: tuple[str | None, ...]) -> list[Any]:
    if not isinstance(point, dict):
        raise refused(place, shown(point), "an object, as the first is")
    for name in names:
        if name not in point:
            raise FeatureMismatch(
                f"{place} has no member {quoted(name or '')}, which the model was fitted with",
                field=place,
            )
    return [point[name] for name in names]


def _array(
    rows: Iterable[list[Any]], called: list[str], columns: Columns, *, complete: bool
) -> Array:
    """Shape (n_samples, n_used), NaN for null, a text as the columns have its code.

    called  the members of a point that the used columns are, as a message shows them
    Raises InvalidParameter, also for a null that the model has nothing to put in place of.
    """
    codes = columns.codes()
    found = []
    for row, values in enumerate(rows):
        for column, (value, known) in enumerate(zip(values, codes, strict=True)):
            if value is None:
                refusal = "a number: the model was fitted without missing cells" * complete
            elif known is None:
                refusal = "" if _is_number(value) else _A_NUMBER
            elif isinstance(value, str):
                values[column] = code_of(value.strip(" \t"), known)
                continue
            else:
                refusal = "a text or null: the column holds texts"
            if refusal:
                raise refused(f"points[{row}][{called[column]}]", shown(value), refusal)
        found.append(values)
    return np.array(found, dtype=np.float64)


def code_of(text: str, known: dict[str, float]) -> float:
    """As a cell of a file is read."""
    return float("nan") if is_missing_text(text, ".") else known.get(text, -1.0)


def _is_number(value: Any) -> bool:
    return is_finite_number(value) and abs(value) <= config.MAX_MAGNITUDE


def refused(place: str, found: str, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"{place} is {found}; allowed is {allowed}", field=place)
