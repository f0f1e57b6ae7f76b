"""Files that are no text of rows, made into CSV by a function of their own while we wait."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from dataclasses import dataclass
from typing import Any

from kmeans_service import aws, config, keys
from kmeans_service.problems import STATUS
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep
from kmeans_service.tables.dialect import Reading

_REFUSALS = {kind.__name__: kind for kind in STATUS}


class ConversionCrashed(Exception):
    """The function ended without an answer: out of memory, out of time, or by a defect."""


@dataclass(frozen=True)
class Converted:
    """A file and its rows as CSV; `reading` is how these are to be read."""

    original: StoredObject
    rows: StoredObject
    reading: Reading


def convert(
    key: str, version_id: str | None, owner: str, reading: Reading, keep: Keep
) -> Converted:
    """Raises the ServiceError that says why it cannot be, or ConversionCrashed.

    keep   called again and again while we wait
    """
    request = {
        "key": key,
        "version_id": version_id,
        "target": keys.converted(owner, key, version_id),
        "reading": reading.said(),
    }
    with ThreadPoolExecutor(1) as pool:
        answer = _waited_for(pool.submit(_call, request), keep)
    if "refused" in answer:
        raise _REFUSALS[answer["refused"]](answer["detail"], **answer["members"])
    return Converted(
        StoredObject(**answer["original"]),
        StoredObject(**answer["rows"]),
        Reading(**answer["reading"]),
    )


def forget(key: str, version_id: str | None, owner: str) -> None:
    """Remove the rows of a file that is no job's, also those of an attempt that crashed."""
    data_bucket().delete(keys.converted(owner, key, version_id))


def _waited_for(answer: Future[dict[str, Any]], keep: Keep) -> dict[str, Any]:
    while True:
        try:
            return answer.result(timeout=config.REPORT_SECONDS)
        except StillWaiting:
            keep()


def _call(request: dict[str, Any]) -> dict[str, Any]:
    answer = aws.functions().invoke(
        FunctionName=config.settings().convert_function, Payload=json.dumps(request)
    )
    body: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise ConversionCrashed(f"the conversion crashed: {body.get('errorMessage', '')}")
    return body
