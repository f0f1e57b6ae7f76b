"""What a run is given: a document beside what it will write, its code, and its rights."""

import json
from dataclasses import asdict
from typing import Any

from kmeans_service import config
from kmeans_service.media_types import JSON
from kmeans_service.runs import cost, program
from kmeans_service.runs.application import Order
from kmeans_service.runs.orders import Todo
from kmeans_service.storage import data_bucket

VERSION = 1


def order_for(todo: Todo, processors: int) -> Order:
    """Write what a claim's run is to do; raises `todo.failed` where its runs have cost too much."""
    minutes = cost.minutes_left(todo.spent, processors)
    if minutes < 1:
        most = config.limits().run_cents
        raise todo.failed(
            f"The {todo.called}'s runs have cost {cost.cents(todo.spent) if todo.spent else 0:.0f} "
            f"cents; at most {most} are spent on one {todo.called}, and another run takes more "
            "than is left. Whoever runs the service may raise MaxRunCents."
        )
    bucket, key = data_bucket(), f"{todo.prefix}run.json"
    bucket.put(key, json.dumps(document(todo, processors)).encode(), JSON)
    module, parameters = program.stored()
    return Order(module, parameters, bucket.uri(key), json.dumps(policy(todo)), minutes)


def document(todo: Todo, processors: int) -> dict[str, Any]:
    """All that the run goes by."""
    return {
        "version": VERSION,
        "bucket": data_bucket().name,
        "prefix": todo.prefix,
        **todo.document,
        "limits": asdict(todo.limits),
        "processors": processors,
    }


def policy(todo: Todo) -> dict[str, Any]:
    """What the run may do at most: read its files, and work below its prefix."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": [
                    *(_arn(key) + star for key, star in todo.reads),
                    _arn(program.PREFIX) + "*",
                ],
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": _arn(""),
                "Condition": {"StringLike": {"s3:prefix": f"{program.PREFIX}*"}},
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": _arn(todo.prefix) + "*",
            },
            {
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "s3.*"}},
            },
        ],
    }


def _arn(key: str) -> str:
    """Of an object, whatever its owner called it: what means something in a policy is escaped.

    Of the bucket, without a key.
    """
    literal = "".join(f"${{{c}}}" if c in "$*?" else c for c in key)
    bucket = f"arn:{_partition()}:s3:::{data_bucket().name}"
    return f"{bucket}/{literal}" if key else bucket


def _partition() -> str:
    chosen = config.distributed()
    return chosen.role.split(":")[1] if chosen else "aws"
