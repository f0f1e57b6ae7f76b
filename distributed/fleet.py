"""What a run needs of a cluster: work on items, and rows that are kept, in groups, for many passes.

What is handed to every task (`shared`) is sent to each machine once. Work is done again where a
machine fails: it must not matter how often.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, Self


class Mergeable(Protocol):
    """What is found of some rows, and becomes what is found of more of them; in any order."""

    def merge(self, other: Self) -> Self: ...


class Kept(Protocol):
    """Groups of blocks of rows; work is handed `shared`, the group's place, and its blocks."""

    def fold[S: Mergeable](self, work: Callable[[Any, int, Iterator[Any]], S], shared: Any) -> S:
        """What is found of all groups."""

    def each[T](self, work: Callable[[Any, int, Iterator[Any]], T], shared: Any) -> list[T]:
        """What is found of each group, in their order."""

    def changed(self, change: Callable[[Any, Any], Any], shared: Any) -> "Kept":
        """Other blocks made of these."""

    def blocks(self) -> Iterator[Any]:
        """In their order, a group at a time."""

    def forget(self) -> None:
        """They are not needed any more."""


class Fleet(Protocol):
    def each[I, T](
        self, work: Callable[[Any, I], T], shared: Any, items: Sequence[I]
    ) -> list[T]: ...

    def kept[G](
        self, make: Callable[[Any, G], Iterator[Any]], shared: Any, groups: Sequence[G]
    ) -> Kept:
        """The blocks that are made of each group, once."""
