"""The jobs table: every change of a job's state is one conditional write.

Whoever wins the write does the work; everybody else learns from the failed condition.

    pk         sk             what
    O#{owner}  META           next_id, the next job id
    O#{owner}  UP#{upload}    job_id of this file name and bytes
    O#{owner}  EV#{event}     an S3 event that was handled
    O#{owner}  J#{job_id}     the job; while somebody must look after it also gsi1pk and due_at

Times that are compared are whole epoch seconds.
"""

import base64
import binascii
import hashlib
import json
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from kmeans_service import aws, config
from kmeans_service.errors import (
    FitConflict,
    InvalidParameter,
    JobGone,
    JobNotFound,
    NotUploaded,
    Unavailable,
)
from kmeans_service.items import (
    input_attribute,
    job_from_item,
    job_key,
    job_sort_key,
    marshal,
    model_attribute,
    owner_key,
    unmarshal,
)
from kmeans_service.job import (
    FITTABLE,
    GONE,
    Input,
    Job,
    Model,
    Status,
    upload_id_of,
)

LOOKED_AFTER = "ACTIVE"
MAX_JOB_ID = 10**10 - 1
UPLOAD_TRIES = 200
CONFLICTS = ("ConditionalCheckFailed", "TransactionConflict")


class ClaimRefused(Exception):
    """The claim's condition did not hold; `job` is what stands there instead, None if nothing."""

    def __init__(self, job: Job | None) -> None:
        super().__init__(job and job.status)
        self.job = job


class FenceLost(Exception):
    """Somebody else has taken over, or the job is gone: nothing of this attempt may be seen."""


def _timestamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")


def _failed_condition(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


class JobTable:
    """Reads are consistent: they decide what is done next."""

    def __init__(self, name: str, expiry_days: int) -> None:
        self._name = name
        self._expiry_seconds = expiry_days * 86_400

    # Uploads

    def find_upload(self, owner: str, filename: str, sha256: str) -> int | None:
        """The job that was made for this file name and these bytes, if it has not expired."""
        key = self._upload_key(owner, filename, sha256)
        answer = aws.dynamodb().get_item(TableName=self._name, Key=key, ConsistentRead=True)
        item = unmarshal(answer.get("Item", {}))
        return item["job_id"] if item and item["expires_at"] > time.time() else None

    def create(
        self,
        owner: str,
        filename: str,
        given: Input | None,
        params: dict[str, Any] | None = None,
    ) -> int:
        """A new job's id, or that of the job which this very upload already made.

        The job is UPLOADED, or PENDING if its file has yet to come; `params` are then those of
        the fit that its arrival starts. Ids are dense from 0.
        Raises Unavailable if the owner's counter is contended beyond reason.
        """
        for attempt in range(UPLOAD_TRIES):
            if given is not None:
                found = self.find_upload(owner, filename, given.sha256)
                if found is not None:
                    return found
            job_id = self._next_id(owner)
            if self._create_as(job_id, self._new_job(owner, job_id, filename, given, params)):
                return job_id
            # Others took this id: the more of them, the further apart the next tries.
            time.sleep(random.uniform(0, 0.01 * min(attempt + 1, 20)))  # noqa: S311
        raise Unavailable("Too many uploads at once")

    def _next_id(self, owner: str) -> int:
        key = marshal({"pk": owner_key(owner), "sk": "META"})
        answer = aws.dynamodb().get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return int(answer["Item"]["next_id"]["N"]) if "Item" in answer else 0

    def _create_as(self, job_id: int, job: dict[str, Any]) -> bool:
        """One transaction: the counter moves on, the job is there, its upload is known; or none."""
        owner = job["owner"]
        counter: Any = {
            "TableName": self._name,
            "Key": marshal({"pk": owner_key(owner), "sk": "META"}),
            "UpdateExpression": "SET next_id = :next",
            "ConditionExpression": "next_id = :id" if job_id else "attribute_not_exists(next_id)",
            "ExpressionAttributeValues": marshal(
                {":next": job_id + 1} | ({":id": job_id} if job_id else {})
            ),
        }
        actions: list[Any] = [{"Update": counter}, {"Put": self._put_new(marshal(job))}]
        if "input" in job:
            upload = self._upload_key(owner, job["filename"], job["input"]["sha256"])
            upload |= marshal({"job_id": job_id, "expires_at": job["expires_at"]})
            actions.append({"Put": self._put_new(upload)})
        try:
            aws.dynamodb().transact_write_items(TransactItems=actions)
        except aws.dynamodb().exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response["CancellationReasons"]}
            if codes.isdisjoint(CONFLICTS):
                raise
            return False
        return True

    def _put_new(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._name,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
            "ExpressionAttributeValues": marshal({":now": int(time.time())}),
        }

    def _new_job(
        self,
        owner: str,
        job_id: int,
        filename: str,
        given: Input | None,
        params: dict[str, Any] | None,
    ) -> dict[str, Any]:
        now = time.time()
        values = {
            "pk": owner_key(owner),
            "sk": job_sort_key(job_id),
            "owner": owner,
            "job_id": job_id,
            "filename": filename,
            "status": Status.UPLOADED.value if given else Status.PENDING.value,
            "created_at": _timestamp(now),
            "uploaded_at": _timestamp(now) if given else None,
            "input": input_attribute(given) if given else None,
            "params": json.dumps(params, sort_keys=True) if params else None,
            "expires_at": int(now) + self._expiry_seconds,
        }
        return {name: value for name, value in values.items() if value is not None}

    def _upload_key(self, owner: str, filename: str, sha256: str) -> dict[str, Any]:
        sk = f"UP#{upload_id_of(filename, sha256)}"
        return marshal({"pk": owner_key(owner), "sk": sk})

    def arrive(self, job: Job, given: Input) -> bool:
        """PENDING → UPLOADED with its file; False if the job was not waiting for one."""
        values = {
            ":pending": Status.PENDING.value,
            ":uploaded": Status.UPLOADED.value,
            ":input": input_attribute(given),
            ":now": _timestamp(time.time()),
        }
        return self._update(
            job.owner,
            job.job_id,
            "SET #status = :uploaded, #input = :input, uploaded_at = :now",
            "#status = :pending",
            values,
        )

    def refuse(self, job: Job, error: dict[str, Any]) -> bool:
        """PENDING or UPLOADED → FAILED: what came cannot be used; False if the job has moved on."""
        values = {
            ":was": job.status.value,
            ":failed": Status.FAILED.value,
            ":error": json.dumps(error),
            ":now": _timestamp(time.time()),
        }
        return self._update(
            job.owner,
            job.job_id,
            "SET #status = :failed, #error = :error, finished_at = :now",
            "#status = :was",
            values,
        )

    def is_handled(self, owner: str, event: str) -> bool:
        """Whether `handled` was said of this event."""
        key = self._event_key(owner, event)
        return "Item" in aws.dynamodb().get_item(TableName=self._name, Key=key, ConsistentRead=True)

    def handled(self, owner: str, event: str) -> None:
        """Remember an event that led to a fit, for as long as it may be delivered again."""
        item = self._event_key(owner, event) | marshal(
            {"expires_at": int(time.time()) + self._expiry_seconds}
        )
        aws.dynamodb().put_item(TableName=self._name, Item=item)

    def _event_key(self, owner: str, event: str) -> dict[str, Any]:
        digest = hashlib.sha256(event.encode(errors="surrogatepass")).hexdigest()
        return marshal({"pk": owner_key(owner), "sk": f"EV#{digest}"})

    # Reads

    def get(self, owner: str, job_id: int) -> Job:
        """The job; raises JobNotFound, or JobGone if it was deleted or has expired."""
        if job_id > MAX_JOB_ID:
            raise JobNotFound(f"There is no job {job_id}")
        answer = aws.dynamodb().get_item(
            TableName=self._name, Key=job_key(owner, job_id), ConsistentRead=True
        )
        if "Item" not in answer:
            # DynamoDB removes expired items; their ids are below the counter for ever.
            if job_id < self._next_id(owner):
                raise JobGone(f"Job {job_id} was deleted or has expired")
            raise JobNotFound(f"There is no job {job_id}")
        return self._present(job_from_item(answer["Item"]))

    def _present(self, job: Job) -> Job:
        if job.status in GONE or job.expires_at <= time.time():
            raise JobGone(f"Job {job.job_id} was deleted or has expired")
        return job

    def newest(
        self, owner: str, limit: int, cursor: str | None, status: str | None
    ) -> tuple[list[Job], str | None]:
        """A page of jobs, newest first, and the cursor of the next page if there is one."""
        names = {"#status": "status"}
        values: dict[str, Any] = {
            ":pk": owner_key(owner),
            ":j": "J#",
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":now": int(time.time()),
        }
        condition = "NOT #status IN (:deleting, :deleted) AND expires_at > :now"
        if status:
            condition += " AND #status = :status"
            values[":status"] = status
        query: Any = {
            "TableName": self._name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :j)",
            "FilterExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": marshal(values),
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        if cursor:
            query["ExclusiveStartKey"] = job_key(owner, _read_cursor(cursor))
        jobs: list[Job] = []
        for page in self._pages(query):
            for item in page:
                if len(jobs) == limit:
                    return jobs, _cursor(jobs[-1].job_id)
                jobs.append(job_from_item(item))
        return jobs, None

    def _pages(self, query: Any) -> Iterator[list[dict[str, Any]]]:
        while True:
            answer = aws.dynamodb().query(**query)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def due(self) -> Iterator[Job]:
        """The jobs that somebody should have looked after by now (eventually consistent)."""
        query: Any = {
            "TableName": self._name,
            "IndexName": "active",
            "KeyConditionExpression": "gsi1pk = :active AND due_at <= :now",
            "ExpressionAttributeValues": marshal(
                {":active": LOOKED_AFTER, ":now": int(time.time())}
            ),
        }
        for page in self._pages(query):
            yield from map(job_from_item, page)

    # Fits

    def request_fit(self, owner: str, job_id: int, fit_id: str, params: dict[str, Any]) -> Job:
        """UPLOADED, SUCCEEDED or FAILED → QUEUED; the same fit again is left as it is.

        Raises JobNotFound, JobGone, NotUploaded, or FitConflict if another fit is active.
        """
        now = time.time()
        values = {f":{status.value}": status.value for status in FITTABLE} | {
            ":queued": Status.QUEUED.value,
            ":fit": fit_id,
            ":params": json.dumps(params, sort_keys=True),
            ":now": _timestamp(now),
            ":active": LOOKED_AFTER,
            ":due": int(now) + config.SWEEP_AFTER_SECONDS,
            ":zero": 0,
        }
        try:
            answer = self._update_item(
                owner,
                job_id,
                "SET #status = :queued, fit_id = :fit, params = :params, attempt = :zero, "
                "queued_at = :now, gsi1pk = :active, due_at = :due "
                "REMOVE #error, started_at, finished_at, progress, lease_until",
                "attribute_exists(#input) AND (#status = :UPLOADED OR #status = :FAILED OR "
                "(#status = :SUCCEEDED AND #model.fit_id <> :fit))",
                values,
            )
        except ClientError as error:
            if not _failed_condition(error):
                raise
            return self._same_fit(self.get(owner, job_id), fit_id)
        return job_from_item(answer["Attributes"])

    def _same_fit(self, job: Job, fit_id: str) -> Job:
        if job.is_fitted_with(fit_id) or job.is_active_with(fit_id):
            return job
        if job.input is None:
            raise NotUploaded(f"The file of job {job.job_id} has not arrived")
        raise FitConflict(f"Another fit of job {job.job_id} is active; wait for it to finish")

    def claim(self, job: Job) -> Job:
        """QUEUED, or RUNNING past its lease → RUNNING under a new fence; raises ClaimRefused.

        The lease is short, and `report` renews it: a crash is noticed within it.
        """
        now = time.time()
        lease = int(now) + config.LEASE_SECONDS
        claimant = uuid.uuid4().hex
        values = {
            ":running": Status.RUNNING.value,
            ":queued": Status.QUEUED.value,
            ":claimant": claimant,
            ":fit": job.fit_id,
            ":second": int(now),
            ":now": _timestamp(now),
            ":lease": lease,
            ":max": config.MAX_ATTEMPTS,
            ":one": 1,
            ":active": LOOKED_AFTER,
        }
        try:
            answer = self._update_item(
                job.owner,
                job.job_id,
                "SET #status = :running, lease_until = :lease, due_at = :lease, started_at = :now, "
                "gsi1pk = :active, claimant = :claimant ADD fence :one, attempt :one",
                "fit_id = :fit AND attempt < :max AND "
                "(#status = :queued OR (#status = :running AND lease_until < :second))",
                values,
            )
        except ClientError as error:
            if not _failed_condition(error):
                raise
            item: Any = error.response.get("Item")
            if item and item.get("claimant") == {"S": claimant}:
                return job_from_item(item)  # ours: only the answer to the first try was lost
            raise ClaimRefused(job_from_item(item) if item else None) from None
        return job_from_item(answer["Attributes"])

    def publish(self, claimed: Job, model: Model) -> None:
        """RUNNING → SUCCEEDED: the model is seen from here on; raises FenceLost."""
        try:
            self._publish(claimed, model)
        except FenceLost:
            # If only the answer was lost, the write is there, and the objects are in use.
            if not self._is_published(claimed, model):
                raise

    def _is_published(self, claimed: Job, model: Model) -> bool:
        try:
            return self.get(claimed.owner, claimed.job_id).model == model
        except (JobGone, JobNotFound):
            return False

    def _publish(self, claimed: Job, model: Model) -> None:
        self._finish(
            claimed,
            "SET #status = :status, #model = :value, finished_at = :now "
            "REMOVE lease_until, gsi1pk, due_at, progress, #error",
            Status.SUCCEEDED,
            model_attribute(model),
        )

    def fail(self, claimed: Job, error: dict[str, Any]) -> None:
        """RUNNING → FAILED with the reason; raises FenceLost."""
        self._finish(
            claimed,
            "SET #status = :status, #error = :value, finished_at = :now "
            "REMOVE lease_until, gsi1pk, due_at, progress",
            Status.FAILED,
            json.dumps(error),
        )

    def release(self, claimed: Job, *, spent: int) -> None:
        """RUNNING → QUEUED for another to finish; a crash has spent an attempt, a handover none."""
        self._finish(
            claimed,
            "SET #status = :status, attempt = attempt - :value, due_at = :due, queued_at = :now "
            "REMOVE lease_until, started_at, progress",
            Status.QUEUED,
            1 - spent,
            {":due": int(time.time()) + config.SWEEP_AFTER_SECONDS},
        )

    def report(self, claimed: Job, progress: dict[str, Any]) -> None:
        """Say how far the attempt is, and renew its lease; raises FenceLost."""
        lease = int(time.time()) + config.LEASE_SECONDS
        update = "SET #status = :status, progress = :value, lease_until = :lease, due_at = :lease"
        self._finish(claimed, update, Status.RUNNING, progress, {":lease": lease})

    def give_up(self, job: Job, error: dict[str, Any]) -> None:
        """A job whose every attempt crashed → FAILED; nothing if somebody is still at it."""
        values = {
            ":failed": Status.FAILED.value,
            ":error": json.dumps(error),
            ":now": _timestamp(time.time()),
            ":second": int(time.time()),
            ":queued": Status.QUEUED.value,
            ":running": Status.RUNNING.value,
            ":fit": job.fit_id,
            ":max": config.MAX_ATTEMPTS,
        }
        self._update(
            job.owner,
            job.job_id,
            "SET #status = :failed, #error = :error, finished_at = :now "
            "REMOVE lease_until, gsi1pk, due_at, progress",
            "fit_id = :fit AND attempt >= :max AND "
            "(#status = :queued OR (#status = :running AND lease_until < :second))",
            values,
        )

    def _finish(
        self,
        claimed: Job,
        update: str,
        status: Status,
        value: Any,
        more: dict[str, Any] | None = None,
    ) -> None:
        """An update that only the holder of the fence can make; raises FenceLost."""
        values: dict[str, Any] = {
            ":status": status.value,
            ":value": value,
            ":running": Status.RUNNING.value,
            ":fit": claimed.fit_id,
            ":fence": claimed.fence,
        } | (more or {})
        if ":now" in update:
            values[":now"] = _timestamp(time.time())
        held = "#status = :running AND fit_id = :fit AND fence = :fence"
        if not self._update(claimed.owner, claimed.job_id, update, held, values):
            raise FenceLost

    def postpone(self, job: Job) -> bool:
        """Give a due job more time before it is looked at again; False if it has moved on."""
        due = int(time.time()) + config.SWEEP_AFTER_SECONDS
        values = {":due": due, ":status": job.status.value, ":was": job.due_at}
        held = "#status = :status AND due_at = :was"
        return self._update(job.owner, job.job_id, "SET due_at = :due", held, values)

    # Deletion

    def begin_delete(self, job: Job) -> None:
        """Any → DELETING, in one transaction with forgetting the upload; raises JobGone."""
        values = {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":active": LOOKED_AFTER,
            ":due": max(int(time.time()), job.lease_until),
        }
        mark = self._expression(
            job.owner,
            job.job_id,
            "SET #status = :deleting, gsi1pk = :active, due_at = :due",
            "attribute_exists(pk) AND NOT #status IN (:deleting, :deleted)",
            values,
        )
        actions: list[Any] = [{"Update": mark}]
        if job.input is not None:
            upload = self._upload_key(job.owner, job.filename, job.input.sha256)
            forget = {
                "TableName": self._name,
                "Key": upload,
                "ConditionExpression": "attribute_not_exists(job_id) OR job_id = :id",
                "ExpressionAttributeValues": marshal({":id": job.job_id}),
            }
            actions.append({"Delete": forget})
        try:
            aws.dynamodb().transact_write_items(TransactItems=actions)
        except aws.dynamodb().exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response["CancellationReasons"]}
            if "ConditionalCheckFailed" in codes:
                raise JobGone(f"Job {job.job_id} was deleted or has expired") from None
            if "TransactionConflict" in codes:
                raise Unavailable(f"Job {job.job_id} is changing") from None
            raise

    def finish_delete(self, job: Job) -> None:
        """DELETING → DELETED: a tombstone that expires; the id stays used."""
        values = {
            ":deleting": Status.DELETING.value,
            ":deleted": Status.DELETED.value,
            ":expires": int(time.time()) + self._expiry_seconds,
        }
        self._update(
            job.owner,
            job.job_id,
            "SET #status = :deleted, expires_at = :expires REMOVE filename, #input, #model, "
            "#error, params, fit_id, progress, lease_until, gsi1pk, due_at",
            "#status = :deleting",
            values,
        )

    # Expressions

    def _expression(
        self, owner: str, job_id: int, update: str, condition: str, values: dict[str, Any]
    ) -> Any:
        # These attribute names are words that DynamoDB reserves.
        names = {"#status": "status", "#input": "input", "#error": "error", "#model": "model"}
        used = {name: real for name, real in names.items() if name in update + condition}
        return {
            "TableName": self._name,
            "Key": job_key(owner, job_id),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": used,
            "ExpressionAttributeValues": marshal(values),
        }

    def _update_item(
        self, owner: str, job_id: int, update: str, condition: str, values: dict[str, Any]
    ) -> Any:
        return aws.dynamodb().update_item(
            **self._expression(owner, job_id, update, condition, values),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _update(
        self, owner: str, job_id: int, update: str, condition: str, values: dict[str, Any]
    ) -> bool:
        """Whether the condition held and the update was made."""
        try:
            self._update_item(owner, job_id, update, condition, values)
        except ClientError as error:
            if _failed_condition(error):
                return False
            raise
        return True


def _cursor(job_id: int) -> str:
    return base64.urlsafe_b64encode(f"J{job_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if not (text[:1] == "J" and text[1:].isdecimal() and len(text) < 12 and text.isascii()):
            raise ValueError(text)
    except (binascii.Error, UnicodeError, ValueError):
        raise InvalidParameter(
            "cursor is not one of ours; allowed is the next_cursor of a page", field="cursor"
        ) from None
    return int(text[1:])


@cache
def job_table() -> JobTable:
    """The table that the environment names."""
    settings = config.settings()
    return JobTable(settings.jobs_table, settings.job_expiry_days)
