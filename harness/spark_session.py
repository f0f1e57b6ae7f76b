"""A program for spark-submit: several runs in one session, as `distributed.main` does one.

spark_session.py RANGE_BYTES URI...: each range with labels is a group of its own. The files of rows
are lost behind the pass that made them; and of each pass one process dies when it has done its
work, before it tells of it.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from distributed import job, rows, spark, work
from distributed.spark import SparkFleet, started

DEATHS = Path(tempfile.mkdtemp())


class Mortal(SparkFleet):
    def each(self, work: Callable[[Any, Any], Any], shared: Any, items: Any) -> list[Any]:
        return super().each(dying_once(work), shared, items)


class Losing(spark._Kept):
    """Of machines that lose their files once, behind the first pass over them."""

    _n_passes = 0

    def _found(self, work: Callable[..., Any], sent: Any) -> Any:
        self._n_passes += 1
        if self._n_passes == 2:
            lost = sum(self._marks.map(partial(losing, self._file)).collect())
            print("LOST", lost, "of", self._marks.count(), flush=True)
        return super()._found(dying_once(work), sent)


def losing(file: Any, mark: Any) -> bool:
    """Whether there was something to lose."""
    there: bool = file._path(mark).exists()
    file.remove(mark)
    return there


def dying_once(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but who is the first to have done it dies."""
    death = DEATHS / str(len(passes))
    passes.append(work.__name__)

    def done(*arguments: Any) -> Any:
        found = work(*arguments)
        with suppress(FileExistsError):
            death.open("x").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return done


def main() -> None:
    rows.PART_BYTES = 1
    spark._Kept = Losing  # type: ignore[misc]
    context = started()
    fleet = Mortal(context)
    for uri in sys.argv[2:]:
        run = job.load(uri)
        job.set_environment(run)
        work.do(run, fleet, int(sys.argv[1]))
    context.stop()
    died = {name for number, name in enumerate(passes) if (DEATHS / str(number)).exists()}
    print("DIED", *sorted(died), flush=True)


passes: list[str] = []
main()
