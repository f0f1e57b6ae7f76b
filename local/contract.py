"""What is made of openapi.yaml: `make openapi`.

apigateway.yaml, which template.yaml includes, has besides what API Gateway must be told and people
need not read: which function serves a path (as template.yaml's events say), who is let in, and what
the gateway answers by itself; and every response in its place, for API Gateway follows references
to schemas alone.

functions/docs/openapi.json is what the service answers.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from local.gateway_responses import GATEWAY_RESPONSES
from local.settings import PROJECT
from local.template import load_yaml

SOURCE = PROJECT / "openapi.yaml"
TEMPLATE = PROJECT / "template.yaml"
GATEWAY = PROJECT / "apigateway.yaml"
PUBLISHED = PROJECT / "functions" / "docs" / "openapi.json"
NOTICE = "# Made of openapi.yaml and template.yaml by `make openapi`: not to be changed by hand.\n"
SCHEMAS = "#/components/schemas/"
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
INVOCATION = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31"
    "/functions/${%s}/invocations"
)

# API Gateway finds authorizers only in schemes of type apiKey, and overlooks `security` at the top
# level. Where the API is open the authorizer lets everybody in, and is asked once in five minutes.
CREDENTIALS = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": (
        "Bearer and an API token, or an AWS signature (version 4), as the deployment chose"
    ),
    "x-amazon-apigateway-authtype": {"Fn::If": ["HasAuthorizer", "custom", "awsSigv4"]},
    "x-amazon-apigateway-authorizer": {
        "Fn::If": [
            "HasAuthorizer",
            {
                "type": "request",
                "identitySource": {
                    "Fn::If": [
                        "IsOpen",
                        "method.request.header.Host",
                        "method.request.header.Authorization",
                    ]
                },
                "authorizerResultTtlInSeconds": 300,
                "authorizerUri": {"Fn::Sub": INVOCATION % "AuthorizerFunction.Arn"},
            },
            {"Ref": "AWS::NoValue"},
        ]
    },
}

Document = dict[str, Any]


class ContractError(Exception):
    """openapi.yaml and template.yaml do not fit together; the message says where."""


def published_contract() -> str:
    """The document as the service answers it."""
    return json.dumps(published(load_yaml(SOURCE)), indent=1, ensure_ascii=False) + "\n"


def gateway_contract() -> str:
    """The document as API Gateway imports it."""
    document = gateway(load_yaml(SOURCE), load_yaml(TEMPLATE))
    return NOTICE + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120
    )


# --- what the service answers -----------------------------------------------------


def published(openapi: Document) -> Document:
    """The contract with HEAD beside every GET, and at each operation who is let in."""
    document = {name: part for name, part in openapi.items() if not name.startswith("x-")}
    default = document.pop("security")
    document["paths"] = {
        path: {
            method: {**operation, "security": operation.get("security", default)}
            for method, operation in _methods(openapi, item)
        }
        for path, item in openapi["paths"].items()
    }
    return document


def _methods(openapi: Document, item: Document) -> Iterator[tuple[str, Document]]:
    for method, operation in item.items():
        answers = dict(sorted(operation["responses"].items()))
        yield method, {**operation, "responses": answers}
        if method == "get":
            yield "head", _head(openapi, operation, answers)


def _head(openapi: Document, get: Document, answers: Document) -> Document:
    name = get["operationId"].removeprefix("get")
    kept: Document = {part: get[part] for part in ("tags", "security", "parameters") if part in get}
    return {
        "operationId": f"head{name[0].upper()}{name[1:]}",
        "summary": "As GET, without the body",
        **kept,
        "responses": {
            status: _without_content(in_place(answer, openapi))
            for status, answer in answers.items()
        },
    }


def _without_content(answer: Document) -> Document:
    return {name: part for name, part in answer.items() if name != "content"}


# --- what API Gateway imports -----------------------------------------------------


def gateway(openapi: Document, template: Document) -> Document:
    """The contract as API Gateway reads it; raises ContractError."""
    document: Document = in_place(published(openapi), openapi)
    functions = _functions(template)
    _check_paths(document["paths"], functions)
    default = openapi["security"]
    return {
        **document,
        "servers": [{"url": "/"}],
        # Every body reaches the handlers base64-encoded and intact; text answers pass unencoded.
        "x-amazon-apigateway-binary-media-types": ["*/*"],
        "x-amazon-apigateway-gateway-responses": GATEWAY_RESPONSES,
        "paths": {
            path: _item(document["paths"].get(path, {}), function, default)
            for path, function in functions.items()
        },
        "components": {
            "securitySchemes": {"credentials": CREDENTIALS},
            "schemas": document["components"]["schemas"],
        },
    }


def in_place(part: Any, openapi: Document) -> Any:
    """With what a reference leads to in the reference's place, but for schemas."""
    match part:
        case {"$ref": str(address)} if not address.startswith(SCHEMAS):
            return in_place(_at(address, openapi), openapi)
        case dict():
            return {name: in_place(value, openapi) for name, value in part.items()}
        case list():
            return [in_place(value, openapi) for value in part]
        case _:
            return part


def _at(address: str, openapi: Document) -> Any:
    part: Any = openapi
    for name in address.removeprefix("#/").split("/"):
        part = part[name]
    return part


def _functions(template: Document) -> dict[str, str]:
    """The function of every path that template.yaml has an event for, as an ARN's `Fn::Sub`."""
    served = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        attribute = "Alias" if "AutoPublishAlias" in properties else "Arn"
        for event in properties.get("Events", {}).values():
            if event["Type"] == "Api":
                served[event["Properties"]["Path"]] = f"{name}.{attribute}"
    return served


def _check_paths(paths: Mapping[str, Any], functions: Mapping[str, str]) -> None:
    for path in paths.keys() - functions.keys():
        raise ContractError(
            f"{path} is in openapi.yaml, and no function of template.yaml has an event for it."
        )
    for path in functions.keys() - paths.keys():
        if not path.endswith("+}"):  # whatever else is asked for: answered 404 by a handler
            raise ContractError(f"{path} is an event of template.yaml, and not in openapi.yaml.")


def _item(operations: Document, function: str, default: Any) -> Document:
    """A path's methods, each with the function that serves it.

    A method that the path does not have goes there too: the function answers 405.
    """
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": {"Fn::Sub": INVOCATION % function},
    }
    security = next((found["security"] for found in operations.values()), default)
    methods = operations | {ANY_METHOD: {"security": security}}
    return {method: {**found, INTEGRATION: integration} for method, found in methods.items()}


class _Dumper(yaml.SafeDumper):
    """Nothing is written as a reference to what stands elsewhere in the file."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def main() -> None:
    try:
        texts = {GATEWAY: gateway_contract(), PUBLISHED: published_contract()}
    except ContractError as error:
        sys.exit(str(error))
    for target, text in texts.items():
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
