"""The driver: one argument, the s3:// address of a run.json; exits 0 once there is a result."""

import os
import sys

from distributed import job, work
from distributed.spark import SparkFleet, started

RANGE_MB = 256


def main(arguments: list[str]) -> None:
    run = job.load(arguments[0])
    job.set_environment(run)
    range_bytes = int(float(os.environ.get("RANGE_MB", RANGE_MB)) * 1024**2)
    context = started()
    try:
        work.do(run, SparkFleet(context), range_bytes)
    finally:
        context.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
