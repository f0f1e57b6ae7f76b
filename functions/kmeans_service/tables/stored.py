"""A table's profile as it is stored beside the file: JSON, compressed, every number as it is."""

import gzip
import json
from dataclasses import astuple, replace
from typing import Any

from kmeans_service.tables.dialect import dialect_of
from kmeans_service.tables.profile import Column
from kmeans_service.tables.survey import Counts, Place
from kmeans_service.tables.table import Table

VERSION = 1


def packed(table: Table) -> bytes:
    """The same bytes for the same table; `unpacked` reads them."""
    document = {
        "version": VERSION,
        "dialect": table.dialect.as_json(),
        "columns": [
            {
                "name": column.name,
                "counts": astuple(column.counts)[:-1],
                "least_line": column.counts.least_line,
            }
            for column in table.columns
        ],
        "first_line": table.first_line,
        "n_rows": table.n_rows,
        "n_blank": table.n_blank,
        "guesses": table.guesses,
    }
    return gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)


def unpacked(body: bytes) -> Table:
    document = json.loads(gzip.decompress(body))
    dialect = dialect_of(document["dialect"])
    columns = enumerate(document["columns"], start=1)
    return Table(
        dialect,
        tuple(
            Column(number, each["name"], _counts(each), dialect.header) for number, each in columns
        ),
        document["first_line"],
        document["n_rows"],
        document["n_blank"],
        tuple(document["guesses"]),
    )


def _counts(document: dict[str, Any]) -> Counts:
    kinds, *numbers, missing, boolean, other = document["counts"]
    places = (Place(*place) if place else None for place in (missing, boolean, other))
    counts = Counts(tuple(kinds), *numbers, *places)
    # A profile of an older version does not know the line.
    return replace(counts, least_line=document.get("least_line", 0))
