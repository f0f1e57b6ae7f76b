"""A Parquet file as the text of its rows: as the same file is converted where it comes alone."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from convert import parquet
from distributed.row_groups import RowGroup, row_groups
from distributed.spans import Open
from kmeans_service.tables.dialect import Reading

# What is known of how the text is written.
READING = Reading(header="present", delimiter="comma", decimal="point", encoding="utf-8")


def n_groups(opened: Open, size: int) -> int:
    """Raises InvalidCsv."""
    return len(row_groups(opened, size))


def text(opened: Open, size: int) -> Iterator[bytes]:
    """All of the file, behind a line of its columns' names; raises InvalidCsv."""
    yield from header(opened, size)
    for group in row_groups(opened, size):
        yield from _text(opened, group)


def header(opened: Open, size: int) -> Iterator[bytes]:
    """That line; raises InvalidCsv."""
    with _opened(opened, row_groups(opened, size)[0]) as rows:
        yield _line(rows.schema.names)


def text_of_group(opened: Open, size: int, number: int) -> Iterator[bytes]:
    """The rows of one of its groups; raises InvalidCsv."""
    yield from _text(opened, row_groups(opened, size)[number])


@contextmanager
def _opened(opened: Open, group: RowGroup) -> Iterator[Any]:
    with TemporaryDirectory() as folder, parquet.refused():
        path = Path(folder, "group.parquet")
        group.write(opened, path)
        yield parquet.opened(path)


def _text(opened: Open, group: RowGroup) -> Iterator[bytes]:
    import arro3.io

    with _opened(opened, group) as rows:
        for batch in rows:
            target = io.BytesIO()
            arro3.io.write_csv(batch, target, header=False)
            yield target.getvalue()


def _line(names: Sequence[str]) -> bytes:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerow(names)
    return target.getvalue().encode()
