"""The rows of a job's file as they were written, and behind each what the model says of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kmeans_service.errors import InvalidParameter, NotMade, quoted
from kmeans_service.explaining import distances, making
from kmeans_service.explaining.training import training_of
from kmeans_service.explaining.written import written
from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.names import names_of
from kmeans_service.line.estimates import rows_seconds
from kmeans_service.media_types import CSV
from kmeans_service.recipes.engines import DEPLOY
from kmeans_service.runs import orders
from kmeans_service.runs.orders import Todo
from kmeans_service.streams import Keep

VERSION = 1
QUERY = ("outlier_quantile",)
SUFFIX = ".csv"
OUTLIER_QUANTILE = 0.99
_NEEDS_SPARK = (
    "The rows of a dataset of many files are read on Spark alone, and this deployment does not "
    f"have it. {DEPLOY}"
)


def media_type(job: Job) -> str:
    given = job.checked_input
    charset = inputs.table_of(given).dialect.encoding if given.profile else "utf-8"
    return f"{CSV}; charset={charset}"


def asked(job: Job, query: Mapping[str, str]) -> dict[str, Any]:
    return {"outlier_quantile": repr(outlier_quantile(query)), "names": names_of(job).version}


def outlier_quantile(query: Mapping[str, str]) -> float:
    """Raises InvalidParameter."""
    text = query.get("outlier_quantile", str(OUTLIER_QUANTILE))
    try:
        share = float(text)
    except ValueError:
        share = np.nan
    return checked_share(share, quoted(text))


def checked_share(share: float, as_given: str) -> float:
    """Raises InvalidParameter for what is no outlier_quantile."""
    if not distances.LEAST <= share <= distances.MOST:
        raise InvalidParameter(
            f"outlier_quantile is {as_given}; allowed is a number from {distances.LEAST} to "
            f"{distances.MOST}",
            field="outlier_quantile",
        )
    return share


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return rows_seconds(job)


def make(job: Job, asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    if job.checked_input.dataset:
        raise NotMade(_NEEDS_SPARK)
    share = float(asked["outlier_quantile"])
    limits = distances.limits_at(making.needed(job, "distances", keep), share)
    with training_of(job, keep) as training:
        yield from written(training.points, training.model, limits, cluster_names(job))


def todo(job: Job, claimed: Explanation) -> Todo:
    """The same, of a run elsewhere."""
    share = str(claimed.asked["outlier_quantile"])
    return orders.of_rows(claimed, job, share, cluster_names(job))


def cluster_names(job: Job) -> list[str]:
    """Of each cluster, in the order of the labels; "" where it has none."""
    called = names_of(job).clusters
    return [called.get(number, "") for number in job.published.numbers]
