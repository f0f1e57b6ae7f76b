"""The fit of a file that is being converted: noted in its job, and begun when that is done."""

from boto3.dynamodb.conditions import Attr

from kmeans_service import keys
from kmeans_service.errors import FitConflict
from kmeans_service.lifecycle import asides, reads
from kmeans_service.lifecycle.items import init_attribute, recipe_attributes
from kmeans_service.lifecycle.job import CONVERTING, Job, Status
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket
from kmeans_service.table import writes
from kmeans_service.table.expressions import has, removes, sets
from kmeans_service.table.keys import job_key


def ask(job: Job, recipe: Recipe) -> bool:
    """Note the fit that the converted file begins with; False if that has begun by now.

    The same fit again is left as it is. Raises FitConflict where another one is noted.
    """
    recipe = recipe.seeded()
    lean, init = asides.without_init(keys.inputs_of(job.owner), job, recipe)
    noted = sets(**recipe_attributes(lean))
    noted |= sets(init=init_attribute(init)) if init else removes("init")
    held = has({"status": Status.PENDING, "progress": CONVERTING}) & Attr("params").not_exists()
    if job.recipe is None and writes.is_updated(job_key(job.owner, job.job_id), noted, held):
        return True
    if init and init != job.init:
        data_bucket().delete(init.key)
    found = asides.whole(reads.get(job.owner, job.job_id))
    if not found.is_converting:
        return False
    if found.recipe and found.recipe != recipe and not recipe.is_redrawn(found.recipe):
        raise FitConflict(
            f"Another fit of job {job.job_id} begins when its file is converted; "
            "look at the job, then ask again"
        )
    return True
