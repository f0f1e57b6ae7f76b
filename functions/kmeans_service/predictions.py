"""Large predictions: points come through a presigned upload, labels lie in the bucket.

pk         sk                       what
O#{owner}  P#{job_id}#{uuid}        status, and then the result or the error
"""

import json
import re
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kmeans_service import aws, config
from kmeans_service.errors import PredictionNotFound, quoted
from kmeans_service.jobs import table
from kmeans_service.jobs.items import marshal, owner_key, unmarshal
from kmeans_service.jobs.job import Job, StoredObject
from kmeans_service.storage import data_bucket

_ID = re.compile("([0-9]{1,10})-([0-9a-f]{32})")


class PredictionStatus(StrEnum):
    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Prediction:
    """One large prediction; `result` is the labels as CSV, `error` a problem document."""

    owner: str
    job_id: int
    name: str
    status: PredictionStatus
    result: StoredObject | None = None
    error: dict[str, Any] | None = None

    @property
    def prediction_id(self) -> str:
        return f"{self.job_id}-{self.name}"

    @property
    def result_key(self) -> str:
        return f"results/{self.owner}/{self.job_id}/{self.name}.csv"

    @property
    def upload_key(self) -> str:
        return f"pending/{self.owner}/{self.job_id}/predictions/{self.name}.csv"


def reserve(job: Job) -> dict[str, Any]:
    """A prediction of the job's model, waiting for its points, and where they go to.

    Raises NotFitted.
    """
    _ = job.published  # raises NotFitted
    prediction = Prediction(job.owner, job.job_id, uuid.uuid4().hex, PredictionStatus.PENDING)
    item = {"status": prediction.status.value, "expires_at": job.expires_at}
    aws.dynamodb().put_item(TableName=table.table_name(), Item=_key(prediction) | marshal(item))
    return {
        "prediction_id": prediction.prediction_id,
        "job_id": job.job_id,
        **data_bucket().presigned_post(prediction.upload_key),
        "expires_in": config.PRESIGNED_SECONDS,
        "max_bytes": config.MAX_UPLOAD_BYTES,
        "result": f"/kmeans/predictions/{prediction.prediction_id}",
    }


def find(owner: str, prediction_id: str) -> Prediction:
    """The prediction; raises PredictionNotFound."""
    parsed = _ID.fullmatch(prediction_id)
    missing = PredictionNotFound(f"There is no prediction {quoted(prediction_id)}")
    if not parsed:
        raise missing
    named = Prediction(owner, int(parsed[1]), parsed[2], PredictionStatus.PENDING)
    item = unmarshal(table.get_item(_key(named)) or {})
    if not item or item["expires_at"] <= time.time():
        raise missing
    return Prediction(
        owner,
        named.job_id,
        named.name,
        PredictionStatus(item["status"]),
        StoredObject(**item["result"]) if "result" in item else None,
        json.loads(item["error"]) if "error" in item else None,
    )


def succeed(prediction: Prediction, result: StoredObject) -> None:
    _finish(prediction, PredictionStatus.SUCCEEDED, "#result", asdict(result))


def fail(prediction: Prediction, error: dict[str, Any]) -> None:
    _finish(prediction, PredictionStatus.FAILED, "#error", json.dumps(error))


def _finish(prediction: Prediction, status: PredictionStatus, attribute: str, value: Any) -> None:
    """PENDING → finished; a second delivery of the same points changes nothing."""
    values = {
        ":status": status.value,
        ":value": value,
        ":pending": PredictionStatus.PENDING.value,
    }
    with suppress(table.ConditionFailed):
        table.update(
            _key(prediction),
            f"SET #status = :status, {attribute} = :value",
            "#status = :pending",
            values,
        )


def _key(prediction: Prediction) -> dict[str, Any]:
    sk = f"P#{prediction.job_id:010d}#{prediction.name}"
    return marshal({"pk": owner_key(prediction.owner), "sk": sk})
