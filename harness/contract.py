"""The contract as API Gateway gets it: who serves a path, and what may be answered there."""

import importlib
import json
import re
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker

from local.contract import ANY_METHOD, GATEWAY, INTEGRATION
from local.template import load_yaml

UNKNOWN = "/kmeans/{unknown+}"
PROBLEM = {"$ref": "#/components/schemas/Problem"}


@cache
def document() -> dict[str, Any]:
    contract: dict[str, Any] = load_yaml(GATEWAY)
    return contract


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(METHOD, path, operation) of every operation."""
    return [
        (method.upper(), path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method != ANY_METHOD
    ]


def template_of(path: str) -> str:
    """The path of the contract that API Gateway would choose: the literal one if there is one.

    It takes no notice of a slash at the end.
    """
    paths, path = document()["paths"], path.rstrip("/")
    if path in paths:
        return path
    patterns = {known: re.sub(r"\{\w+\}", "[^/]+", known) for known in paths if known != UNKNOWN}
    found = [known for known, pattern in patterns.items() if re.fullmatch(pattern, path)]
    return found[0] if found else UNKNOWN


def path_parameters(path: str) -> dict[str, str] | None:
    template = template_of(path)
    if template == UNKNOWN:
        return {"unknown": path.removeprefix("/kmeans/")}
    pairs = zip(template.split("/"), path.rstrip("/").split("/"), strict=True)
    return {name.strip("{}"): value for name, value in pairs if name[:1] == "{"} or None


def function_of(item: dict[str, Any]) -> str:
    """The logical id in an operation's integration."""
    uri = item[INTEGRATION]["uri"]["Fn::Sub"]
    return re.search(r"functions/\$\{(\w+)\.(?:Arn|Alias)\}", uri)[1]  # type: ignore[index]


def module_of(function: str) -> Any:
    return importlib.import_module(f"{function.removesuffix('Function').lower()}.app")


def handler_of(path: str) -> Any:
    """The handler that openapi.yaml wires this path to."""
    return module_of(function_of(document()["paths"][template_of(path)][ANY_METHOD])).lambda_handler


def check(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Assert that openapi.yaml has this answer; the routing's own 404 and 405 are outside of it."""
    item = document()["paths"][template_of(path)]
    media_type = headers.get("Content-Type", "").partition(";")[0]
    if method == "HEAD":
        assert body == b""
    elif status >= 400:
        assert media_type == "application/problem+json", f"{status} is {media_type}"
        assert json.loads(body)["status"] == status
    if status in (429, 503):
        assert int(headers["Retry-After"]) >= 1
        if body:
            _check_schema(PROBLEM, body)
    if method.lower() not in item:
        assert status == (405 if template_of(path) != UNKNOWN else 404)
        return
    documented = item[method.lower()]["responses"]
    assert str(status) in documented, f"{method} {path}: {status} is not documented: {body[:500]!r}"
    _check_content(documented[str(status)].get("content", {}), media_type, body)


def _check_content(content: dict[str, Any], media_type: str, body: bytes) -> None:
    if not content:
        assert body == b""
        return
    assert media_type in content, f"{media_type!r} is not documented; {list(content)} are"
    if media_type.endswith("json"):
        _check_schema(content[media_type]["schema"], body)


def _check_schema(schema: dict[str, Any], body: bytes) -> None:
    validator(json.dumps(schema)).validate(json.loads(body))


@cache
def validator(schema: str) -> OAS30Validator:
    """Of a schema in which only the members count that it names: the others are undocumented."""
    components = {"schemas": _closed(document()["components"]["schemas"])}
    root = {**_closed(json.loads(schema)), "components": components}
    return OAS30Validator(root, format_checker=oas30_format_checker)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    closed = {name: _closed(inner) for name, inner in node.items()}
    if node.get("type") == "object" and "properties" in node:
        closed.setdefault("additionalProperties", False)
    return closed
