"""functions/docs/openapi.json, which the service answers, made from openapi.yaml: `make openapi`.

Without API Gateway's own extensions, with a server that is relative to the document itself, so
that it is right under any host and stage, and with the credentials called what they are: Swagger
UI's "Authorize" then asks for the token alone.
"""

import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "openapi.yaml"
TARGET = ROOT / "functions" / "docs" / "openapi.json"
CREDENTIALS = "credentials"
BEARER = {"type": "http", "scheme": "bearer", "description": "An API token: km_…"}


def published_contract() -> str:
    """The document as the service answers it."""
    document = _without_extensions(yaml.safe_load(SOURCE.read_text()))
    document["servers"] = [{"url": ".."}]
    document["components"]["securitySchemes"] = {CREDENTIALS: BEARER}
    document["paths"] = {path: item for path, item in document["paths"].items() if item}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _without_extensions(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {k: v for k, v in node.items() if not str(k).startswith("x-amazon-apigateway-")}
        return {name: _without_extensions(value) for name, value in kept.items()}
    if isinstance(node, list):
        return [_without_extensions(value) for value in node]
    return node


if __name__ == "__main__":
    TARGET.write_text(published_contract())
