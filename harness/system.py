"""What happens around the API: the queue feeds the worker, S3 notifies, time passes."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus

from harness import PROJECT
from harness.api import Context
from kmeans_service import aws, config
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.models import manifest as manifests
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.stored_object import StoredObject
from kmeans_service.table.keys import job_key
from kmeans_service.table.values import marshal, unmarshal

OWNER = "tester"
EVENTS = PROJECT / "events"


def item(job_id: int = 0, owner: str = OWNER) -> dict[str, Any]:
    """The job as it lies in the table, its tombstone too."""
    table = config.settings().jobs_table
    found = aws.dynamodb().get_item(TableName=table, Key=job_key(owner, job_id))
    return unmarshal(found["Item"])


def items(owner: str = OWNER, prefix: str = "J#") -> list[dict[str, Any]]:
    return items_under(f"O#{owner}", prefix)


def waiting() -> list[tuple[str, str]]:
    """Owner and name of all that stands in line, also of what somebody is at."""
    found = [each["sk"].split("#") for each in items_under("Q") if each["sk"] != "#SHARES"]
    return [(owner, name) for owner, _, name in found]


def let_all_be_ready() -> None:
    """What was put off has waited long enough."""
    for found in items_under("Q"):
        if found["sk"] != "#SHARES":
            owner, _, name = found["sk"].split("#")
            key = marshal({"pk": "Q", "sk": found["sk"]})
            aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)
            found["sk"] = f"{owner}#{1:013d}#{name}"
            aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(found))


def items_under(pk: str, prefix: str = "") -> list[dict[str, Any]]:
    condition = "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else "")
    answer = aws.dynamodb().query(
        TableName=config.settings().jobs_table,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=marshal({":pk": pk, ":prefix": prefix or None}),
    )
    return [unmarshal(found) for found in answer["Items"]]


def everything(owner: str = OWNER) -> list[dict[str, Any]]:
    """All of the owner's items."""
    answer = aws.dynamodb().query(
        TableName=config.settings().jobs_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=marshal({":pk": f"O#{owner}"}),
    )
    return [unmarshal(found) for found in answer["Items"]]


def overwrite(found: dict[str, Any], **values: Any) -> None:
    """Time travel: put an item's numbers to another value, whatever the protocol says."""
    aws.dynamodb().update_item(
        TableName=config.settings().jobs_table,
        Key=marshal({"pk": found["pk"], "sk": found["sk"]}),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues=marshal({f":{name}": value for name, value in values.items()}),
    )


def let_leases_run_out(owner: str = OWNER) -> None:
    """Those of an owner's jobs, and the slots of all workers."""
    for shared in items_under("Q", "#SHARES"):
        late_slots = {name: f"1 {slot.partition(' ')[2]}" for name, slot in shared["slots"].items()}
        overwrite(shared, slots=late_slots)
    for found in items(owner):
        late = {name: 1 for name in ("lease_until", "due_at") if name in found}
        if late:
            overwrite(found, **late)


def job(job_id: int = 0, owner: str = OWNER) -> Job:
    return reads.get(owner, job_id)


def manifest(job_id: int = 0) -> StoredObject:
    """What the job's predictions are read from."""
    stored = job(job_id).published.manifest
    assert stored is not None
    return stored


def fitted_recipe(job_id: int = 0) -> Recipe:
    """What the job's model was fitted with."""
    return manifests.load(manifest(job_id)).recipe


def as_of_an_older_version(job_id: int = 0, **scores: Any) -> None:
    """Time travel: a model as a version without predictor left it, these scores being another."""
    found = item(job_id)
    model = {k: v for k, v in found["model"].items() if k not in ("manifest", "arrays")}
    model |= {"n_features": found["input"]["n_features"], "params": found["params"]}
    model["scores"] = json.dumps(json.loads(model["scores"]) | scores)
    overwrite(found, model=model)


def put(key: str, body: bytes, **metadata: str) -> str:
    """The version of a new object that somebody else than the service wrote."""
    answer = aws.s3().put_object(
        Bucket=config.settings().data_bucket,
        Key=key,
        Body=body,
        Metadata={name.replace("_", "-"): value for name, value in metadata.items()},
    )
    return answer["VersionId"]


def keys(prefix: str = "") -> list[str]:
    """Every version of every object, delete markers too."""
    bucket = config.settings().data_bucket
    found: list[str] = []
    for page in (
        aws.s3().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    ):
        found += [version["Key"] for version in page.get("Versions", [])]
        found += [f"(marker) {marker['Key']}" for marker in page.get("DeleteMarkers", [])]
    return found


def take_messages() -> list[str]:
    """The bodies of all messages in the queue, which is then empty."""
    client, queue = aws.sqs(), config.settings().fit_queue_url
    bodies: list[str] = []
    while messages := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(message["Body"])
    return bodies


def created(key: str, version: str | None = None) -> str:
    """S3's notification of a new object, as a message."""
    event = json.loads((EVENTS / "s3_put.json").read_text())
    found = event["Records"][0]["s3"]["object"]
    del found["versionId"]
    found |= {"key": quote_plus(key, safe="/"), **({"versionId": version} if version else {})}
    return json.dumps(event)


def drop(key: str, body: bytes, **metadata: str) -> str:
    """Put an object where S3 notifies of it; the notification."""
    return created(key, put(key, body, **metadata))


def sqs_event(*bodies: str) -> dict[str, Any]:
    record = {"eventSource": "aws:sqs", "receiptHandle": "x", "attributes": {}}
    return {"Records": [{**record, "messageId": uuid.uuid4().hex, "body": body} for body in bodies]}


def deliver(*bodies: str, seconds: float = 60) -> int:
    """Give the worker these messages one by one; how many of them it failed."""
    from worker.app import lambda_handler

    answers = [lambda_handler(sqs_event(body), Context(seconds)) for body in bodies]
    return sum(len(answer["batchItemFailures"]) for answer in answers)


def wake_worker(seconds: float = 60) -> int:
    """With a message that brings nothing: what stands in line is looked at. As `deliver`."""
    return deliver(json.dumps({"in_line": True}), seconds=seconds)


def work_off(seconds: float = 60) -> int:
    """Run the worker until the queue is empty; how many messages it failed."""
    failed = 0
    while bodies := take_messages():
        failed += deliver(*bodies, seconds=seconds)
    return failed


def looked_after() -> dict[str, int]:
    """What a sweep did to jobs."""
    done = sweep()
    return {"queued": done["queued"], "deleted": done["deleted"]}


def sweep() -> dict[str, int]:
    from sweeper.app import lambda_handler

    done: dict[str, int] = lambda_handler({}, Context())
    return done


@contextmanager
def meanwhile(client: Any, operation: str, act: Callable[[], Any], call: int = 1) -> Iterator[None]:
    """Let `act` happen just before the n-th call of an operation: between a read and its write."""
    left = call

    def before(**_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()

    events, name = client.meta.events, f"before-call.*.{operation}"
    events.register(name, before)
    try:
        yield
    finally:
        events.unregister(name, before)
    assert left <= 0, f"{operation} was called less than {call} times"


def counted() -> int:
    [counters] = items(prefix="META")
    return int(counters["stored_bytes"])


def lie_there(aws: Any) -> int:
    """The bytes of all objects of the owner's in the bucket, in all versions."""
    pages = aws.s3().get_paginator("list_object_versions")
    found = pages.paginate(Bucket=config.settings().data_bucket)
    versions = [version for page in found for version in page.get("Versions", [])]
    return sum(version["Size"] for version in versions if f"/{OWNER}/" in version["Key"])
