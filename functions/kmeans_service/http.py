"""HTTP for the handlers: bodies in, answers and problem documents out."""

import base64
import binascii
import json
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from kmeans_service import aws, config, errors, json_body
from kmeans_service.errors import ServiceError, quoted
from kmeans_service.multipart_form import Part, parse_form
from kmeans_service.problems import problem_document

JSON = "application/json"
CSV = "text/csv"
BINARY = "application/octet-stream"
PROBLEM = "application/problem+json"
# A float64 in its shortest form has up to 24 characters, and a separator of one or two.
NUMBER_BYTES = 26
# A call that counts nothing is no mistake.
warnings.filterwarnings("ignore", "No application metrics to publish")

type Answer = Response[Any]
type Headers = dict[str, str]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def logger() -> Logger:
    return Logger(log_uncaught_exceptions=False)


@cache
def metrics() -> Metrics:
    return Metrics()


class Request:
    """What a handler may ask of the call it serves."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event
        headers = event.get("headers") or {}
        self._headers = {name.lower(): value for name, value in headers.items()}

    def header(self, name: str) -> str:
        return self._headers.get(name.lower()) or ""

    def query(self) -> dict[str, str]:
        return self._event.get("queryStringParameters") or {}

    @property
    def owner(self) -> str:
        """Whose jobs the call sees: the authorizer's word, or the one owner of an open service."""
        context = self._event.get("requestContext") or {}
        owner = (context.get("authorizer") or {}).get("owner") or config.settings().default_owner
        if not owner:
            raise errors.Unauthenticated("The call names no owner; send credentials")
        return str(owner)

    @property
    def media_type(self) -> str:
        return self.header("Content-Type").partition(";")[0].strip().lower()

    def body(self) -> bytes:
        """The body's bytes; raises TooLarge, UnsupportedMediaType or MalformedRequest."""
        coding = self.header("Content-Encoding").strip().lower()
        if coding not in ("", "identity"):
            raise errors.UnsupportedMediaType(
                f"Content-Encoding is {quoted(coding)}; send the body uncompressed"
            )
        text = self._event.get("body") or ""
        try:
            body = (
                base64.b64decode(text, validate=True)
                if self._event.get("isBase64Encoded")
                else text.encode()
            )
        except (binascii.Error, UnicodeError):
            raise errors.MalformedRequest("The body could not be decoded") from None
        if len(body) > config.MAX_INLINE_BYTES:
            raise errors.TooLarge(
                f"The body has {len(body)} bytes; at most {config.MAX_INLINE_BYTES} are taken "
                "inline. Send a larger file through POST /kmeans/uploads "
                "(points to predict through POST /kmeans/predictions).",
                max_bytes=config.MAX_INLINE_BYTES,
            )
        return body

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
        return json_body.loads(self.body())

    def form(self) -> dict[str, Part]:
        self.expect("multipart/form-data")
        return parse_form(self.header("Content-Type"), self.body())

    def has(self, etag: str) -> bool:
        """Whether the client has this very state (RFC 9110, section 13.1.2)."""
        known = [tag.strip().removeprefix("W/") for tag in self.header("If-None-Match").split(",")]
        return etag in known or "*" in known

    def accepted(self, *offers: str) -> str:
        """The offer that Accept likes best, the first where it does not say; raises NotAcceptable.

        Source: RFC 9110, section 12.5.1.
        """
        accept = self.header("Accept")
        if not accept.strip():
            return offers[0]
        ranges = list(_accept_ranges(accept))
        weight, _, offer = max(
            (_weight(ranges, offer), -place, offer) for place, offer in enumerate(offers)
        )
        if weight <= 0:
            raise errors.NotAcceptable(
                f"Accept is {quoted(accept)}; this path answers {' or '.join(offers)}"
            )
        return offer


def _accept_ranges(accept: str) -> Iterable[tuple[str, float]]:
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _quality(value)
        yield media_range, weight


def _quality(value: str) -> float:
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def _weight(ranges: list[tuple[str, float]], offer: str) -> float:
    """The weight of the most specific range that covers the offer; 0 if none does."""
    weights = dict(ranges)
    for media_range in (offer, offer.partition("/")[0] + "/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0


def fits_answer(text: bytes) -> bool:
    """Whether a CSV can be carried in an answer: in a JSON string, a line feed is two bytes."""
    return len(text) + text.count(b"\n") <= config.MAX_ANSWER_BYTES


def check_answer_size(text: bytes) -> None:
    """Raise TooLarge for a CSV that no answer can carry."""
    if not fits_answer(text):
        raise errors.TooLarge(
            f"The answer would have {len(text)} bytes, more than {config.MAX_ANSWER_BYTES}; "
            "send fewer points, or use POST /kmeans/predictions"
        )


def fits_numbers(count: int) -> bool:
    """Whether so many float64 can be carried in an answer."""
    return count * NUMBER_BYTES <= config.MAX_ANSWER_BYTES


def check_numbers(count: int) -> None:
    """Raise TooLarge for more numbers than an answer can carry, before they are computed."""
    if not fits_numbers(count):
        raise errors.TooLarge(
            f"The answer would hold {count} numbers; at most "
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


def fits_answer_as_binary(size: int) -> bool:
    """Whether so many bytes can be carried as base64."""
    return size <= config.MAX_INLINE_BYTES - 500_000


def binary_answer(
    body: bytes, content_type: str, filename: str, headers: Headers | None = None
) -> Answer:
    """Bytes as they are; the gateway decodes them."""
    disposition = {"Content-Disposition": content_disposition(filename)}
    content: Any = body  # Powertools takes bytes, and encodes them, but does not say so
    return Response(
        status_code=200,
        content_type=content_type,
        body=content,
        headers={**disposition, **(headers or {})},
    )


def unchanged(etag: str) -> Answer:
    return Response(status_code=304, headers={"ETag": etag})


def see_other(location: str, headers: Headers | None = None) -> Answer:
    return Response(status_code=303, headers={**(headers or {}), "Location": location})


def content_disposition(filename: str) -> str:
    """An attachment under this name, whatever its characters (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"


def problem(error: ServiceError, request_id: str) -> Answer:
    """The answer to a refused request."""
    document = problem_document(error) | {"request_id": request_id}
    headers: dict[str, Any] = {}
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allow)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = str(config.RETRY_AFTER_SECONDS)
    return Response(
        status_code=document["status"],
        content_type=PROBLEM,
        body=_json_of_any_text(document),
        headers=headers,
    )


def _json_of_any_text(document: dict[str, Any]) -> str:
    """Lone surrogates, which a client's JSON can bring in, leave as the escapes they came as."""
    return json.dumps(document, ensure_ascii=False).encode(errors="backslashreplace").decode()


def resolver() -> APIGatewayRestResolver:
    """A Powertools resolver that answers every refusal with a problem document."""
    app = APIGatewayRestResolver()

    def request_id() -> str:
        return str(app.current_event.request_context.request_id or "")

    def refused(error: ServiceError) -> Answer:
        logger().info("refused", reason=type(error).__name__)
        return problem(error, request_id())

    def failed(error: Exception) -> Answer:
        if aws.is_transient(error):
            logger().warning("AWS is busy or out of reach", exc_info=True)
            return problem(errors.Unavailable("A dependency is busy"), request_id())
        logger().exception("unexpected error")
        return problem(errors.InternalError("Something went wrong on our side"), request_id())

    def unrouted(_error: NotFoundError) -> Answer:
        return problem(_unrouted(app), request_id())

    app.exception_handler(ServiceError)(refused)
    app.exception_handler(Exception)(failed)
    app.not_found(unrouted)
    return app


def _unrouted(app: APIGatewayRestResolver) -> ServiceError:
    path = app.current_event.path
    routes = app._static_routes + app._dynamic_routes  # the resolver has no public list
    allow = {route.method for route in routes if route.rule.match(path)}
    if allow:
        return errors.MethodNotAllowed(
            f"{app.current_event.http_method} is not allowed here; "
            f"allowed is {', '.join(sorted(allow))}",
            allow,
        )
    return errors.RouteNotFound(f"There is nothing at {quoted(path)}")


def request(app: APIGatewayRestResolver) -> Request:
    return Request(app.current_event.raw_event)


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    """The Lambda entry of these routes: one log line a call, metrics, and never an exception."""

    @metrics().log_metrics(capture_cold_start_metric=True)
    def serve(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answer = app.resolve(event, context)
        logger().info(
            "served",
            method=event.get("httpMethod"),
            path=event.get("resource") or event.get("path"),
            status=answer["statusCode"],
            request_id=(event.get("requestContext") or {}).get("requestId"),
        )
        return answer

    handler: Handler = logger().inject_lambda_context(clear_state=True)(serve)
    return handler
