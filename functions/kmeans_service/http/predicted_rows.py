"""Points to predict answered as rows are: each as it was sent, with what the model says behind it.

Imported when somebody asks for that.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.errors import BeingMade, NotMade, TooLarge
from kmeans_service.explaining import distances, making, rows
from kmeans_service.explaining.assigned import assign, in_step
from kmeans_service.explaining.cells import objects
from kmeans_service.explaining.written import written
from kmeans_service.http import answers
from kmeans_service.http.answers import Answer
from kmeans_service.http.points import Points, PointsFile
from kmeans_service.json_values import is_finite_number, shown
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, JSON
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model


def rows_answer(job: Job, points: Points, share: float, media_type: str, seconds: float) -> Answer:
    """The points with their clusters; CSV of a file alone.

    share     the quantile beyond which a point is an outlier
    seconds   that there are to measure the rows of the fit, if that was not done yet
    Raises BeingMade where these are many, and it goes to the worker; NotMade, TooLarge, and what
    the points are refused for.
    """
    model, names = model_of(job.published), rows.cluster_names(job)
    if media_type == JSON or not isinstance(points, PointsFile):
        X = points(model.columns, complete=model.is_complete)
        limits = _limits(job, share, seconds)
        return _json_answer(_objects(model, X, limits, names))
    table = points.table(model.columns, complete=model.is_complete)
    pieces = written(table, model, _limits(job, share, seconds), names)
    charset = table.table.dialect.encoding
    body = b"".join(_within(pieces, config.MAX_INLINE_BYTES))
    filename = f"{job.filename}.predicted.csv"
    return answers.binary_answer(f"{CSV}; charset={charset}", filename, body, {})


def _limits(job: Job, share: float, seconds: float) -> Array:
    found = making.answered(job, "distances", {}, seconds)
    if found.error is not None:
        raise NotMade(found.error["detail"], error=found.error)
    if found.result is None:
        raise BeingMade(
            f"The distances of job {job.job_id}'s rows are being measured, by which outliers are "
            "told; send the same request again in a few seconds"
        )
    return distances.limits_at(found.result, share)


def _objects(model: Model, X: Array, limits: Array, names: list[str]) -> Iterator[str]:
    """The text of each point's object, or null."""
    for points, _ in in_step([(X, np.arange(len(X)))], model.n_clusters):
        assigned = assign(model, points)
        for found in objects(assigned, assigned.outliers(limits), names):
            yield json.dumps(found, ensure_ascii=False)


def _json_answer(texts: Iterator[str]) -> Answer:
    encoded = (text.encode() for text in texts)
    body = b", ".join(_within(encoded, config.MAX_ANSWER_BYTES // 2))
    return answers.json_answer(f'{{"rows": [{body.decode()}]}}')


def _within(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The pieces; raises TooLarge as soon as they are more than an answer can carry."""
    size = 0
    for piece in pieces:
        size += len(piece) + 2
        if size > most:
            raise TooLarge(
                f"the answer would have more than the {most:,} bytes that are carried; send fewer "
                "points, or send them through POST /kmeans/predictions",
                max_bytes=most,
            )
        yield piece


def share_of_query(query: dict[str, str]) -> float:
    """The outlier_quantile; raises InvalidParameter."""
    return rows.outlier_quantile(query)


def share_of_json(body: dict[str, Any]) -> float:
    """The outlier_quantile; raises InvalidParameter."""
    given = body.get("outlier_quantile", rows.OUTLIER_QUANTILE)
    return rows.checked_share(given if is_finite_number(given) else np.nan, shown(given))
