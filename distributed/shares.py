"""A file's rows in shares, each the work of one task, in step with who reads all of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from distributed.rows import Group
from kmeans_service.models.model import Model
from kmeans_service.models.nearest import CHUNK


@dataclass(frozen=True, slots=True)
class Share:
    """A group of rows; `start` are those before it."""

    index: int
    group: Group
    start: int
    is_last: bool

    @property
    def n_rows(self) -> int:
        return sum(each.n_rows for each in self.group)

    def around(self, model: Model) -> tuple[int, int]:
        """How many rows stand for those before and behind these.

        Products are computed of CHUNK rows at a time, and the last bits depend on how many they
        are: so those rows are multiplied together here that are where all are read.
        """
        if not model.is_complete:
            return 0, 0  # its blocks are labelled one by one
        behind = -(self.start + self.n_rows) % CHUNK
        return self.start % CHUNK, 0 if self.is_last else behind


def shares_of(groups: Sequence[Group]) -> list[Share]:
    sizes = (sum(each.n_rows for each in group) for group in groups)
    starts = itertools.accumulate(sizes, initial=0)
    return [
        Share(index, group, start, index == len(groups) - 1)
        for index, (group, start) in enumerate(zip(groups, starts, strict=False))
    ]
