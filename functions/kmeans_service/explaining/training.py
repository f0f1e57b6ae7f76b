"""The rows that a job's model was fitted to, read again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kmeans_service.lifecycle import asides, inputs
from kmeans_service.lifecycle.job import Job
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model
from kmeans_service.models.points import PointsTable
from kmeans_service.streams import Keep


@dataclass(frozen=True)
class Training:
    """A fitted job's model and file."""

    model: Model
    points: PointsTable


@contextmanager
def training_of(job: Job, keep: Keep) -> Iterator[Training]:
    """Raises NotFitted, JobGone or ModelDamaged, this also where what was read is another file."""
    model = model_of(job.published)
    given = asides.whole(job).checked_input
    with inputs.reading(given, keep) as source:
        table = inputs.table_of(given)
        yield Training(model, PointsTable(source, table, model.columns, model.columns.positions))
