"""The driver: one argument, the s3:// address of a run.json; exits 0 once there is a result."""

import os
import sys
from dataclasses import asdict

from distributed import fit, job
from distributed.job import Run
from distributed.spark import SparkFleet, started

RANGE_MB = 64


def main(arguments: list[str]) -> None:
    run = job.load(arguments[0])
    _set_environment(run)
    range_bytes = int(float(os.environ.get("RANGE_MB", RANGE_MB)) * 1024**2)
    context = started()
    try:
        fit.run(run, SparkFleet(context), range_bytes)
    finally:
        context.stop()


def _set_environment(run: Run) -> None:
    """What the service's modules read of it; there is no table, and nothing asks for one."""
    os.environ |= {"DATA_BUCKET": run.bucket, "JOBS_TABLE": ""}
    limits = asdict(run.limits)
    os.environ |= {f"MAX_{name.upper()}": str(most) for name, most in limits.items()}


if __name__ == "__main__":
    main(sys.argv[1:])
