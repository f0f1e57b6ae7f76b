"""Large predictions beyond the worker: a run elsewhere, begun here, looked at until it is over."""

from typing import NoReturn

from kmeans_service import config
from kmeans_service.errors import PredictionFailed
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.line import estimates
from kmeans_service.recipes.engines import DEPLOY
from kmeans_service.runs import making, orders
from kmeans_service.storage import OpenObject
from kmeans_service.tables import formats
from kmeans_service.tables.bytes_in import unpacked
from kmeans_service.tables.csv_lines import pieces_from
from kmeans_service.versions import Version

# Enough of a file's beginning to tell what it is.
_FORMAT_BYTES = 4096


def is_beyond(job: Job, prediction: Prediction, opened: OpenObject) -> bool:
    """Whether it is a run's: asked for, tried already, or too long for the worker by an estimate.

    Raises PredictionFailed of what was asked for and cannot be.
    """
    asked = prediction.engine == "spark"
    if not (asked or prediction.is_long or _is_long(job, opened)):
        return False
    found = may_be(job, prediction, opened)
    if asked and not found:
        raise PredictionFailed(
            'engine is "spark", which labels text in rows by a model that this version has stored, '
            "where the deployment has it; leave it out"
        )
    return found


def _is_long(job: Job, opened: OpenObject) -> bool:
    return estimates.labelling_seconds(job, opened.size) > config.WORKER_SECONDS


def may_be(job: Job, prediction: Prediction, opened: OpenObject) -> bool:
    """Whether there is an engine for it, which labels text by a model that has a manifest."""
    if config.distributed() is None or prediction.outlier_quantile is not None:
        return False
    return job.published.manifest is not None and _is_text(opened)


def _is_text(opened: OpenObject) -> bool:
    begun = pieces_from(opened.again(), _FORMAT_BYTES)
    head = next(unpacked(begun, _FORMAT_BYTES, config.limits().file_bytes), b"")
    return formats.format_of(head) is None


def too_long(prediction: Prediction, opened: OpenObject, seconds: float) -> PredictionFailed:
    """What is said where there is no other engine."""
    said = (
        f"The points are too many for the time there is: {opened.size:,} bytes, of which not all "
        f"were labelled in {seconds:.0f} s; send them in several files"
    )
    if config.distributed() is None and prediction.outlier_quantile is None:
        said += f". {DEPLOY}"
    return PredictionFailed(said)


def begin(job: Job, claimed: Prediction, opened: OpenObject) -> NoReturn:
    """Begin the claim's run; raises as `runs.making.begin`."""
    points = Version(claimed.upload_key, opened.version_id, opened.size, "")
    work = {"key": points.key, "version_id": points.version_id}
    making.begin(claimed, orders.of_prediction(claimed, job, points), work)
