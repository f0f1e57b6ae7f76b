"""The rows that a job's model was fitted to, read again."""

from collections.abc import Callable
from dataclasses import dataclass

from kmeans_service.errors import ModelDamaged
from kmeans_service.lifecycle import asides, inputs
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.streams import Keep, Kept, WholeRead


@dataclass(frozen=True)
class Training:
    """A fitted job's model and file.

    check   raises ModelDamaged, once all was read, where it is not the file that was uploaded
    """

    model: Model
    points: PointsTable
    check: Callable[[], None]


def training_of(job: Job, keep: Keep) -> Training:
    """Raises NotFitted, JobGone or ModelDamaged."""
    model = model_of(job.published)
    given = asides.whole(job).checked_input
    source = WholeRead(lambda: Kept(inputs.opened(given), keep))
    places = model.columns.positions
    points = PointsTable(source, inputs.table_of(given), model.columns, places)
    return Training(model, points, lambda: _check(given, source))


def _check(given: Input, source: WholeRead) -> None:
    if source.finish().sha256 != given.rows.sha256:
        raise ModelDamaged("The stored file is not the one that was uploaded")
