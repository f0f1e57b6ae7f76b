"""A program for spark-submit: work of each kind that a run has, for the classes that it takes."""

from collections.abc import Iterator
from typing import Any

from distributed.spark import SparkFleet, started


class Sum:
    def __init__(self, value: int) -> None:
        self.value = value

    def merge(self, other: "Sum") -> "Sum":
        return Sum(self.value + other.value)


def ones(n: int, group: int) -> Iterator[tuple[()]]:
    return iter([()] * (n + group))


def count(_shared: None, _index: int, blocks: Iterator[Any]) -> Sum:
    return Sum(len(list(blocks)))


def main() -> None:
    context = started()
    fleet = SparkFleet(context)
    fleet.each(lambda one, other: one + other, 1, range(4))
    kept = fleet.kept(ones, 1, range(4))
    kept.each(count, None)
    kept.fold(count, None)
    list(kept.blocks())
    kept.forget()
    context.stop()


main()
