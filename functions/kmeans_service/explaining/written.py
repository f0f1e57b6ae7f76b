"""A file with what a model says of its rows behind each of them: made of nothing but both."""

from collections.abc import Iterator, Sequence

import numpy as np

from kmeans_service import config
from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import assign, in_step
from kmeans_service.explaining.cells import Cells
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.tables.columns import cells_of_header
from kmeans_service.tables.woven import Behind, woven


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
    yield from behind_header(points, cells)
    for rows, ends in in_step(points.numbered(), model.n_clusters):
        assigned = assign(model, rows)
        yield ends, cells.of(assigned, assigned.outliers(limits))


def behind_header(points: PointsTable, cells: Cells) -> Iterator[Behind]:
    table = points.table
    if table.names is not None:
        named = cells.header(table.names, _names_missing(points, table.names))
        yield np.array([[table.first_line, 0]]), [named]


def _names_missing(points: PointsTable, names: Sequence[str | None]) -> int:
    """How many delimiters the header lacks at its end: rows may end with one, and it may not."""
    dialect = points.table.dialect
    if names[-1] is not None or dialect.row_names:
        return 0
    return dialect.n_cells - cells_of_header(points.source, dialect)
