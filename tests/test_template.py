"""template.yaml as it is written, and as CloudFormation gets it after the SAM transform."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import PROJECT
from harness.template.reading import (
    as_list,
    bucket_rights,
    contract,
    functions,
    lifecycle,
    resolved,
    resources,
    source,
    statements,
    transformed,
)
from harness.template.sam import SAM, build, environment
from local.contract import GATEWAY

# Who may do what to the data. A right that is not here is one nobody should have.
DELETE = {"DeleteObject", "DeleteObjectVersion"}
BUCKET_RIGHTS = {
    ("UploadFunction", "inputs/*"): {"GetObject", "PutObject", *DELETE},
    ("UploadFunction", "pending/*"): {"PutObject"},
    ("FitFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("FitFunction", "inputs/*"): {"GetObject", "PutObject", *DELETE},
    ("FitFunction", "models/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitFunction", "pending/*"): {"GetObject", "GetObjectVersion"},
    ("FitWorkerFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("FitWorkerFunction", "inputs/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitWorkerFunction", "models/*"): {"GetObject", "PutObject", "AbortMultipartUpload", *DELETE},
    ("FitWorkerFunction", "pending/*"): {"GetObject", "GetObjectVersion", *DELETE},
    ("FitWorkerFunction", "results/*"): {"PutObject", "AbortMultipartUpload", *DELETE},
    ("PredictFunction", "models/*"): {"GetObject"},
    ("PredictFunction", "pending/*"): {"PutObject"},
    ("JobsFunction", "incoming/*"): {"GetObject", "GetObjectVersion", *DELETE},
    ("JobsFunction", "inputs/*"): {"GetObject", *DELETE},
    ("JobsFunction", "models/*"): {"GetObject", *DELETE},
    ("JobsFunction", "pending/*"): {"GetObject", "GetObjectVersion", *DELETE},
    ("JobsFunction", "results/*"): {"GetObject", *DELETE},
    ("SweeperFunction", "incoming/*"): DELETE,
    ("SweeperFunction", "inputs/*"): DELETE,
    ("SweeperFunction", "models/*"): DELETE,
    ("SweeperFunction", "pending/*"): DELETE,
    ("SweeperFunction", "results/*"): DELETE,
}
QUEUE_RIGHTS = {
    "FitFunction": {"sqs:SendMessage"},
    "SweeperFunction": {"sqs:SendMessage", "sqs:GetQueueAttributes"},
    "FitWorkerFunction": {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:SendMessage",
    },
}
# The key's rights, if there is a key: what is done with it, through which services.
READ_WITH_KEY, WRITE_WITH_KEY = {"kms:Decrypt"}, {"kms:Decrypt", "kms:GenerateDataKey"}
KEY_RIGHTS = {
    "AuthorizerFunction": (READ_WITH_KEY, {"dynamodb"}),
    "UploadFunction": (WRITE_WITH_KEY, {"dynamodb", "s3"}),
    "FitFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "FitWorkerFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "PredictFunction": (WRITE_WITH_KEY, {"dynamodb", "s3"}),
    "JobsFunction": (READ_WITH_KEY, {"dynamodb", "s3"}),
    "SweeperFunction": (WRITE_WITH_KEY, {"dynamodb", "sqs"}),
}
# The only statements that allow something on "*".
ON_EVERYTHING = {("LogAndTracePolicy", "Trace")}  # X-Ray has no resources
# The only policies of AWS's, which are wider than what is needed of them.
POLICIES_OF_AWS = {
    # What API Gateway asks for, for all APIs of the account; it refuses anything narrower.
    "ApiGatewayCloudWatchRole": "service-role/AmazonAPIGatewayPushToCloudWatchLogs",
}
MODEL_WRITERS = {"FitFunction", "FitWorkerFunction"}


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


# --- lint -------------------------------------------------------------------------


def test_pages_of_any_origin_may_use_signed_urls_of_the_bucket_and_see_the_etag() -> None:
    bucket = source()["Resources"]["DataBucket"]["Properties"]
    [rule] = bucket["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == rule["AllowedHeaders"] == ["*"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD", "POST", "PUT"}
    assert rule["ExposedHeaders"] == ["ETag"]
    # Nothing is open without a signature all the same.
    assert all(bucket["PublicAccessBlockConfiguration"].values())


def test_sam_finds_nothing_to_say_about_the_source() -> None:
    build()  # brings the SAM CLI, if it is not there yet
    said = subprocess.run(
        [SAM, "validate", "--lint"], cwd=PROJECT, env=environment(), capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_cfn_lint_finds_nothing_to_say_about_the_transformed_template(tmp_path: Path) -> None:
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed()))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([cfn_lint, path], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_the_lint_of_the_transformed_template_sees_a_circle(tmp_path: Path) -> None:
    """That test is worth something only if it fails where it should."""
    circular = copy.deepcopy(transformed())
    circular["Resources"]["DataBucket"]["DependsOn"] = "UploadFunction"
    path = tmp_path / "circular.json"
    path.write_text(json.dumps(circular))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([cfn_lint, path], cwd=tmp_path, capture_output=True, text=True)
    assert "E3004" in said.stdout


# --- routes -----------------------------------------------------------------------


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


# --- rights -----------------------------------------------------------------------


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
    assert [name for name, _ in services] == ["FitQueuePolicy"]
    for _, statement in services:
        assert statement["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}
        assert statement["Condition"]["ArnEquals"].keys() == {"aws:SourceArn"}


def test_the_bucket_takes_models_from_nobody_but_the_fit_functions() -> None:
    """Whatever other roles of the account are allowed."""
    document = transformed()["Resources"]["DataBucketPolicy"]["Properties"]["PolicyDocument"]
    [denied] = [entry for entry in document["Statement"] if entry["Sid"] == "OnlyFitsWriteModels"]
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == (
        "Deny",
        "*",
        "s3:PutObject",
    )
    assert denied["Resource"] == {"Fn::Sub": "${DataBucket.Arn}/models/*"}
    roles = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert roles == [{"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in sorted(MODEL_WRITERS)]


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
                assert re.search(r"DataBucket|JobsTable|FitQueue", text), (name, text)
            if any(action.startswith("s3:ListBucket") for action in as_list(statement["Action"])):
                assert resource == {"Fn::GetAtt": ["DataBucket", "Arn"]}, (name, statement["Sid"])
                [condition] = statement["Condition"].values()
                assert condition["s3:prefix"], (name, statement["Sid"])


def test_the_documentation_has_no_rights_on_data() -> None:
    assert statements("DocsFunction") == []


# --- functions --------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted(["SweeperFunction", "DocsFunction"]))
def test_functions_that_read_no_table_carry_no_layer(function: str) -> None:
    assert "Layers" not in transformed()["Resources"][function]["Properties"]


def test_every_function_is_traced_and_logs_json_into_a_group_that_forgets() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        properties = function["Properties"]
        assert properties["Runtime"] == "python3.13", name
        assert properties["TracingConfig"] == {"Mode": "Active"}, name
        assert properties["LoggingConfig"]["LogFormat"] == "JSON", name
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in transformed()["Resources"][group]["Properties"], name


def test_fits_can_start_from_a_snapshot_of_the_newest_version_and_no_older_one_is_kept() -> None:
    properties = transformed()["Resources"]["FitFunction"]["Properties"]
    assert properties["SnapStart"] == {"ApplyOn": {"Ref": "FitSnapStart"}}
    [(version, declared)] = resources("AWS::Lambda::Version").items()
    assert declared["Properties"]["FunctionName"] == {"Ref": "FitFunction"}
    assert declared["DeletionPolicy"] == "Delete"
    [alias] = resources("AWS::Lambda::Alias").values()
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


def test_another_layer_is_another_version() -> None:
    versions = {
        name
        for layer in ("s3://artifacts/old", "s3://artifacts/new")
        for name, resource in transformed(layer)["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Version"
    }
    assert len(versions) == 2


def test_a_function_behind_the_api_ends_before_the_gateway_gives_up() -> None:
    for name in {function for _, _, function in integrations()}:
        assert transformed()["Resources"][name]["Properties"]["Timeout"] <= 29, name


def test_a_message_stays_hidden_longer_than_a_fit_and_its_lease_may_take() -> None:
    parameters = source()["Parameters"]
    lease_grace = 30
    hidden = parameters["FitVisibilityTimeout"]["Default"]
    assert hidden > parameters["WorkerTimeout"]["Default"] + lease_grace


def test_a_message_is_delivered_more_often_than_a_fit_is_attempted() -> None:
    from kmeans_service.config import MAX_ATTEMPTS

    assert source()["Parameters"]["FitMaxReceives"]["Default"] > MAX_ATTEMPTS


# --- data -------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["DataBucket", "JobsTable"])
def test_data_outlives_the_stack_unless_the_parameter_says_otherwise(resource: str) -> None:
    stored = source()["Resources"][resource]
    assert stored["UpdateReplacePolicy"] == {"Ref": "DataDeletionPolicy"}
    assert stored["DeletionPolicy"] == {"Ref": "DataDeletionPolicy"}
    assert source()["Parameters"]["DataDeletionPolicy"]["Default"] == "Retain"


def test_the_language_extensions_know_every_deletion_policy() -> None:
    """Of RetainExceptOnCreate they say "Unrecognized DeletionPolicy", and nothing is deployed."""
    known = ["Retain", "Delete"]
    assert source()["Parameters"]["DataDeletionPolicy"]["AllowedValues"] == known
    for name, resource in source()["Resources"].items():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            said = resource.get(policy, "Delete")
            assert said in known or said == {"Ref": "DataDeletionPolicy"}, name


def encrypted(resource: str, *true: str) -> dict[str, Any]:
    properties: dict[str, Any] = resolved(
        transformed()["Resources"][resource]["Properties"], {*true}
    )
    return properties


def test_without_a_key_aws_encrypts_with_keys_of_its_own_and_nobody_has_rights_on_keys() -> None:
    assert source()["Parameters"]["KmsKeyArn"]["Default"] == ""
    assert source()["Conditions"]["HasKmsKey"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKeyArn"}, ""]}]
    }
    [rule] = encrypted("DataBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    # With true it would be the account's key aws/dynamodb, whose calls are paid for.
    assert encrypted("JobsTable")["SSESpecification"] == {"SSEEnabled": False}
    for queue in resources("AWS::SQS::Queue"):
        assert encrypted(queue)["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in encrypted(queue)
    for group in resources("AWS::Logs::LogGroup"):
        assert "KmsKeyId" not in encrypted(group)
    for name in functions():
        assert "kms:" not in json.dumps(statements(name)), name


def test_a_key_encrypts_everything_that_is_stored() -> None:
    key = {"Ref": "KmsKeyArn"}
    [rule] = encrypted("DataBucket", "HasKmsKey")["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": key,
    }
    assert rule["BucketKeyEnabled"] is True
    assert encrypted("JobsTable", "HasKmsKey")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": key,
    }
    for queue in resources("AWS::SQS::Queue"):
        assert encrypted(queue, "HasKmsKey")["KmsMasterKeyId"] == key
        assert "SqsManagedSseEnabled" not in encrypted(queue, "HasKmsKey")  # one or the other
    for group in resources("AWS::Logs::LogGroup"):
        assert encrypted(group, "HasKmsKey")["KmsKeyId"] == key


def test_functions_use_the_key_only_through_the_services_they_call() -> None:
    for name in functions():
        found = [entry for entry in statements(name, "HasKmsKey") if entry["Sid"] == "UseKey"]
        if name not in KEY_RIGHTS:
            assert found == [], name
            continue
        [statement] = found
        actions, services = KEY_RIGHTS[name]
        assert set(as_list(statement["Action"])) == actions, name
        assert statement["Resource"] == {"Ref": "KmsKeyArn"}, name
        [(key, via)] = statement["Condition"]["StringEquals"].items()
        assert key == "kms:ViaService", name
        assert [host["Fn::Sub"] for host in via] == [
            f"{service}.${{AWS::Region}}.${{AWS::URLSuffix}}" for service in sorted(services)
        ], name


def test_the_bucket_is_closed_encrypted_and_versioned() -> None:
    bucket = transformed()["Resources"]["DataBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert {rule.get("ExpirationInDays", {}).get("Ref") for rule in lifecycle()} >= {
        "JobExpiryDays"
    }


@pytest.mark.parametrize(
    "policy", ["DataBucketPolicy", "FitQueuePolicy", "FitDeadLetterQueuePolicy"]
)
def test_nothing_is_reached_without_tls(policy: str) -> None:
    document = transformed()["Resources"][policy]["Properties"]["PolicyDocument"]
    [denied] = [entry for entry in document["Statement"] if entry["Sid"] == "TlsOnly"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Action"] in ("s3:*", "sqs:*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_table_has_what_the_jobs_need() -> None:
    table = transformed()["Resources"]["JobsTable"]["Properties"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "active"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["gsi1pk", "due_at"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


# --- a new account ----------------------------------------------------------------

# What AWS gives a new account, by its documentation and by the words of its refusals.
NEW_ACCOUNT_MEMORY, NEW_ACCOUNT_CONCURRENCY, TMP_LIMIT = 3008, 10, 10_240


def default_of(value: Any) -> Any:
    """A property's value where nobody chooses another."""
    match value:
        case {"Ref": name} if name in source()["Parameters"]:
            return int(source()["Parameters"][name]["Default"])
        case _:
            return value


def test_no_function_asks_for_more_than_a_new_account_may_have() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        properties = function["Properties"]
        assert default_of(properties["MemorySize"]) <= NEW_ACCOUNT_MEMORY, name
        assert properties.get("EphemeralStorage", {}).get("Size", 512) <= TMP_LIMIT, name
        # What is reserved must leave the account ten: in a new one, all there is.
        assert "ReservedConcurrentExecutions" not in properties, name
        assert "ProvisionedConcurrencyConfig" not in properties, name


def test_background_fits_leave_a_new_account_functions_for_calls() -> None:
    defaults = {name: entry["Default"] for name, entry in source()["Parameters"].items()}
    calls = NEW_ACCOUNT_CONCURRENCY - defaults["WorkerConcurrency"]
    assert calls >= NEW_ACCOUNT_CONCURRENCY / 2
    assert defaults["ThrottlingBurstLimit"] <= NEW_ACCOUNT_CONCURRENCY
    assert source()["Parameters"]["WorkerConcurrency"]["MinValue"] == 2  # SQS takes no less


def test_an_account_without_an_api_has_one_before_its_log_role_is_set() -> None:
    account = transformed()["Resources"]["ApiGatewayAccount"]
    assert "Api" in as_list(account["DependsOn"])
    # And the stage, which logs, comes after both.
    [stage] = resources("AWS::ApiGateway::Stage").values()
    assert "ApiGatewayAccount" in json.dumps(stage["Properties"]["Variables"])


def test_a_failed_or_deleted_stack_leaves_only_the_role_that_the_account_may_point_to() -> None:
    kept = {
        name: resource["DeletionPolicy"]
        for name, resource in source()["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert set(kept) == {"ApiGatewayAccount", "ApiGatewayCloudWatchRole"}


def test_nothing_is_billed_that_nobody_looks_at() -> None:
    """Metrics by route are custom metrics, five for each of forty methods."""
    [settings] = source()["Resources"]["Api"]["Properties"]["MethodSettings"]
    assert not settings.get("MetricsEnabled")


# The API's own: a name in a template of any partition is made of pseudo parameters.
def test_no_arn_or_address_is_of_one_partition() -> None:
    text = (PROJECT / "template.yaml").read_text() + GATEWAY.read_text()
    assert not re.search(r"(?<!\")\barn:aws:", text)
    services = set(re.findall(r"\b([\w.-]+)\.amazonaws\.com\b", text))
    assert services <= {"lambda", "apigateway", "s3"}  # principals, the same in every partition
