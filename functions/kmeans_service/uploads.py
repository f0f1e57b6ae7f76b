"""A CSV becomes a job: checked, stored, and only then known to the table."""

from typing import Any

from kmeans_service import config
from kmeans_service.csv_grammar import CsvShape
from kmeans_service.errors import InvalidParameter
from kmeans_service.jobs import creation, reads
from kmeans_service.jobs.job import Input
from kmeans_service.params import shown
from kmeans_service.storage import data_bucket, new_input_key, sha256_of


def checked_filename(value: Any) -> str:
    """A file name is data, never part of a key: any text of sensible length."""
    if not _is_filename(value):
        raise InvalidParameter(
            f"filename is {shown(value)}; "
            f"allowed is a text of 1 to {config.MAX_FILENAME_LENGTH} characters",
            field="filename",
        )
    name: str = value
    return name


def _is_filename(value: Any) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= config.MAX_FILENAME_LENGTH:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON lets through
        return False
    return True


def store(owner: str, filename: str, body: bytes, shape: CsvShape) -> int:
    """The job of this upload, new or already there; `shape` is what checking the body found."""
    given = Input(
        key=new_input_key(owner),
        version_id=None,
        sha256=sha256_of(body),
        size=len(body),
        n_samples=shape.n_samples,
        n_features=shape.n_features,
        feature_names=shape.feature_names,
    )
    bucket = data_bucket()
    found = creation.find_upload(owner, filename, given.sha256)
    if found is not None:
        return found
    bucket.put(given.key, body, "text/csv")
    job_id = creation.create(owner, filename, given)
    winner = reads.get(owner, job_id).input
    if winner is None or winner.key != given.key:
        bucket.delete(given.key)
    return job_id


def reserve(owner: str, filename: str, params: dict[str, Any] | None) -> dict[str, Any]:
    """A PENDING job and the presigned POST that its file goes to."""
    job_id = creation.create(owner, filename, None, params)
    key = f"pending/{owner}/{job_id}/input.csv"
    return {
        "job_id": job_id,
        **data_bucket().presigned_post(key),
        "expires_in": config.PRESIGNED_SECONDS,
        "max_bytes": config.MAX_UPLOAD_BYTES,
    }
