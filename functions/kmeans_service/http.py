"""HTTP for the handlers: their routes, their answers, and a problem document for each refusal."""

import json
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit

from kmeans_service import aws, config, errors, rate
from kmeans_service.errors import ServiceError, quoted
from kmeans_service.finish import finished
from kmeans_service.http_request import BINARY as BINARY
from kmeans_service.http_request import CSV as CSV
from kmeans_service.http_request import JSON as JSON
from kmeans_service.http_request import Request as Request
from kmeans_service.jobs.job import Job
from kmeans_service.location import own_path, rooted
from kmeans_service.problems import problem_document
from kmeans_service.telemetry import logger as logger

PROBLEM = "application/problem+json"
READ = ["GET", "HEAD"]
# A float64 in its shortest form has up to 24 characters, and a separator of one or two.
NUMBER_BYTES = 26
SAVED_NAME_LENGTH = 120
# A call that counts nothing is no mistake.
warnings.filterwarnings("ignore", "No application metrics to publish")

type Answer = Response[Any]
type Headers = dict[str, str]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@cache
def metrics() -> Metrics:
    return Metrics()


def count(what: str, amount: int = 1) -> None:
    metrics().add_metric(what, MetricUnit.Count, amount)


def count_damage(error: ServiceError) -> None:
    """Count a stored object that is not what was written: an alarm watches for these."""
    if isinstance(error, errors.ModelDamaged):
        count("IntegrityFailures")


def report_damage(job: Job) -> None:
    """Log and count a job whose record cannot be read."""
    logger().error("the record of a job is damaged", owner=job.owner, job_id=job.job_id)
    count("IntegrityFailures")


def took(what: str, start: float) -> None:
    """Note the duration of work that began at `start` of the monotonic clock."""
    metrics().add_metric(what, MetricUnit.Milliseconds, _milliseconds_since(start))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Note the duration of work that succeeds."""
    start = time.monotonic()
    yield
    took(what, start)


def _milliseconds_since(start: float) -> float:
    return round((time.monotonic() - start) * 1000, 1)


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


def fits_numbers(count: int) -> bool:
    """Whether so many float64 can be carried in an answer."""
    return count * NUMBER_BYTES <= config.MAX_ANSWER_BYTES


def check_numbers(count: int) -> None:
    """Raise TooLarge for more numbers than an answer can carry, before they are computed."""
    if not fits_numbers(count):
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


def problem(error: ServiceError, request_id: str, root: str = "") -> Answer:
    """The answer to a refused request."""
    document = rooted(problem_document(error), root) | {"request_id": request_id}
    headers: dict[str, Any] = {}
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allow)
    if isinstance(error, errors.Unavailable):
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


def resolver(*public: str, counted: bool = True) -> APIGatewayRestResolver:
    """A Powertools resolver that answers every refusal with a problem document.

    It serves nothing to a call without an owner, whatever the gateway let through, but what is
    at the public paths. Owners' calls are counted where `counted` says so.
    """
    app = APIGatewayRestResolver()

    def for_owners(app: APIGatewayRestResolver, following: Any) -> Any:
        if app.current_event.path.rstrip("/") not in public:
            owner = request(app).owner  # raises Unauthenticated
            if counted and not rate.meter().spend(owner):
                logger().warning("the table is too busy to count requests: they are let in")
                count("RequestsUncounted")
        return following(app)

    def request_id() -> str:
        return str(app.current_event.request_context.request_id or "")

    def refused(error: ServiceError) -> Answer:
        logger().append_keys(refused=type(error).__name__)
        count_damage(error)
        return problem(error, request_id(), request(app).root)

    def failed(error: Exception) -> Answer:
        if aws.is_transient(error):
            logger().warning("AWS is busy or out of reach", exc_info=True)
            return problem(
                errors.Unavailable("The service is busy; send the same request again later"),
                request_id(),
            )
        logger().exception("unexpected error")
        return problem(
            errors.InternalError(
                "Something went wrong on our side; the request_id finds it in the log"
            ),
            request_id(),
        )

    def unrouted(_error: NotFoundError) -> Answer:
        return problem(_unrouted(app), request_id(), request(app).root)

    app.use(middlewares=[for_owners])
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
    return nothing_here(app)


def nothing_here(app: APIGatewayRestResolver) -> errors.RouteNotFound:
    asked = request(app).root + app.current_event.path
    return errors.RouteNotFound(f"There is nothing at {quoted(asked)}")


def request(app: APIGatewayRestResolver) -> Request:
    return Request(app.current_event.raw_event)


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    """The Lambda entry of these routes: one log line a call, metrics, and never an exception."""

    @metrics().log_metrics(capture_cold_start_metric=True)
    def serve(event: dict[str, Any], context: Any) -> dict[str, Any]:
        start = time.monotonic()
        routed = event | {"path": own_path(event)}
        answer = finished(app.resolve(routed, context), event.get("httpMethod", ""))
        logger().info(
            "served",
            method=event.get("httpMethod"),
            path=event.get("resource") or event.get("path"),
            status=answer["statusCode"],
            milliseconds=_milliseconds_since(start),
            request_id=(event.get("requestContext") or {}).get("requestId"),
        )
        return answer

    handler: Handler = logger().inject_lambda_context(clear_state=True)(serve)
    return handler
