"""What API Gateway answers by itself, in the form of the functions' own refusals."""

import json
from typing import Any

Response = dict[str, Any]

KINDS = {
    "malformed-request": (400, "Malformed request"),
    "unauthenticated": (401, "Not authenticated"),
    "forbidden": (403, "Not allowed"),
    "route-not-found": (404, "No such path"),
    "too-large": (413, "Too large"),
    "unsupported-media-type": (415, "Unsupported media type"),
    "too-many-requests": (429, "Too many requests"),
    "internal-error": (500, "Internal error"),
    "bad-gateway": (502, "Bad gateway"),
    "unavailable": (503, "Try again later"),
}
AGAIN = {"Retry-After": "2"}


def _refusal(
    kind: str, detail: str, headers: dict[str, str] | None = None, status: int | None = None
) -> Response:
    usual, title = KINDS[kind]
    status = status or usual
    problem = {
        "type": f"urn:kmeans-service:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": "$context.requestId",
    }
    fields = {"Content-Type": "application/problem+json", **(headers or {})}
    return {
        "statusCode": str(status),
        "responseParameters": {
            f"gatewayresponse.header.{name}": f"'{value}'" for name, value in fields.items()
        },
        "responseTemplates": {"application/json": json.dumps(problem)},
    }


def _with_authorizer(response: Response, otherwise: Response) -> Response:
    """The one where an authorizer looks at tokens, the other where signatures are asked for."""
    return {"Fn::If": ["HasAuthorizer", response, otherwise]}


_NO_SUCH_PATH = _refusal(
    "route-not-found", "The service and its page are at kmeans/ below this API"
)
_TOO_MANY = _refusal("too-many-requests", "The limit of requests a second is reached", AGAIN)

GATEWAY_RESPONSES: dict[str, Response] = {
    # Nothing was sent. A browser can answer Basic: it takes a token as the password, for the pages.
    # Chromium looks at the first challenge of a header only, and at the second as its parameters.
    "UNAUTHORIZED": _refusal(
        "unauthenticated",
        "Send a token: Authorization: Bearer km_...",
        {"WWW-Authenticate": 'Basic realm="kmeans", Bearer realm="kmeans"'},
    ),
    "ACCESS_DENIED": _with_authorizer(
        _refusal(
            "unauthenticated",
            "This token is not known, or does not open this path in this way. A browser asks again"
            " when the page is reloaded",
            {"WWW-Authenticate": "Bearer"},
        ),
        _refusal("forbidden", "The policies of the signer do not allow this"),
    ),
    # There is no such path; or, where signatures are asked for, there was none.
    "MISSING_AUTHENTICATION_TOKEN": _with_authorizer(
        _NO_SUCH_PATH,
        _refusal(
            "unauthenticated",
            "Sign the request with AWS Signature Version 4",
            {"WWW-Authenticate": "AWS4-HMAC-SHA256"},
        ),
    ),
    "DEFAULT_4XX": _refusal("forbidden", "The gateway did not let the request pass"),
    "BAD_REQUEST_BODY": _refusal("malformed-request", "The body cannot be read"),
    "BAD_REQUEST_PARAMETERS": _refusal("malformed-request", "A parameter cannot be read"),
    "RESOURCE_NOT_FOUND": _NO_SUCH_PATH,
    # API Gateway itself takes 10 MB, but Lambda an event of 6 MB, which is 4.7 MB as base64: what
    # lies between is refused by Lambda, and answered with this. Above 10 MB AWS has its own 413,
    # as text.
    "REQUEST_TOO_LARGE": _refusal(
        "too-large",
        "A body may have 4.5 MB: send a larger file through POST kmeans/uploads, points to predict"
        " through POST kmeans/predictions. The same request again is refused again",
    ),
    "UNSUPPORTED_MEDIA_TYPE": _refusal(
        "unsupported-media-type", "The gateway does not take this media type"
    ),
    "THROTTLED": _TOO_MANY,
    "QUOTA_EXCEEDED": _TOO_MANY,
    "DEFAULT_5XX": _refusal("internal-error", "Something went wrong on our side"),
    "AUTHORIZER_FAILURE": _refusal("unavailable", "The credentials could not be checked", AGAIN),
    # No Retry-After, and no 503: some causes go by themselves, others (a body too large, a function
    # that ends every time) do not, and clients that wait and repeat would repeat for ever.
    "INTEGRATION_FAILURE": _refusal(
        "bad-gateway",
        "The function was not reached or gave no answer. A body over 4.5 MB never reaches it: send"
        " such a file through POST kmeans/uploads. With a smaller one, try again later",
    ),
    "INTEGRATION_TIMEOUT": _refusal(
        "unavailable", "The function did not answer in time", AGAIN, status=504
    ),
}
