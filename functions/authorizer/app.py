"""Who may pass the gateway: the holder of a token, or everybody where the API is open.

A Lambda authorizer of type REQUEST. API Gateway keeps an answer for five minutes under the value
of the Authorization header, whatever the route was, so an answer speaks of the whole stage.
Source: "Output from an API Gateway Lambda authorizer" in the API Gateway developer guide.
"""

import base64
from typing import Any

from kmeans_service import config
from kmeans_service.owners import tokens
from kmeans_service.telemetry import logger

# What a browser shows by itself. It can send a token only as the password of HTTP Basic, and once
# it knows one it sends it with every request, also those another site makes it send: so Basic
# opens these pages and nothing else.
PAGES = tuple(
    f"{method}/kmeans/{page}"
    for method in ("GET", "HEAD")
    for page in ("ui", "ui/*", "openapi.json")
)
EVERYTHING = ("*",)
NOBODY = "nobody"


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The policy for this call. A call is refused with a policy too, for that is kept as well."""
    owner, routes = _credentials(event)
    # Nothing of the event: it holds the token.
    logger().info(
        "authorized" if owner else "refused",
        owner=owner,
        request_id=(event.get("requestContext") or {}).get("requestId"),
    )
    return _policy(event["methodArn"], owner, routes)


def _credentials(event: dict[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """The owner, None for nobody, and the routes these credentials open."""
    settings = config.settings()
    if settings.access is config.Access.OPEN:
        return settings.default_owner or None, EVERYTHING
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    scheme, _, value = str(headers.get("authorization") or "").partition(" ")
    match scheme.lower():
        case "bearer":
            return tokens.owner_of(value.strip()), EVERYTHING
        case "basic":
            return tokens.owner_of(_password(value.strip())), PAGES
        case _:
            return None, EVERYTHING


def _password(text: str) -> str:
    """Of HTTP Basic (RFC 7617), empty if it is none; the user's name does not matter."""
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except ValueError:  # also what base64 and UTF-8 raise
        return ""


def _policy(method_arn: str, owner: str | None, routes: tuple[str, ...]) -> dict[str, Any]:
    """`method_arn` is arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH."""
    stage = "/".join(method_arn.split("/", 2)[:2])
    statement = {
        "Effect": "Allow" if owner else "Deny",
        "Action": "execute-api:Invoke",
        "Resource": [f"{stage}/{route}" for route in routes],
    }
    return {
        "principalId": owner or NOBODY,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"owner": owner} if owner else {},
    }
