"""A fit in memory: scikit-learn's own results, in less memory, on the CPUs that there are."""

import io
import json
import os
import platform
import subprocess
import sys
import tracemalloc
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans

from harness import PROJECT
from harness.api import Client
from harness.held_fits import pickle_of
from kmeans_service.fitting import clustering
from kmeans_service.recipes.params import parse_params

SIX = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], dtype=float)


def blobs(offset: float) -> Any:
    rng = np.random.default_rng(3)
    centers = rng.normal(size=(5, 3)) * 20 + offset
    return centers[rng.integers(0, 5, 4000)] + rng.normal(size=(4000, 3))


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"n_clusters": 7, "n_init": 3},
        {"algorithm": "elkan"},
        {"algorithm": "elkan", "n_clusters": 7, "n_init": 5, "init": "random"},
    ],
)
def test_a_fit_in_place_is_scikit_learns_to_the_last_bit(
    offset: float, given: dict[str, Any]
) -> None:
    X = blobs(offset)
    recipe = parse_params(given)
    expected = KMeans(**recipe.model_params).fit(X)
    found = clustering.fit(X.copy(), recipe)
    assert np.array_equal(found.labels, expected.labels_)
    assert np.array_equal(found.centers, expected.cluster_centers_)
    assert found.scores.inertia == expected.inertia_
    assert found.scores.n_iter == expected.n_iter_


@pytest.mark.parametrize("distance", [1e3, 1e19, 1e60, 1e90])
def test_starts_that_are_absurdly_far_off_come_to_what_they_come_to_in_scikit_learn(
    distance: float,
) -> None:
    """Rounding decides there which row is farthest from its center, and takes an empty one over."""
    X = np.random.default_rng(0).uniform(-1, 1, (400, 3))
    starts = np.random.default_rng(1).normal(size=(40, 3)) * distance
    recipe = parse_params({"n_clusters": 40, "init": starts.tolist()})
    expected = KMeans(**(recipe.model_params | {"init": starts})).fit(X)
    found = clustering.fit(X.copy(), recipe)
    assert np.array_equal(found.labels, expected.labels_)
    assert found.scores.n_iter == expected.n_iter_


ON_THIS_PROCESSOR = """
import json, sys
import numpy as np
from kmeans_service.fitting import clustering
from kmeans_service.recipes.params import parse_params

found = clustering.fit(np.random.default_rng(3).normal(size=(500, 4)), parse_params({}))
with open("/proc/self/maps") as maps:
    found_here = maps.read()
loaded = [name for name in ("kmeans.so", "kmeans_avx512.so") if name in found_here]
json.dump([loaded, found.labels.tolist(), found.scores.inertia], sys.stdout)
"""


@pytest.mark.thorough
@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="every other processor that the service is made for runs the kernel",
)
def test_a_processor_that_the_kernel_is_not_compiled_for_has_the_same_answers() -> None:
    def fitted(**more: str) -> Any:
        run = subprocess.run(
            [sys.executable, "-c", ON_THIS_PROCESSOR],
            env=os.environ | {"PYTHONPATH": str(PROJECT / "functions")} | more,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(run.stdout)

    old_processor = fitted(NPY_DISABLE_CPU_FEATURES="X86_V3 X86_V4")
    with_avx2 = fitted(NPY_DISABLE_CPU_FEATURES="X86_V4")
    assert old_processor[0] == []
    assert with_avx2 == [["kmeans.so"], *old_processor[1:]]
    assert fitted()[1:] == with_avx2[1:]


def test_a_fit_takes_the_memory_of_its_data_once_more_and_not_twice() -> None:
    X = np.random.default_rng(0).normal(size=(100_000, 20))
    tracemalloc.start()
    clustering.fit(X, parse_params({}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * X.nbytes


def test_the_pickle_has_the_parameters_that_were_asked_for_and_no_others() -> None:
    recipe = parse_params({"n_clusters": 3})
    stored = joblib.load(io.BytesIO(pickle_of(clustering.fit(SIX.copy(), recipe), recipe)))
    assert stored.get_params() == KMeans(**recipe.model_params).get_params()


def test_fits_without_a_random_state_differ_although_they_are_children_of_one_process(
    client: Client,
) -> None:
    """Of several optima, as only the random state tells them apart."""
    X = np.random.default_rng(0).uniform(size=(300, 2))
    body = b"".join(b"%.6f,%.6f\n" % (x, y) for x, y in X)
    inertias = set()
    for number in range(4):
        client.upload(body, filename=f"{number}.csv")
        client.fit(number, {"n_clusters": 20, "random_state": None})
        inertias.add(client.get(f"/kmeans/jobs/{number}").json()["scores"]["inertia"])
    assert len(inertias) > 1
