"""scikit-learn's own tests of sample_weight, run as they are with the service in KMeans' place.

Those of the public estimator, on dense data of float64. Each other one has its reason.
"""

import inspect
from typing import Any

import numpy as np
import pytest

from harness.api import Client
from harness.sklearn_kmeans.service import ServiceKMeans
from harness.sklearn_kmeans.upstream import functions_of, module_with

_PRIVATE = "calls a private function of scikit-learn's, no estimator"
LEFT_OUT = {
    "test_dense_sparse": "compares with sparse data, which the service does not take",
    "test_inertia": _PRIVATE,
    "test_k_means_function": "calls a function beside the estimator",
    "test_minibatch_reassign": _PRIVATE,
    "test_minibatch_update_consistency": _PRIVATE,
    "test_relocate_empty_clusters": _PRIVATE,
    "test_sample_weight_init": _PRIVATE,
    "test_sample_weight_zero": _PRIVATE,
}


THEIRS = module_with(ServiceKMeans)
RUN: list[tuple[str, dict[str, Any]]] = [
    ("test_kmeans_results", {"array_constr": np.array, "algo": "lloyd", "dtype": np.float64}),
    ("test_kmeans_results", {"array_constr": np.array, "algo": "elkan", "dtype": np.float64}),
    ("test_kmeans_empty_cluster_relocated", {"array_constr": np.array}),
    ("test_sample_weight_unchanged", {"Estimator": ServiceKMeans}),
    *(
        (name, {"global_random_seed": seed, **given})
        for seed in range(3)
        for name, given in [
            ("test_weighted_vs_repeated", {}),
            ("test_unit_weights_vs_no_weights", {"Estimator": ServiceKMeans, "input_data": None}),
            ("test_scaled_weights", {"Estimator": ServiceKMeans, "input_data": None}),
        ]
    ),
]


@pytest.mark.parametrize(("name", "given"), RUN)
def test_theirs(client: Client, name: str, given: dict[str, Any]) -> None:
    ServiceKMeans.client = client
    if "input_data" in given:
        given = given | {"input_data": THEIRS.X}
    getattr(THEIRS, name)(**given)


def test_each_of_theirs_with_weights_is_run_or_has_its_reason() -> None:
    found = {
        name
        for name, value in functions_of(THEIRS).items()
        if "sample_weight" in inspect.getsource(value)
    }
    assert found == LEFT_OUT.keys() | {name for name, _ in RUN}
