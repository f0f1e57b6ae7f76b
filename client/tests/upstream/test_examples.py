"""scikit-learn's examples of KMeans, run with one import changed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .sources import examples

# How many fits a seed decides, which are the first ones; GaussianMixture has others inside.
SEEDED = {
    "plot_kmeans_assumptions": 6,
    "plot_kmeans_silhouette_analysis": 5,
    "plot_kmeans_digits": 3,
    "plot_bisect_kmeans": 3,
}
OTHERS = ["plot_kmeans_stability_low_dim_dense", "plot_mini_batch_kmeans"]
SOURCES = Path(__file__).parents[2] / "src"
OURS = "from kmeans_client import RemoteKMeans as KMeans"
# Runs an example, and tells the labels of all fits that KMeans has made in it, whose it is.
RUN = """
import json, runpy, sys
from matplotlib import pyplot
from sklearn.cluster import KMeans

if sys.argv[2] == "ours":
    from kmeans_client import RemoteKMeans as KMeans
fit, labels = KMeans.fit, []

def kept(self, *given, **named):
    fit(self, *given, **named)
    labels.append(self.labels_.tolist())
    return self

KMeans.fit = kept
runpy.run_path(sys.argv[1], run_name="__main__")
assert pyplot.get_fignums()
with open(sys.argv[3], "w") as told:
    json.dump(labels, told)
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples(tmp_path_factory.mktemp("sources"))


def changed(code: str) -> str:
    """With our estimator imported as KMeans, in the one line where theirs is."""
    line = re.search(r"^from sklearn\.cluster import (.*\bKMeans\b.*)$", code, re.M)
    assert line
    others = [name for name in line[1].split(", ") if name != "KMeans"]
    theirs = [f"from sklearn.cluster import {', '.join(others)}"] if others else []
    return code.replace(line[0], "; ".join([OURS, *theirs]), 1)


def fits(code: str, whose: str, url: str, folder: Path) -> list[list[int]]:
    """The labels of each fit in an example that draws something."""
    (folder / f"{whose}.py").write_text(code)
    told = folder / f"{whose}.json"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, folder / f"{whose}.py", whose, told],
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCES),
            "KMEANS_URL": url,
            "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": str(folder.parent / "matplotlib"),  # its list of fonts is slow to make
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[list[int]] = json.loads(told.read_text())
    return found


@pytest.mark.parametrize("name", SEEDED)
def test_an_example_finds_what_it_finds_with_kmeans(
    name: str, folder: Path, url: str, tmp_path: Path
) -> None:
    code = (folder / f"{name}.py").read_text()
    seeded = slice(SEEDED[name])
    ours = fits(changed(code), "ours", url, tmp_path)[seeded]
    assert len(ours) == SEEDED[name]
    assert ours == fits(code, "theirs", url, tmp_path)[seeded]


@pytest.mark.parametrize("name", OTHERS)
def test_an_example_runs(name: str, folder: Path, url: str, tmp_path: Path) -> None:
    assert fits(changed((folder / f"{name}.py").read_text()), "ours", url, tmp_path)
