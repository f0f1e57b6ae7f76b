"""A file with what a model says of its rows behind them: measured and written range by range."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from distributed import rows
from distributed.check import Checked
from distributed.fleet import Fleet
from distributed.given import given_of
from distributed.job import Rows
from distributed.parts import Part, Parts, PartWriter
from distributed.progress import OF_ROWS, Telling
from distributed.rows import Group, Read
from distributed.shares import Share, shares_of
from distributed.tables import read_files
from kmeans_service.arrays import Array
from kmeans_service.errors import NotMade
from kmeans_service.explaining import distances
from kmeans_service.explaining.assigned import Assigned, assign, in_step
from kmeans_service.explaining.cells import Cells
from kmeans_service.explaining.written import behind_header
from kmeans_service.media_types import CSV
from kmeans_service.models import manifest
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable, chosen
from kmeans_service.tables.csv_lines import BLOCK_BYTES, pieces_from
from kmeans_service.tables.woven import Behind, woven_part


def described(run: Rows, fleet: Fleet, range_bytes: int) -> dict[str, Any]:
    """The result; raises the ServiceError that says why there is none."""
    say = Telling(run, OF_ROWS)
    say({"stage": "CHECKING"})
    model, given = manifest.load(run.manifest).model, given_of(run, range_bytes)
    files = read_files(
        given,
        fleet,
        lambda done: say({"stage": "CHECKING", "done": done}),
        numbers=not model.columns.categories,
    )
    if len(given.sizes) > 1 or files.written.is_parquet or any(files.written.wholes):
        raise NotMade(
            "The file is read in one piece, as it is packed, or in UTF-16, or has line breaks of a "
            "carriage return alone; its rows are described where it is sent as plain CSV"
        )
    points = PointsTable(lambda: given.raw(0), files.table, model.columns, model.columns.positions)
    shares = shares_of(_groups(files.spans))
    described = Describing(Read(files.written, points.layout), points.order, model)
    say({"stage": "MEASURING", "rows": points.table.n_rows})
    limits = _limits(described, points.table.n_rows, fleet, shares, run.outlier_quantile)
    say({"stage": "WRITING"})
    media_type = f"{CSV}; charset={points.table.dialect.encoding}"
    text = Parts(run.bucket, f"{run.prefix}rows.csv", media_type)
    with text.writing() as writer:
        head = list(behind_header(points, Cells(points.table.dialect, run.names)))
        written = Writing(described, limits, run.names, head, writer)
        text.finish(fleet.each(write, written, shares))
    say({"stage": "STORING"})
    return {"status": "made", "result": asdict(text.stored())}


def _groups(spans: Sequence[Checked]) -> list[Group]:
    """All of the text, also what has no rows; each so much that it is a part of an object."""
    whole = spans[-1].span.end
    least = max(rows.PART_BYTES, whole // rows.MOST_PARTS)
    groups: list[list[Checked]] = [[]]
    for each in spans:
        if groups[-1] and each.span.begin - groups[-1][0].span.begin >= least:
            groups.append([])
        groups[-1].append(each)
    return [tuple(group) for group in groups]


@dataclass(frozen=True, slots=True, eq=False)
class Describing:
    """How rows are read, and the model that is asked about them.

    order   of the columns, as `PointsTable.order`
    """

    what: Read
    order: list[int]
    model: Model

    def of(self, share: Share) -> Iterator[tuple[Array, Assigned]]:
        """Where rows end, and what is said of them."""
        (before, after), n_rows = share.around(self.model), share.n_rows
        n_used = len(self.model.columns.positions)
        filled = itertools.chain(
            [_none(before, n_used)], rows.numbered(self.what, share.group), [_none(after, n_used)]
        )
        blocks = ((chosen(block, self.order), ends) for block, ends in filled if len(block))
        for block, ends in in_step(blocks, self.model.n_clusters):
            own = slice(before, before + n_rows)
            found = assign(self.model, block).some(own)
            before, n_rows = max(0, before - len(block)), n_rows - len(found.labels)
            yield ends[own], found


def _none(n_rows: int, n_used: int) -> tuple[Array, Array]:
    return np.zeros((n_rows, n_used)), np.zeros((n_rows, 2), dtype=np.uint64)


def _limits(
    described: Describing, n_rows: int, fleet: Fleet, shares: Sequence[Share], quantile: float
) -> Array:
    """As `explaining.distances` has them of the whole file."""
    step = 1 + n_rows // distances.MOST_ROWS
    found = fleet.each(measure, (described, step), shares)
    labels, measured = (np.concatenate(each) for each in zip(*found, strict=True))
    return distances.at(
        distances.quantiles_of(labels, measured, described.model.n_clusters), quantile
    )


def measure(shared: tuple[Describing, int], share: Share) -> tuple[Array, Array]:
    """Labels and distances of every so manieth row of the file."""
    described, step = shared
    labels, found, start = [np.empty(0, np.int32)], [np.empty(0)], share.start
    for ends, assigned in described.of(share):
        part = slice(-start % step, None, step)
        labels.append(assigned.labels[part])
        found.append(assigned.distances[part])
        start += len(ends)
    return np.concatenate(labels), np.concatenate(found)


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """limits   of each cluster, beyond which a row is an outlier
    names    of the clusters; head: what is put behind the header
    """

    described: Describing
    limits: Array
    names: tuple[str, ...]
    head: list[Behind]
    writer: PartWriter


def write(shared: Writing, share: Share) -> Part:
    """Writes the text of a group, with the cells behind its rows, as the part of its number."""
    written = shared.described.what.written
    first, last = share.group[0], share.group[-1]
    with tempfile.TemporaryFile() as file:
        if share.index == 0 and first.span.begin:
            file.writelines(_part(shared, 0, first.span.begin, shared.head, 1))
        cells = Cells(written.dialect, shared.names)
        behind = (
            (ends, cells.of(assigned, assigned.outliers(shared.limits)))
            for ends, assigned in shared.described.of(share)
        )
        file.writelines(_part(shared, first.span.begin, last.span.end, behind, first.line))
        return shared.writer.write(share.index, file)


def _part(shared: Writing, begin: int, end: int, behind: Any, first: int) -> Iterator[bytes]:
    written = shared.described.what.written
    raw = pieces_from(written.source.opened(0)(begin, end), BLOCK_BYTES)
    return woven_part(raw, written.dialect, behind, first)
