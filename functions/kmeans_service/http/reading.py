"""How a file is to be read, as fields of a form say it, and how it was read, as an answer says."""

from typing import Any

from kmeans_service.http.multipart_form import Part
from kmeans_service.tables.dialect import READING, Reading, parse_reading
from kmeans_service.tables.table import Table


def reading_of(parts: dict[str, Part]) -> Reading:
    """Raises InvalidParameter that names the field."""
    return parse_reading({name: parts[name].text() for name in READING if name in parts})


def how_read(table: Table) -> dict[str, Any]:
    """Nothing where there is one way to read the file, and all of it was read."""
    if not table.guesses and not table.dialect.comments:
        return {}
    warnings = {"warnings": list(table.guesses)} if table.guesses else {}
    return {"reading": table.dialect.shown(), **warnings}
