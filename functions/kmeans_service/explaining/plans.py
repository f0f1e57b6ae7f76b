"""What the fit of a published model has made of its file's columns."""

from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.job import Job
from kmeans_service.models import manifest
from kmeans_service.recipes.plan import roles
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT
from kmeans_service.recipes.recipe import Recipe


def fit_of(job: Job) -> tuple[Recipe | None, dict[str, str]]:
    """The recipe of the model, where it is known, and what has computed it."""
    published = job.published
    if published.manifest is None:
        same = job.fit_id == published.fit_id
        return (job.recipe if same else None), published.versions
    found = manifest.load(published.manifest)
    return found.recipe, found.versions


def planned(job: Job) -> tuple[Planned, ...]:
    """Of each column of the file."""
    recipe, _ = fit_of(job)
    asked = recipe.preprocessing if recipe else DEFAULT
    # What is used whole is settled as the strict reading, which gives no reasons.
    return roles(inputs.table_of(job.checked_input), DEFAULT if asked == STRICT else asked)
