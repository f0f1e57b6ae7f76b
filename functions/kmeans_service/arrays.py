"""What every array of the service is to the type checker: shapes and types stand in docstrings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

type Array = np.ndarray[Any, np.dtype[Any]]
type Labels = NDArray[np.integer]

LINE = 512


def in_lines(rows: Array) -> tuple[Array, Array]:
    """Views of the same rows, several in a line, and of those that are left: few columns are slow.

    rows     shape (n_samples, n_features), C-contiguous
    Returns  shapes (n_lines, n_together * n_features), (n_left, n_features)
    """
    n_features = rows.shape[1]
    together = max(1, LINE // n_features)
    whole = len(rows) // together * together
    shape = (whole // together, together * n_features)
    return rows[:whole].reshape(shape, copy=False), rows[whole:]
