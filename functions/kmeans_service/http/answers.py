"""Answers of the service: JSON, CSV, bytes, and a problem document for each refusal."""

import json
import re
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response

from kmeans_service import config, errors
from kmeans_service.errors import ServiceError
from kmeans_service.http.location import rooted
from kmeans_service.media_types import CSV, JSON
from kmeans_service.problems import problem_document

PROBLEM = "application/problem+json"
# A float64 in its shortest form has up to 24 characters, and a separator of one or two.
NUMBER_BYTES = 26
SAVED_NAME_LENGTH = 120
# The page itself names the one style that it has, by its digest.
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
type Answer = Response[Any]
type Headers = dict[str, str]


def fits_answer(text: bytes | bytearray) -> bool:
    """Whether a text can be carried in an answer: in a JSON string, a line feed is two bytes."""
    most = config.MAX_ANSWER_BYTES
    return 2 * len(text) <= most or len(text) + text.count(b"\n") <= most


def check_answer_size(text: bytes | bytearray) -> None:
    """Raise TooLarge for a text that no answer can carry."""
    if not fits_answer(text):
        raise errors.TooLarge(
            f"the answer would have {len(text)} bytes; at most {config.MAX_ANSWER_BYTES} are "
            "carried. Send fewer points, or send them through POST /kmeans/predictions.",
            max_bytes=config.MAX_ANSWER_BYTES,
        )


def check_numbers(count: int) -> None:
    """Raise TooLarge for more numbers than an answer can carry, before they are computed."""
    if count * NUMBER_BYTES > config.MAX_ANSWER_BYTES:
        raise errors.TooLarge(
            f"the answer would hold {count} numbers; at most "
            f"{config.MAX_ANSWER_BYTES // NUMBER_BYTES} fit. Send fewer points."
        )


def json_answer(value: Any, status: int = 200, headers: Headers | None = None) -> Answer:
    """A text is taken as the JSON it already is."""
    body = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Response(status_code=status, content_type=JSON, body=body, headers={**(headers or {})})


def csv_answer(body: str, filename: str, headers: Headers | None = None) -> Answer:
    disposition = {"Content-Disposition": content_disposition(filename)}
    return Response(
        status_code=200,
        content_type=f"{CSV}; charset=utf-8",
        body=body,
        headers={**disposition, **(headers or {})},
    )


def binary_answer(content_type: str, filename: str, body: bytes, headers: Headers) -> Answer:
    """Bytes as they are; the gateway decodes them."""
    disposition = {"Content-Disposition": content_disposition(filename)}
    content: Any = body  # Powertools takes bytes, and encodes them, but does not say so
    return Response(
        status_code=200,
        content_type=content_type,
        body=content,
        headers={**disposition, **headers},
    )


def page_answer(body: str, media_type: str, headers: Headers) -> Answer:
    """A page to be looked at, which may do nothing at all: users' texts stand in it."""
    return Response(
        status_code=200,
        content_type=media_type,
        body=body,
        headers={
            "Content-Security-Policy": PAGE_POLICY,
            "Referrer-Policy": "no-referrer",
            **headers,
        },
    )


def unchanged(etag: str) -> Answer:
    return Response(status_code=304, headers={"ETag": etag}, body="")


def see_other(location: str, headers: Headers | None = None) -> Answer:
    return Response(status_code=303, headers={**(headers or {}), "Location": location}, body="")


def content_disposition(filename: str) -> str:
    """An attachment under this name, whatever it holds: RFC 6266, with ASCII for old clients.

    Only the last part of a path counts. The middle of a long name is left out: a header is short.
    """
    name = re.split(r"[/\\]", filename)[-1]
    if len(name) > SAVED_NAME_LENGTH:
        half = SAVED_NAME_LENGTH // 2
        name = f"{name[:half]}…{name[-half:]}"
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'


def problem(
    error: ServiceError, request_id: str, root: str = "", *, is_inference: bool = False
) -> Answer:
    """The answer to a refused request.

    is_inference  of the V2 protocol, whose clients read the member `error` alone, a text
    """
    document = rooted(problem_document(error), root) | {"request_id": request_id}
    if is_inference:
        document["error"] = document["detail"]
    headers: dict[str, Any] = {}
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allow)
    if isinstance(error, errors.Unavailable | errors.BeingMade):
        headers["Retry-After"] = str(config.RETRY_AFTER_SECONDS)
    if isinstance(error, errors.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        status_code=document["status"],
        content_type=PROBLEM,
        body=_json_of_any_text(document),
        headers=headers,
    )


def _json_of_any_text(document: dict[str, Any]) -> str:
    """Lone surrogates, which a client's JSON can bring in, leave as the escapes they came as."""
    return json.dumps(document, ensure_ascii=False).encode(errors="backslashreplace").decode()
