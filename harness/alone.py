"""A fleet of one process: what it is handed goes through a pickle, as it would to another machine,
and what groups find is merged in an order of its own."""

import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from distributed.fleet import Kept, Mergeable


def _sent(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


class Alone:
    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def each[I, T](self, work: Callable[[Any, I], T], shared: Any, items: Sequence[I]) -> list[T]:
        return [_sent(work(_sent(shared), _sent(item))) for item in items]

    def kept[G](
        self, make: Callable[[Any, G], Iterator[Any]], shared: Any, groups: Sequence[G]
    ) -> Kept:
        return _Kept([list(make(_sent(shared), _sent(group))) for group in groups], self._random)


class _Kept:
    def __init__(self, groups: list[list[Any]], order: random.Random) -> None:
        self._groups, self._random = groups, order

    def fold[S: Mergeable](self, work: Callable[[Any, int, Iterator[Any]], S], shared: Any) -> S:
        found = self.each(work, shared)
        self._random.shuffle(found)
        return reduce(lambda one, other: one.merge(other), found)

    def each[T](self, work: Callable[[Any, int, Iterator[Any]], T], shared: Any) -> list[T]:
        return [
            _sent(work(_sent(shared), index, map(_sent, blocks)))
            for index, blocks in enumerate(self._groups)
        ]

    def changed(self, change: Callable[[Any, Any], Any], shared: Any) -> Kept:
        groups = [[change(shared, _sent(block)) for block in blocks] for blocks in self._groups]
        return _Kept(groups, self._random)

    def blocks(self) -> Iterator[Any]:
        return (_sent(block) for blocks in self._groups for block in blocks)

    def forget(self) -> None:
        self._groups = []
