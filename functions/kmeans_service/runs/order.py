"""What a run is given: a document beside what it will write, its code, and its rights."""

import json
import sys
from dataclasses import asdict, replace
from typing import Any

from kmeans_service import config
from kmeans_service.config import Limits
from kmeans_service.errors import FitFailed
from kmeans_service.lifecycle import asides, datasets
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.media_types import JSON
from kmeans_service.runs import cost, program
from kmeans_service.runs.application import Order
from kmeans_service.storage import data_bucket
from kmeans_service.versions import Version

VERSION = 1


def order_for(claimed: Job, processors: int) -> Order:
    """Write what the claim's run is to do; raises FitFailed where its fit has cost too much."""
    minutes = cost.minutes_left(claimed, processors)
    if minutes < 1:
        most = config.limits().run_cents
        raise FitFailed(
            f"The fit's runs have cost {cost.cents(claimed.spent) if claimed.spent else 0:.0f} "
            f"cents; at most {most} are spent on one fit, and another run takes more than is left. "
            "Whoever runs the service may raise MaxRunCents."
        )
    claimed = asides.whole(claimed)
    bucket, key = data_bucket(), f"{claimed.fit_prefix}run.json"
    bucket.put(key, json.dumps(document(claimed, processors)).encode(), JSON)
    module, parameters = program.stored()
    return Order(module, parameters, bucket.uri(key), json.dumps(policy(claimed)), minutes)


def document(claimed: Job, processors: int) -> dict[str, Any]:
    """All that the run goes by."""
    given, recipe = claimed.input, claimed.recipe
    if given is None or recipe is None:
        raise ValueError("a claimed job has an input and a recipe")
    return {
        "version": VERSION,
        "bucket": data_bucket().name,
        "prefix": claimed.fit_prefix,
        "fit_id": claimed.fit_id,
        "input": _input(given),
        "recipe": recipe.seeded().as_json(),
        "n_features": recipe.n_features,
        "limits": asdict(_limits(given)),
        "processors": processors,
    }


def _limits(given: Input) -> Limits:
    """Those of many files are another tier's; what their fit takes is bounded by its cents."""
    limits = config.limits()
    if given.dataset is None:
        return limits
    return replace(limits, rows=limits.dataset_rows, work=sys.maxsize)


def _input(given: Input) -> dict[str, Any]:
    return {
        "parts": [each.as_json() for each in _files(given)],
        "is_dataset": given.dataset is not None,
        "sha256": given.rows.sha256,
        "reading": given.reading,
        "profile": given.profile and asdict(given.profile),
        "n_samples": given.n_samples,
        "n_features": given.n_features,
    }


def _files(given: Input) -> list[Version]:
    if given.dataset:
        return datasets.files_of(given)
    rows = given.rows
    version = None if given.converted else given.version_id
    return [Version(rows.key, version, rows.size, "")]


def _readable(given: Input) -> list[str]:
    """What the run reads: its file, or all below its folder."""
    if given.dataset:
        return [_arn(given.key.removesuffix(datasets.MARK)) + "*"]
    return [_arn(each.key) for each in (given.rows, given.profile) if each]


def policy(claimed: Job) -> dict[str, Any]:
    """What the run may do at most: read its files, and work below its fit's prefix."""
    read = _readable(claimed.input) if claimed.input else []
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": [*read, _arn(program.PREFIX) + "*"],
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
                "Resource": _arn(claimed.fit_prefix) + "*",
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
