"""Which of scikit-learn's tests of KMeans are run, and why each other one is not."""

from collections.abc import Mapping
from typing import Any

RUN = {
    "test_kmeans_results",
    "test_kmeans_relocated_clusters",
    "test_kmeans_convergence",
    "test_all_init",
    "test_kmeans_init_auto_with_initial_centroids",
    "test_fortran_aligned_data",
    "test_warning_n_init_precomputed_centers",
    "test_kmeans_copyx",
    "test_score_max_iter",
    "test_kmeans_predict",
    "test_integer_input",
    "test_transform",
    "test_fit_transform",
    "test_n_init",
    "test_centers_not_mutated",
    "test_kmeans_init_fitted_centers",
    "test_kmeans_warns_less_centers_than_unique_points",
    "test_weighted_vs_repeated",
    "test_unit_weights_vs_no_weights",
    "test_scaled_weights",
    "test_kmeans_empty_cluster_relocated",
    "test_result_equal_in_diff_n_threads",
    "test_k_means_1_iteration",
    "test_n_init_auto",
    "test_sample_weight_unchanged",
    "test_wrong_params",
    "test_kmeans_with_array_like_or_np_scalar_init",
    "test_feature_names_out",
    "test_predict_does_not_change_cluster_centers",
    "test_sample_weight_init",
    "test_sample_weight_zero",
    "test_relocating_with_duplicates",
}

_MINI_BATCH = "of MiniBatchKMeans alone, which the service does not offer"
_SPARSE = "compares with sparse data, which the service does not take"
_ELKAN = "of elkan alone, which the service leaves to scikit-learn"
_PRIVATE = "calls a private function of scikit-learn's, no estimator"
_FUNCTION = "calls a function beside the estimator, which the kernel is not behind"

LEFT_OUT = {
    "test_relocate_empty_clusters": _PRIVATE,
    "test_kmeans_elkan_results": _ELKAN,
    "test_minibatch_update_consistency": _MINI_BATCH,
    "test_minibatch_kmeans_partial_fit_init": _MINI_BATCH,
    "test_minibatch_kmeans_verbose": _MINI_BATCH,
    "test_kmeans_verbose": "of what `verbose` prints: the service has nobody to print for",
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
    "test_float_precision": "compares with float32, which the service does not compute in",
    "test_kmeans_elkan_iter_attribute": _ELKAN,
    "test_warning_elkan_1_cluster": _ELKAN,
    "test_euclidean_distance": _PRIVATE,
    "test_inertia": _PRIVATE,
    "test_kmeans_plusplus_wrong_params": _FUNCTION,
    "test_kmeans_plusplus_output": _FUNCTION,
    "test_kmeans_plusplus_norms": _FUNCTION,
    "test_kmeans_plusplus_dataorder": _FUNCTION,
    "test_is_same_clustering": _PRIVATE,
}


def left_out(parameters: Mapping[str, Any]) -> str | None:
    """Why a case of a test that is run is not, by its parameters; None: it is."""
    return next(filter(None, map(_left_out_with, parameters.values())), None)


def _left_out_with(value: Any) -> str | None:
    name = getattr(value, "__name__", value if isinstance(value, str) else type(value).__name__)
    reasons = {
        "MiniBatchKMeans": _MINI_BATCH,
        "csr_matrix": _SPARSE,
        "csr_array": _SPARSE,
        "elkan": _ELKAN,
        "float32": "of float32, which the service does not compute in",
    }
    return reasons.get(name)
