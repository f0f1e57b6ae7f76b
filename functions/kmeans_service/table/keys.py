"""Keys of the table's items."""

from typing import Any


def owner_key(owner: str) -> str:
    return f"O#{owner}"


def job_sort_key(job_id: int) -> str:
    return f"J#{job_id:010d}"


def job_key(owner: str, job_id: int) -> dict[str, Any]:
    return {"pk": {"S": owner_key(owner)}, "sk": {"S": job_sort_key(job_id)}}
