"""A published model in its job's item: where it lies, and what is shown without reading it."""

from dataclasses import dataclass, field, replace

from kmeans_service.models.columns import Columns
from kmeans_service.models.numbers import Numbers, first_numbers
from kmeans_service.models.scores import Scores
from kmeans_service.stored_object import StoredObject


@dataclass(frozen=True, slots=True)
class BeforeManifests:
    """What a version wrote that had no manifest.

    predictor  .npy: the fit's shift, scale and centers; None of a model older than they are
    names      where the columns' names are, if they are too long for the item
    init       where the fit's initial centers are, if they are
    """

    columns: Columns
    predictor: StoredObject | None = None
    names: StoredObject | None = None
    init: StoredObject | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A published fit: pointers to its objects, and what it found.

    manifest  the model itself, as JSON: `manifest.py`; None of an older one
    arrays    what of the manifest is too large for it, as .npy
    choice    why there are so many clusters, as JSON; None where their number was given
    centers   .npy, float64, shape (n_clusters, n_features), in the units of the data
    labels    CSV, one label a line
    pickle    the estimator by joblib, without labels_; None until somebody asks for it
    versions  of the libraries that made the pickle
    continued numbers of the clusters, of a fit that was aligned
    names     of clusters that it has continued; None where they had none
    """

    fit_id: str
    centers: StoredObject
    labels: StoredObject
    scores: Scores
    manifest: StoredObject | None = None
    arrays: StoredObject | None = None
    choice: StoredObject | None = None
    pickle: StoredObject | None = None
    versions: dict[str, str] = field(default_factory=dict)
    before: BeforeManifests | None = None
    continued: Numbers | None = None
    names: StoredObject | None = None

    @property
    def numbering(self) -> Numbers:
        return self.continued or first_numbers(len(self.scores.cluster_sizes), self.fit_id)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of each cluster by its label: what outlives refits that are aligned."""
        return self.numbering.of

    @property
    def objects(self) -> tuple[StoredObject, ...]:
        before = self.before
        older = (before.predictor, before.names, before.init) if before else ()
        own = (self.pickle, self.centers, self.labels, self.manifest, self.arrays, self.names)
        found = (*own, self.choice, *older)
        return tuple(each for each in found if each)

    @property
    def stored_bytes(self) -> int:
        return sum(each.size for each in self.objects)

    @property
    def without_pickle(self) -> "Published":
        """As the fit published it."""
        return replace(self, pickle=None, versions={})
