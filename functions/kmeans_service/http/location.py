"""Where the service is for its client: what stands before /kmeans in the URLs that it sees.

That is the stage, or a custom domain's base path, or nothing. API Gateway says so in two places:

                      path                requestContext.path
    a stage           /kmeans/jobs/7      /v1/kmeans/jobs/7
    a base path       /ml/kmeans/jobs/7   /ml/kmeans/jobs/7
    sam local         /kmeans/jobs/7      /kmeans/jobs/{job_id}

Routes are below the root; whatever leads back to the service is written with it.
"""

import re
from collections.abc import Mapping
from typing import Any

SERVICE = "kmeans"
# Of a proxy that takes away or adds a part of the path; it can lead nowhere but to this host.
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_OPERATION = re.compile(rf"\b(GET|HEAD|POST|PUT|PATCH|DELETE) (?=/{SERVICE}/)")


def own_path(event: Mapping[str, Any]) -> str:
    """The path as the contract has it, without a base path before it."""
    path: str = event.get("path") or "/"
    slash = "/" if path.endswith("/") and path != "/" else ""
    return _below(event, path)[1] + slash


def root_of(event: Mapping[str, Any], forwarded: str = "") -> str:
    """What stands before /kmeans in the client's URLs: "/v1", or "".

    forwarded   the header X-Forwarded-Prefix, which comes before all else: "/" for nothing
    """
    if forwarded and _PREFIX.fullmatch(forwarded.rstrip("/")):
        return forwarded.rstrip("/")
    context = event.get("requestContext") or {}
    return _below(event, context.get("path") or event.get("path") or "")[0]


def _below(event: Mapping[str, Any], path: str) -> tuple[str, str]:
    """The path in two: its root, and what is the resource's.

    A base path or stage may be called like the service: it is counted from the end.
    """
    segments = path.rstrip("/").split("/")
    template = str(event.get("resource") or "").strip("/").split("/")
    if template[-1].endswith("+}"):  # as many segments as you like
        cut = segments.index(SERVICE) if SERVICE in segments else 1
    else:
        cut = len(segments) - len(template)
        pairs = zip(template, segments[cut:], strict=False)
        if cut < 1 or any(known[:1] != "{" and known != found for known, found in pairs):
            cut = 1
    return "/".join(segments[:cut]), "/" + "/".join(segments[cut:])


def rooted(document: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The document with every operation that a detail names ("POST /kmeans/fit") below the root."""
    return {name: _rooted(name, value, root) for name, value in document.items()}


def _rooted(name: str, value: Any, root: str) -> Any:
    if isinstance(value, dict):
        return rooted(value, root)
    if name == "detail" and isinstance(value, str):
        return _OPERATION.sub(lambda found: f"{found[1]} {root}", value)
    return value
