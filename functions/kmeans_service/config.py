"""The environment and the limits, in one place. Read on first use, never at import."""

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

# Lambda carries 6 MB each way; a binary body travels as base64, four bytes for three.
MAX_INLINE_BYTES = 4_500_000
# A text answer counts as the JSON string it is carried in.
MAX_ANSWER_BYTES = 5_500_000
# S3's limit for a presigned POST is 5 GiB.
MAX_UPLOAD_BYTES = 5 * 1024**3
PRESIGNED_SECONDS = 900

MAX_FILENAME_LENGTH = 1024
# As many digits as a job's sort key has.
MAX_JOB_ID = 10**10 - 1
MAX_CELL_LENGTH = 1024
MAX_LINE_LENGTH = 1024**2
MAX_COLUMNS = 10_000
MAX_HEADER_BYTES = 64 * 1024
MAX_MAGNITUDE = 1e100

MAX_CLUSTERS = 1000
MAX_N_INIT = 100
MAX_ITER = 10_000
MAX_INIT_NUMBERS = 10_000
MAX_PARAMS_BYTES = 2_048  # what S3 allows for all user metadata of an object
# n_samples * n_features * n_clusters * n_init: multiplications of one iteration over all restarts.
# 1e11 take one vCPU some 200 s, and a function has 900 s for all iterations.
MAX_WORK = 1e11

# The gateway gives up after 29 s; this leaves time to store and to answer.
SYNCHRONOUS_SECONDS = 20.0
# A synchronous request whose single iteration would need more than this is not even started.
MAX_SYNCHRONOUS_WORK = 2e8
MAX_SYNCHRONOUS_BYTES = 50_000_000
RETRY_AFTER_SECONDS = 2
MAX_ATTEMPTS = 3
# An attempt renews its lease while it works; one that crashed is noticed when the lease runs out.
LEASE_SECONDS = 60
REPORT_SECONDS = 10
# An active job that nobody touched for so long past its time is queued again by the sweeper.
SWEEP_AFTER_SECONDS = 120


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
    access: Access
    default_owner: str
    job_expiry_days: int


@cache
def settings() -> Settings:
    """The settings of this process; KeyError if the deployment lacks one."""
    environ = os.environ
    return Settings(
        data_bucket=environ["DATA_BUCKET"],
        jobs_table=environ["JOBS_TABLE"],
        fit_queue_url=environ.get("FIT_QUEUE_URL", ""),
        access=Access(environ.get("ACCESS") or Access.TOKEN),
        default_owner=environ.get("DEFAULT_OWNER", ""),
        job_expiry_days=int(environ.get("JOB_EXPIRY_DAYS", "30")),
    )
