"""A file that has arrived, read once: what it holds, or what is wrong with it."""

from dataclasses import dataclass

from kmeans_service import config
from kmeans_service.errors import ServiceError, TooLarge
from kmeans_service.fitting import capacity
from kmeans_service.lifecycle import asides, inputs
from kmeans_service.lifecycle.job import Input
from kmeans_service.storage import OpenObject
from kmeans_service.streams import WholeRead
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table, read_table


@dataclass(frozen=True)
class Checked:
    """The file as a job's input, also where it was refused; None where it was not read at all."""

    given: Input | None
    refusal: ServiceError | None = None
    warnings: tuple[str, ...] = ()


def checked(
    key: str, version_id: str | None, owner: str, opened: OpenObject, reading: Reading
) -> Checked:
    """A file that is too large is not read."""
    most = config.limits().file_bytes
    if opened.size > most:
        found = f"the file has {opened.size:,} bytes; at most {most:,} are taken"
        return Checked(None, TooLarge(found, max_bytes=most))
    source = WholeRead(opened.again)
    try:
        table = read_table(source, reading, most_bytes=most)
        _check_disk(table)
    except ServiceError as refusal:
        return Checked(_refused(key, version_id, reading, source), refusal)
    read = source.finish()
    given = inputs.of_table(table, reading, key, version_id, read.sha256, read.size)
    given = asides.without_names(owner, asides.with_profile(owner, given, table))
    return Checked(given, None, table.guesses)


def _check_disk(table: Table) -> None:
    numbers = sum(column.is_numeric for column in table.columns)
    capacity.check_disk(table.n_rows, numbers)


def _refused(key: str, version_id: str | None, reading: Reading, source: WholeRead) -> Input:
    read = source.finish()
    return Input(
        key=key,
        version_id=version_id,
        sha256=read.sha256,
        size=read.size,
        n_samples=0,
        n_features=0,
        feature_names=None,
        reading=reading.said(),
    )
