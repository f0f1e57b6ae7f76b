"""The files that everything is measured on: blobs of points, written as decimals."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

N_CLUSTERS = 8


@dataclass(frozen=True)
class Points:
    """A CSV of n_samples rows and n_features columns on disk; `n_clusters` is what to ask for."""

    n_samples: int
    n_features: int
    path: Path
    n_clusters: int = N_CLUSTERS

    @property
    def name(self) -> str:
        return f"{self.n_samples:,} × {self.n_features}"

    @property
    def array_bytes(self) -> int:
        return self.n_samples * self.n_features * 8

    def read(self) -> bytes:
        return self.path.read_bytes()


def write(folder: Path, n_samples: int, n_features: int, seed: int = 0) -> Points:
    """Blobs around as many centers as are asked for, six decimals, negative numbers too."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-50, 50, (N_CLUSTERS, n_features))
    path = folder / f"{n_samples}x{n_features}-{seed}.csv"
    with path.open("w") as file:
        for start in range(0, n_samples, 50_000):
            rows = min(50_000, n_samples - start)
            blobs = centers[rng.integers(0, N_CLUSTERS, rows)]
            np.savetxt(file, blobs + rng.normal(0, 10, blobs.shape), fmt="%.6f", delimiter=",")
    return Points(n_samples, n_features, path)


def six(folder: Path) -> Points:
    """The six points that the original shows itself with."""
    path = folder / "model.csv"
    path.write_bytes(b"1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n")
    return Points(6, 2, path, n_clusters=3)
