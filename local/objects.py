"""The emulator's S3 refuses what it cannot save, and answers a range of a version.

MiniStack logs that an object could not be written, answers 200, and keeps it in its memory; after
the next start it is gone. `handle_request`, which every service of it has, is wrapped: what cannot
fit is not tried, and where MiniStack's log has an OSError during a request, its answer is 507.

It answers a GET of a version with all of its bytes, whatever range is asked for.
"""

import logging
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core.responses import error_response_xml  # type: ignore[import-untyped]
from ministack.services import s3  # type: ignore[import-untyped]

from local import disk

# Bytes that objects leave free: the table, and what deletes them, still need to write.
RESERVE = 4_000_000

# Errors of the request that is being served.
_errors: ContextVar[list[OSError] | None] = ContextVar("_errors", default=None)


class _Errors(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        errors = _errors.get()
        if errors is not None and isinstance(record.args, tuple):
            errors += [part for part in record.args if isinstance(part, OSError)]


def refuse_what_cannot_be_saved(folder: Path) -> None:
    """MiniStack's S3, whose objects are in this folder, from here on."""
    handle_request = s3.handle_request
    s3.logger.addHandler(_Errors(logging.WARNING))

    async def saved(
        method: str, path: str, headers: dict[str, str], body: bytes, *more: Any, **named: Any
    ) -> Any:
        free = disk.free_bytes(folder)
        if _brings_an_object(method, headers) and len(body) + RESERVE > free:
            return _refusal("the disk is full")
        errors: list[OSError] = []
        token = _errors.set(errors)
        try:
            answer = await handle_request(method, path, headers, body, *more, **named)
        finally:
            _errors.reset(token)
        return _refusal(str(errors[0])) if errors else answer

    s3.handle_request = saved


def answer_ranges_of_versions() -> None:
    """As AWS does, from here on."""
    get_object = s3._get_object

    def ranged(
        bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None
    ) -> Any:
        status, found, body = get_object(bucket, key, headers, query)
        asked = headers.get("range", "")
        if status != 200 or not asked:  # a range of the last version is a 206 already
            return status, found, body
        place = s3._parse_range(asked, len(body))
        if place is None:
            return error_response_xml("InvalidRange", "The range is not satisfiable", 416)
        begin, last = place
        part = body[begin : last + 1]
        about = {
            "Content-Length": str(len(part)),
            "Content-Range": f"bytes {begin}-{last}/{len(body)}",
        }
        # A checksum is of the whole object, and a client would hold the part against it.
        kept = {name: each for name, each in found.items() if not _is_checksum(name)}
        return 206, kept | about, part

    s3._get_object = ranged


def _is_checksum(header: str) -> bool:
    return header.lower().startswith("x-amz-checksum-")


def _brings_an_object(method: str, headers: dict[str, str]) -> bool:
    """Or a part of one; what deletes objects is a POST of XML."""
    form = headers.get("content-type", "").startswith("multipart/form-data")
    return method == "PUT" or (method == "POST" and form)


def _refusal(reason: str) -> Any:
    return error_response_xml("InsufficientStorage", f"Not saved: {reason}", 507)
