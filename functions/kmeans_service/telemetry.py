"""The log and the metrics, for those who speak HTTP and those who do not."""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from kmeans_service import errors
from kmeans_service.errors import ServiceError

# A call that counts nothing is no mistake.
warnings.filterwarnings("ignore", "No application metrics to publish")


@cache
def logger() -> Logger:
    """One JSON object a line, nothing below LOG_LEVEL.

    Lambda reads `level` and `timestamp` of each line, and takes those whose time is not RFC 3339
    for INFO. It is told to let INFO pass whatever LOG_LEVEL is, for metrics are INFO to it, and
    Powertools would go by what Lambda was told: so the level is the handlers', not the logger's.
    Source: "Using Lambda advanced logging controls with Python" in the Lambda developer guide.
    """
    made = Logger(use_rfc3339=True, log_uncaught_exceptions=False)
    for handler in made.handlers:
        handler.setLevel(os.environ.get("LOG_LEVEL") or "INFO")
    return made


@cache
def metrics() -> Metrics:
    return Metrics()


def count(what: str, amount: int = 1) -> None:
    metrics().add_metric(what, MetricUnit.Count, amount)


def count_damage(error: ServiceError) -> None:
    """Count a stored object that is not what was written: an alarm watches for these."""
    if isinstance(error, errors.ModelDamaged):
        count("IntegrityFailures")


def report_damage(owner: str, job_id: int) -> None:
    """Log and count a job whose record cannot be read."""
    logger().error("the record of a job is damaged", owner=owner, job_id=job_id)
    count("IntegrityFailures")


def took(what: str, start: float) -> None:
    """Note the duration of work that began at `start` of the monotonic clock."""
    metrics().add_metric(what, MetricUnit.Milliseconds, milliseconds_since(start))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Note the duration of work that succeeds."""
    start = time.monotonic()
    yield
    took(what, start)


def milliseconds_since(start: float) -> float:
    return round((time.monotonic() - start) * 1000, 1)
