"""What every answer has, whichever handler gave it."""

import base64
from typing import Any

from kmeans_service.config import NOT_CACHED


def finished(answer: dict[str, Any], method: str) -> dict[str, Any]:
    """The proxy answer with the headers that all have, and without the body that HEAD never has."""
    headers = answer["multiValueHeaders"]
    # No browser is to see a page in what is none.
    headers["X-Content-Type-Options"] = ["nosniff"]
    # A 304 says the same as the 200 would: RFC 9110, section 15.4.5.
    headers.setdefault("Cache-Control", [NOT_CACHED])
    if method != "HEAD":
        return answer
    if answer.get("body"):
        headers["Content-Length"] = [str(_length(answer))]
    return answer | {"body": "", "isBase64Encoded": False}


def _length(answer: dict[str, Any]) -> int:
    """Bytes of the body as GET would send it."""
    body: str = answer["body"]
    return len(base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode())
