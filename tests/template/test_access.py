"""What template.yaml and the contract say together of who may call, for each kind of access."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from harness import PROJECT
from harness.routes import PUBLIC
from harness.template.reading import (
    NO_VALUE,
    as_list,
    contract,
    functions,
    resolved,
    source,
    statements,
    transformed,
)
from kmeans_service import problems
from local.gateway_responses import KINDS

INCLUDED_CONDITIONS = {"IsOpen", "HasAuthorizer"}
TRUE_FOR = {
    "TOKEN": {"HasAuthorizer"},
    "IAM": set[str](),
    "OPEN": {"HasAuthorizer", "IsOpen"},
}
type Json = Any


@cache
def api(access: str) -> Json:
    """The document that API Gateway gets."""
    return resolved(copy.deepcopy(contract()), TRUE_FOR[access])


def methods(access: str) -> Iterator[tuple[str, str, Json]]:
    for path, item in api(access)["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def conditions_in(part: Json) -> set[str]:
    match part:
        case {"Fn::If": [condition, *branches]}:
            return {condition}.union(*(conditions_in(branch) for branch in branches))
        case dict():
            return set[str]().union(*(conditions_in(value) for value in part.values()))
        case list():
            return set[str]().union(*(conditions_in(value) for value in part))
        case _:
            return set()


def test_the_contract_asks_only_for_conditions_that_the_template_has() -> None:
    assert conditions_in(contract()) == INCLUDED_CONDITIONS
    assert set(source()["Conditions"]) >= INCLUDED_CONDITIONS


@pytest.mark.parametrize("access", TRUE_FOR)
def test_every_method_but_those_of_health_and_of_the_page_asks_for_credentials(access: str) -> None:
    """Also "any" methods; at the top level API Gateway would overlook the word."""
    for method, path, operation in methods(access):
        wanted = [] if path in PUBLIC else [{"credentials": []}]
        assert operation["security"] == wanted, (method, path)


def test_tokens_are_checked_by_the_authorizer_under_the_authorization_header() -> None:
    scheme = api("TOKEN")["components"]["securitySchemes"]["credentials"]
    # API Gateway knows no other type, and takes a scheme it does not know for none at all.
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "request"
    assert authorizer["identitySource"] == "method.request.header.Authorization"
    assert authorizer["authorizerResultTtlInSeconds"] == 300
    assert "${AuthorizerFunction.Arn}" in authorizer["authorizerUri"]["Fn::Sub"]


def test_signatures_are_checked_by_api_gateway_itself() -> None:
    scheme = api("IAM")["components"]["securitySchemes"]["credentials"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert "x-amazon-apigateway-authorizer" not in scheme


def test_the_default_is_closed_and_nothing_that_is_deployed_says_otherwise() -> None:
    parameters = source()["Parameters"]
    assert parameters["Access"]["Default"] == "TOKEN"
    assert parameters["DefaultOwner"]["Default"] == ""
    samconfig = (PROJECT / "samconfig.toml").read_text()
    deploy = samconfig.split("[default.deploy.parameters]")[1].split("\n[")[0]
    assert "Access" not in deploy
    assert "DefaultOwner" not in deploy
    assert "[default.global.parameters]\nstack_name" in samconfig
    recipe = (PROJECT / "Makefile").read_text().split("\ndeploy:")[1].split("\n\n")[0]
    assert "Access" not in recipe


def test_open_without_an_owner_is_refused_before_anything_is_deployed() -> None:
    [rule] = source()["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Access"}, "OPEN"]}
    [assertion] = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "DefaultOwner"}, ""]}]}


def test_only_an_open_deployment_tells_the_functions_of_an_owner() -> None:
    for name in functions():
        variables = transformed()["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert variables["ACCESS"] == {"Ref": "Access"}
        assert variables["DEFAULT_OWNER"] == {
            "Fn::If": ["IsOpen", {"Ref": "DefaultOwner"}, NO_VALUE]
        }


def leading_keys(statement: Json) -> Json:
    return statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]


def test_the_authorizer_may_look_up_tokens_and_nothing_else() -> None:
    [statement] = statements("AuthorizerFunction")
    assert as_list(statement["Action"]) == ["dynamodb:GetItem"]
    assert leading_keys(statement) == ["T#*"]


def test_no_other_function_may_touch_a_token() -> None:
    for name in set(functions()) - {"AuthorizerFunction"}:
        for statement in statements(name):
            if any(action.startswith("dynamodb:") for action in as_list(statement["Action"])):
                assert leading_keys(statement) in (["O#*"], ["ACTIVE", "LEFT"], ["Q"]), (
                    name,
                    statement["Sid"],
                )


def test_only_this_api_may_call_the_authorizer() -> None:
    permission = transformed()["Resources"]["AuthorizerPermission"]["Properties"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/authorizers/*")


@pytest.mark.parametrize("access", TRUE_FOR)
def test_the_gateway_refuses_with_problem_documents(access: str) -> None:
    responses = api(access)["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= responses.keys()
    for kind, response in responses.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", kind
        problem = json.loads(response["responseTemplates"]["application/json"])
        assert problem.keys() == {"type", "title", "status", "detail", "request_id"}
        assert str(problem["status"]) == response["statusCode"], kind
        asks = "gatewayresponse.header.WWW-Authenticate" in headers
        assert asks == (response["statusCode"] == "401"), kind


def test_the_gateway_calls_a_refusal_what_the_functions_call_it() -> None:
    own = {
        re.sub("(?<!^)(?=[A-Z])", "-", error.__name__).lower(): (status, error.title)
        for error, status in problems.STATUS.items()
    }
    assert KINDS.keys() - own.keys() == {"bad-gateway"}
    for kind in KINDS.keys() & own.keys():
        assert KINDS[kind] == own[kind]


@pytest.mark.parametrize(
    ("kind", "access", "status"),
    [
        ("UNAUTHORIZED", "TOKEN", "401"),
        ("ACCESS_DENIED", "TOKEN", "401"),
        ("ACCESS_DENIED", "IAM", "403"),
        ("MISSING_AUTHENTICATION_TOKEN", "IAM", "401"),
        ("MISSING_AUTHENTICATION_TOKEN", "TOKEN", "404"),
        ("THROTTLED", "TOKEN", "429"),
        ("REQUEST_TOO_LARGE", "TOKEN", "413"),
    ],
)
def test_what_the_gateway_refuses_has_this_status(kind: str, access: str, status: str) -> None:
    assert api(access)["x-amazon-apigateway-gateway-responses"][kind]["statusCode"] == status


def test_swagger_ui_is_told_that_the_credentials_are_a_bearer_token() -> None:
    published = yaml.safe_load((PROJECT / "functions/docs/openapi.json").read_text())
    scheme = published["components"]["securitySchemes"]["credentials"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, item in published["paths"].items():
        for operation in item.values():
            assert bool(operation["security"]) == (path not in PUBLIC)
