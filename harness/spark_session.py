"""A program for spark-submit: several runs in one session, as `distributed.main` does one.

spark_session.py RANGE_BYTES URI...: each range with labels is a group of its own. The files of rows
are lost after they were made, once; and of each pass one process dies when it has done its work,
before it tells of it.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import fit, job, rows, spark
from distributed.spark import SparkFleet, started

DEATHS = Path(tempfile.mkdtemp())


class Losing(SparkFleet):
    """Whose machines lose their files once, before the first pass over them."""

    def each(self, work: Callable[[Any, Any], Any], shared: Any, items: Any) -> list[Any]:
        return super().each(dying_once(work), shared, items)

    def kept(self, make: Callable[[Any, Any], Iterator[Any]], shared: Any, groups: Any) -> Any:
        found = super().kept(make, shared, groups)
        assert isinstance(found, spark._Kept)
        marks = found._marks.count()
        found._marks.foreach(found._file.remove)
        print("LOST", marks, flush=True)
        return found


class Dying(spark._Kept):
    def _found(self, work: Callable[..., Any], sent: Any) -> Any:
        return super()._found(dying_once(work), sent)


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
    spark._Kept = Dying  # type: ignore[misc]
    context = started()
    fleet = Losing(context)
    for uri in sys.argv[2:]:
        run = job.load(uri)
        job.set_environment(run)
        fit.run(run, fleet, int(sys.argv[1]))
    context.stop()
    died = {name for number, name in enumerate(passes) if (DEATHS / str(number)).exists()}
    print("DIED", *sorted(died), flush=True)


passes: list[str] = []
main()
