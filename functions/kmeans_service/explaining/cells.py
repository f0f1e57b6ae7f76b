"""What is said of rows as cells behind them, in the dialect of their file."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining.assigned import Assigned
from kmeans_service.tables.dialect import Dialect

NAMES = ("cluster", "cluster_name", "distance", "second", "margin", "outlier")


class Cells:
    """Writes cells: a missing one is empty, but `""` between spaces, where nothing would be none.

    cluster_names   of each cluster, "" where it has none
    """

    def __init__(self, dialect: Dialect, cluster_names: Sequence[str]) -> None:
        self._delimiter, self._decimal = dialect.delimiter, dialect.decimal
        self._empty = '""' if self._delimiter == " " else ""
        labels = range(len(cluster_names))
        named = [self._joined(str(label), self._quoted(cluster_names[label])) for label in labels]
        self._named = [*named, self._joined(self._empty, self._empty)]  # at -1: of a dropped row
        self._numbers = [*map(str, labels), self._empty]

    def header(self, taken: Sequence[str | None], missing: int = 0) -> bytes:
        """The names; one that the file has, too, gets a suffix, as a name that repeats does.

        missing   how many empty names stand before them
        """
        return self._joined(*[self._empty] * missing, *free_names(taken)).encode()

    def of(self, rows: Assigned, outliers: Array) -> list[bytes]:
        """Of each row what is put behind it, in UTF-8.

        outliers   shape (n_samples,), bool
        """
        columns = (
            map(self._named.__getitem__, rows.labels.tolist()),
            self._texts(rows.distances),
            map(self._numbers.__getitem__, rows.second.tolist()),
            self._texts(rows.margins),
            map(("0", "1").__getitem__, outliers.tolist()),
        )
        between = self._delimiter
        texts = [
            f"{named}{between}{distance}{between}{second}{between}{margin}{between}{outlier}"
            for named, distance, second, margin, outlier in zip(*columns, strict=True)
        ]
        for row in np.flatnonzero(rows.labels < 0).tolist():
            texts[row] = self._joined(*[self._empty] * len(NAMES))
        return [text.encode() for text in texts]

    def _texts(self, numbers: Array) -> list[str]:
        """In their shortest form that reads back as the same float64."""
        texts = list(map(repr, numbers.tolist()))
        if self._decimal != ".":
            texts = [text.replace(".", self._decimal) for text in texts]
        for row in np.flatnonzero(np.isnan(numbers)).tolist():
            texts[row] = self._empty
        return texts

    def _joined(self, *cells: str) -> str:
        """With a delimiter before each."""
        return "".join(self._delimiter + cell for cell in cells)

    def _quoted(self, text: str) -> str:
        plain = text and not set(text) & {'"', "\r", "\n", " ", "\t", self._delimiter}
        return text if plain else '"' + text.replace('"', '""') + '"' if text else self._empty


def objects(
    rows: Assigned, outliers: Array, cluster_names: Sequence[str]
) -> Iterator[dict[str, Any] | None]:
    """Of each row what `NAMES` are, as JSON has it; None of a row that the fit would drop."""
    columns = (rows.labels, rows.distances, rows.second, rows.margins, outliers)
    for label, distance, second, margin, outlier in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        alone = second < 0
        values = (
            *(label, cluster_names[label] or None, distance),
            *(None if alone else second, None if alone else margin, outlier),
        )
        yield dict(zip(NAMES, values, strict=True)) if label >= 0 else None


def free_names(taken: Sequence[str | None]) -> list[str]:
    names: list[str] = []
    for name in NAMES:
        number, free = 0, name
        while free in taken:
            number += 1
            free = f"{name}.{number}"
        names.append(free)
    return names
