"""Points that a model labels: read range by range, their labels one object."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from distributed import rows
from distributed.fleet import Fleet
from distributed.given import given_of
from distributed.job import Prediction
from distributed.parts import Part, Parts, PartWriter
from distributed.progress import OF_A_PREDICTION, Telling
from distributed.rows import Read
from distributed.shares import Share, shares_of
from distributed.tables import Files, read_files
from kmeans_service.arrays import Array
from kmeans_service.media_types import CSV
from kmeans_service.models import manifest
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable, chosen
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table


def predicted(run: Prediction, fleet: Fleet, range_bytes: int) -> dict[str, Any]:
    """The result; raises the ServiceError that says why there is none."""
    say = Telling(run, OF_A_PREDICTION)
    say({"stage": "CHECKING"})
    model = manifest.load(run.manifest).model
    points, files = _read(run, model, fleet, range_bytes, say)
    say({"stage": "LABELLING", "rows": points.table.n_rows})
    all_kept = model.is_complete
    groups = rows.groups_of(files.spans, points.places, all_kept=all_kept)
    labels = Parts(run.bucket, f"{run.prefix}labels.csv", CSV)
    with labels.writing() as writer:
        shared = Labelling(Read(files.written, points.layout), points.order, model, writer)
        labels.finish(fleet.each(label, shared, shares_of(groups)))
    say({"stage": "STORING"})
    return {"status": "made", "result": asdict(labels.stored())}


def _read(
    run: Prediction, model: Model, fleet: Fleet, range_bytes: int, say: Telling
) -> tuple[PointsTable, Files]:
    """Raises as `PointsTable.read` does."""
    given, found = given_of(run, range_bytes), []

    def read(reading: Reading | None) -> Table:
        files = read_files(
            replace(given, reading=reading or run.reading),
            fleet,
            lambda done: say({"stage": "CHECKING", "done": done}),
            numbers=not model.columns.categories,
        )
        found.append(files)
        return files.table

    points = PointsTable.of(lambda: given.raw(0), read, model.columns, complete=model.is_complete)
    return points, found[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Labelling:
    """How groups of points become labels, and where these are written.

    order   of the columns, as `PointsTable.order`
    """

    what: Read
    order: list[int]
    model: Model
    writer: PartWriter


def label(shared: Labelling, share: Share) -> Part:
    """Writes the labels of a group as the part of its number."""
    blocks = (chosen(each, shared.order) for each in rows.read(shared.what, share.group))
    with tempfile.TemporaryFile() as file:
        for labels in _labels(shared.model, blocks, share):
            file.writelines(csv_chunks(labels))
        return shared.writer.write(share.index, file)


def _labels(model: Model, blocks: Iterable[Array], share: Share) -> Iterator[Array]:
    """As of all points in one array, exact ties included."""
    (before, after), n_rows = share.around(model), share.n_rows
    n_used = len(model.columns.positions)
    filled = itertools.chain([np.zeros((before, n_used))], blocks, [np.zeros((after, n_used))])
    for labels in model.predict_blocks(block for block in filled if len(block)):
        own = labels[before : before + n_rows]
        before, n_rows = max(0, before - len(labels)), n_rows - len(own)
        yield own
