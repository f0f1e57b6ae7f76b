"""One class with every call of the service."""

from typing import Any, cast

import httpx

from kmeans_client import uploads
from kmeans_client.answers import Job, Upload, Uploaded
from kmeans_client.calls import JSON, LOCAL, Watch, as_json, labels_in
from kmeans_client.inference import Inferences
from kmeans_client.predictions import Predictions
from kmeans_client.reading import Reads
from kmeans_client.results import Labels
from kmeans_client.tables import Table, table
from kmeans_client.transport import ACCEPTED, read_json
from kmeans_client.uploads import INLINE_BYTES, PARTS_BYTES, Progress, Unfinished, silent

__all__ = ["LOCAL", "Client"]
Params = dict[str, Any]


class Client(Reads, Predictions, Inferences):
    """K-means as a service: every call of it, and uploads of any size by the way that fits them.

    A table may be a path, bytes, a file object, a NumPy array, a pandas or polars frame, or rows
    of numbers. What takes the service longer than a request lasts is waited for.
    """

    def upload(
        self,
        data: Any,
        filename: str | None = None,
        *,
        progress: Progress = silent,
        watch: Watch | None = None,
        **reading: str,
    ) -> Uploaded:
        """A table becomes a job. The same name and bytes again are the same job.

        progress  is told the bytes that have gone, and all there are
        reading   header, delimiter, decimal, encoding, sheet: each is found out otherwise

        A file of more than 4.5 MB goes to the bucket, of more than 32 MiB in parts: one that broke
        goes on where it stopped, also in another process. Of a file that has to be converted,
        `wait_for_file` says when that is done.
        """
        given = table(data, filename)
        wanted = {**given.reading, **reading}
        if given.size > INLINE_BYTES:
            return self._send(given, wanted, progress, watch)
        file = {"file": given.part}
        answer = self._transport.call("POST", "/upload", data=wanted, files=file, headers=JSON)
        progress(given.size, given.size)
        return cast(Uploaded, read_json(answer))

    def _send(
        self, given: Table, wanted: Params, progress: Progress, watch: Watch | None
    ) -> Uploaded:
        if given.size > PARTS_BYTES:
            job_id = self._send_parts(given, wanted, progress)
        else:
            form = self.create_upload(given.filename, **wanted)
            uploads.send_form(self._transport, cast(Params, form), given, progress)
            job_id = form["job_id"]
        job = self.wait_for_file(job_id, watch=watch)
        sent = {"filename": job["filename"], "job_id": job_id, "warnings": job.get("warnings")}
        return cast(Uploaded, {name: value for name, value in sent.items() if value is not None})

    def _send_parts(self, given: Table, wanted: Params, progress: Progress) -> int:
        unfinished = Unfinished(self.url)
        job_id = unfinished.job_of(given, wanted)
        if job_id is None or not uploads.still_open(self, job_id):
            begun = self.create_upload(given.filename, parts=True, size=given.size, **wanted)
            job_id = begun["job_id"]
            unfinished.begin(given, wanted, job_id)
        uploads.send_parts(self, self._transport, given, job_id, progress)
        unfinished.end(given, wanted)
        return job_id

    def create_upload(self, filename: str, **wanted: Any) -> Upload:
        """Reserves a job for a file that is sent to the bucket; `upload` does all of it.

        wanted  model_params, preprocessing, parts, size, header, delimiter …
        """
        body = {"filename": filename, **wanted}
        return cast(Upload, read_json(self._post("/uploads", body, repeatable=False)))

    def get_upload(self, job_id: int) -> Upload:
        """What has come of a file that is sent in parts, and where the rest goes."""
        return cast(Upload, self._get(f"/uploads/{job_id}"))

    def complete_upload(self, job_id: int) -> Job:
        """The file is made of its parts; it is checked then: `wait_for_file`."""
        answer = self._transport.call("POST", f"/uploads/{job_id}", headers=JSON)
        return cast(Job, read_json(answer))

    def abort_upload(self, job_id: int) -> None:
        """Gives an upload in parts up; what has come of it is removed."""
        self._transport.call("DELETE", f"/uploads/{job_id}")

    def fit(
        self,
        job_id: int,
        model_params: Params | None = None,
        preprocessing: Params | None = None,
        *,
        timeout: float | None = None,
        watch: Watch | None = None,
        **wanted: Any,
    ) -> Labels:
        """Fits KMeans to a job's file; answers the labels, however long that takes.

        model_params   scikit-learn's: n_clusters, init, n_init, max_iter, tol, random_state …
        preprocessing  columns, missing, scaling, normalize, weight_column …
        watch          is told the job now and then, where the fit outlasts a request

        Raises FitFailed and its siblings, or TookTooLong: the fit goes on then.
        """
        answer = self._ask_for_fit(job_id, model_params, preprocessing, wanted, "")
        if answer.status_code == ACCEPTED:
            self.wait_for_fit(job_id, timeout=timeout, watch=watch)
            return self.get_labels(job_id)
        return labels_in(answer, job_id)

    def start_fit(
        self,
        job_id: int,
        model_params: Params | None = None,
        preprocessing: Params | None = None,
        *,
        prefer: str = "respond-async",
        **wanted: Any,
    ) -> Job:
        """As `fit`, without waiting for its end; `wait_for_fit` does.

        prefer  an HTTP preference: "respond-async", or "wait=5" for up to five seconds
        """
        self._ask_for_fit(job_id, model_params, preprocessing, wanted, prefer)
        return self.get_job(job_id)

    def _ask_for_fit(
        self,
        job_id: int,
        model_params: Params | None,
        preprocessing: Params | None,
        wanted: Params,
        prefer: str,
    ) -> httpx.Response:
        body = {"job_id": job_id, **_asked(model_params, preprocessing), **wanted}
        headers = {"Prefer": prefer} if prefer else {}
        return self._post("/fit", body, _repeatable(model_params), **headers)

    def fit_predict(
        self,
        data: Any,
        model_params: Params | None = None,
        preprocessing: Params | None = None,
        *,
        predict: Any = None,
        filename: str | None = None,
        **reading: str,
    ) -> Labels:
        """Upload, fit and predict in one call; the labels name their job as `job_id`.

        predict  points whose labels are answered instead of those of the file
        """
        given = table(data, filename)
        points = None if predict is None else table(predict)
        if given.size + (points.size if points else 0) > INLINE_BYTES:
            return self._one_after_the_other(given, model_params, preprocessing, points, reading)
        files = {"file": given.part}
        if points:
            files["predict"] = points.part
        asked = _asked(model_params, preprocessing)
        form = {**given.reading, **reading, **{name: as_json(v) for name, v in asked.items()}}
        answer = self._transport.call(
            "POST", "/fit_predict", data=form, files=files, headers=JSON,
            repeatable=_repeatable(model_params),
        )  # fmt: skip
        job_id = int(answer.headers["X-Job-Id"])
        if answer.status_code != ACCEPTED:
            return labels_in(answer, job_id)
        self.wait_for_fit(job_id)
        return self.get_labels(job_id) if points is None else self.predict(job_id, points)

    def _one_after_the_other(
        self,
        given: Table,
        model_params: Params | None,
        preprocessing: Params | None,
        points: Table | None,
        reading: Params,
    ) -> Labels:
        job_id = self.upload(given, **reading)["job_id"]
        labels = self.fit(job_id, model_params, preprocessing)
        return labels if points is None else self.predict(job_id, points)

    def rename_job(self, job_id: int, *, if_match: str | None = None, **names: Any) -> Job:
        """Names the job and its clusters: name="Visits", clusters={"0": "near"}. None removes.

        if_match  the ETag that the job must have
        """
        headers = {"If-Match": if_match} if if_match else {}
        answer = self._send_json("PATCH", f"/jobs/{job_id}", names, not if_match, headers)
        return cast(Job, read_json(answer))

    def delete_job(self, job_id: int) -> None:
        """Removes a job and everything stored for it."""
        self._transport.call("DELETE", f"/jobs/{job_id}")


def _asked(model_params: Params | None, preprocessing: Params | None) -> Params:
    asked = {"model_params": model_params, "preprocessing": preprocessing}
    return {name: value for name, value in asked.items() if value is not None}


def _repeatable(model_params: Params | None) -> bool:
    """A fit is the same when it is asked for again, unless its seed is drawn."""
    return (model_params or {}).get("random_state", 0) is not None
