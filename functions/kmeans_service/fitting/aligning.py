"""`align_to`: the fit that it means is looked up when it is asked for, and its clusters are copied.

From then on nothing that becomes of that job changes what is continued.
"""

import json
from dataclasses import replace

from kmeans_service import keys
from kmeans_service.errors import InvalidParameter, JobGone, JobNotFound, NotFitted
from kmeans_service.lifecycle import asides, planning, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.names import names_of
from kmeans_service.media_types import JSON
from kmeans_service.models.columns import Columns
from kmeans_service.models.placing import check_alike
from kmeans_service.models.source import Source, source_from, source_of
from kmeans_service.recipes.engines import check_engine
from kmeans_service.recipes.recipe import Alignment, Recipe
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

# A copy of more is larger than a fit's parameters may be, which are in no counter.
MAX_NUMBERS = 100_000


def aligned(job: Job, recipe: Recipe) -> Recipe:
    """The recipe with the fit that `align_to` means, and a copy of its clusters.

    Raises JobNotFound or NotFitted of the job that it names, InvalidParameter where that was fitted
    with other columns, and as `planned` does.
    """
    if recipe.align_to is None:
        return recipe
    if job.input and job.input.dataset:
        check_engine(recipe)
    columns, plain = None, replace(recipe, align_to=None)
    if not job.is_converting:
        plain, columns = planning.planned_with_columns(job.checked_input, plain)
    known = _known(job, recipe.align_to, plain)
    found, source = (known, _read(known)) if known else _looked_up(job.owner, recipe.align_to)
    if columns:
        check_alike(source, columns, recipe.preprocessing)
    if found.copy is None:
        same = job.recipe is not None and job.recipe.align_to == found
        found = replace(found, copy=job.init if same else _copied(job, source))
    return replace(recipe, align_to=found)


def check(owner: str, recipe: Recipe, columns: Columns) -> None:
    """Raise what `aligned` would, before there is a job."""
    if recipe.align_to:
        check_alike(_looked_up(owner, recipe.align_to)[1], columns, recipe.preprocessing)


def source_of_fit(recipe: Recipe) -> Source | None:
    """What a fit by this recipe, as it was asked for, continues; raises JobGone or ModelDamaged."""
    return _read(recipe.align_to) if recipe.align_to else None


def _read(alignment: Alignment) -> Source:
    if alignment.copy is None:
        raise ValueError("what a fit continues is copied when it is asked for")
    return source_from(asides.document(alignment.copy))


def _known(job: Job, asked: Alignment, plain: Recipe) -> Alignment | None:
    """That of the job's last fit, where it is the one that is meant.

    It is where it was looked up before. And a job that is aligned with itself is asked for the same
    fit again, not for one after that: a request that is repeated is one fit.

    plain   the recipe, planned, without the alignment
    """
    last = job.recipe
    if not last or not last.align_to or last.align_to.job_id != asked.job_id:
        return None
    again = asked.job_id == job.job_id and replace(last, align_to=None) == plain
    if asked.fit_id == last.align_to.fit_id or (again and not asked.fit_id):
        return replace(last.align_to, copy=job.init)
    return None


def _looked_up(owner: str, asked: Alignment) -> tuple[Alignment, Source]:
    """The fit that is that job's model now."""
    try:
        job = reads.get(owner, asked.job_id)
        published = job.published
    except (JobNotFound, JobGone) as missing:
        raise JobNotFound(f"align_to: {missing.detail}", field="align_to") from None
    except NotFitted as unfitted:
        raise NotFitted(f"align_to: {unfitted.detail}", field="align_to") from None
    source = source_of(published, dict(names_of(job).clusters))
    if source.centers.size > MAX_NUMBERS:
        raise InvalidParameter(
            f"align_to: the centers of that job are {source.centers.size:,} numbers; "
            f"at most {MAX_NUMBERS:,} are compared",
            field="align_to",
        )
    return Alignment(asked.job_id, published.fit_id), source


def _copied(job: Job, source: Source) -> StoredObject:
    text = json.dumps(source.as_json(), ensure_ascii=False).encode()
    return data_bucket().put(keys.new_source(job.owner, job.job_id), text, JSON)
