"""Whether there are clusters at all: what data without any would have to show as well."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kmeans_service.fitting.choosing.candidates import Profile

STABLE = 0.9
# Of clusters that two halves do not agree on, more is asked for than to beat all references: to be
# above their mean by so many of their standard deviations, as the largest of 19 is not by chance.
DOUBTFUL, DEVIATIONS = 0.8, 4.0

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

    silhouette        the largest of the data, over all numbers of clusters
    rows_compared     of how many rows, as each reference has
    stability         of the chosen number
    stability_needed  for clusters that are clear
    bounded           whether a search ended because its work was spent
    """

    silhouette: float
    rows_compared: int
    references: tuple[Bar, ...]
    stability: float | None
    stability_needed: float
    bounded: bool

    @property
    def verdict(self) -> str:
        if not all(bar.beaten for bar in self.references):
            return NONE
        return CLEAR if (self.stability or 0.0) >= self.stability_needed else UNSTABLE

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def bar_of(kind: str, data: Profile, references: Sequence[Profile], stability: float | None) -> Bar:
    largest = np.array([reference.silhouettes.max() for reference in references])
    needed = float(largest.max())
    if (stability or 0.0) < DOUBTFUL:
        needed = max(needed, float(largest.mean() + DEVIATIONS * largest.std()))
    beaten = float(data.silhouettes.max()) > needed
    return Bar(kind, len(largest), float(largest.mean()), float(largest.max()), needed, beaten)
