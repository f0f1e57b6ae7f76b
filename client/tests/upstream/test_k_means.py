"""scikit-learn's own tests of KMeans, run as they are with RemoteKMeans in its place.

Of dense float64 and the public estimator; every other one has its reason here.
"""

import importlib.util
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any
from unittest import mock

import pytest

from kmeans_client import RemoteKMeans

UPSTREAM = "sklearn.cluster.tests.test_k_means"

_MINI_BATCH = "of MiniBatchKMeans alone, which the service does not have"
_SPARSE = "of sparse data, which the service does not take"
_PRIVATE = "calls a private function, no estimator"
_FUNCTION = "calls a function beside the estimator"

LEFT_OUT = {
    "test_relocate_empty_clusters": _PRIVATE,
    "test_minibatch_update_consistency": _MINI_BATCH,
    "test_minibatch_kmeans_partial_fit_init": _MINI_BATCH,
    "test_minibatch_kmeans_verbose": _MINI_BATCH,
    "test_kmeans_verbose": "of what `verbose` prints, which RemoteKMeans says it does not",
    "test_minibatch_kmeans_warning_init_size": _MINI_BATCH,
    "test_minibatch_sensible_reassign": _MINI_BATCH,
    "test_minibatch_reassign": _MINI_BATCH,
    "test_minibatch_with_many_reassignments": _MINI_BATCH,
    "test_minibatch_kmeans_init_size": _MINI_BATCH,
    "test_minibatch_declared_convergence": _MINI_BATCH,
    "test_minibatch_iter_steps": _MINI_BATCH,
    "test_dense_sparse": _SPARSE,
    "test_predict_dense_sparse": _SPARSE,
    "test_k_means_function": _FUNCTION,
    "test_float_precision": "compares with float32, which is computed in float64",
    "test_euclidean_distance": _PRIVATE,
    "test_inertia": _PRIVATE,
    "test_kmeans_plusplus_wrong_params": _FUNCTION,
    "test_kmeans_plusplus_output": _FUNCTION,
    "test_kmeans_plusplus_norms": _FUNCTION,
    "test_kmeans_plusplus_dataorder": _FUNCTION,
    "test_is_same_clustering": _PRIVATE,
}


def _upstream() -> ModuleType:
    """A copy of the module, for which sklearn.cluster.KMeans is ours."""
    spec = importlib.util.find_spec(UPSTREAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with mock.patch("sklearn.cluster.KMeans", RemoteKMeans):
        spec.loader.exec_module(module)
    return module


THEIRS = {
    name: value
    for name, value in vars(_upstream()).items()
    if isinstance(value, FunctionType) and name.startswith("test_")
}
globals().update({name: THEIRS[name] for name in sorted(THEIRS.keys() - LEFT_OUT.keys())})


@pytest.fixture(autouse=True)
def here(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMEANS_URL", url)


def test_what_is_left_out_is_there() -> None:
    assert LEFT_OUT.keys() <= THEIRS.keys()


def left_out(parameters: Mapping[str, Any]) -> bool:
    """A case that is given something else than dense float64 or KMeans."""
    others = {"MiniBatchKMeans", "csr_matrix", "csr_array", "float32"}
    return any(_name(value) in others for value in parameters.values())


def _name(value: Any) -> str:
    return getattr(value, "__name__", value if isinstance(value, str) else type(value).__name__)
