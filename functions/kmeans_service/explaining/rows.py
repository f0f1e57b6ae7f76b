"""The rows of a job's file as they were written, and behind each what the model says of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.explaining import distances, making
from kmeans_service.explaining.assigned import assign, in_step
from kmeans_service.explaining.cells import Cells
from kmeans_service.explaining.training import training_of
from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.names import names_of
from kmeans_service.line.estimates import rows_seconds
from kmeans_service.media_types import CSV
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.streams import Keep
from kmeans_service.tables.columns import cells_of_header
from kmeans_service.tables.woven import Behind, woven

VERSION = 1
QUERY = ("outlier_quantile",)
SUFFIX = ".csv"
OUTLIER_QUANTILE = 0.99


def media_type(job: Job) -> str:
    given = job.checked_input
    charset = inputs.table_of(given).dialect.encoding if given.profile else "utf-8"
    return f"{CSV}; charset={charset}"


def asked(job: Job, query: Mapping[str, str]) -> dict[str, Any]:
    return {"outlier_quantile": repr(outlier_quantile(query)), "names": names_of(job).version}


def outlier_quantile(query: Mapping[str, str]) -> float:
    """Raises InvalidParameter."""
    text = query.get("outlier_quantile", str(OUTLIER_QUANTILE))
    try:
        share = float(text)
    except ValueError:
        share = np.nan
    return checked_share(share, quoted(text))


def checked_share(share: float, as_given: str) -> float:
    """Raises InvalidParameter for what is no outlier_quantile."""
    if not distances.LEAST <= share <= distances.MOST:
        raise InvalidParameter(
            f"outlier_quantile is {as_given}; allowed is a number from {distances.LEAST} to "
            f"{distances.MOST}",
            field="outlier_quantile",
        )
    return share


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return rows_seconds(job)


def make(job: Job, asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    share = float(asked["outlier_quantile"])
    limits = distances.limits_at(making.needed(job, "distances", keep), share)
    with training_of(job, keep) as training:
        yield from written(training.points, training.model, limits, cluster_names(job))


def cluster_names(job: Job) -> list[str]:
    """Of each cluster, in the order of the labels; "" where it has none."""
    called = names_of(job).clusters
    return [called.get(number, "") for number in job.published.numbers]


def written(
    points: PointsTable, model: Model, limits: Array, names: Sequence[str]
) -> Iterator[bytes]:
    """The points' file with the cells behind its rows, a piece at a time.

    names    of the clusters
    limits   the distances beyond which a row of each cluster is an outlier, shape (n_clusters,)
    """
    table = points.table
    cells = Cells(table.dialect, names)
    behind = _behind(points, model, limits, cells)
    return woven(points.source, table.dialect, behind, config.limits().file_bytes)


def _behind(points: PointsTable, model: Model, limits: Array, cells: Cells) -> Iterator[Behind]:
    table = points.table
    if table.names is not None:
        named = cells.header(table.names, _names_missing(points, table.names))
        yield np.array([[table.first_line, 0]]), [named]
    for rows, ends in in_step(points.numbered(), model.n_clusters):
        assigned = assign(model, rows)
        yield ends, cells.of(assigned, assigned.outliers(limits))


def _names_missing(points: PointsTable, names: Sequence[str | None]) -> int:
    """How many delimiters the header lacks at its end: rows may end with one, and it may not."""
    dialect = points.table.dialect
    if names[-1] is not None or dialect.row_names:
        return 0
    return dialect.n_cells - cells_of_header(points.source, dialect)
