"""The kernel behind scikit-learn's KMeans: its parameters, its checks, its attributes."""

import warnings
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _check_sample_weight, validate_data

from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.assignment import nearest
from kmeans_service.fitting.kernel.lloyd import lloyd
from kmeans_service.fitting.kernel.rows import Rows


class KernelKMeans(KMeans):  # type: ignore[misc]
    """KMeans whose fit and predict are the kernel's."""

    def fit(
        self,
        X: Any,
        y: object = None,  # noqa: ARG002 (scikit-learn's signature)
        sample_weight: Any = None,
    ) -> "KernelKMeans":
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64, order="C", copy=self.copy_x)
        self._check_params_vs_input(X)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        means = X.mean(axis=0)
        X -= means
        found = lloyd(
            Rows(X, weights),
            self.n_clusters,
            init=self._start(X, means),
            n_init=self._n_init,
            max_iter=self.max_iter,
            tolerance=self._tol,
            random_state=self._seed(),
        )
        if not self.copy_x:
            X += means
        self._tell_of_empty_clusters(len(np.unique(found.labels)))
        self.cluster_centers_, self.labels_ = found.centers + means, found.labels
        self.inertia_, self.n_iter_ = found.inertia, found.n_iter
        self._n_features_out, self._n_threads = self.n_clusters, 1
        return self

    def predict(self, X: Any) -> Array:
        means = self.cluster_centers_.mean(axis=0)
        points = np.ascontiguousarray(self._check_test_data(X) - means, dtype=np.float64)
        return nearest(Rows(points), self.cluster_centers_ - means)

    def _start(self, X: Array, means: Array) -> str | Array:
        if isinstance(self.init, str):
            return self.init
        if callable(self.init):  # which knows the data as it is fitted: without its means
            centers = self.init(X, self.n_clusters, check_random_state(self.random_state))
            self._validate_center_shape(X, centers)
            return np.array(centers, dtype=np.float64)
        centers = check_array(self.init, dtype=np.float64, order="C")
        self._validate_center_shape(X, centers)
        return np.asarray(centers - means)

    def _tell_of_empty_clusters(self, n_filled: int) -> None:
        if n_filled < self.n_clusters:
            told = (
                f"Number of distinct clusters ({n_filled}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X."
            )
            warnings.warn(told, ConvergenceWarning, stacklevel=3)

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, int | np.integer):
            return int(state)
        return int(check_random_state(state).randint(2**31))
