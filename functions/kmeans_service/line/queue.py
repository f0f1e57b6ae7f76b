"""The queue that feeds the worker: its messages wake one up, the work stands in the table."""

import json
from collections.abc import Iterator
from typing import Any

from kmeans_service import aws, config
from kmeans_service.lifecycle.job import Job

# Taken out of the queue in one go, at most.
RECEIVES = 20


def wake_for(job: Job) -> None:
    """Wake a worker for this job's fit, which stands in line.

    The message names the fit for a worker of the version before, which knows no lines.
    """
    named = {"owner": job.owner, "job_id": job.job_id, "fit_id": job.fit_id}
    _send(named | {"in_line": True})


def wake(workers: int, delay: int = 0) -> None:
    """Let so many workers look what there is to do, after so many seconds."""
    for _ in range(workers):
        _send({"in_line": True}, delay)


def _send(message: dict[str, Any], delay: int = 0) -> None:
    aws.sqs().send_message(
        QueueUrl=config.settings().fit_queue_url,
        MessageBody=json.dumps(message),
        DelaySeconds=delay,
    )


def visible() -> int:
    """About how many messages there are that wake a worker as soon as one is free."""
    name: Any = "ApproximateNumberOfMessages"
    answer = aws.sqs().get_queue_attributes(
        QueueUrl=config.settings().fit_queue_url, AttributeNames=[name]
    )
    return int(answer["Attributes"][name])


def receive() -> Iterator[list[tuple[str, str]]]:
    """(receipt, body) of the messages that are there, ten at a time: to be `forget`-ed."""
    for _ in range(RECEIVES):
        answer = aws.sqs().receive_message(
            QueueUrl=config.settings().fit_queue_url, MaxNumberOfMessages=10
        )
        found = [(each["ReceiptHandle"], each["Body"]) for each in answer.get("Messages", [])]
        if not found:
            return
        yield found


def forget(receipts: list[str]) -> None:
    """Messages that have been seen to; one that comes again all the same does no harm."""
    entries: Any = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(receipts)]
    aws.sqs().delete_message_batch(QueueUrl=config.settings().fit_queue_url, Entries=entries)
