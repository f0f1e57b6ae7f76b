"""The calls that read: jobs, and what a fit found."""

import hashlib
from collections.abc import Iterator
from typing import Any, cast

from kmeans_client.answers import Choice, Clusters, Health, Job, Projection, Scores, Table
from kmeans_client.calls import JSON, Calls, WatchPending, labels_in
from kmeans_client.problems import ConnectionLost
from kmeans_client.results import Labels, Matrix
from kmeans_client.transport import read_json


class Reads(Calls):
    """What can be read of a service and of a job."""

    def root(self) -> dict[str, Any]:
        """Links to what can be read."""
        return cast(dict[str, Any], self._get(""))

    def health(self) -> Health:
        """Whether the service answers, and its version."""
        return cast(Health, self._get("/health"))

    def openapi(self) -> dict[str, Any]:
        """The contract."""
        return cast(dict[str, Any], self._get("/openapi.json"))

    def ui(self) -> str:
        """The page of Swagger UI, as HTML."""
        return self._read("/ui").text

    def ui_asset(self, asset: str) -> bytes:
        """A file of the page's."""
        return self._read(f"/ui/{asset}").content

    def page_asset(self, version: str, asset: str) -> bytes:
        """A file of the web page's, of the version that the page names."""
        return self._read(f"/page/{version}/{asset}").content

    def list_jobs(self, status: str | None = None, *, page: int = 100) -> Iterator[Job]:
        """All jobs, newest first; page by page as they are asked for.

        page  jobs a request, 1 to 100
        """
        cursor = None
        while True:
            found = self._get("/jobs", limit=page, cursor=cursor, status=status)
            yield from found["jobs"]
            if not (cursor := found.get("next_cursor")):
                return

    def get_labels(self, job_id: int) -> Labels:
        """The fitted labels, one for each row of the file, in its order."""
        return labels_in(self._read(f"/jobs/{job_id}/labels", JSON), job_id)

    def get_centers(self, job_id: int) -> Matrix:
        """The cluster centers, in the units of the file; `names` are those of the used columns."""
        answer = self._read(f"/jobs/{job_id}/centers", JSON)
        if "json" in answer.headers.get("Content-Type", ""):
            found = read_json(answer)
            return Matrix(found["centers"], found.get("feature_names"))
        return Matrix(_of_npy(answer.content))

    def get_scores(self, job_id: int) -> Scores:
        """Inertia, iterations, cluster sizes and the usual indices."""
        return cast(Scores, self._get(f"/jobs/{job_id}/scores"))

    def get_input(self, job_id: int) -> bytes:
        """The file, byte for byte as it was uploaded."""
        return self._read(f"/jobs/{job_id}/input").content

    def get_columns(self, job_id: int) -> Table:
        """What the file holds, column by column, all of them, and what a fit makes of it."""
        path = f"/jobs/{job_id}/columns"
        table = page = self._get(path)
        while cursor := page.get("next_cursor"):
            page = self._get(path, cursor=cursor)
            table["columns"] += page["columns"]
        table.pop("next_cursor", None)
        return cast(Table, table)

    def get_rows(
        self,
        job_id: int,
        *,
        outlier_quantile: float | None = None,
        watch: WatchPending | None = None,
    ) -> bytes:
        """The file's rows as they were written, and behind each what the fit says of it, as CSV.

        outlier_quantile  of its cluster's distances, beyond which a row is an outlier
        watch             is told at every look how far it is, where it is not there at once
        """
        path = f"/jobs/{job_id}/rows"
        return self._read(path, watch=watch, outlier_quantile=outlier_quantile).content

    def get_choice(self, job_id: int) -> Choice:
        """Why the fit has so many clusters, and whether there are any: of a fit that chose them.

        Raises ChoiceNotFound where the number was given.
        """
        return cast(Choice, self._get(f"/jobs/{job_id}/choice"))

    def get_audit(self, job_id: int) -> dict[str, Any]:
        """How sure this optimum is: what many starts and a search come to on the same rows."""
        return cast(dict[str, Any], self._get(f"/jobs/{job_id}/audit"))

    def get_clusters(self, job_id: int) -> Clusters:
        """What each cluster is: sizes, centers, what sets it apart, a rule and a sentence."""
        return cast(Clusters, self._get(f"/jobs/{job_id}/clusters"))

    def get_migration(
        self, job_id: int, from_job: int, *, key: str | None = None
    ) -> dict[str, Any]:
        """Which rows went from which cluster of another job's fit to which of this one's.

        key  a column of both files by which rows are found again; else by their place
        """
        query = {"from": from_job, "key": key}
        return cast(dict[str, Any], self._get(f"/jobs/{job_id}/migration", **query))

    def get_projection(self, job_id: int) -> Projection:
        """At most 5,000 rows in two dimensions, to be drawn, and what the axes mean."""
        return cast(Projection, self._get(f"/jobs/{job_id}/projection"))

    def get_report(self, job_id: int) -> str:
        """The fit as one HTML page that needs nothing else."""
        return self._read(f"/jobs/{job_id}/report").text

    def get_model(self, job_id: int) -> bytes:
        """The fitted estimator as a joblib pickle, with the digest that the service names.

        Loading a pickle runs whatever code is in it: only from a service that you trust.
        """
        answer = self._read(f"/jobs/{job_id}/model")
        said = answer.headers.get("X-Model-Sha256")
        if said != hashlib.sha256(answer.content).hexdigest():
            raise ConnectionLost("The model came otherwise than the service says it is; try again")
        return answer.content


def _of_npy(content: bytes) -> list[list[float | None]]:
    """Centers that no answer carries lie in the bucket as NumPy's own format."""
    import io

    import numpy as np

    return cast(
        "list[list[float | None]]", np.load(io.BytesIO(content), allow_pickle=False).tolist()
    )
