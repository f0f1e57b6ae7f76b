"""Tables that are fitted by ranges."""

import io
from typing import Any

import arro3.io
import numpy as np

from kmeans_service.arrays import Array

TABLE = (
    b"id,size,weight,colour,flag\n"
    + b"".join(
        b"%d,%s,%d,%s,%s\n"
        % (
            1000 + 7 * i,
            b"NA" if i % 11 == 3 else b"%.3f" % (i % 37 + (i % 5) * 100),
            i % 4,
            (b"red", b"blue", b'"gr""een"', b"")[i % 4],
            (b"yes", b"no")[i % 3 == 0],
        )
        for i in range(400)
    )
    + b"9999,NA,1,,\n"
)


def csv(X: Array, header: bool = False) -> bytes:
    names = ",".join(f"c{column}" for column in range(X.shape[1])) + "\n"
    lines = (",".join(map(repr, row)) + "\n" for row in X.tolist())
    return (names * header + "".join(lines)).encode()


def parquet(body: bytes, **how: Any) -> bytes:
    """The same rows, in groups of 1000 but for the last one."""
    schema = arro3.io.infer_csv_schema(io.BytesIO(body), has_header=True)
    table = arro3.io.read_csv(io.BytesIO(body), schema, has_header=True)
    target = io.BytesIO()
    arro3.io.write_parquet(table, target, **{"max_row_group_size": 1000} | how)
    return target.getvalue()


def s1_like(seed: int = 0, n: int = 5000) -> Array:
    """Fifteen clusters of two dimensions that touch each other."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(1e5, 9e5, size=(15, 2))
    return np.round(centers[rng.integers(0, 15, n)] + rng.normal(size=(n, 2)) * 3e4)


def blobs(n: int, d: int, k: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=(k, d))[rng.integers(0, k, n)] * 4 + rng.normal(size=(n, d)), 4)
