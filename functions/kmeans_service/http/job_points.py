"""A request's points before a job's model."""

from dataclasses import dataclass
from typing import Self

from kmeans_service.arrays import Array, Labels
from kmeans_service.http import answers
from kmeans_service.http.points import Points
from kmeans_service.lifecycle.job import Job
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model


@dataclass(frozen=True, eq=False)
class JobPoints:
    """X: the used columns of the points, shape (n_samples, n_used)."""

    job: Job
    model: Model
    X: Array

    @classmethod
    def of(cls, job: Job, points: Points) -> Self:
        """Raises NotFitted, or the ServiceError that says why the model cannot take the points."""
        model = model_of(job.published)
        return cls(job, model, points(model.columns, complete=model.is_complete))

    @property
    def n_samples(self) -> int:
        return len(self.X)

    def labels(self) -> Labels:
        return self.model.predict(self.X)

    def distances(self) -> Array:
        """Shape (n_samples, n_clusters); raises TooLarge before it computes what is too much."""
        answers.check_numbers(self.n_samples * self.model.n_clusters)
        return self.model.distances(self.X)

    def score(self) -> float:
        return self.model.score(self.X)
