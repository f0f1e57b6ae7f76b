"""Routes: each refusal is answered with a problem document, each call is logged and counted."""

import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from kmeans_service import aws, errors
from kmeans_service.errors import ServiceError, quoted
from kmeans_service.http.answers import Answer, problem
from kmeans_service.http.finish import finished
from kmeans_service.http.location import own_path
from kmeans_service.http.request import Request
from kmeans_service.owners import rate
from kmeans_service.telemetry import count, count_damage, logger, metrics, milliseconds_since

READ = ["GET", "HEAD"]
INFERENCE = "/kmeans/v2"


Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def resolver(*public: str, counted: bool = True) -> APIGatewayRestResolver:
    """A Powertools resolver that answers every refusal with a problem document.

    It serves nothing to a call without an owner, whatever the gateway let through, but what is
    at the public paths, or below one that ends with a slash. Owners' calls are counted where
    `counted` says so.
    """
    app = APIGatewayRestResolver()

    def for_owners(app: APIGatewayRestResolver, following: Any) -> Any:
        if not _is_public(app.current_event.path, public):
            owner = request(app).owner  # raises Unauthenticated
            if counted and not rate.meter().spend(owner):
                logger().warning("the table is too busy to count requests: they are let in")
                count("RequestsUncounted")
        return following(app)

    def answered(error: ServiceError) -> Answer:
        call = app.current_event
        request_id = str(call.request_context.request_id or "")
        is_inference = f"{call.path}/".startswith(f"{INFERENCE}/")
        return problem(error, request_id, request(app).root, is_inference=is_inference)

    def refused(error: ServiceError) -> Answer:
        logger().append_keys(refused=type(error).__name__)
        count_damage(error)
        return answered(error)

    def failed(error: Exception) -> Answer:
        if aws.is_transient(error):
            logger().warning("AWS is busy or out of reach", exc_info=True)
            busy = "The service is busy; send the same request again later"
            return answered(errors.Unavailable(busy))
        logger().exception("unexpected error")
        ours = "Something went wrong on our side; the request_id finds it in the log"
        return answered(errors.InternalError(ours))

    def unrouted(_error: NotFoundError) -> Answer:
        return answered(_unrouted(app))

    app.use(middlewares=[for_owners])
    app.exception_handler(ServiceError)(refused)
    app.exception_handler(Exception)(failed)
    app.not_found(unrouted)
    return app


def _is_public(path: str, public: tuple[str, ...]) -> bool:
    below = tuple(known for known in public if known.endswith("/"))
    return path.rstrip("/") in public or path.startswith(below)


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
            milliseconds=milliseconds_since(start),
            request_id=(event.get("requestContext") or {}).get("requestId"),
        )
        return answer

    handler: Handler = logger().inject_lambda_context(clear_state=True)(serve)
    return handler
