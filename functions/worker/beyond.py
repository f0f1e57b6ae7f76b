"""Large predictions beyond the worker: a run elsewhere, begun here, looked at until it is over."""

from dataclasses import replace
from typing import NoReturn

from kmeans_service import config
from kmeans_service.errors import JobGone, PredictionFailed
from kmeans_service.lifecycle import elsewhere, results
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.line import estimates
from kmeans_service.recipes.engines import DEPLOY
from kmeans_service.runs import application, orders, running
from kmeans_service.runs.application import NoEngine, State
from kmeans_service.runs.order import order_for
from kmeans_service.storage import OpenObject, data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table.values import UNREADABLE
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
    """Begin the claim's run; raises GoesOn and the like, as `running.begin`."""
    points = Version(claimed.upload_key, opened.version_id, opened.size, "")
    processors = application.chosen().processors
    claimed = replace(claimed, spent=running.spent_before(claimed.run, claimed.spent))
    order = order_for(orders.of_prediction(claimed, job, points), processors)
    name = application.name_of(
        claimed.owner, claimed.job_id, elsewhere.name_of(claimed), claimed.fence
    )
    work = {"key": points.key, "version_id": points.version_id}
    running.begin(name, claimed.fence, order, lambda run: results.run_elsewhere(claimed, run, work))


def look(prediction: Prediction) -> State | None:
    """As `running.look`; raises PredictionFailed where the deployment has no engine any more."""
    try:
        return running.look(prediction.run, lambda: results.hold_run(prediction))
    except NoEngine as error:
        raise PredictionFailed(str(error)) from None


def collect(prediction: Prediction, state: State | None) -> StoredObject:
    """The labels that its run has stored; raises RunRefused or AttemptCrashed."""
    try:
        found = running.result_of(state, prediction.run_prefix)
        match found:
            case {"status": "predicted", "result": dict() as stored}:
                return _checked(prediction, StoredObject(**stored))
    except (*UNREADABLE, JobGone) as error:
        raise running.damaged(error) from error
    raise running.no_result(found)


def _checked(prediction: Prediction, found: StoredObject) -> StoredObject:
    """Raises ValueError of what is not there as it is said."""
    if found.key != f"{prediction.run_prefix}labels.csv":
        raise ValueError(f"{found.key} is not the run's")
    if len(bytes.fromhex(found.sha256)) != 32 or data_bucket().size(found.key) != found.size:
        raise ValueError(f"{found.key} is another object")
    return found
