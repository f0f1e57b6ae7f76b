"""Spark as a fleet: it places work, knows which machine has which group, and retries.

The blocks of a group lie in a file of the machine that made them. Spark keeps a group's mark there,
and so sends work where the file is; a machine that has none makes it anew.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from pyspark import RDD, SparkConf, SparkContext, SparkFiles, StorageLevel

from distributed import scratch
from distributed.fleet import Kept, Mergeable

# From so many groups on, what they find is brought together by the machines and not by the driver.
FEW_GROUPS = 64

type Mark = tuple[int, Any]
"""The place of a group, and the group."""


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
        marks = self._context.parallelize(list(enumerate(groups)), len(groups))
        return _Kept(self._context, marks, _Made(make, self._context.broadcast(shared)))


class _Maker(Protocol):
    def blocks(self, mark: Mark) -> Iterator[Any]: ...


class _Made:
    """Blocks that are made of groups."""

    def __init__(self, make: Callable[[Any, Any], Iterator[Any]], sent: Any) -> None:
        self._make, self._sent = make, sent

    def blocks(self, mark: Mark) -> Iterator[Any]:
        return self._make(self._sent.value, mark[1])


class _Changed:
    """Blocks that are made of blocks."""

    def __init__(self, of: "_InFile", change: Callable[[Any, Any], Any], sent: Any) -> None:
        self._of, self._change, self._sent = of, change, sent

    def blocks(self, mark: Mark) -> Iterator[Any]:
        return (self._change(self._sent.value, block) for block in self._of.blocks(mark))


class _InFile:
    """The same blocks, made once on a machine: by the first pass, as it goes over them."""

    def __init__(self, maker: _Maker) -> None:
        self._maker, self._name = maker, uuid.uuid4().hex

    def blocks(self, mark: Mark) -> Iterator[Any]:
        return scratch.kept(self._path(mark), lambda: self._maker.blocks(mark))

    def remove(self, mark: Mark) -> None:
        self._path(mark).unlink(missing_ok=True)

    def _path(self, mark: Mark) -> Path:
        return Path(SparkFiles.getRootDirectory()) / f"{self._name}-{mark[0]}"


class _Kept:
    def __init__(self, context: SparkContext, marks: RDD[Mark], maker: _Maker) -> None:
        self._context, self._file = context, _InFile(maker)
        self._marks = marks.persist(StorageLevel.MEMORY_AND_DISK)

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
        marks = self._marks.map(_itself)  # forgotten on their own, and where these are meanwhile
        return _Kept(self._context, marks, _Changed(self._file, change, sent))

    def blocks(self) -> Iterator[Any]:
        return iter(self._marks.flatMap(self._file.blocks).toLocalIterator())

    def forget(self) -> None:
        self._marks.foreach(self._file.remove)
        self._marks.unpersist()

    def _found(self, work: Callable[[Any, int, Iterator[Any]], Any], sent: Any) -> RDD[Any]:
        file = self._file
        return self._marks.map(lambda mark: work(sent.value, mark[0], file.blocks(mark)))


def _itself(mark: Mark) -> Mark:
    return mark


def started() -> SparkContext:
    asked = SparkConf().setAppName("kmeans").set("spark.python.daemon.module", "distributed.daemon")
    context = SparkContext.getOrCreate(asked)
    context.setLogLevel("WARN")
    return context


def slots(context: SparkContext, processors: int) -> int:
    """Tasks that run at once at most: of this machine, or where all have so many processors."""
    if context.master.startswith("local"):
        return int(context.defaultParallelism)
    asked = context.getConf()
    driver, executor = (int(asked.get(f"spark.{of}.cores", "1")) for of in ("driver", "executor"))
    return max(1, (processors - driver) // executor) * executor
