"""The answer of GET /kmeans/jobs/{job_id}/audit."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from kmeans_service.errors import NotMade
from kmeans_service.explaining.plans import fit_of
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Job
from kmeans_service.line.estimates import audit_seconds, starts_of_audit
from kmeans_service.media_types import JSON
from kmeans_service.models.loading import model_of
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep

VERSION = 2
QUERY = ()
SUFFIX = ".json"


def media_type(_job: Job) -> str:
    return JSON


def asked(job: Job, _query: Mapping[str, str]) -> dict[str, Any]:
    """Raises NotMade for a fit that was never in memory whole."""
    if job.published.scores.method != "in_memory":
        raise NotMade("An audit needs all rows in memory, and this fit was computed out of core")
    return {}


def seconds(job: Job, _asked: Mapping[str, Any]) -> float:
    return audit_seconds(job, _recipe(job))


def make(job: Job, _asked: Mapping[str, Any], keep: Keep) -> Iterator[bytes]:
    # Here, as a report only asks whether there is an audit, and does not fit anything.
    from kmeans_service.explaining import optimum
    from kmeans_service.fitting.data import data_of

    whole = asides.whole(job)
    recipe = _recipe(job)
    data = data_of(whole.checked_input, recipe)
    predictor = model_of(job.published).predictor
    found, best = optimum.audit(
        data.in_memory(),
        data.weights,
        predictor,
        job.published.scores.inertia,
        recipe,
        starts_of_audit(job, recipe),
        keep,
    )
    said = asdict(found) | {"warnings": optimum.warnings_of(found, best, job.job_id)}
    yield json.dumps(said, allow_nan=False).encode()


def warnings(stored: StoredObject) -> tuple[str, ...]:
    """Of the job, once there is this audit of it."""
    return tuple(json.loads(data_bucket().get(stored))["warnings"])


def _recipe(job: Job) -> Recipe:
    """Of the model, with the number of clusters that it has; raises NotMade if nobody knows it."""
    recipe, _ = fit_of(job)
    if recipe is None:
        raise NotMade("The model is of an older version, which kept no recipe; fit the job again")
    n_clusters = len(job.published.scores.cluster_sizes)
    return recipe.of(n_clusters) if recipe.choice else recipe
