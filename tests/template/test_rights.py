"""Who may do what to the data, and nothing more."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from harness.template.reading import (
    as_list,
    bucket_rights,
    chosen,
    functions,
    resolved,
    resources,
    source,
    statements,
    transformed,
)

# Who may do what to the data. A right that is not here is one nobody should have.
DELETE = {"DeleteObject", "DeleteObjectVersion"}
BUCKET_RIGHTS = {
    ("UploadFunction", "inputs/*"): {"GetObject", "PutObject", *DELETE},
    ("UploadFunction", "pending/*"): {
        *("PutObject", "ListMultipartUploadParts", "AbortMultipartUpload"),
    },
    ("FitFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("FitFunction", "inputs/*"): {"GetObject", "PutObject", *DELETE},
    ("FitFunction", "models/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitFunction", "names/*"): {"GetObject"},
    ("FitFunction", "pending/*"): {"GetObject", "GetObjectVersion", "PutObject"},
    ("FitWorkerFunction", "datasets/*"): {"GetObject", "GetObjectVersion"},
    ("FitWorkerFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("FitWorkerFunction", "inputs/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitWorkerFunction", "models/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitWorkerFunction", "names/*"): {"GetObject", *DELETE},
    ("FitWorkerFunction", "pending/*"): {"GetObject", "GetObjectVersion", *DELETE},
    ("FitWorkerFunction", "results/*"): {"PutObject", "AbortMultipartUpload", *DELETE},
    ("ConvertFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("ConvertFunction", "pending/*"): {"GetObject", "GetObjectVersion"},
    ("ConvertFunction", "inputs/*/converted/*"): {"PutObject", "AbortMultipartUpload"},
    ("PredictFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("PredictFunction", "inputs/*"): {"GetObject"},
    ("PredictFunction", "models/*"): {"GetObject"},
    ("PredictFunction", "models/*/made/*"): {"PutObject", "AbortMultipartUpload", *DELETE},
    ("PredictFunction", "names/*"): {"GetObject"},
    ("PredictFunction", "pending/*"): {"GetObject", "GetObjectVersion", "PutObject"},
    ("ExplainFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("ExplainFunction", "inputs/*"): {"GetObject"},
    ("ExplainFunction", "models/*"): {"GetObject"},
    ("ExplainFunction", "models/*/made/*"): {"PutObject", "AbortMultipartUpload", *DELETE},
    ("ExplainFunction", "names/*"): {"GetObject"},
    ("ExplainFunction", "pending/*"): {"GetObject", "GetObjectVersion"},
    ("JobsFunction", "datasets/*"): DELETE,
    ("JobsFunction", "incoming/*"): {"GetObject", "GetObjectVersion", *DELETE},
    ("JobsFunction", "inputs/*"): {"GetObject", *DELETE},
    ("JobsFunction", "models/*"): {"GetObject", *DELETE},
    ("JobsFunction", "names/*"): {"GetObject", "PutObject", *DELETE},
    ("JobsFunction", "pending/*"): {
        *("GetObject", "GetObjectVersion", "AbortMultipartUpload", *DELETE),
    },
    ("JobsFunction", "results/*"): {"GetObject", *DELETE},
    ("SweeperFunction", "datasets/*"): DELETE,
    ("SweeperFunction", "incoming/*"): DELETE,
    ("SweeperFunction", "inputs/*"): DELETE,
    ("SweeperFunction", "inputs/*.files.json"): {"GetObject"},
    ("SweeperFunction", "models/*"): DELETE,
    ("SweeperFunction", "names/*"): DELETE,
    ("SweeperFunction", "pending/*"): {"AbortMultipartUpload", *DELETE},
    ("SweeperFunction", "results/*"): DELETE,
}
QUEUE_RIGHTS = {
    "FitFunction": {"sqs:SendMessage"},
    "PredictFunction": {"sqs:SendMessage"},
    "ExplainFunction": {"sqs:SendMessage"},
    "SweeperFunction": {"sqs:SendMessage", "sqs:GetQueueAttributes"},
    "FitWorkerFunction": {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
    },
}
# The only statements that allow something on "*".
ON_EVERYTHING = {("LogAndTracePolicy", "Trace")}  # X-Ray has no resources
# The only policies of AWS's, which are wider than what is needed of them.
POLICIES_OF_AWS = {
    # What API Gateway asks for, for all APIs of the account; it refuses anything narrower.
    "ApiGatewayCloudWatchRole": "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
}
MODEL_WRITERS = {"FitFunction", "FitWorkerFunction"}


def every_statement() -> Iterator[tuple[str, dict[str, Any]]]:
    """All of the template's, with the resource that each belongs to, as if all conditions held."""
    conditions = set(source()["Conditions"])
    for name, resource in transformed()["Resources"].items():
        for document in _policy_documents(resolved(resource["Properties"], conditions)):
            for statement in document["Statement"]:
                yield name, statement


def _policy_documents(part: Any) -> Iterator[dict[str, Any]]:
    match part:
        case {"Statement": list()}:
            yield part
        case dict():
            for value in part.values():
                yield from _policy_documents(value)
        case list():
            for value in part:
                yield from _policy_documents(value)


@pytest.mark.parametrize(("function", "prefix"), BUCKET_RIGHTS)
def test_rights_on_objects_are_these_and_no_more(function: str, prefix: str) -> None:
    assert bucket_rights(function)[prefix] == BUCKET_RIGHTS[function, prefix]


def test_no_function_has_rights_on_other_objects() -> None:
    found = {(name, prefix) for name in functions() for prefix in bucket_rights(name)}
    assert found == BUCKET_RIGHTS.keys()


def test_rights_on_queues_are_these_and_no_more() -> None:
    for name in functions():
        found = {
            action
            for statement in statements(name)
            for action in as_list(statement["Action"])
            if action.startswith("sqs:")
        }
        assert found == QUEUE_RIGHTS.get(name, set()), name


def test_every_function_has_a_role_of_its_own_that_only_lambda_may_play() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        assert function["Properties"]["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}, name
        role = transformed()["Resources"][f"{name}Role"]["Properties"]
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name
        assert role["ManagedPolicyArns"] == [{"Ref": "LogAndTracePolicy"}], name


def test_no_policy_of_aws_is_used_but_those_named_here() -> None:
    found = {
        name: as_list(arn["Fn::Sub"])[0].split(":policy/")[1]
        for name, role in resources("AWS::IAM::Role").items()
        for arn in role["Properties"].get("ManagedPolicyArns", [])
        if arn != {"Ref": "LogAndTracePolicy"}
    }
    assert found == POLICIES_OF_AWS


def test_no_statement_allows_all_actions_all_resources_or_everybody() -> None:
    for name, statement in every_statement():
        if statement["Effect"] == "Deny":
            continue
        for action in as_list(statement["Action"]):
            assert "*" not in action, (name, statement)
        assert statement.get("Principal") != "*", (name, statement)
        if "*" in as_list(statement.get("Resource")):
            assert (name, statement["Sid"]) in ON_EVERYTHING, (name, statement)
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys(), name


def test_a_service_may_act_for_this_accounts_resource_only() -> None:
    """Whoever else has S3 notify our queue is not our bucket."""
    services = [
        (name, statement)
        for name, statement in every_statement()
        if "Service" in statement.get("Principal", {}) and statement["Action"] != "sts:AssumeRole"
    ]
    assert [name for name, _ in services] == ["FitQueuePolicy", "FitQueuePolicy"]
    for _, statement in services:
        assert statement["Condition"]["ArnEquals"].keys() == {"aws:SourceArn"}
        if (
            statement["Sid"] != "RunsTellOfTheirEnd"
        ):  # a rule's name has its account, a bucket's none
            assert statement["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}


def test_the_bucket_takes_models_and_what_is_made_of_them_from_nobody_else() -> None:
    """Whatever other roles of the account are allowed."""
    document = chosen("DataBucketPolicy")["PolicyDocument"]
    [denied] = [entry for entry in document["Statement"] if entry["Sid"] == "OnlyFitsWriteModels"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == (
        "Deny",
        "*",
        "s3:PutObject",
    )
    assert denied["Resource"] == {"Fn::Sub": "${DataBucket.Arn}/models/*"}
    # The rights of the last two end at made/.
    beside = [*sorted(MODEL_WRITERS), "PredictFunction", "ExplainFunction"]
    roles = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert roles == [{"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in beside]


def test_functions_write_logs_to_their_group_and_make_none() -> None:
    [log, trace] = transformed()["Resources"]["LogAndTracePolicy"]["Properties"]["PolicyDocument"][
        "Statement"
    ]
    assert log["Resource"] == {"Fn::GetAtt": ["FunctionLogs", "Arn"]}
    assert set(log["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert set(trace["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_only_the_fit_functions_write_models() -> None:
    writers = {
        name for name in functions() if "PutObject" in bucket_rights(name).get("models/*", {})
    }
    assert writers == MODEL_WRITERS


def test_no_function_writes_where_a_new_file_starts_a_fit() -> None:
    """A function that writes what triggers it never stops."""
    for name in functions():
        assert "PutObject" not in bucket_rights(name).get("incoming/*", {}), name


def test_no_right_is_wider_than_an_action_on_a_resource_of_the_stack() -> None:
    for name in functions():
        for statement in statements(name):
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                assert "*" not in action, (name, action)
            for resource in as_list(statement["Resource"]):
                assert resource != "*", (name, statement["Sid"])
                text = json.dumps(resource)
                own = r"DataBucket|JobsTable|FitQueue|ConvertFunction"
                assert re.search(own, text), (name, text)
            if any(action.startswith("s3:ListBucket") for action in as_list(statement["Action"])):
                assert resource == {"Fn::GetAtt": ["DataBucket", "Arn"]}, (name, statement["Sid"])
                [condition] = statement["Condition"].values()
                assert condition["s3:prefix"], (name, statement["Sid"])


def test_the_documentation_has_no_rights_on_data() -> None:
    assert statements("DocsFunction") == []
