"""What grows with the data, and would make a job's item large: as JSON in the bucket, beside it.

A table's profile always lies there. Names of columns and initial centers stand in the item where
they are short. Where they are not, the item names an object that holds them; it is written before
the item and removed with the job.
"""

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from kmeans_service import keys
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.recipes.recipe import Recipe, centers_of
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.tables.stored import packed, unpacked
from kmeans_service.tables.table import Table

# Of JSON: what is longer is kept aside.
INLINE_BYTES = 4_096
JSON = "application/json"
GZIP = "application/gzip"


def without_names(owner: str, given: Input) -> Input:
    """The input as its item holds it."""
    key = keys.beside_input(owner, given.key, given.version_id, given.sha256)
    names = _put(f"{key}.names.json", given.feature_names)
    return replace(given, feature_names=None, names=names) if names else given


def with_profile(owner: str, given: Input, table: Table) -> Input:
    """The input with its table's profile beside it; of a plain file its shape says all."""
    if table.is_plain and not given.converted and not given.dataset:
        return given
    key = keys.beside_input(owner, given.key, given.version_id, given.sha256)
    profile = data_bucket().put(f"{key}.table.json.gz", packed(table), GZIP)
    return replace(given, profile=profile)


def profile(stored: StoredObject) -> Table:
    """Raises JobGone or ModelDamaged."""
    return unpacked(data_bucket().get(stored))


def without_init(
    prefix: str, job: Job | None, recipe: Recipe
) -> tuple[Recipe, StoredObject | None]:
    """A recipe as a job's item holds it, and where its initial centers are, or its source.

    job   whose item it is: what it has aside already is not written again
    """
    if recipe.align_to:
        return recipe, recipe.align_to.copy
    if job and job.init and whole_recipe(recipe, job.init) == recipe:
        return _without_init(recipe), job.init
    init = _put(keys.new_init(prefix), recipe.init)
    return (_without_init(recipe), init) if init else (recipe, None)


def whole(job: Job) -> Job:
    """The job with all that is kept aside; raises JobGone or ModelDamaged."""
    given = job.input
    if given and given.names:
        given = replace(given, feature_names=tuple(_get(given.names)))
    recipe = job.recipe and whole_recipe(job.recipe, job.init)
    return replace(job, input=given, recipe=recipe)


def whole_recipe(recipe: Recipe, init: StoredObject | None) -> Recipe:
    """With what lies there, initial centers or a source; raises JobGone or ModelDamaged."""
    if recipe.align_to:
        return replace(recipe, align_to=replace(recipe.align_to, copy=init))
    return replace(recipe, init=centers_of(_get(init))) if init else recipe


def document(stored: StoredObject) -> Any:
    """What lies there as JSON; raises JobGone or ModelDamaged."""
    return json.loads(data_bucket().get(stored))


def forget(given: Input) -> None:
    """Remove what is kept of an input that is no job's, or none any more."""
    for each in given.asides:
        data_bucket().delete(each.key)


def _without_init(recipe: Recipe) -> Recipe:
    return replace(recipe, init=())


def _put(key: str, value: Any) -> StoredObject | None:
    """None where the value is short enough for the item."""
    text = json.dumps(value).encode()
    return data_bucket().put(key, text, JSON) if len(text) > INLINE_BYTES else None


@lru_cache(maxsize=8)
def _get(stored: StoredObject) -> Any:
    """Read once, as the object never changes; at most 10,000 numbers or a header of names."""
    return json.loads(data_bucket().get(stored))
