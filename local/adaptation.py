"""Where the emulator falls short of AWS: the same in words it knows, and what it overlooks."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

from local.settings import STAGE, Settings
from local.spark import APPLICATION
from local.template import Template

METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


# What the emulator refuses: alarms over metric math (and nobody listens to one here), and EMR
# Serverless, with the rule that waits for its events.
NAMES = {"SparkApplication": APPLICATION, "RunEnded": "run-ended"}
REFUSED = ("AWS::CloudWatch::Alarm", "AWS::EMRServerless::Application", "AWS::Events::Rule")


def adapt(template: Template, chosen: Mapping[str, str]) -> None:
    """Says the same in the words that the emulator understands, and leaves out what it cannot do.

    It overlooks API Gateway's "any" method, and takes the value of a Number parameter for a text.
    """
    resources = template["Resources"]
    template["Resources"] = {
        name: _with_names(resource)
        for name, resource in resources.items()
        if resource["Type"] not in REFUSED
    }
    template["Globals"] = _with_names(template["Globals"])
    _spell_out_any_method(template["Resources"]["Api"]["Properties"]["DefinitionBody"])
    numbers = {
        name: int(chosen.get(name, declared["Default"]))
        for name, declared in template["Parameters"].items()
        if declared["Type"] == "Number"
    }
    template["Resources"] = _with_numbers(template["Resources"], numbers)


def _spell_out_any_method(openapi: dict[str, Any]) -> None:
    for methods in openapi["paths"].values():
        if others := methods.pop("x-amazon-apigateway-any-method", None):
            for method in METHODS:
                methods.setdefault(method, others)


def declare_binary_media_types(settings: Settings, api_id: str, openapi: dict[str, Any]) -> None:
    """Once more, for the import overlooks them: without them bodies arrive as text, torn.

    Past boto3, whose patches take one text each: the emulator knows no slash in a patch's path,
    however it is escaped.
    """
    types = openapi.get("x-amazon-apigateway-binary-media-types", [])
    patch = {"op": "replace", "path": "/binaryMediaTypes", "value": types}
    request = Request(  # noqa: S310 (ours)
        f"{settings.endpoint}/restapis/{api_id}",
        method="PATCH",
        data=json.dumps({"patchOperations": [patch]}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urlopen(request, timeout=10).close()  # noqa: S310 (ours)


def declare_gateway_responses(
    gateway: Any, access: str, api_id: str, openapi: dict[str, Any]
) -> None:
    """The import overlooks these too; they count from the next deployment of the stage."""
    conditions = {
        "IsOpen": access == "OPEN",
        "HasAuthorizer": access != "IAM",
    }
    for kind, stated in openapi["x-amazon-apigateway-gateway-responses"].items():
        match stated:
            case {"Fn::If": [condition, wanted, otherwise]}:
                response = wanted if conditions[condition] else otherwise
            case response:
                pass
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)


def _with_names(part: Any) -> Any:
    """What is left out is named where it is referred to, for it stands elsewhere all the same."""
    match part:
        case {"Ref": name} if name in NAMES:
            return NAMES[name]
        case {"Fn::GetAtt": [name, "Arn"]} if name in NAMES:
            return f"arn:aws:local:{NAMES[name]}"
        case {"Fn::Sub": "${SparkApplication.Arn}/jobruns/*"}:
            return f"arn:aws:local:{APPLICATION}/jobruns/*"
        case dict():
            return {key: _with_names(value) for key, value in part.items()}
        case list():
            return [_with_names(value) for value in part]
        case _:
            return part


def _with_numbers(part: Any, numbers: Mapping[str, int]) -> Any:
    match part:
        case {"Ref": name} if name in numbers:
            return numbers[name]
        case dict():
            return {
                # Environment variables are texts, whatever the parameter is.
                key: value if key == "Environment" else _with_numbers(value, numbers)
                for key, value in part.items()
            }
        case list():
            return [_with_numbers(value, numbers) for value in part]
        case _:
            return part
