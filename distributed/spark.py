"""Spark as a fleet: it places work, keeps blocks on its machines' disks, and retries."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyspark import RDD, SparkConf, SparkContext, StorageLevel

from distributed.fleet import Kept, Mergeable

# From so many groups on, what they find is brought together by the machines and not by the driver.
FEW_GROUPS = 64


class SparkFleet:
    def __init__(self, context: SparkContext) -> None:
        self._context = context

    def each[I, T](self, work: Callable[[Any, I], T], shared: Any, items: Sequence[I]) -> list[T]:
        if not items:
            return []
        sent = self._context.broadcast(shared)
        spread = self._context.parallelize(list(items), len(items))
        found: list[T] = spread.map(lambda item: work(sent.value, item)).collect()
        sent.destroy()
        return found

    def kept[G](
        self, make: Callable[[Any, G], Iterator[Any]], shared: Any, groups: Sequence[G]
    ) -> Kept:
        sent = self._context.broadcast(shared)
        spread = self._context.parallelize(list(groups), len(groups))
        blocks = spread.flatMap(lambda group: make(sent.value, group))
        return _Kept(self._context, blocks)


class _Kept:
    def __init__(self, context: SparkContext, blocks: RDD[Any]) -> None:
        self._context = context
        self._blocks = blocks.persist(StorageLevel.DISK_ONLY)

    def fold[S: Mergeable](self, work: Callable[[Any, int, Iterator[Any]], S], shared: Any) -> S:
        sent = self._context.broadcast(shared)
        found = self._found(work, sent)
        few = found.getNumPartitions() <= FEW_GROUPS
        merge = lambda one, other: one.merge(other)  # noqa: E731
        merged: S = found.reduce(merge) if few else found.treeReduce(merge)
        sent.destroy()
        return merged

    def each[T](self, work: Callable[[Any, int, Iterator[Any]], T], shared: Any) -> list[T]:
        sent = self._context.broadcast(shared)
        found: list[T] = self._found(work, sent).collect()
        sent.destroy()
        return found

    def changed(self, change: Callable[[Any, Any], Any], shared: Any) -> Kept:
        sent = self._context.broadcast(shared)
        return _Kept(self._context, self._blocks.map(lambda block: change(sent.value, block)))

    def blocks(self) -> Iterator[Any]:
        return iter(self._blocks.toLocalIterator())

    def forget(self) -> None:
        self._blocks.unpersist()

    def _found(self, work: Callable[[Any, int, Iterator[Any]], Any], sent: Any) -> RDD[Any]:
        return self._blocks.mapPartitionsWithIndex(
            lambda index, blocks: iter([work(sent.value, index, blocks)])
        )


def started() -> SparkContext:
    context = SparkContext.getOrCreate(SparkConf().setAppName("kmeans"))
    context.setLogLevel("WARN")
    return context
