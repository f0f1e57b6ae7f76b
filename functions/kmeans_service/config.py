"""The environment and the limits, in one place. Read on first use, never at import."""

import math
import os
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache


@dataclass(frozen=True)
class Limits:
    """What is taken at most. The template has a parameter for each, with the same default.

    file_bytes           a CSV, however it comes
    rows, columns        of a CSV
    line_length          bytes
    cell_length          characters, without the spaces around them
    clusters, n_init     of a fit
    iterations           a fit's max_iter
    work                 of a fit: n_samples * n_features * n_clusters * n_init * max_iter
    run_cents            that the runs of one fit beyond the worker may cost together
    dataset_bytes, dataset_files, dataset_rows   of many files that are one table
    jobs, stored_bytes   of an owner: jobs that are there, and the sum of their files' sizes
    requests_per_minute  of an owner
    """

    file_bytes: int = 5 * 1024**3
    rows: int = 100_000_000
    columns: int = 20_000
    line_length: int = 1024**2
    cell_length: int = 1024
    clusters: int = 1000
    n_init: int = 100
    iterations: int = 10_000
    work: int = 30_000_000_000_000
    run_cents: int = 500
    dataset_bytes: int = 1024**4
    dataset_files: int = 10_000
    dataset_rows: int = 10_000_000_000
    jobs: int = 10_000
    stored_bytes: int = 50 * 1024**3
    requests_per_minute: int = 1500


@cache
def limits() -> Limits:
    """The limits of this process, MAX_ROWS and so on in the environment.

    None can be switched off: an absent one is the default; ValueError for one below 1.
    """
    given = {field.name: os.environ.get(f"MAX_{field.name.upper()}") for field in fields(Limits)}
    # CloudFormation may write a large number as 5.36870912E9.
    chosen = {name: int(float(text)) for name, text in given.items() if text}
    for name, number in chosen.items():
        if number < 1:
            raise ValueError(f"MAX_{name.upper()} is {number}; it should be 1 or more")
    return Limits(**chosen)


# --- what is not for a deployment to choose -------------------------------------------

# Lambda carries 6 MB each way; a binary body travels as base64, four bytes for three.
MAX_INLINE_BYTES = 4_500_000
# A text answer counts as the JSON string it is carried in.
MAX_ANSWER_BYTES = 5_500_000
PRESIGNED_SECONDS = 900
# What S3 takes in one presigned POST.
ONE_PIECE_BYTES = 5 * 1024**3
# Of an upload in parts: S3 takes no smaller one, but for the last; 5 GiB are 320.
PART_BYTES = 16 * 1024**2
# As long as the template's lifecycle rule keeps what has come of an upload.
PARTS_SECONDS = 86_400
# Jobs, labels and what is said of them are their owner's alone: nothing between keeps a copy.
NOT_CACHED = "private, no-store"
# A large prediction of which nothing came for so long has failed: the queue has given up by then.
PREDICTION_SECONDS = 86_400

MAX_FILENAME_LENGTH = 1024
# As many digits as a job's sort key has.
MAX_JOB_ID = 10**10 - 1
# As long as a line may be: of a gene table it names 20,000 columns.
MAX_HEADER_BYTES = 1024**2
MAX_MAGNITUDE = 1e100
MAX_INIT_NUMBERS = 10_000
MAX_PARAMS_BYTES = 2_048  # what S3 allows for all user metadata of an object

# Leaves time to store and to answer.
SYNCHRONOUS_SECONDS = 20.0
# Multiplications: a synchronous request whose single iteration needs more is not even started.
MAX_SYNCHRONOUS_WORK = 2e8
# Multiplications of a choice of n_clusters, all counted: ten seconds at the slowest.
MAX_SYNCHRONOUS_CHOICE = 5e9
MAX_SYNCHRONOUS_BYTES = 50_000_000
# A fit of less is not worth a process of its own, which is there to be cut off: multiplications and
# iterations that it may come to at worst, and bytes of its file.
BRIEF_WORK = 2e8
BRIEF_ITERATIONS = 3_000
BRIEF_BYTES = 1_000_000
RETRY_AFTER_SECONDS = 2
MAX_ATTEMPTS = 3
# An attempt renews its lease while it works; one that crashed is noticed when the lease runs out.
LEASE_SECONDS = 60
REPORT_SECONDS = 10
# That the worker has for one piece of work at most; the template's WorkerTimeout may be less.
WORKER_SECONDS = 900
# The worker's /tmp; the template says so too.
SCRATCH_BYTES = 10_240 * 1024**2
# A worker holds its slot a little longer than the job: when that is free, so is the job.
SLOT_SECONDS = 65
# Longer than this, and it must leave a worker to others.
LONG_SECONDS = 60
# What finds its job busy with another fit, or failed outside of a fit, comes again after so long.
PUT_OFF_SECONDS = 60
# What could not be made of a model is told so long; who asks after that has it tried again.
TOLD_SECONDS = 600
# What is likely to take no longer is made in the request that asks for it.
MADE_AT_ONCE_SECONDS = 4.0
# A job that stands in line is safe: only if it were lost from there would it have to be found.
IN_LINE_SECONDS = 3_600
# An active job that nobody touched for so long past its time is queued again by the sweeper.
SWEEP_AFTER_SECONDS = 120


# A run elsewhere is looked at so often, and is anybody's whom nobody has looked at for so long.
LOOK_SECONDS = 60
RUN_LEASE_SECONDS = 3_600
# A run may wait so long for its processors; the template says so too.
RUN_WAITS_SECONDS = 6 * 3_600


def gateway_seconds() -> float:
    """So long after it received a request the gateway gives up, a cold start included.

    `sam local` does not, and makes the function's image at its first call.
    """
    return math.inf if "AWS_SAM_LOCAL" in os.environ else 29.0


class Access(StrEnum):
    """How a call shows whose it is; open only where the deployment says so."""

    TOKEN = "TOKEN"  # noqa: S105 (the word, not one)
    IAM = "IAM"
    OPEN = "OPEN"


@dataclass(frozen=True)
class Settings:
    """What the template tells the functions through their environment."""

    data_bucket: str
    jobs_table: str
    fit_queue_url: str
    convert_function: str
    access: Access
    default_owner: str
    job_expiry_days: int
    memory_bytes: int
    worker_memory_bytes: int
    workers: int


@dataclass(frozen=True)
class Distributed:
    """What runs fits beyond one function: an application of EMR Serverless.

    role        that a run has, which the worker confines further
    processors  that all runs have together, at most
    """

    application: str
    role: str
    processors: int


@cache
def distributed() -> Distributed | None:
    """None where the deployment has no such application."""
    application = os.environ.get("SPARK_APPLICATION", "")
    if not application:
        return None
    role, processors = os.environ["SPARK_ROLE"], os.environ["SPARK_PROCESSORS"]
    return Distributed(application, role, int(float(processors)))


# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
PROCESSOR_MB = 1769


@cache
def settings() -> Settings:
    """The settings of this process; KeyError if the deployment lacks one."""
    environ = os.environ
    return Settings(
        data_bucket=environ["DATA_BUCKET"],
        jobs_table=environ["JOBS_TABLE"],
        fit_queue_url=environ.get("FIT_QUEUE_URL", ""),
        convert_function=environ.get("CONVERT_FUNCTION", ""),
        access=Access(environ.get("ACCESS") or Access.TOKEN),
        default_owner=environ.get("DEFAULT_OWNER", ""),
        job_expiry_days=int(environ.get("JOB_EXPIRY_DAYS", "30")),
        memory_bytes=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")) * 1024**2,
        worker_memory_bytes=int(environ.get("WORKER_MEMORY", "3008")) * 1024**2,
        workers=int(environ.get("WORKER_CONCURRENCY") or 2),
    )


def processors() -> int:
    """Of this function: as many as its memory pays for."""
    megabytes = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", PROCESSOR_MB))
    return max(1, round(megabytes / PROCESSOR_MB))
