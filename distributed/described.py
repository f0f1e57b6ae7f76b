"""Files with what a model says of their rows behind them, as one: range by range."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from distributed import rows
from distributed.fleet import Fleet
from distributed.given import given_of
from distributed.job import Rows
from distributed.joined import Joined, least_bytes
from distributed.parts import MOST_PART_BYTES, Part, Parts, PartWriter
from distributed.progress import OF_ROWS, Telling
from distributed.rows import Group, Read
from distributed.shares import Share, shares_of
from distributed.tables import Files, read_files
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

_TOO_LARGE = (
    f"A file that is read in one piece has more than {MOST_PART_BYTES:,} bytes of text, with what "
    "is put behind its rows; sent in several files, or as plain CSV, its rows can be had"
)


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
    given = replace(given, is_parquet=files.written.is_parquet)
    positions = model.columns.positions
    points = PointsTable(lambda: given.from_begin(0), files.table, model.columns, positions)
    shares = shares_of(_groups(files))
    described = Describing(Read(files.written, points.layout), points.order, model)
    say({"stage": "MEASURING", "rows": points.table.n_rows})
    limits = _limits(described, points.table.n_rows, fleet, shares, run.outlier_quantile)
    say({"stage": "WRITING"})
    media_type = f"{CSV}; charset={points.table.dialect.encoding}"
    text = Parts(run.bucket, f"{run.prefix}rows.csv", media_type)
    with text.writing() as writer:
        head = list(behind_header(points, Cells(points.table.dialect, run.names)))
        joined = Joined.of(given, files.written, head)
        writing = Writing(described, limits, run.names, joined, writer)
        text.finish(list(map(_written, fleet.each(write, writing, shares))))
    say({"stage": "STORING"})
    return {"status": "made", "result": asdict(text.stored())}


def _groups(files: Files) -> list[Group]:
    """All of the text, also what has no rows."""
    return rows.in_parts(files.spans, [least_bytes(files.written, each) for each in files.spans])


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
    names    of the clusters
    """

    described: Describing
    limits: Array
    names: tuple[str, ...]
    joined: Joined
    writer: PartWriter


def write(shared: Writing, share: Share) -> Part | NotMade:
    """Writes the text of a group, with the cells behind its rows, as the part of its number."""
    cells = Cells(shared.joined.written.dialect, shared.names)
    behind = (
        (ends, cells.of(assigned, assigned.outliers(shared.limits)))
        for ends, assigned in shared.described.of(share)
    )
    with tempfile.TemporaryFile() as file:
        if share.index == 0:
            file.writelines(shared.joined.beginning())
        file.writelines(shared.joined.rows(share.group, behind, is_last=share.is_last))
        if file.tell() > MOST_PART_BYTES:
            return NotMade(_TOO_LARGE)
        return shared.writer.write(share.index, file)


def _written(part: Part | NotMade) -> Part:
    if isinstance(part, NotMade):
        raise part
    return part
