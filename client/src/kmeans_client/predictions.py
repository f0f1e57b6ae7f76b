"""The calls that ask a model about points."""

from typing import Any, cast

import httpx

from kmeans_client import uploads
from kmeans_client.answers import PresignedPrediction
from kmeans_client.calls import JSON, Calls, WatchPending, labels_in
from kmeans_client.problems import NeedsConversion, TooLarge
from kmeans_client.results import Labels, Matrix
from kmeans_client.tables import Table, table
from kmeans_client.transport import read_json
from kmeans_client.uploads import INLINE_BYTES, Progress, silent


class Predictions(Calls):
    """Points in, and what a job's model says of them; many go by way of the bucket."""

    def predict(
        self,
        job_id: int,
        points: Any,
        *,
        engine: str | None = None,
        progress: Progress = silent,
        watch: WatchPending | None = None,
    ) -> Labels:
        """The cluster of each point, in the order given.

        engine    "spark" labels the points there, where the deployment has it, however few they
                  are; "auto", or nothing, what their size asks for
        progress  is told the bytes that have gone, and all there are
        watch     is told at every look how far it is, of points that went by way of the bucket

        Raises InvalidParameter where the deployment has no such engine.
        """
        given, large = table(points), self._labels_of_large
        wanted = {} if engine in (None, "auto") else {"engine": engine}
        if given.size > INLINE_BYTES or wanted:
            return large(job_id, given, progress, watch, **wanted)
        try:
            return labels_in(self._points("/predict", job_id, given), job_id)
        except NeedsConversion:
            return large(job_id, given, progress, watch)

    def predict_rows(
        self,
        job_id: int,
        points: Any,
        *,
        outlier_quantile: float | None = None,
        progress: Progress = silent,
        watch: WatchPending | None = None,
    ) -> bytes:
        """Each point as it is sent, and behind it what the model says of it, as CSV.

        progress, watch  as of `predict`
        """
        given = table(points)
        wanted: dict[str, Any] = {"answer": "rows"}
        if outlier_quantile is not None:
            wanted["outlier_quantile"] = outlier_quantile
        if given.size > INLINE_BYTES:
            return self._made_of_large(job_id, given, progress, watch, **wanted).content
        try:
            headers = {"Accept": "text/csv"}
            return self._points("/predict", job_id, given, wanted, headers).content
        except NeedsConversion:
            return self._made_of_large(job_id, given, progress, watch, **wanted).content

    def _labels_of_large(self, job_id: int, *given: Any, **wanted: Any) -> Labels:
        labels = Labels.of_csv(self._made_of_large(job_id, *given, **wanted).text)
        labels.job_id = job_id
        return labels

    def _made_of_large(
        self,
        job_id: int,
        given: Table,
        progress: Progress,
        watch: WatchPending | None,
        **wanted: Any,
    ) -> httpx.Response:
        form = self.create_prediction(job_id, **wanted)
        uploads.send_form(self._transport, cast("dict[str, Any]", form), given, progress)
        return self._transport.made(f"/predictions/{form['prediction_id']}", watch=watch)

    def create_prediction(self, job_id: int, **wanted: Any) -> PresignedPrediction:
        """Where the points of a large prediction go; `predict` does all of it.

        wanted  engine="spark"; or answer="rows" for the points with their clusters, and
                outlier_quantile
        """
        answer = self._post("/predictions", {"job_id": job_id, **wanted}, repeatable=False)
        return cast(PresignedPrediction, read_json(answer))

    def get_prediction(
        self,
        prediction_id: str,
        *,
        timeout: float | None = None,
        watch: WatchPending | None = None,
    ) -> Labels:
        """The labels of a large prediction, once they are there.

        watch  as of `predict`
        """
        path = f"/predictions/{prediction_id}"
        answer = self._transport.made(path, timeout=timeout, watch=watch)
        return Labels.of_csv(answer.text)

    def transform(self, job_id: int, points: Any) -> Matrix:
        """The distance of each point to every center; of an array, in several requests."""
        pieces = self._pieces("/transform", job_id, table(points))
        return Matrix([row for piece in pieces for row in piece["distances"]])

    def score(self, job_id: int, points: Any) -> float:
        """Minus the sum of squared distances to the nearest center."""
        pieces = self._pieces("/score", job_id, table(points))
        return float(sum(piece["score"] for piece in pieces))

    def _pieces(self, path: str, job_id: int, given: Table) -> list[Any]:
        try:
            if given.size <= INLINE_BYTES or not given.halves:
                return [read_json(self._points(path, job_id, given))]
        except TooLarge:
            if not given.halves:
                raise
        return [piece for half in given.halves for piece in self._pieces(path, job_id, half)]

    def _points(
        self,
        path: str,
        job_id: int,
        given: Table,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] = JSON,
    ) -> httpx.Response:
        file = {"file": given.part}
        form = {"job_id": str(job_id)}
        return self._transport.call(
            "POST", path, params=query, data=form, files=file, headers=headers
        )
