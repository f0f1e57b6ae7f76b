"""A file that was read becomes a job's input, and a job's input a table again."""

from collections.abc import Iterator
from contextlib import contextmanager

from kmeans_service.errors import JobGone, ModelDamaged, NotMade
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Input
from kmeans_service.storage import LOST_FILE, ObjectMissing, data_bucket
from kmeans_service.streams import ByteStream, Keep, Kept, WholeRead
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table, read_table

OF_A_DATASET = (
    "The rows of a dataset of many files are read on Spark alone, by its fits and for `rows`: "
    "these, labels, centers, scores and predictions can be had, what else needs the rows cannot. "
    "Of a sample of them, sent as one file, it can"
)


def of_table(
    table: Table, reading: Reading, key: str, version_id: str | None, sha256: str, size: int
) -> Input:
    return Input(
        key=key,
        version_id=version_id,
        sha256=sha256,
        size=size,
        n_samples=table.n_rows,
        n_features=len(table.columns),
        feature_names=table.names,
        reading=reading.said(),
    )


def table_of(given: Input) -> Table:
    """What the file holds: as it was stored, or read now where it was not.

    Raises JobGone, ModelDamaged, or NotMade of a dataset that no fit has read.
    """
    if given.profile:
        return asides.profile(given.profile)
    with reading(given) as source:
        return read_table(source, Reading(**given.reading))


@contextmanager
def reading(given: Input, keep: Keep = lambda: None) -> Iterator[WholeRead]:
    """The file, to be read; refused if it is not the one that was uploaded, however it reads.

    keep   called before each piece of it
    Raises JobGone or ModelDamaged, and NotMade of a dataset, which is no file.
    """
    if given.dataset:
        raise NotMade(OF_A_DATASET)
    source = WholeRead(lambda: Kept(opened(given), keep))
    try:
        yield source
    except Exception:
        _check(given, source)
        raise
    _check(given, source)


def _check(given: Input, source: WholeRead) -> None:
    if source.finish().sha256 != given.rows.sha256:
        raise ModelDamaged("The stored file is not the one that was uploaded")


def opened(given: Input) -> ByteStream:
    """The file, or what it was converted to, from its beginning; raises JobGone."""
    version = None if given.converted else given.version_id
    try:
        return data_bucket().open(given.rows.key, version).stream
    except ObjectMissing:
        raise JobGone(LOST_FILE) from None
