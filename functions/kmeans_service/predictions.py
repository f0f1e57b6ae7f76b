"""Large predictions: points come through a presigned upload, labels lie in the bucket.

pk         sk                       what
O#{owner}  P#{job_id}#{uuid}        status, and then the result or the error; give_up_at,
                                    and the attempt and the lease of who works at it

Nobody sweeps them. A crash leaves the message to the queue, which delivers it again when the
lease is over; the attempt after the last one fails the prediction. Where the queue, too, gave up,
or no points ever came, it has failed from `give_up_at` on.
"""

import json
import math
import re
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kmeans_service import aws, config
from kmeans_service.errors import PredictionFailed, PredictionNotFound, quoted
from kmeans_service.jobs import table
from kmeans_service.jobs.items import marshal, owner_key, unmarshal
from kmeans_service.jobs.job import Job, StoredObject
from kmeans_service.problems import problem_document
from kmeans_service.storage import data_bucket

_ID = re.compile("([0-9]{1,10})-([0-9a-f]{32})")


class LeaseHeld(Exception):
    """Another delivery of the same points is at it: this one should come again later."""


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
    item = {
        "status": prediction.status.value,
        "expires_at": job.expires_at,
        "give_up_at": table.seconds(config.PREDICTION_SECONDS),
    }
    aws.dynamodb().put_item(TableName=table.table_name(), Item=_key(prediction) | marshal(item))
    max_bytes = config.limits().file_bytes
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
    named = Prediction(owner, int(parsed[1]), parsed[2], PredictionStatus.PENDING)
    item = unmarshal(table.get_item(_key(named)) or {})
    if not item or item["expires_at"] <= time.time():
        raise missing
    status = PredictionStatus(item["status"])
    error = json.loads(item["error"]) if "error" in item else None
    if status is PredictionStatus.PENDING and item.get("give_up_at", math.inf) <= time.time():
        status = PredictionStatus.FAILED
        error = _failure("No points came, or they could not be worked off in time")
    result = StoredObject(**item["result"]) if "result" in item else None
    return Prediction(owner, named.job_id, named.name, status, result, error)


def claim(prediction: Prediction, seconds: float) -> bool:
    """Begin an attempt that ends within `seconds`; False if there is nothing (more) to do.

    The attempt after the last one makes the prediction FAILED. Raises LeaseHeld.
    """
    claimant = uuid.uuid4().hex
    values = {
        ":pending": PredictionStatus.PENDING.value,
        ":claimant": claimant,
        ":now": table.seconds(),
        ":lease": table.seconds(seconds),
        ":max": config.MAX_ATTEMPTS,
        ":one": 1,
    }
    try:
        table.update(
            _key(prediction),
            "SET lease_until = :lease, claimant = :claimant ADD attempt :one",
            "#status = :pending AND (attribute_not_exists(lease_until) OR lease_until < :now) "
            "AND (attribute_not_exists(attempt) OR attempt < :max)",
            values,
        )
    except table.ConditionFailed as failed:
        found = unmarshal(failed.item or {})
        if found.get("status") != PredictionStatus.PENDING:
            return False
        if found.get("claimant") == claimant:
            return True  # ours: only the answer to the first try was lost
        if found.get("lease_until", 0) >= values[":now"]:
            raise LeaseHeld from None
        fail(prediction, _failure(f"The prediction crashed {found['attempt']} times"))
        return False
    return True


def release(prediction: Prediction) -> None:
    """End an attempt that did not crash, and did not succeed either: the next may begin at once."""
    with suppress(table.ConditionFailed):
        table.update(
            _key(prediction),
            "REMOVE lease_until",
            "#status = :pending",
            {":pending": PredictionStatus.PENDING.value},
        )


def _failure(detail: str) -> dict[str, Any]:
    return problem_document(PredictionFailed(f"{detail}; send the points again"))


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
