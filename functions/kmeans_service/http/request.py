"""What a handler may ask of the call it serves: its headers, body, owner, and wishes."""

import re
import time
from typing import Any
from urllib.parse import urlencode

from kmeans_service import config, errors, json_values
from kmeans_service.errors import quoted
from kmeans_service.http import access
from kmeans_service.http.location import root_of
from kmeans_service.http.multipart_form import Part, parse_form
from kmeans_service.http.negotiation import best_offer
from kmeans_service.media_types import JSON

try:  # ten times as fast, where the function has the NumPy layer
    import pybase64 as base64
except ImportError:
    import base64  # type: ignore[no-redef]

LONGEST_QUEUE_SECONDS = 300.0
# The usual header of a proxy in which requests queue: epoch seconds.
_REQUEST_START = re.compile(r"t=([0-9]{1,10}(?:\.[0-9]{1,6})?)")


class Request:
    """A proxy event of a REST API; the names of its headers may be in any case."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event
        single = event.get("headers") or {}
        # A header that is sent twice is one list (RFC 9110, section 5.3).
        several = event.get("multiValueHeaders") or {}
        joined = single | {name: ", ".join(values) for name, values in several.items() if values}
        self._headers = {name.lower(): value for name, value in joined.items()}

    def header(self, name: str) -> str:
        return self._headers.get(name.lower()) or ""

    def query(self, *known: str) -> dict[str, str]:
        """The query parameters; raises InvalidParameter for an unknown or repeated one."""
        single = self._event.get("queryStringParameters") or {}
        several = self._event.get("multiValueQueryStringParameters") or {}
        given = {name: [value] for name, value in single.items()} | several
        for name, values in given.items():
            if name not in known:
                raise errors.InvalidParameter(
                    f"the query parameter {quoted(name)} is not known; "
                    f"allowed are {', '.join(known)}",
                    field=name[:100],
                )
            if len(values) > 1:
                raise errors.InvalidParameter(
                    f"the query parameter '{name}' stands {len(values)} times; allowed is once",
                    field=name,
                )
        return {name: values[0] for name, values in given.items()}

    @property
    def query_text(self) -> str:
        """The query as a URL has it, "?" included; "" without one."""
        given = self._event.get("multiValueQueryStringParameters") or {}
        given = given or self._event.get("queryStringParameters") or {}
        text = urlencode(given, doseq=True)
        return f"?{text}" if text else ""

    @property
    def method(self) -> str:
        return str(self._event.get("httpMethod") or "")

    @property
    def root(self) -> str:
        """What stands before /kmeans in the URLs that the client sees: "/v1", or ""."""
        return root_of(self._event, self.header("X-Forwarded-Prefix"))

    @property
    def owner(self) -> str:
        """Whose jobs the call sees; raises Unauthenticated."""
        return access.owner_of(self._event.get("requestContext") or {})

    @property
    def arrived(self) -> float:
        """When the client's request reached us, in epoch seconds: the earliest time known of it."""
        queued = _REQUEST_START.fullmatch(self.header("X-Request-Start"))
        return min(self.received, _lately(float(queued[1]) if queued else 0.0))

    @property
    def received(self) -> float:
        """When the gateway received it, in epoch seconds: from then on it waits for the answer."""
        context = self._event.get("requestContext") or {}
        return _lately(float(context.get("requestTimeEpoch") or 0) / 1000)

    def left(self, context: Any) -> float:
        """Seconds until the function ends or the gateway gives up; a late start has few, or none.

        context   Lambda's
        """
        of_function = float(context.get_remaining_time_in_millis()) / 1000
        return min(of_function, self.received + config.gateway_seconds() - time.time())

    @property
    def media_type(self) -> str:
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def body(self) -> bytes:
        """The body's bytes; raises TooLarge, UnsupportedMediaType or MalformedRequest."""
        coding = self.header("Content-Encoding").strip().lower()
        if coding not in ("", "identity"):
            raise errors.UnsupportedMediaType(
                f"Content-Encoding is {quoted(coding)}; allowed is none: send the body uncompressed"
            )
        body = self._decoded()
        if len(body) > config.MAX_INLINE_BYTES:
            raise errors.TooLarge(
                f"the body has {len(body)} bytes; at most {config.MAX_INLINE_BYTES} are taken "
                "inline. Send a larger file through POST /kmeans/uploads "
                "(points to predict through POST /kmeans/predictions).",
                max_bytes=config.MAX_INLINE_BYTES,
            )
        return body

    def _decoded(self) -> bytes:
        text = self._event.get("body") or ""
        try:
            if self._event.get("isBase64Encoded"):
                return base64.b64decode(text, validate=True)
            return str(text).encode()
        except ValueError:  # also what base64 and UTF-8 raise
            raise errors.MalformedRequest("the body arrived damaged: send it again") from None

    def expect(self, *media_types: str) -> str:
        """The body's media type, one of these; raises UnsupportedMediaType."""
        if self.media_type not in media_types:
            found = quoted(self.media_type) if self.media_type else "missing"
            raise errors.UnsupportedMediaType(
                f"Content-Type is {found}; allowed is {' or '.join(media_types)}"
            )
        return self.media_type

    def json(self) -> Any:
        self.expect(JSON)
        return json_values.loads(self.body())

    def form(self) -> dict[str, Part]:
        self.expect("multipart/form-data")
        return parse_form(self.header("Content-Type"), self.body())

    def has(self, etag: str) -> bool:
        """Whether the client has this very state (RFC 9110, section 13.1.2)."""
        known = [tag.strip().removeprefix("W/") for tag in self.header("If-None-Match").split(",")]
        return etag in known or "*" in known

    def expects(self, etag: str) -> bool:
        """Whether this is the state, or one of those, that the client means (section 13.1.1)."""
        meant = [tag.strip() for tag in self.header("If-Match").split(",")]
        return etag in meant or "*" in meant

    def accepted(self, *offers: str) -> str:
        """The offer that Accept likes best, the first without one; raises NotAcceptable."""
        accept = self.header("Accept")
        offer = best_offer(accept, offers)
        if offer is None:
            raise errors.NotAcceptable(
                f"Accept is {quoted(accept)}; this path answers {' or '.join(offers)}"
            )
        return offer


def _lately(moment: float) -> float:
    """The time, in epoch seconds; now if it is yet to come, by a clock that is ahead of ours.

    A time longer ago than any queue holds a request is none: a saved event is played again.
    """
    now = time.time()
    return moment if now - LONGEST_QUEUE_SECONDS < moment < now else now
