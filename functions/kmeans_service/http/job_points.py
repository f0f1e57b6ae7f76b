"""A request's points before a job's model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from kmeans_service.arrays import Array, Labels
from kmeans_service.errors import FeatureMismatch, InvalidParameter
from kmeans_service.http import answers
from kmeans_service.http.points import Points
from kmeans_service.lifecycle.job import Job
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model


@dataclass(frozen=True, eq=False)
class JobPoints:
    """X: the used columns of the points, shape (n_samples, n_used).

    weights  shape (n_samples,); None where the points have no column of them, or nobody asked
    """

    job: Job
    model: Model
    X: Array
    weights: Array | None = None

    @classmethod
    def of(cls, job: Job, points: Points) -> Self:
        """Raises NotFitted, or the ServiceError that says why the model cannot take the points."""
        model = model_of(job.published)
        return cls(job, model, points(model.columns, complete=model.is_complete))

    @classmethod
    def weighted(cls, job: Job, points: Points) -> Self:
        """As `of`, with the weights of the points where the model has some and they have, too."""
        model = model_of(job.published)
        if model.columns.weight is None:
            return cls.of(job, points)
        try:
            X = points(model.columns.with_weight(), complete=model.is_complete)
        except FeatureMismatch:
            return cls.of(job, points)
        return cls(job, model, np.ascontiguousarray(X[:, :-1]), _checked(X[:, -1].copy()))

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
        return self.model.score(self.X, self.weights)


def _checked(weights: Array) -> Array:
    """Raises InvalidParameter for a weight that is missing or negative."""
    wrong = np.flatnonzero(~(weights >= 0))
    if len(wrong):
        row = int(wrong[0])
        found = "missing" if np.isnan(weights[row]) else f"{weights[row]:g}"
        raise InvalidParameter(
            f"the weight of row {row + 1} of the points is {found}; allowed is a number from 0 on, "
            "or points without weights",
            field="points",
        )
    return weights
