"""The application of EMR Serverless, in as much as a run needs it: start, look, cancel, list.

Source: https://docs.aws.amazon.com/emr-serverless/latest/APIReference/
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from kmeans_service import aws, config
from kmeans_service.config import Distributed
from kmeans_service.lifecycle.job import Spent

GOING_ON = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING", "CANCELLING")
SUCCEEDED = "SUCCESS"


class NoEngine(Exception):
    """The deployment has no such application."""


@dataclass(frozen=True)
class Order:
    """What a run is started with.

    program    where its code lies: s3:// of the module, and Spark's parameters
    document   s3:// of what it is to do, its only argument
    policy     what of its role's rights it has
    minutes    that it may run, its waiting not counted
    """

    program: str
    parameters: str
    document: str
    policy: str
    minutes: int


@dataclass(frozen=True)
class State:
    name: str
    detail: str
    used: Spent

    @property
    def is_over(self) -> bool:
        return self.name not in GOING_ON


def chosen() -> Distributed:
    """What the deployment says of it; raises NoEngine where it has none."""
    found = config.distributed()
    if found is None:
        raise NoEngine("This deployment has no engine for work beyond one function (any more)")
    return found


def name_of(owner: str, job_id: int, what: str, fence: int) -> str:
    """Whose run it is, for who finds it in the list; `read_name` reads it back.

    what   a fit's id, or what `lifecycle.elsewhere` calls something else
    """
    return f"{owner}/{job_id}/{what}/{fence}"


def read_name(name: str) -> tuple[str, int, str, int] | None:
    """What it was made of; None for a run that is not ours."""
    match name.split("/"):
        case [owner, job_id, what, fence] if job_id.isdecimal() and fence.isdecimal():
            return owner, int(job_id), what, int(fence)
    return None


def start(name: str, order: Order) -> str:
    """The id of the run of this name: the same run, however often this is called."""
    spark = chosen()
    answer = aws.spark().start_job_run(
        applicationId=spark.application,
        clientToken=hashlib.sha256(name.encode()).hexdigest(),
        executionRoleArn=spark.role,
        executionIamPolicy={"policy": order.policy},
        executionTimeoutMinutes=order.minutes,
        name=name,
        jobDriver={
            "sparkSubmit": {
                "entryPoint": order.program,
                "entryPointArguments": [order.document],
                "sparkSubmitParameters": order.parameters,
            }
        },
    )
    run_id: str = answer["jobRunId"]
    return run_id


def state_of(run_id: str) -> State | None:
    """None where there is no such run (any more)."""
    try:
        found = aws.spark().get_job_run(applicationId=chosen().application, jobRunId=run_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    run = found["jobRun"]
    return State(run["state"], run.get("stateDetails", ""), _used(run))


def _used(run: dict[str, Any]) -> Spent:
    """What is billed, or what is known of it so far."""
    used = run.get("billedResourceUtilization") or run.get("totalResourceUtilization") or {}
    names = ("vCPUHour", "memoryGBHour", "storageGBHour")
    return Spent(*(round(used.get(name, 0) * 3600) for name in names))


def cancel(run_id: str) -> None:
    """End a run; one that is over, or is not there, is no error."""
    try:
        aws.spark().cancel_job_run(applicationId=chosen().application, jobRunId=run_id)
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "ResourceNotFoundException",
            "ValidationException",
        ):
            raise


def going_on() -> Iterator[tuple[str, str]]:
    """Id and name of every run that is not over."""
    pages = aws.spark().get_paginator("list_job_runs")
    for page in pages.paginate(applicationId=chosen().application, states=list(GOING_ON)):
        for run in page["jobRuns"]:
            yield run["id"], run.get("name", "")
