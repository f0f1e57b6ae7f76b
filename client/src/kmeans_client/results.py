"""What comes out: plain Python, and arrays or frames where NumPy, pandas or polars are there."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, overload


class Labels(Sequence["int | None"]):
    """One label for each row, in the order of the rows; None for a row that was dropped."""

    def __init__(self, labels: Sequence[int | None], job_id: int | None = None) -> None:
        self._labels = labels
        self.job_id = job_id

    @classmethod
    def of_csv(cls, text: str) -> "Labels":
        """Of the service's CSV, one label a line, a dropped row's line empty."""
        lines = text.split("\n")[:-1]
        return cls([int(float(line)) if line.strip() else None for line in lines])

    @overload
    def __getitem__(self, place: int) -> int | None: ...
    @overload
    def __getitem__(self, place: slice) -> "Labels": ...
    def __getitem__(self, place: int | slice) -> "int | Labels | None":
        if isinstance(place, slice):
            return Labels(self._labels[place], self.job_id)
        return self._labels[place]

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[int | None]:
        return iter(self._labels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self._labels[:10]))
        return f"Labels([{shown}{', …' if len(self) > 10 else ''}])"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.to_numpy() if dtype is None else self.to_numpy().astype(dtype)

    def to_numpy(self) -> Any:
        """Shape (n_samples,), int32; float64 with NaN where rows were dropped."""
        import numpy as np

        if None in self._labels:
            return np.array(self._labels, dtype=np.float64)
        return np.array(self._labels, dtype=np.int32)

    def to_pandas(self) -> Any:
        """A Series of pandas' Int32, <NA> for a row that was dropped."""
        import pandas as pd

        return pd.Series(list(self._labels), name="cluster", dtype="Int32")

    def to_polars(self) -> Any:
        import polars as pl

        return pl.Series("cluster", list(self._labels), dtype=pl.Int32)


class Matrix(Sequence["list[float | None]"]):
    """Rows of numbers under names: centers, distances."""

    def __init__(
        self, rows: Sequence[list[float | None]], names: Sequence[str | None] | None = None
    ) -> None:
        self._rows = rows
        width = len(next(filter(None, rows), []))
        self.names = [name or str(number) for number, name in enumerate(names or [None] * width)]

    @classmethod
    def of_csv(cls, text: str, names: Sequence[str | None] | None = None) -> "Matrix":
        rows = csv.reader(io.StringIO(text))
        return cls([[float(cell) if cell else None for cell in row] for row in rows], names)

    @overload
    def __getitem__(self, place: int) -> list[float | None]: ...
    @overload
    def __getitem__(self, place: slice) -> "Matrix": ...
    def __getitem__(self, place: int | slice) -> "list[float | None] | Matrix":
        if isinstance(place, slice):
            return Matrix(self._rows[place], self.names)
        return self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Matrix({len(self)} rows: {', '.join(self.names[:10])})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.to_numpy() if dtype is None else self.to_numpy().astype(dtype)

    def to_numpy(self) -> Any:
        """Shape (rows, columns), float64; NaN for a row that was dropped."""
        import numpy as np

        return np.array(self._filled(), dtype=np.float64)

    def to_pandas(self) -> Any:
        import pandas as pd

        return pd.DataFrame(self.to_numpy(), columns=self.names)

    def to_polars(self) -> Any:
        import polars as pl

        return pl.DataFrame(self.to_numpy(), schema=self.names)

    def _filled(self) -> list[list[float | None]]:
        return [row or [None] * len(self.names) for row in self._rows]
