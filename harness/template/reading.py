"""template.yaml as it is written, and as CloudFormation gets it after the SAM transform."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from local import transform

Resource = dict[str, Any]
NO_VALUE = {"Ref": "AWS::NoValue"}
source = cache(transform.source)
contract = cache(transform.contract)
transformed = cache(transform.transformed)


def resources(kind: str) -> dict[str, Resource]:
    return {
        name: resource
        for name, resource in transformed()["Resources"].items()
        if resource["Type"] == kind
    }


def metrics_of(alarm: Resource) -> list[dict[str, Any]]:
    """What it watches, in the form of an alarm of one metric."""
    properties = alarm["Properties"]
    if "MetricName" in properties:
        return [properties]
    asked = [entry["MetricStat"] for entry in properties["Metrics"] if "MetricStat" in entry]
    return [
        stat["Metric"] | {"Statistic": stat["Stat"], "Period": stat["Period"]} for stat in asked
    ]


def resolved(part: Any, true: set[str]) -> Any:
    """The part as CloudFormation makes it when these conditions hold."""
    match part:
        case {"Fn::If": [condition, wanted, otherwise]}:
            return resolved(wanted if condition in true else otherwise, true)
        case dict():
            kept = {name: resolved(value, true) for name, value in part.items()}
            return {name: value for name, value in kept.items() if value != NO_VALUE}
        case list():
            kept_items = [resolved(value, true) for value in part]
            return [value for value in kept_items if value != NO_VALUE]
        case _:
            return part


def statements(function: str, *true: str) -> list[dict[str, Any]]:
    """The statements of a function's own policies when these conditions hold."""
    properties = resolved(transformed()["Resources"][f"{function}Role"]["Properties"], {*true})
    return [
        statement
        for policy in properties.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def bucket_rights(function: str) -> dict[str, set[str]]:
    """Actions on objects, by prefix."""
    rights: dict[str, set[str]] = {}
    for statement in statements(function):
        for resource in as_list(statement["Resource"]):
            if "Fn::Sub" in resource and resource["Fn::Sub"].startswith("${DataBucket.Arn}/"):
                prefix = resource["Fn::Sub"].removeprefix("${DataBucket.Arn}/")
                actions = {action.removeprefix("s3:") for action in as_list(statement["Action"])}
                rights.setdefault(prefix, set()).update(actions)
    return rights


def functions() -> list[str]:
    return sorted(resources("AWS::Lambda::Function"))


def lifecycle() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = transformed()["Resources"]["DataBucket"]["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]
    return rules


def integrations() -> Iterator[tuple[str, str, str]]:
    """Method (* for any), path and function of every route of the contract."""
    for path, operations in contract()["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            function = re.fullmatch(r".*/functions/\$\{(\w+)\.(?:Arn|Alias)\}/invocations", uri)
            assert function, f"{method} {path}: {uri}"
            shown = "*" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield shown, path, function[1]


def properties(name: str) -> Resource:
    found: Resource = transformed()["Resources"][name]["Properties"]
    return found


def chosen(name: str, *true: str) -> Resource:
    """Properties, as CloudFormation makes them where only these conditions hold."""
    found: Resource = resolved(transformed()["Resources"][name]["Properties"], {*true})
    return found


def parameters() -> dict[str, Any]:
    found: dict[str, Any] = source()["Parameters"]
    return found


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}
