"""The choice of a number of clusters: Calinski–Harabasz proposes, references and halves judge.

Of rows that lie about a line it rises with every cluster more, whatever there is: the inertia falls
with the square of their number. Where it has no peak, the silhouette proposes.

The same rows and the same seed have the same choice, to the last bit: work is counted in distances.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.fitting.choosing import candidates
from kmeans_service.fitting.choosing.candidates import Candidate, Profile
from kmeans_service.fitting.choosing.references import KINDS, PRINCIPAL_BOX
from kmeans_service.fitting.choosing.verdict import (
    CALINSKI_HARABASZ,
    SILHOUETTE,
    STABLE,
    Evidence,
    bar_of,
    deviations,
)
from kmeans_service.recipes.work import ROWS_COMPARED, ROWS_OF_CHOICE

# Of rows that are compared: silhouettes of fewer a cluster say nothing of a reference.
ROWS_A_CLUSTER = 5
# An index that has come down by less at the end of the range goes on rising.
PEAK = 0.95

type Say = Callable[[int], None]
type Gap = tuple[float | None, float | None]

UNKNOWN: Gap = (None, None)


@dataclass(frozen=True)
class Choice:
    """The number that was chosen, why, and of how many rows."""

    n_clusters: int
    evidence: Evidence
    sample_size: int
    candidates: tuple[Candidate, ...]

    @property
    def verdict(self) -> str:
        return self.evidence.verdict

    def as_json(self) -> dict[str, Any]:
        return {
            "n_clusters": self.n_clusters,
            "verdict": self.verdict,
            "evidence": self.evidence.as_json(),
            "sample_size": self.sample_size,
            "candidates": [candidate.as_json() for candidate in self.candidates],
        }


def choose(
    Z: Array,
    numbers: Sequence[int],
    seed: int,
    *,
    scale: float = 1.0,
    say: Say = lambda _n_clusters: None,
) -> Choice:
    """Which of these numbers of clusters the rows have.

    Z        shape (n_samples, n_features), in a fit's space; of many rows a sample
    numbers  ascending, from 2 on, fewer than the rows
    scale    of the fit's space: inertias are told in the units of the data
    say      is told each number when its turn comes
    """
    draw = np.random.default_rng(seed)
    compared = _some(Z, ROWS_COMPARED, draw)
    told = [number for number in numbers if number * ROWS_A_CLUSTER <= len(compared)]
    told = told or list(numbers[:1])
    data = candidates.profile_of(compared, told, seed)
    references = {
        kind: [candidates.profile_of(drawn, told, seed) for drawn in kind.of(compared, draw)]
        for kind in KINDS
    }
    gaps = dict(zip(told, _gaps(data, references[PRINCIPAL_BOX]), strict=True))
    found = []
    for number in numbers:
        say(number)
        found.append(_candidate(Z, number, seed, draw, scale, gaps.get(number, UNKNOWN)))
    chosen, index = _proposed(found)
    at = slice(None)
    if index == SILHOUETTE and chosen.n_clusters in told:
        at = slice(told.index(chosen.n_clusters), told.index(chosen.n_clusters) + 1)
    evidence = Evidence(
        data.largest(at),
        len(compared),
        tuple(
            bar_of(
                kind.name,
                data.largest(at),
                [reference.largest(at) for reference in of],
                deviations(chosen.stability, index),
            )
            for kind, of in references.items()
        ),
        chosen.stability,
        STABLE,
        index,
    )
    return Choice(chosen.n_clusters, evidence, len(Z), tuple(found))


def _candidate(
    Z: Array, number: int, seed: int, draw: np.random.Generator, scale: float, gap: Gap
) -> Candidate:
    """What is found with so many clusters."""
    inertia, scores = candidates.judged(Z, number, seed)
    return Candidate(
        number,
        inertia / scale / scale,
        scores.get("silhouette"),
        scores.get("calinski_harabasz"),
        scores.get("davies_bouldin"),
        candidates.stability(Z, number, draw),
        *gap,
    )


def _proposed(found: Sequence[Candidate]) -> tuple[Candidate, str]:
    """The best by the index that has a peak, and its name; of equally good ones the fewest."""
    rising = [one.calinski_harabasz or 0.0 for one in found]
    if rising[-1] < PEAK * max(rising) or len(found) == 1:
        return found[rising.index(max(rising))], CALINSKI_HARABASZ
    falling = [-1.0 if one.silhouette is None else one.silhouette for one in found]
    return found[falling.index(max(falling))], SILHOUETTE


def sample_of(Z: Array, seed: int) -> Array:
    """All rows, or as many as a choice looks at, in their order."""
    return _some(Z, ROWS_OF_CHOICE, np.random.default_rng(seed))


def _some(Z: Array, most: int, draw: np.random.Generator) -> Array:
    if len(Z) <= most:
        return Z
    return Z[np.sort(draw.choice(len(Z), most, replace=False, shuffle=False))]


def _gaps(data: Profile, references: Sequence[Profile]) -> list[Gap]:
    """The gap statistic and its error; None where the rows lie on their centers."""
    least = np.finfo(float).tiny
    logs = np.log([np.maximum(one.inertias, least) for one in references])
    errors = logs.std(axis=0) * np.sqrt(1 + 1 / len(logs))
    return [
        (float(mean - np.log(inertia)), float(error)) if inertia > least else UNKNOWN
        for mean, error, inertia in zip(logs.mean(axis=0), errors, data.inertias, strict=True)
    ]
