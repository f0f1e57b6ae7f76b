"""`make run` on an emulator that enforces policies: what a role does not allow is refused.

Run as a program, with the variables of `make run`. Three things stand otherwise, for want of the
emulator: it is reached without TLS, so the statements that ask for it are left out; in
aws:PrincipalArn it has the session in the place of its role (a role that is made on a condition is
left out); and it wants every call signed.
"""

from typing import Any
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local import adaptation, stack
from local.settings import REGION, Settings, from_environment

_adapt = adaptation.adapt
_environment = stack.emulator_environment


def _enforcing(settings: Settings) -> dict[str, str]:
    return _environment(settings) | {"AUTH": "true"}


def _adapted(template: dict[str, Any], chosen: Any) -> None:
    _adapt(template, chosen)
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [
                _of_sessions(statement)
                for statement in document["Statement"]
                if statement.get("Sid") != "TlsOnly"
            ]


def _of_sessions(statement: dict[str, Any]) -> dict[str, Any]:
    match statement:
        case {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": roles}}}:
            names = [role["Fn::GetAtt"][0] for role in roles if "Fn::GetAtt" in role]
            sessions = [{"Fn::Sub": f"arn:aws:sts::*:assumed-role/${{{name}}}/*"} for name in names]
            return statement | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": sessions}}}
        case _:
            return statement


def _signed(request: Request, timeout: float) -> Any:
    unsigned = AWSRequest(
        request.get_method(),
        request.full_url,
        data=request.data,
        headers=dict(request.header_items()),
    )
    SigV4Auth(Credentials("test", "test"), "apigateway", REGION).add_auth(unsigned)
    for name, value in unsigned.headers.items():
        request.add_header(name, value)
    return urlopen(request, timeout=timeout)


if __name__ == "__main__":
    adaptation.adapt = _adapted
    adaptation.urlopen = _signed  # type: ignore[attr-defined, assignment]
    stack.emulator_environment = _enforcing
    stack.run(from_environment())
