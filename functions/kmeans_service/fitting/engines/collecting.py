"""What a run elsewhere has stored, looked at before anything of it is believed."""

from dataclasses import replace
from typing import Any

from kmeans_service.errors import JobGone, ModelDamaged
from kmeans_service.fitting.engines.engine import Fitted
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models import manifest
from kmeans_service.models.published import Published
from kmeans_service.models.scores import scores_of
from kmeans_service.runs import running
from kmeans_service.runs.application import State
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table.values import UNREADABLE


def collect(job: Job, state: State | None) -> Fitted:
    """Raises RunRefused, or AttemptCrashed where anything is not as it should be."""
    try:
        result = running.result_of(state, job.fit_prefix)
        match result:
            case {"status": "fitted", "model": dict() as model}:
                return Fitted(_checked(job, _published(model)), None, _read(job, result))
    except (*UNREADABLE, JobGone, ModelDamaged) as error:
        raise running.damaged(error) from error
    raise running.no_result(result)


def _read(job: Job, result: dict[str, Any]) -> Input | None:
    """A dataset with its shape and profile, at its first fit; raises as `asides.profile` does."""
    given = job.input
    if given is None or given.is_read:
        return None
    profile = StoredObject(**result["input"]["profile"])
    if not profile.key.startswith(job.fit_prefix):
        raise ValueError(f"{profile.key} is not the run's")
    table = asides.profile(profile)
    read = replace(
        given,
        n_samples=table.n_rows,
        n_features=len(table.columns),
        feature_names=table.names,
    )
    return asides.without_names(job.owner, asides.with_profile(job.owner, read, table))


def _published(model: dict[str, Any]) -> Published:
    def stored(name: str) -> StoredObject:
        return StoredObject(**model[name])

    return Published(
        fit_id=model["fit_id"],
        scores=scores_of(model["scores"]),
        manifest=stored("manifest"),
        arrays=stored("arrays") if model.get("arrays") else None,
        choice=stored("choice") if model.get("choice") else None,
        centers=stored("centers"),
        labels=stored("labels"),
    )


def _checked(job: Job, found: Published) -> Published:
    """Raises ValueError for what is not the claim's model, whole; and as `manifest.load` does."""
    for each in found.objects:
        if not each.key.startswith(job.fit_prefix):
            raise ValueError(f"{each.key} is not the run's")
        if data_bucket().size(each.key) != each.size:
            raise ValueError(f"{each.key} has another size")
    if found.manifest is None:
        raise ValueError("there is no manifest")
    model = manifest.load(found.manifest)
    data_bucket().get(found.centers)
    if {found.fit_id, model.fit_id} != {job.fit_id}:
        raise ValueError("it is another fit's")
    if model.scores != found.scores:
        raise ValueError("its scores are not those of the model")
    return found
