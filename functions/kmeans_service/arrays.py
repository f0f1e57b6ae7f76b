"""What every array of the service is to the type checker: shapes and types stand in docstrings."""

from typing import Any

import numpy as np

type Array = np.ndarray[Any, np.dtype[Any]]
