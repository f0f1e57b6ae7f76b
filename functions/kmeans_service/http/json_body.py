"""The fields of a JSON body, and ids of jobs, or a clear refusal."""

import re
from typing import Any

from kmeans_service.config import MAX_JOB_ID
from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.json_values import is_integer, shown

_JOB_ID = re.compile("0|[1-9][0-9]{0,9}")
_JOB_IDS = f"an integer from 0 to {MAX_JOB_ID}"


def fields(value: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object, which has the required fields and none that nobody knows."""
    if not isinstance(value, dict):
        raise InvalidParameter(f"the body is {shown(value)}; allowed is an object")
    known = required + optional
    for name in value:
        if name not in known:
            raise InvalidParameter(
                f"the field {quoted(name)} is not known; allowed are {', '.join(known)}",
                field=name[:100],
            )
    for name in required:
        if name not in value:
            raise InvalidParameter(f"the field '{name}' is missing", field=name)
    return value


def job_id(value: Any) -> int:
    """A job id: an integer from 0; raises InvalidParameter."""
    if not is_integer(value) or not 0 <= value <= MAX_JOB_ID:
        raise InvalidParameter(f"job_id is {shown(value)}; allowed is {_JOB_IDS}", field="job_id")
    return int(value)


def job_id_text(text: str) -> int:
    """A job id written out, in a path or a form field; raises InvalidParameter."""
    if not _JOB_ID.fullmatch(text):
        raise InvalidParameter(f"job_id is {quoted(text)}; allowed is {_JOB_IDS}", field="job_id")
    return int(text)
