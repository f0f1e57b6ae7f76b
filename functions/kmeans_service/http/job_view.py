"""A job as its owner sees it: the JSON of GET /kmeans/jobs/{job_id}."""

from datetime import UTC, datetime
from typing import Any

from kmeans_service.http.location import rooted
from kmeans_service.lifecycle.job import Input, Job, Status
from kmeans_service.recipes.preprocessing import STRICT
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.runs import cost

# What needs the rows once more where they are read by Spark alone.
OF_ONE_FILE = ["clusters", "projection", "report", "audit"]


def job_view(job: Job, root: str) -> dict[str, Any]:
    """What is known of the job; a member that has nothing to say is left out.

    root   of the client's URLs; nothing that is stored knows of it
    """
    given = job.input
    view = {
        "job_id": job.job_id,
        "status": job.status.value,
        "filename": job.filename,
        "name": job.name or None,
        "size": given and given.size,
        "files": given and given.files,
        **(_shape(given) if given else {}),
        "feature_names": given and given.feature_names and list(given.feature_names),
        "reading": (given and given.reading) or None,
        "model_params": job.recipe and _shown(job.recipe),
        "preprocessing": job.recipe and _preprocessing(job.recipe),
        "align_to": job.recipe and job.recipe.align_to and job.recipe.align_to.job_id,
        "engine": job.recipe and _named_engine(job.recipe),
        "seed_drawn": (job.recipe and job.recipe.drawn) or None,
        "attempt": job.attempt or None,
        "progress": job.progress,
        "spent": job.spent and cost.shown(job.spent),
        "error": job.error and rooted(job.error, root),
        "numbers": job.model and job.model.continued and list(job.model.numbers),
        "scores": job.model and job.model.scores.as_json(),
        "warnings": job.all_warnings or None,
        **job.times,
        "expires_at": _time(job.expires_at),
        "links": _links(job, root),
    }
    return {name: value for name, value in view.items() if value is not None}


def _shape(given: Input) -> dict[str, int]:
    """Nothing of a dataset that no fit has read."""
    if given.dataset and not given.is_read:
        return {}
    return {"n_samples": given.n_samples, "n_features": given.n_features}


def _shown(recipe: Recipe) -> dict[str, Any]:
    """Without initial centers that the list does not read."""
    return {name: value for name, value in recipe.model_params.items() if value != ()}


def _preprocessing(recipe: Recipe) -> dict[str, Any] | None:
    """What was asked for, where it made a difference."""
    asked = recipe.preprocessing
    return asked.said() or None if asked != STRICT else None


def _named_engine(recipe: Recipe) -> str | None:
    return recipe.engine if recipe.engine != "auto" else None


def _time(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def job_path(root: str, job_id: int) -> str:
    return f"{root}/kmeans/jobs/{job_id}"


def _links(job: Job, root: str) -> dict[str, str]:
    """Paths of what can be read now."""
    names = ["input"] if job.input else []
    if job.model:
        names += ["labels", "rows"]
        names += [] if job.input and job.input.dataset else OF_ONE_FILE
        names += ["centers", "scores", "model"]
        names += ["choice"] if job.model.choice else []
    if job.status in (Status.PENDING, Status.DAMAGED):
        names = []
    path = job_path(root, job.job_id)
    return {"self": path} | {name: f"{path}/{name}" for name in names}
