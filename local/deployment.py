"""The project's own template.yaml, deployed to the emulator through CloudFormation.

What `sam package` would do, without its 15 to 45 seconds: code is zipped and uploaded,
AWS::Include is put in place, and CloudFormation gets the rest, SAM transform included, as it is.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import yaml
from botocore.exceptions import ClientError, WaiterError

from local.settings import OWNER, PROJECT, REGION, STACK_NAME, STAGE, Settings

# Limits that would be in the way of a service that has one user, and tests that hurry.
RAISED_LIMITS = {
    # The proxy queues what comes at once; a second, much lower limit behind it would refuse it.
    "ThrottlingRateLimit": 10_000,
    "ThrottlingBurstLimit": 5_000,
    "MaxRequestsPerMinute": 600_000,
    "MaxJobs": 1_000_000,
}
ARTIFACTS_BUCKET = "deployment-artifacts"
METHODS = ("delete", "get", "head", "options", "patch", "post", "put")
Template = dict[str, Any]


class DeploymentError(Exception):
    """CloudFormation refused the template; the message is its reason."""


@dataclass(frozen=True)
class Deployed:
    """What the stack consists of, as far as anybody outside needs its names."""

    api_id: str
    bucket: str
    table: str
    queue_url: str


def client(service: str, settings: Settings) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=settings.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (the emulator takes any)
    )


def deploy(settings: Settings) -> Deployed:
    """Creates the stack or brings it up to date; bucket and table keep their data."""
    s3 = client("s3", settings)
    s3.create_bucket(Bucket=ARTIFACTS_BUCKET)

    def upload(body: bytes) -> str:
        key = hashlib.sha256(body).hexdigest()
        s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=key, Body=body)
        return f"s3://{ARTIFACTS_BUCKET}/{key}"

    template = packaged(load_template(), upload)
    chosen = parameters(template, settings)
    adapt(template, {entry["ParameterKey"]: entry["ParameterValue"] for entry in chosen})
    upload_address = upload(json.dumps(template).encode())  # too large to go inline
    url = upload_address.replace("s3://", f"{settings.endpoint}/")
    _apply(client("cloudformation", settings), url, chosen)
    deployed = _read_back(settings)
    openapi = load_yaml(PROJECT / "openapi.yaml")
    _declare_binary_media_types(settings, deployed.api_id, openapi)
    _declare_gateway_responses(settings, deployed.api_id, openapi)
    return deployed


# --- the template -----------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: !Ref X is {Ref: X}, !Sub X is {Fn::Sub: X}."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (YAML has no fourth kind)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# "2010-09-09" is a version, not a date.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)


def load_template() -> Template:
    template: Template = load_yaml(PROJECT / "template.yaml")
    return template


def packaged(template: Template, upload: Callable[[bytes], str]) -> Template:
    """The template with every local path replaced by what `upload` made of it.

    upload   bytes of a zip → its s3:// address
    """
    code = upload(zipped(PROJECT / "functions"))
    layer = upload(_stub_layer())
    template["Globals"]["Function"]["CodeUri"] = code
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::LayerVersion":
                properties["ContentUri"] = layer
            case "AWS::Serverless::Api":
                properties["DefinitionBody"] = _included(properties["DefinitionBody"])
    return template


def _included(body: dict[str, Any]) -> Any:
    match body:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": location}}}:
            return load_yaml(PROJECT / location)
        case _:
            return body


def zipped(folder: Path) -> bytes:
    """The folder's sources as a zip, the same bytes for the same sources."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _stub_layer() -> bytes:
    """A layer with nothing in it: the functions run on this interpreter, which has the packages."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/EMPTY"), "the packages come from .venv\n")
    return buffer.getvalue()


# --- where the emulator falls short of AWS -----------------------------------------


def adapt(template: Template, chosen: Mapping[str, str]) -> None:
    """Says the same in the words that the emulator understands, and leaves out what it cannot do.

    It refuses alarms over metric math (and nobody listens to an alarm here), overlooks API
    Gateway's "any" method, and takes the value of a Number parameter for a text.
    """
    resources = template["Resources"]
    template["Resources"] = {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] != "AWS::CloudWatch::Alarm"
    }
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


def _declare_binary_media_types(settings: Settings, api_id: str, openapi: dict[str, Any]) -> None:
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


def _declare_gateway_responses(settings: Settings, api_id: str, openapi: dict[str, Any]) -> None:
    """The import overlooks these too; they count from the next deployment of the stage."""
    conditions = {
        "IsOpen": settings.access == "OPEN",
        "HasAuthorizer": settings.access != "IAM",
    }
    gateway = client("apigateway", settings)
    for kind, stated in openapi["x-amazon-apigateway-gateway-responses"].items():
        match stated:
            case {"Fn::If": [condition, wanted, otherwise]}:
                response = wanted if conditions[condition] else otherwise
            case response:
                pass
        gateway.put_gateway_response(restApiId=api_id, responseType=kind, **response)
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)


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


# --- CloudFormation ---------------------------------------------------------------


def parameters(template: Template, settings: Settings) -> list[dict[str, str]]:
    """What the stack is told: by the local service, then by its user, then by RAISED_LIMITS."""
    own = {
        "StageName": STAGE,
        "Access": settings.access,
        "DefaultOwner": OWNER if settings.access == "OPEN" else "",
        "AwsEndpointUrl": settings.endpoint,
        "ApiGatewayLogRole": "existing",
        # What a killed fit waits for before it is tried again: all shorter than on AWS.
        "WorkerTimeout": settings.worker_timeout,
        "SweepSchedule": "rate(1 minute)",
        "FitVisibilityTimeout": settings.worker_timeout + 60,
    }
    for name, value in settings.parameters.items():
        if name in own:
            raise DeploymentError(f"PARAMETERS: {name} is set by the local service itself.")
        check_parameter(name, value, template["Parameters"])
    wanted = {"WorkerConcurrency": 2, **RAISED_LIMITS, **settings.parameters, **own}
    return [
        {"ParameterKey": name, "ParameterValue": str(value)}
        for name, value in wanted.items()
        if name in template["Parameters"]
    ]


def check_parameter(name: str, value: str, declared: Mapping[str, Any]) -> None:
    """What CloudFormation refuses and the emulator does not; raises DeploymentError."""
    if name not in declared:
        raise DeploymentError(f"PARAMETERS: template.yaml has no parameter {name}.")
    if declared[name]["Type"] == "Number":
        low = declared[name].get("MinValue", 0)
        high = declared[name].get("MaxValue", 10**15)
        if not value.isdecimal() or not low <= int(value) <= high:
            raise DeploymentError(
                f"PARAMETERS: {name}={value} should be a whole number from {low} to {high}."
            )


def _apply(cloudformation: Any, template_url: str, chosen: list[dict[str, str]]) -> None:
    request = {
        "StackName": STACK_NAME,
        "TemplateURL": template_url,
        "Parameters": chosen,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    status = _status(cloudformation)
    if status.startswith("ROLLBACK"):  # the first deployment failed: nothing is there to update
        cloudformation.delete_stack(StackName=STACK_NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK_NAME)
        status = ""
    action = "update" if status else "create"
    try:
        getattr(cloudformation, f"{action}_stack")(**request)
        waiter = cloudformation.get_waiter(f"stack_{action}_complete")
        waiter.wait(StackName=STACK_NAME, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeploymentError(f"CloudFormation: {str(error)[:500]}") from error
    except WaiterError as error:
        raise DeploymentError(f"CloudFormation: {_reasons(cloudformation)}") from error


def _status(cloudformation: Any) -> str:
    """The stack's status; empty if there is none."""
    try:
        status: str = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0][
            "StackStatus"
        ]
    except ClientError:
        return ""
    return "" if status.startswith("DELETE") else status


def _reasons(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return "; ".join(
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '?')}"
        for event in failed[:5]
    )


def _read_back(settings: Settings) -> Deployed:
    cloudformation = client("cloudformation", settings)
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    ids = {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in resources}
    return Deployed(ids["Api"], ids["DataBucket"], ids["JobsTable"], ids["FitQueue"])
