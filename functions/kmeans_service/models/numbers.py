"""What a cluster is numbered by: kept over refits that are aligned, where labels may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of the clusters of one model, by their labels.

    next   the least number that was never given in this line of fits
    line   the id of the fit that the line begins with: one that was not aligned
    """

    of: tuple[int, ...]
    next: int
    line: str

    def as_json(self) -> dict[str, Any]:
        return {"of": list(self.of), "next": self.next, "line": self.line}


def numbers_of(document: Mapping[str, Any]) -> Numbers:
    """What `as_json` wrote."""
    return Numbers(tuple(document["of"]), document["next"], document["line"])


def first_numbers(n_clusters: int, fit_id: str) -> Numbers:
    """Of a fit that continues no other: the labels."""
    return Numbers(tuple(range(n_clusters)), n_clusters, fit_id)
