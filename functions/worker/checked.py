"""What has arrived: a file, read once, or a dataset; or what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kmeans_service import config
from kmeans_service.errors import ModelDamaged, NeedsConversion, ServiceError, TooLarge
from kmeans_service.fitting import capacity
from kmeans_service.lifecycle import asides, datasets, inputs
from kmeans_service.lifecycle.job import Input
from kmeans_service.storage import OpenObject, data_bucket
from kmeans_service.streams import Keep, WholeRead
from kmeans_service.tables.dialect import Reading
from kmeans_service.tables.table import Table, read_table
from worker.conversion import Converted

type Convert = Callable[[], Converted]


@dataclass(frozen=True)
class Checked:
    """The file as a job's input, also where it was refused; None where it was not read at all."""

    given: Input | None
    refusal: ServiceError | None = None
    warnings: tuple[str, ...] = ()


def checked(
    key: str,
    version_id: str | None,
    owner: str,
    opened: OpenObject,
    reading: Reading,
    convert: Convert,
) -> Checked:
    """A file that is too large is not read.

    convert   has a file made into CSV that is none
    """
    most = config.limits().file_bytes
    if opened.size > most:
        found = f"the file has {opened.size:,} bytes; at most {most:,} are taken"
        return Checked(None, TooLarge(found, max_bytes=most))
    source = WholeRead(opened.again)
    converted: Converted | None = None
    try:
        try:
            table = read_table(source, reading, most_bytes=most)
        except NeedsConversion:
            converted = convert()
            table = _table_of(converted)
        _check_disk(table)
    except ServiceError as refusal:
        if converted:
            data_bucket().delete(converted.rows.key)
        return Checked(_refused(key, version_id, reading, source), refusal)
    read = converted.original if converted else source.finish()
    given = inputs.of_table(table, reading, key, version_id, read.sha256, read.size)
    given = replace(given, converted=converted.rows if converted else None)
    given = asides.without_names(owner, asides.with_profile(owner, given, table))
    return Checked(given, None, table.guesses)


def checked_dataset(
    key: str, version_id: str | None, owner: str, reading: Reading, keep: Keep
) -> Checked:
    """The files that a mark says are all there: which they are, and not what is in them.

    Raises ObjectMissing where the mark is gone, or one of them meanwhile.
    """
    try:
        found = datasets.listed(key, version_id, keep)
    except ServiceError as refusal:
        return Checked(None, refusal)
    given = datasets.stored(owner, key, version_id, found, reading)
    return Checked(given, None, found.warnings())


def _table_of(converted: Converted) -> Table:
    """Raises ModelDamaged where the rows are not those that were written."""
    source = WholeRead(lambda: data_bucket().open(converted.rows.key, None).stream)
    table = read_table(source, converted.reading, most_bytes=config.limits().file_bytes)
    if source.finish().sha256 != converted.rows.sha256:
        raise ModelDamaged("The converted file is not the one that was written")
    return table


def _check_disk(table: Table) -> None:
    """What no worker's disk holds is taken where there is an engine beyond it."""
    if config.distributed():
        return
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
