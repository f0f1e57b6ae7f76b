"""The project's own template.yaml, deployed to the emulator through CloudFormation.

What `sam package` would do, without its 15 to 45 seconds: AWS::Include is put in place, and
CloudFormation gets the rest, SAM transform included, as it is. The code is not in the packages:
all functions import it from one folder.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from local import adaptation, code
from local.settings import OWNER, REGION, STACK_NAME, STAGE, Settings
from local.template import Template, load_template, packaged

# Limits that would be in the way of a service that has one user, and tests that hurry.
RAISED_LIMITS = {
    # The proxy queues what comes at once; a second, much lower limit behind it would refuse it.
    "ThrottlingRateLimit": 10_000,
    "ThrottlingBurstLimit": 5_000,
    "MaxRequestsPerMinute": 600_000,
    "MaxJobs": 1_000_000,
}
ARTIFACTS_BUCKET = "deployment-artifacts"


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


def deploy(settings: Settings, told: Mapping[str, str] | None = None) -> Deployed:
    """Creates the stack or brings it up to date; bucket and table keep their data.

    told   environment variables of all functions, beside the template's
    """
    upload = uploads_to(client("s3", settings))
    template = packaged(load_template(), upload)
    chosen = parameters(template, settings)
    values = {entry["ParameterKey"]: entry["ParameterValue"] for entry in chosen}
    adaptation.adapt(template, values)
    ours = {"PYTHONPATH": str(code.laid_out(settings.code))}
    template["Globals"]["Function"]["Environment"]["Variables"].update(ours | dict(told or {}))
    upload_address = upload(json.dumps(template).encode())  # too large to go inline
    url = upload_address.replace("s3://", f"{settings.endpoint}/")
    _apply(client("cloudformation", settings), url, chosen)
    deployed = read_back(settings)
    openapi = template["Resources"]["Api"]["Properties"]["DefinitionBody"]
    adaptation.declare_binary_media_types(settings, deployed.api_id, openapi)
    adaptation.declare_gateway_responses(
        client("apigateway", settings), settings.access, deployed.api_id, openapi
    )
    return deployed


def uploads_to(s3: Any) -> Callable[[bytes], str]:
    """What puts bytes into a bucket for artifacts, and answers their s3:// address."""
    s3.create_bucket(Bucket=ARTIFACTS_BUCKET)

    def upload(body: bytes) -> str:
        key = hashlib.sha256(body).hexdigest()
        s3.put_object(Bucket=ARTIFACTS_BUCKET, Key=key, Body=body)
        return f"s3://{ARTIFACTS_BUCKET}/{key}"

    return upload


# --- CloudFormation ---------------------------------------------------------------


def parameters(template: Template, settings: Settings) -> list[dict[str, str]]:
    """What the stack is told: by the local service, then by its user, then by RAISED_LIMITS."""
    own = {
        "StageName": STAGE,
        "Access": settings.access,
        "DefaultOwner": OWNER if settings.access == "OPEN" else "",
        "AwsEndpointUrl": settings.endpoint,
        "ApiGatewayLogRole": "existing",
        "DistributedEngine": "emr-serverless" if settings.engine == "spark" else "none",
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


def read_back(settings: Settings) -> Deployed:
    cloudformation = client("cloudformation", settings)
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    ids = {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in resources}
    return Deployed(ids["Api"], ids["DataBucket"], ids["JobsTable"], ids["FitQueue"])
