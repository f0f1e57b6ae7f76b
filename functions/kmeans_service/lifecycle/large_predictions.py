"""Large predictions: points come through a presigned upload, labels lie in the bucket.

pk         sk                       what
O#{owner}  P#{job_id}#{uuid}        status, and then the result or the error; give_up_at, and the
                                    attempt and the lease of who works at it, or the run;
                                    outlier_quantile of one that is answered as rows; engine

Whoever reads one past `give_up_at` that is in nobody's hands fails it: no points came for it, or
they were too slow.
"""

import math
import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

from boto3.dynamodb.conditions import Attr

from kmeans_service import config, keys
from kmeans_service.errors import JobNotFound, PredictionFailed, PredictionNotFound, quoted
from kmeans_service.lifecycle import reads, results
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.results import PENDING, Result
from kmeans_service.owners import quota
from kmeans_service.problems import problem_document
from kmeans_service.storage import data_bucket
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.keys import Key, prediction_key
from kmeans_service.table.values import marshal, unmarshal
from kmeans_service.table.writes import Item

_ID = re.compile("([0-9]{1,10})-([0-9a-f]{32})")


@dataclass(frozen=True)
class Prediction(Result):
    """One large prediction; its result is the labels as CSV, or the points with them behind.

    outlier_quantile   of a prediction that is answered as rows; None: as labels
    engine             that was asked for
    """

    outlier_quantile: float | None = None
    engine: str = "auto"

    @property
    def prediction_id(self) -> str:
        return f"{self.job_id}-{self.name}"

    @property
    def key(self) -> Key:
        return prediction_key(self.owner, self.job_id, self.name)

    @property
    def result_key(self) -> str:
        """Where the claim's attempt writes; no other attempt ever does."""
        return keys.result(self.owner, self.job_id, self.name, self.fence)

    @property
    def run_prefix(self) -> str:
        return keys.run_of_result(self.owner, self.job_id, self.name, self.fence)

    @property
    def upload_key(self) -> str:
        return keys.awaited_points(self.owner, self.job_id, self.name)

    def read(self, item: Item) -> Self:
        values = unmarshal(item)
        share = values.get("outlier_quantile")
        return replace(
            super().read(item),
            outlier_quantile=None if share is None else float(share),
            engine=values.get("engine", "auto"),
        )

    def crashed(self, times: int) -> PredictionFailed:
        last = f"; the last time, {self.crash}" if self.crash else ""
        return _failure(f"The prediction crashed {times} times{last}")


def reserve(
    job: Job, outlier_quantile: float | None = None, engine: str = "auto"
) -> dict[str, Any]:
    """A prediction of the job's model, waiting for its points, and where they go to.

    outlier_quantile   of one that is to be answered as rows

    Raises NotFitted, or StorageFull where there is no room for a result.
    """
    _ = job.published  # raises NotFitted
    quota.room_for(job.owner, size=1, jobs=0)
    prediction = Prediction(job.owner, job.job_id, uuid.uuid4().hex)
    item = {
        "status": prediction.status,
        "expires_at": job.expires_at,
        "give_up_at": clock.seconds(config.PREDICTION_SECONDS),
        "outlier_quantile": None if outlier_quantile is None else repr(outlier_quantile),
        "engine": None if engine == "auto" else engine,
    }
    writes.put(prediction.key | marshal(item))
    max_bytes = min(config.limits().file_bytes, config.ONE_PIECE_BYTES)
    return {
        "prediction_id": prediction.prediction_id,
        "job_id": job.job_id,
        **data_bucket().presigned_post(prediction.upload_key, max_bytes),
        "expires_in": config.PRESIGNED_SECONDS,
        "max_bytes": max_bytes,
    }


def find(owner: str, prediction_id: str) -> Prediction:
    """The prediction; raises PredictionNotFound."""
    parsed = _ID.fullmatch(prediction_id)
    missing = PredictionNotFound(f"There is no prediction {quoted(prediction_id)}")
    if not parsed:
        raise missing
    named = Prediction(owner, int(parsed[1]), parsed[2])
    item = queries.get_item(named.key)
    if not item:
        with suppress(JobNotFound):
            reads.get(owner, named.job_id)  # raises JobGone, with which its predictions went
    if not item or unmarshal(item)["expires_at"] <= time.time():
        raise missing
    return named.read(_given_up_in_time(named, item))


def _given_up_in_time(named: Prediction, item: Item) -> Item:
    """PENDING past `give_up_at`, and in nobody's hands → FAILED; or the item as it is."""
    now = time.time()
    values = unmarshal(item)
    if values["status"] != PENDING or values.get("give_up_at", math.inf) > now:
        return item
    told = _failure("No points came, or they could not be worked off in time")
    failed = named.failed(problem_document(told))
    too_late = Attr("give_up_at").lte(int(now))
    try:
        return writes.update(named.key, failed, results.is_nobodys() & too_late)
    except writes.ConditionFailed as moved_on:
        return moved_on.item or item


def _failure(detail: str) -> PredictionFailed:
    return PredictionFailed(f"{detail}; send the points again")
