"""Whether there are clusters at all: what data without any would have to show as well."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

STABLE = 0.9
# To beat all references may be chance. More is asked for of clusters that two halves do not agree
# on, and of a number that the silhouette alone proposes: to be above the mean of the references by
# so many of their standard deviations.
DOUBTFUL, OF_DOUBTFUL, OF_SILHOUETTE = 0.8, 4.0, 3.0

CALINSKI_HARABASZ, SILHOUETTE = "calinski_harabasz", "silhouette"
CLEAR, UNSTABLE, NONE = "clear", "unstable", "none"


@dataclass(frozen=True)
class Bar:
    """What a kind of references has set: the silhouettes are each reference's largest."""

    references: str
    count: int
    mean: float
    largest: float
    needed: float
    beaten: bool


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on.

    silhouette        the largest of the data, over all numbers of clusters; where the silhouette
                      proposed one, that of it, and so for the references
    rows_compared     of how many rows, as each reference has
    stability         of the chosen number
    stability_needed  for clusters that are clear
    index             which proposed the number
    """

    silhouette: float
    rows_compared: int
    references: tuple[Bar, ...]
    stability: float | None
    stability_needed: float
    index: str

    @property
    def verdict(self) -> str:
        if not all(bar.beaten for bar in self.references):
            return NONE
        return CLEAR if (self.stability or 0.0) >= self.stability_needed else UNSTABLE

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def deviations(stability: float | None, index: str) -> float:
    """How far above the references' mean a silhouette has to be, at least."""
    if (stability or 0.0) < DOUBTFUL:
        return OF_DOUBTFUL
    return OF_SILHOUETTE if index == SILHOUETTE else 0.0


def bar_of(kind: str, silhouette: float, references: Sequence[float], above: float) -> Bar:
    largest = np.array(references)
    needed = max(float(largest.max()), float(largest.mean() + above * largest.std()))
    beaten = silhouette > needed
    return Bar(kind, len(largest), float(largest.mean()), float(largest.max()), needed, beaten)
