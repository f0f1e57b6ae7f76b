"""Routes lead to the functions that they name, and to nothing else."""

import re

from harness import PROJECT
from harness.template.reading import (
    as_list,
    contract,
    functions,
    integrations,
    resources,
    transformed,
)


def permissions() -> set[tuple[str, str, str]]:
    """Method, path with * for its parameters, and function of every right to invoke."""
    granted = set()
    for permission in resources("AWS::Lambda::Permission").values():
        properties = permission["Properties"]
        if properties["Principal"] != "apigateway.amazonaws.com":
            continue
        arn = as_list(properties["SourceArn"]["Fn::Sub"])[0]
        if "/authorizers/" in arn:
            continue
        _, method, path = arn.split("${__ApiId__}/")[1].split("/", 2)
        granted.add((method, "/" + path, function_of(properties["FunctionName"]["Ref"])))
    return granted


def function_of(invoked: str) -> str:
    """The function that a permission is for, by its own name or its alias's."""
    alias = resources("AWS::Lambda::Alias").get(invoked)
    return alias["Properties"]["FunctionName"]["Ref"] if alias else invoked


def test_the_api_may_invoke_exactly_the_functions_that_its_routes_name() -> None:
    wanted: dict[tuple[str, str], set[str]] = {}
    for method, path, function in integrations():
        wanted.setdefault((re.sub(r"\{[^}]+\}", "*", path), function), set()).add(method)
    granted: dict[tuple[str, str], set[str]] = {}
    for method, path, function in permissions():
        granted.setdefault((path, function), set()).add(method)
    assert granted.keys() == wanted.keys()
    for route, methods in wanted.items():
        assert "*" in granted[route] or granted[route] == methods, route


def test_every_function_that_the_contract_names_exists_and_has_its_handler() -> None:
    for _, path, function in integrations():
        assert function in functions(), path
    for function in functions():
        handler = transformed()["Resources"][function]["Properties"]["Handler"]
        module, name = handler.rsplit(".", 1)
        assert (PROJECT / "functions" / module.replace(".", "/")).with_suffix(".py").exists()
        assert name == "lambda_handler"


def test_multipart_bodies_reach_the_functions_as_bytes() -> None:
    binary = contract()["x-amazon-apigateway-binary-media-types"]
    assert {"multipart/form-data", "*/*"} & set(binary)
