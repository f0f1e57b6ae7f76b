"""What others do between a read and the write that it led to: nothing is lost or doubled."""

from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse

from harness import contract, faults
from harness.api import Context, event


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def answered(client: Any, operation: str, body: bytes, status: int, times: int = 1) -> list[str]:
    """Let AWS answer this to the next calls of an operation; the calls that it answered."""
    struck: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if len(struck) == times:
            return None
        struck.append(request.url)
        headers: Any = {}
        return AWSResponse(request.url, status, headers, faults._Body(body))

    client.meta.events.register(f"before-send.*.{operation}", answer)
    return struck


def status_of(method: str, path: str, *more: Any) -> int:
    """Of an answer that may be our fault, which openapi.yaml does not have."""
    status: int = contract.handler_of(path)(event(method, path, *more), Context())["statusCode"]
    return status
