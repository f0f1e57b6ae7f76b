"""What a fit found, in numbers, and what should be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Scores:
    """None where an index is not defined, and in a fit of a version that did not have it.

    inertia       sum of squared distances to the nearest center, in the units of the data
    cluster_sizes rows of each cluster
    cluster_weights what these weigh together, where a column says what each row weighs
    method        in_memory or out_of_core
    n_clusters    the number that was chosen, where it was not given
    stopped_by    why a swap search ended
    sample_size   rows that the silhouette was taken over
    warnings      a sentence for each thing that is legal and seldom meant
    """

    inertia: float
    n_iter: int
    cluster_sizes: tuple[int, ...]
    cluster_weights: tuple[float, ...] | None = None
    method: str | None = None
    calinski_harabasz: float | None = None
    davies_bouldin: float | None = None
    silhouette: float | None = None
    sample_size: int | None = None
    stopped_by: str | None = None
    n_clusters: int | None = None
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What there is, in alphabetical order."""
        found = {name: getattr(self, name) for name in _NAMES}
        found["warnings"] = self.warnings or None
        found |= {name: list(value) for name, value in found.items() if isinstance(value, tuple)}
        return {name: value for name, value in found.items() if value is not None}


_NAMES = sorted(field.name for field in fields(Scores))


def scores_of(document: Mapping[str, Any]) -> Scores:
    """What `as_json` wrote, of this version or another."""
    known = {name: document[name] for name in _NAMES if name in document}
    frozen = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return Scores(**known | frozen)
