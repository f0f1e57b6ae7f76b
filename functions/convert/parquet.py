"""Parquet, as arrow-rs (arro3) reads it; a file that it cannot read is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kmeans_service.errors import InvalidCsv, ServiceError, quoted

BATCH_ROWS = 65_536


def opened(source: Path) -> Any:
    """A reader of record batches; raises InvalidCsv for cells that are no cells."""
    import arro3.io
    from arro3.core import DataType

    rows = arro3.io.read_parquet(source, batch_size=BATCH_ROWS)
    for name in rows.schema.names:
        field = rows.schema.field(name)
        if DataType.is_nested(field.type):
            raise InvalidCsv(
                f"the column {quoted(field.name)} holds {field.type}; "
                "a cell is a number, a text, a boolean or nothing"
            )
    return rows


@contextmanager
def refused(check: Callable[[], None] = lambda: None) -> Iterator[None]:
    """What arrow-rs fails with becomes InvalidCsv, unless `check` knows better and raises."""
    try:
        yield
    except ServiceError:
        raise
    except BaseException as error:
        # arrow-rs panics at some damaged files, and a panic is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        check()
        raise InvalidCsv(f"the Parquet file cannot be read: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
