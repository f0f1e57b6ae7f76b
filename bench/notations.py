"""The same points as people and programs write them, one file a notation."""

from pathlib import Path

import numpy as np

from bench.points import Points

FORMATS = {
    "np.savetxt's own, %.18e": "{:.18e}",
    "Python's own, 15 to 17 digits": "{!r}",
    "integers": "{:.0f}",
    "exponents, %.6e": "{:.6e}",
    "a plus sign": "{:+.6f}",
    "no digit after the point": "{:.0f}.",
    "in quotes": '"{:.6f}"',
    "spaces after the commas": " {:.6f}",
    "25 digits after the point": "{:.25f}",
}
CRLF = "CRLF, %.6f"


def write(folder: Path, n_samples: int, n_features: int) -> dict[str, Points]:
    """A file of normally distributed numbers for each notation, by its name."""
    X = np.random.default_rng(0).normal(0, 1000, (n_samples, n_features)).tolist()
    found = {}
    for number, (name, form) in enumerate([*FORMATS.items(), (CRLF, "{:.6f}")]):
        line_break = "\r\n" if name == CRLF else "\n"
        path = folder / f"notation-{number}.csv"
        with path.open("w", newline="") as file:
            file.writelines(",".join(map(form.format, row)) + line_break for row in X)
        found[name] = Points(n_samples, n_features, path)
    return found
