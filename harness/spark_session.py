"""A program for spark-submit: several runs in one session, as `distributed.main` does one.

spark_session.py RANGE_BYTES URI...: each range with labels is a group of its own; the files of rows
are lost after they were made, once.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from distributed import fit, job, rows, spark
from distributed.spark import SparkFleet, started


class Losing(SparkFleet):
    """Whose machines lose their files once, before the first pass over them."""

    def kept(self, make: Callable[[Any, Any], Iterator[Any]], shared: Any, groups: Any) -> Any:
        found = super().kept(make, shared, groups)
        assert isinstance(found, spark._Kept)
        marks = found._marks.count()
        found._marks.foreach(found._file.remove)
        print("LOST", marks, flush=True)
        return found


def main() -> None:
    rows.PART_BYTES = 1
    context = started()
    fleet = Losing(context)
    for uri in sys.argv[2:]:
        run = job.load(uri)
        job.set_environment(run)
        fit.run(run, fleet, int(sys.argv[1]))
    context.stop()


main()
