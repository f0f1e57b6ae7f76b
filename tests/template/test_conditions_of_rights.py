"""Under which conditions rights hold."""

import json

import pytest

from harness.template.reading import (
    arn,
    as_list,
    bucket_rights,
    chosen,
    functions,
    properties,
    ref,
    resources,
    statements,
    transformed,
)


def listed_prefixes(function: str) -> set[str]:
    """Below which the function may list versions."""
    found: set[str] = set()
    for statement in statements(function):
        if "s3:ListBucketVersions" in as_list(statement["Action"]):
            assert as_list(statement["Action"]) == ["s3:ListBucketVersions"]
            assert statement["Condition"].keys() == {"StringLike"}
            assert statement["Condition"]["StringLike"].keys() == {"s3:prefix"}
            found |= set(as_list(statement["Condition"]["StringLike"]["s3:prefix"]))
    return found


@pytest.mark.parametrize("function", functions())
def test_a_function_may_list_what_it_may_delete_and_nothing_else(function: str) -> None:
    """Keys under incoming/ hold owners' file names. The worker notes which files a dataset has."""
    doomed = {
        prefix for prefix, rights in bucket_rights(function).items() if "DeleteObject" in rights
    }
    noted = {"datasets/*"} if function == "FitWorkerFunction" else set()
    assert listed_prefixes(function) == doomed | noted


def test_who_reads_an_object_is_told_if_it_is_missing_and_may_list_nothing_by_that() -> None:
    for function in functions():
        reads = any("GetObject" in rights for rights in bucket_rights(function).values())
        listing = [
            statement
            for statement in statements(function)
            if "s3:ListBucket" in as_list(statement["Action"])
        ]
        for statement in listing:
            assert as_list(statement["Action"]) == ["s3:ListBucket"]
            assert statement["Condition"] == {"Null": {"s3:prefix": "true"}}, function
        assert len(listing) <= 1
        if function != "UploadFunction":  # which reads only what it has just written
            assert bool(listing) == reads, function


def test_rights_on_the_table_are_for_items_of_owners_of_tokens_or_of_the_line_alone() -> None:
    owners, line = ["O#*"], ["Q"]
    wanted = {
        "AuthorizerFunction": [["T#*"]],
        "FitFunction": [owners, line],
        "FitWorkerFunction": [owners, line],
        "PredictFunction": [owners, line],
        "ExplainFunction": [owners, line],
        "SweeperFunction": [owners, ["ACTIVE", "LEFT"], line],
    }
    for function in functions():
        for statement in statements(function):
            if not any("JobsTable" in json.dumps(at) for at in as_list(statement["Resource"])):
                continue
            [(operator, condition)] = statement["Condition"].items()
            assert operator == "ForAllValues:StringLike", (function, statement["Sid"])
            keys = condition["dynamodb:LeadingKeys"]
            assert keys in wanted.get(function, [owners]), (function, statement["Sid"])


def test_only_api_gateway_may_ask_the_authorizer_and_only_for_this_api() -> None:
    permission = properties("AuthorizerPermission")
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["FunctionName"] == ref("AuthorizerFunction")
    assert "${Api}/authorizers/*" in permission["SourceArn"]["Fn::Sub"]
    for name in ("AuthorizerPermission", "AuthorizerFunction", "AuthorizerFunctionRole"):
        assert transformed()["Resources"][name]["Condition"] == "HasAuthorizer"


def test_only_lambda_plays_the_functions_roles_and_only_api_gateway_that_of_its_logs() -> None:
    for name, role in resources("AWS::IAM::Role").items():
        if name == "SparkRunRole":
            continue
        [trust] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = "apigateway" if name == "ApiGatewayCloudWatchRole" else "lambda"
        assert trust == {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }, name


@pytest.mark.parametrize(
    ("policy", "protected"),
    [
        ("DataBucketPolicy", {"DataBucket"}),
        ("FitQueuePolicy", {"FitQueue"}),
        ("FitDeadLetterQueuePolicy", {"FitDeadLetterQueue"}),
    ],
)
def test_the_tls_rule_is_for_all_of_what_it_protects(policy: str, protected: set[str]) -> None:
    said = chosen(policy)
    attached = as_list(said.get("Bucket") or said["Queues"])
    assert [entry["Ref"] for entry in attached] == sorted(protected)
    [denied] = [entry for entry in said["PolicyDocument"]["Statement"] if entry["Sid"] == "TlsOnly"]
    [name] = protected
    wanted = [arn(name), {"Fn::Sub": f"${{{name}.Arn}}/*"}] if name == "DataBucket" else [arn(name)]
    assert as_list(denied["Resource"]) == wanted


def test_only_our_bucket_in_our_account_may_put_messages_into_the_queue() -> None:
    [allowed] = [
        entry
        for entry in chosen("FitQueuePolicy")["PolicyDocument"]["Statement"]
        if entry["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Resource"] == arn("FitQueue")
    assert allowed["Condition"]["StringEquals"]["aws:SourceAccount"] == ref("AWS::AccountId")
    text, _ = allowed["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    name, _ = properties("DataBucket")["BucketName"]["Fn::Sub"]
    assert text.endswith(f":s3:::{name}")


def test_the_bucket_belongs_to_its_account_alone() -> None:
    bucket = properties("DataBucket")
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
