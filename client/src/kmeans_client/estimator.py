"""scikit-learn's KMeans, fitted by the service."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from kmeans_client.client import LOCAL, Client

# All of what is sent is what is clustered, as it is.
AS_IT_IS = {"columns": "all", "missing": "refuse", "scaling": "none"}
DRAWN_BELOW = np.iinfo(np.int32).max


class RemoteKMeans(KMeans):  # type: ignore[misc]
    """KMeans whose fit runs on the service; what it found is used here.

    The parameters of scikit-learn's KMeans with their defaults, and

    url        of the service; default: KMEANS_URL, or `make run` on this machine
    token      an API token; default: KMEANS_TOKEN
    algorithm  also "swap", which is not scikit-learn's: it searches for better clusters
    keep_job   whether the job stays with the service, as `job_id_`; else it is deleted

    Fitted, it holds what a KMeans holds: predict, transform and score need no service, nor does a
    pickle. Computed in float64. `verbose` says nothing. A callable `init` is called here.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **KMeans._parameter_constraints,
        "algorithm": [StrOptions({"lloyd", "elkan", "swap"})],
        "url": [str, None],
        "token": [str, None],
        "keep_job": ["boolean"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        url: str | None = None,
        token: str | None = None,
        keep_job: bool = False,
    ) -> None:
        super().__init__(
            n_clusters=n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            verbose=verbose,
            random_state=random_state,
            copy_x=copy_x,
            algorithm=algorithm,
        )
        self.url = url
        self.token = token
        self.keep_job = keep_job

    def fit(self, X: Any, y: object = None, sample_weight: Any = None) -> RemoteKMeans:
        """Compute k-means clustering, on the service.

        X              shape (n_samples, n_features), finite
        sample_weight  shape (n_samples,), each 0 or more

        Raises ValueError as KMeans does, and KMeansError for what the service refuses.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        self._check_params_vs_input(X)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        with self._client() as client:
            self._fit_by(client, X, weights)
        self._tell_of_empty_clusters()
        self._n_features_out, self._n_threads = self.n_clusters, 1
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags

    def _check_test_data(self, X: Any) -> Any:
        """Points are of the type that centers have, whatever they came as."""
        return validate_data(self, X, reset=False, dtype=np.float64, order="C")

    def _client(self) -> Client:
        url = self.url or os.environ.get("KMEANS_URL") or LOCAL
        return Client(url, self.token or os.environ.get("KMEANS_TOKEN"))

    def _fit_by(self, client: Client, X: Any, weights: Any) -> None:
        """A job of its own, so that fits at the same time do not meet."""
        table = X if weights is None else np.column_stack([X, weights])
        wanted = AS_IT_IS if weights is None else {**AS_IT_IS, "weight_column": X.shape[1] + 1}
        job_id = client.upload(table, f"{uuid.uuid4().hex}.csv")["job_id"]
        kept = False
        try:
            self._fit_job(client, job_id, list(self._starts(X)), wanted)
            kept = self.keep_job
        finally:
            if not kept:
                client.delete_job(job_id)
        if kept:
            self.job_id_ = job_id

    def _fit_job(
        self, client: Client, job_id: int, starts: list[dict[str, Any]], wanted: dict[str, Any]
    ) -> None:
        """The best of all starts; mostly there is one, and the service makes those it needs."""
        best = np.inf
        for start in starts:
            labels = client.fit(job_id, self._asked() | start, wanted)
            scores = client.get_scores(job_id)
            if scores["inertia"] < best:
                best = scores["inertia"]
                self.labels_ = labels.to_numpy()
                self.cluster_centers_ = client.get_centers(job_id).to_numpy()
                self.inertia_, self.n_iter_ = scores["inertia"], scores["n_iter"]

    def _asked(self) -> dict[str, Any]:
        return {
            "n_clusters": int(self.n_clusters),
            "max_iter": int(self.max_iter),
            "tol": float(self.tol),
            "algorithm": self.algorithm,
        }

    def _starts(self, X: Any) -> Iterator[dict[str, Any]]:
        """Where to begin, as `model_params`; centers in the units of X."""
        random_state = check_random_state(self.random_state)
        if callable(self.init):  # which knows the data without its means, as in KMeans.fit
            means = X.mean(axis=0)
            for _ in range(self._n_init):
                centers = self.init(X - means, self.n_clusters, random_state=random_state)
                yield self._from_centers(X, centers, means)
        elif isinstance(self.init, str):
            seed = self._seed(random_state)
            by_itself = self.algorithm == "swap" and self.n_init == "auto"
            n_init = "auto" if by_itself else int(self._n_init)
            yield {"init": self.init, "n_init": n_init, "random_state": seed}
        else:
            yield self._from_centers(X, self.init)

    def _from_centers(self, X: Any, centers: Any, shift: Any = 0.0) -> dict[str, Any]:
        centers = check_array(centers, dtype=np.float64)
        self._validate_center_shape(X, centers)
        return {"init": (centers + shift).tolist(), "n_init": 1, "random_state": 0}

    def _seed(self, random_state: Any) -> int:
        """An integer gives what it gives in KMeans; a generator, or none, gives one."""
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(random_state.randint(DRAWN_BELOW))

    def _tell_of_empty_clusters(self) -> None:
        n_filled = len(np.unique(self.labels_))
        if n_filled < self.n_clusters:
            told = (
                f"Number of distinct clusters ({n_filled}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X."
            )
            warnings.warn(told, ConvergenceWarning, stacklevel=3)
