"""The driver: one argument, the s3:// address of a run.json; exits 0 once there is a result."""

import os
import sys

from distributed import job, work
from distributed.spans import MB, range_bytes
from distributed.spark import SparkFleet, slots, started


def main(arguments: list[str]) -> None:
    run = job.load(arguments[0])
    job.set_environment(run)
    context = started()
    asked = os.environ.get("RANGE_MB")
    try:
        some = float(asked) * MB if asked else range_bytes(run.size, slots(context, run.processors))
        work.do(run, SparkFleet(context), int(some))
    finally:
        context.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
