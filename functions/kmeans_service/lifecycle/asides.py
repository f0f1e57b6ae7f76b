"""What grows with the data, and would make a job's item large: as JSON in the bucket, beside it.

Names of columns and initial centers stand in the item where they are short. Where they are not, the
item names an object that holds them; it is written before the item and removed with the job.
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

# Of JSON: what is longer is kept aside.
INLINE_BYTES = 4_096
JSON = "application/json"


def without_names(owner: str, given: Input) -> Input:
    """The input as its item holds it. The key is the file's own: the same again is no other."""
    key = keys.names_of_input(owner, given.key, given.version_id)
    names = _put(key, given.feature_names)
    return replace(given, feature_names=None, names=names) if names else given


def without_init(
    prefix: str, job: Job | None, recipe: Recipe
) -> tuple[Recipe, StoredObject | None]:
    """A recipe as a job's item holds it, and where its initial centers are.

    job   whose item it is: what it has aside already is not written again
    """
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
    """With the initial centers that lie there; raises JobGone or ModelDamaged."""
    return replace(recipe, init=centers_of(_get(init))) if init else recipe


def forget(given: Input) -> None:
    """Remove the names of an input that became no job's."""
    if given.names:
        data_bucket().delete(given.names.key)


def _without_init(recipe: Recipe) -> Recipe:
    return replace(recipe, init=())


def _put(key: str, value: Any) -> StoredObject | None:
    """None where the value is short enough for the item."""
    text = json.dumps(value).encode()
    return data_bucket().put(key, text, JSON) if len(text) > INLINE_BYTES else None


@lru_cache(maxsize=8)
def _get(stored: StoredObject) -> Any:
    """Read once, as the object never changes; at most 10,000 numbers or 64 KiB of names."""
    return json.loads(data_bucket().get(stored))
