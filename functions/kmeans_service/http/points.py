"""The points of a request: a CSV in a form, or JSON."""

from typing import Any

import numpy as np

from kmeans_service import config
from kmeans_service.errors import InvalidParameter
from kmeans_service.http import json_body
from kmeans_service.http.multipart_form import check_names, csv_part
from kmeans_service.http.request import Request
from kmeans_service.json_values import is_finite_number, shown
from kmeans_service.media_types import JSON
from kmeans_service.tables.dataset import Dataset, parse_csv

FORM = "multipart/form-data"


def read_points(request: Request) -> tuple[int, Dataset]:
    """The job's id and its points; raises the ServiceError that names what is wrong."""
    if request.expect(FORM, JSON) == JSON:
        body = json_body.fields(request.json(), ("job_id", "points"))
        return json_body.job_id(body["job_id"]), Dataset(_array(body["points"]), None)
    parts = request.form()
    check_names(parts, ("job_id", "file"))
    if "job_id" not in parts:
        raise InvalidParameter("the field 'job_id' is missing", field="job_id")
    job_id = json_body.job_id_text(parts["job_id"].text())
    return job_id, parse_csv(csv_part(parts, "file").body)


def _array(points: Any) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The points, shape (n_samples, n_features); raises InvalidParameter naming the place."""
    if not isinstance(points, list) or not points:
        raise _refused("points", shown(points), "an array of points, at least one")
    width = len(points[0]) if isinstance(points[0], list) else 0
    for row, point in enumerate(points):
        place = f"points[{row}]"
        if not isinstance(point, list) or not point:
            raise _refused(place, shown(point), "an array of numbers, one for each feature")
        if len(point) != width:
            found = f"an array of {len(point)}"
            raise _refused(place, found, f"an array of {width}, as many as in the first")
        for column, number in enumerate(point):
            if not is_finite_number(number) or abs(number) > config.MAX_MAGNITUDE:
                limit = f"a number of magnitude at most {config.MAX_MAGNITUDE:g}"
                raise _refused(f"{place}[{column}]", shown(number), limit)
    return np.array(points, dtype=np.float64)


def _refused(place: str, found: str, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"{place} is {found}; allowed is {allowed}", field=place)
