"""The pickle of a published model: made once, from its manifest, when it is asked for."""

import posixpath

from kmeans_service.errors import ServiceError
from kmeans_service.lifecycle import pickles
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY
from kmeans_service.models import loading, manifest
from kmeans_service.models.published import Published
from kmeans_service.storage import data_bucket, sha256_of


def with_pickle(job: Job) -> Job:
    """The job with its model's pickle; raises NotFitted, JobGone or ModelDamaged."""
    published = job.published
    if published.pickle:
        return job
    from kmeans_service.fitting import estimator  # takes longer than all else that is imported

    body = _pickled(published)
    # Another version of the libraries would make other bytes: they are no damage of these.
    prefix = posixpath.dirname(published.centers.key)
    key = f"{prefix}/model-{sha256_of(body)[:32]}.joblib"
    stored = data_bucket().put(key, body, BINARY)
    try:
        return pickles.note(job, stored, estimator.VERSIONS)
    except ServiceError:  # the job is gone
        data_bucket().delete(key)
        raise


def _pickled(published: Published) -> bytes:
    from kmeans_service.fitting import estimator

    if published.manifest is None:
        raise ValueError("a model without a manifest has a pickle")
    found = manifest.load(published.manifest)
    model = found.model
    if model.transform:
        centers = model.predictor.space.leave(model.predictor.centers)
    else:
        centers = loading.centers_of(data_bucket().get(published.centers))
    return estimator.pickled(found.recipe, centers, found.scores, model.columns, model.transform)
