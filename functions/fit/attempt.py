"""One attempt at a fit: claim, compute, publish. Every step is safe to die after."""

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from fit import clustering, isolated
from kmeans_service import config, http
from kmeans_service.dataset import Dataset, read_csv
from kmeans_service.digest import HashingStream
from kmeans_service.errors import FitFailed, JobGone, ModelDamaged, ServiceError
from kmeans_service.jobs import fits
from kmeans_service.jobs.fits import FenceLost
from kmeans_service.jobs.job import Input, Job, Model, fit_prefix
from kmeans_service.labels import to_csv
from kmeans_service.problems import problem_document
from kmeans_service.storage import ObjectMissing, data_bucket


@dataclass(frozen=True)
class Fitted:
    """A stored fit; `labels_csv` only where an answer may carry it."""

    model: Model
    labels_csv: bytes | None


def run(job: Job, seconds: float, *, final: bool) -> tuple[Job, bytes | None]:
    """Fit the job's data within `seconds` and publish: the job as published, and its labels as CSV.

    The labels are None where no answer can carry them.

    Where time runs out, a final attempt fails the job; any other leaves it queued.
    Raises ClaimRefused, OutOfTime or ChildDied (the job is queued again), FenceLost, or the
    ServiceError that the job failed with.
    """
    claimed = fits.claim(job)
    try:
        return _finish(claimed, seconds, final)
    except FenceLost:
        data_bucket().delete_prefix(_prefix(claimed))
        raise


def _finish(claimed: Job, seconds: float, final: bool) -> tuple[Job, bytes | None]:
    try:
        fitted = _compute(claimed, seconds)
    except isolated.OutOfTime:
        if not final:
            fits.release(claimed, spent=0)
            raise
        raise _failed(claimed, FitFailed(f"The fit did not finish in {seconds:.0f} s")) from None
    except isolated.ChildDied:
        fits.release(claimed, spent=1)
        raise
    except ServiceError as error:
        raise _failed(claimed, error) from None
    return fits.publish(claimed, fitted.model), fitted.labels_csv


def _failed(claimed: Job, error: ServiceError) -> ServiceError:
    fits.fail(claimed, problem_document(error))
    return error


def _compute(claimed: Job, seconds: float) -> Fitted:
    """The fit in a process of its own; meanwhile, the lease is renewed and progress reported."""
    work = isolated.run(lambda say: _fit(claimed, say), seconds, config.REPORT_SECONDS)
    with closing(work):
        while True:
            try:
                stage = next(work)
            except StopIteration as result:
                fitted: Fitted = result.value
                return fitted
            fits.report(claimed, {"stage": stage})


def _fit(claimed: Job, say: Callable[[str], None]) -> Fitted:
    if claimed.input is None or claimed.params is None or claimed.fit_id is None:
        raise ValueError("a claimed job has an input and parameters")
    say("READING")
    dataset = _read(claimed.input)
    say("FITTING")
    found = clustering.fit(dataset.X, claimed.params)
    say("STORING")
    return _store(claimed, found, dataset.feature_names)


def _read(given: Input) -> Dataset:
    """The job's points, read as a stream; refused if the file is not the one that was checked."""
    try:
        opened = data_bucket().open(given.key, given.version_id)
    except ObjectMissing:
        raise JobGone("The file was deleted or has expired") from None
    stream = HashingStream(opened.stream)
    dataset = read_csv(stream, opened.size)
    stream.drain()
    if stream.sha256 != given.sha256:
        raise ModelDamaged("The stored file is not the one that was uploaded")
    return dataset


def _store(
    claimed: Job, found: clustering.Clustering, feature_names: tuple[str, ...] | None
) -> Fitted:
    prefix, bucket = _prefix(claimed), data_bucket()
    labels_csv = to_csv(found.labels)
    model = Model(
        fit_id=claimed.fit_id or "",
        params=claimed.params or {},
        model=bucket.put(f"{prefix}model.joblib", found.pickle, "application/octet-stream"),
        centers=bucket.put(f"{prefix}centers.npy", _npy(found.centers), "application/octet-stream"),
        labels=bucket.put(f"{prefix}labels.csv", labels_csv, "text/csv"),
        n_features=found.centers.shape[1],
        feature_names=feature_names,
        scores=found.scores,
        versions=clustering.VERSIONS,
    )
    return Fitted(model, labels_csv if http.fits_answer(labels_csv) else None)


def _npy(array: clustering.Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _prefix(claimed: Job) -> str:
    return fit_prefix(claimed.owner, claimed.job_id, claimed.fit_id or "", claimed.fence)
