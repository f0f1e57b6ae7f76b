"""The template's policies as IAM would have them, and the questions that it is asked."""

from functools import cache
from typing import Any

from harness.template.reading import resolved, transformed

Json = Any

ACCOUNT, REGION = "123456789012", "eu-central-1"
ARNS = {
    "DataBucket": "arn:aws:s3:::kmeans-data",
    "JobsTable": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/kmeans-jobs",
    "FitQueue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:kmeans-fits",
    "FitDeadLetterQueue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:kmeans-dead",
    "ConvertFunction": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:kmeans-convert",
    "FunctionLogs": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/kmeans:*",
}
BUCKET, TABLE_ARN, QUEUE = ARNS["DataBucket"], ARNS["JobsTable"], ARNS["FitQueue"]
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    },
}

type Request = tuple[str, str, dict[str, Any]]  # action, resource, context


def with_arns(part: Json) -> Json:
    """A part of the template with an account's names for what CloudFormation fills in."""
    match part:
        case {"Ref": "KmsKeyArn"}:
            return KEY
        case {"Ref": "AWS::AccountId"}:
            return ACCOUNT
        case {"Fn::GetAtt": [name, "Arn"]}:
            return ARNS.get(name, f"arn:aws:iam::{ACCOUNT}:role/{name}")
        case {"Fn::Sub": [str(text), dict()]}:
            return with_arns({"Fn::Sub": text.replace("${StackUuid}", "of-the-stack")})
        case {"Fn::Sub": str(text)}:
            for name, value in (
                *((f"{name}.Arn", arn) for name, arn in ARNS.items()),
                *(("AWS::Region", REGION), ("AWS::URLSuffix", "amazonaws.com")),
                ("AWS::Partition", "aws"),
            ):
                text = text.replace(f"${{{name}}}", value)
            return text
        case dict():
            return {name: with_arns(value) for name, value in part.items()}
        case list():
            return [with_arns(value) for value in part]
        case _:
            return part


def document_of(resource: str, *true: str) -> Json:
    properties = resolved(transformed()["Resources"][resource]["Properties"], {*true})
    return with_arns(properties["PolicyDocument"])


@cache
def identity_policies(function: str, *true: str) -> list[Json]:
    role = resolved(transformed()["Resources"][f"{function}Role"]["Properties"], {*true})
    own = [
        {"name": policy["PolicyName"], "policy": with_arns(policy["PolicyDocument"])}
        for policy in role.get("Policies", [])
    ]
    return [*own, {"name": "LogAndTrace", "policy": document_of("LogAndTracePolicy")}]


@cache
def resource_policy(arn: str) -> Json:
    if arn == KEY:  # as a new key has it: the account's policies decide
        return KEY_POLICY
    if arn.startswith(BUCKET):
        return document_of("DataBucketPolicy")
    return document_of("FitQueuePolicy") if arn == QUEUE else None


def simulation(principal: str, policies: list[Json], request: Request) -> Json:
    action, resource, context = request
    every_call = {"aws:SecureTransport": "true", "aws:PrincipalArn": principal}
    return {
        "request": {
            "principal": principal,
            "action": action,
            "resource": {"resource": resource, "accountId": ACCOUNT},
            "contextVariables": every_call | context,
        },
        "identityPolicies": policies,
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        **({"resourcePolicy": policy} if (policy := resource_policy(resource)) else {}),
    }


def asked_by(function: str, request: Request, *true: str) -> Json:
    role = f"arn:aws:iam::{ACCOUNT}:role/{function}Role"
    return simulation(role, identity_policies(function, *true), request)
