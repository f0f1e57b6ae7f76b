"""The service behind scikit-learn's KMeans: an upload, POST fit, and what is read of it."""

from typing import Any, ClassVar

import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils import check_array

from harness.api import Client


class ServiceKMeans(KMeans):  # type: ignore[misc]
    """KMeans whose fit is the service's.

    The file has no header: its columns are the data's, and behind them the weights.
    """

    client: ClassVar[Client]

    def fit(self, X: Any, y: object = None, sample_weight: Any = None) -> "ServiceKMeans":  # noqa: ARG002
        rows = check_array(X, dtype=np.float64)
        preprocessing = {"columns": "all"}
        if sample_weight is not None:
            rows = np.column_stack([rows, sample_weight])
            preprocessing = {"weight_column": rows.shape[1]}
        body = "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()
        job_id = self.client.upload(body).json()["job_id"]
        asked = {"job_id": job_id, "model_params": self._asked(), "preprocessing": preprocessing}
        answer = self.client.post_json("/kmeans/fit", asked, Accept="application/json")
        self.labels_ = np.array(answer.json()["labels"])
        self._read(f"/kmeans/jobs/{job_id}")
        return self

    def _asked(self) -> dict[str, Any]:
        names = ("n_clusters", "n_init", "max_iter", "tol", "random_state", "algorithm")
        init = self.init if isinstance(self.init, str) else np.asarray(self.init).tolist()
        return {name: getattr(self, name) for name in names} | {"init": init}

    def _read(self, job: str) -> None:
        scores = self.client.get(f"{job}/scores").json()
        self.inertia_, self.n_iter_ = scores["inertia"], scores["n_iter"]
        centers = self.client.get(f"{job}/centers", Accept="application/json").json()["centers"]
        self.cluster_centers_ = np.array(centers)
