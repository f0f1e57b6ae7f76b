"""template.yaml as it is written, and as CloudFormation gets it after the SAM transform."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.sam import PROJECT, SAM, build, environment

Resource = dict[str, Any]

# Who may do what to the data. A right that is not here is one nobody should have.
DELETE = {"DeleteObject", "DeleteObjectVersion"}
BUCKET_RIGHTS = {
    ("UploadFunction", "inputs/*"): {"GetObject", "PutObject", *DELETE},
    ("UploadFunction", "pending/*"): {"PutObject"},
    ("FitFunction", "incoming/*"): {"GetObject", "GetObjectVersion"},
    ("FitFunction", "inputs/*"): {"GetObject", "GetObjectVersion", "PutObject", *DELETE},
    ("FitFunction", "pending/*"): {"GetObject", "GetObjectVersion"},
    ("PredictFunction", "models/*"): {"GetObject"},
    ("PredictFunction", "pending/*"): {"PutObject"},
}
MODEL_WRITERS = {"FitFunction", "FitWorkerFunction"}


@cache
def source() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    return loaded


@cache
def transformed() -> dict[str, Any]:
    """The template after the SAM transform, with openapi.yaml in its place."""
    template = copy.deepcopy(source())
    template["Transform"] = "AWS::Serverless-2016-10-31"
    template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/functions"
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://artifacts/layer"
    template["Resources"]["Api"]["Properties"]["DefinitionBody"] = copy.deepcopy(contract())
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    made: dict[str, Any] = translator.translate(template, parameter_values={})
    return made


@cache
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "openapi.yaml").read_text())
    return loaded


def resources(kind: str) -> dict[str, Resource]:
    return {
        name: resource
        for name, resource in transformed()["Resources"].items()
        if resource["Type"] == kind
    }


def integrations() -> Iterator[tuple[str, str, str]]:
    """Method (* for any), path and function of every route of openapi.yaml."""
    for path, operations in contract()["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            function = re.fullmatch(r".*/functions/\$\{(\w+)\.Arn\}/invocations", uri)
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
        granted.add((method, "/" + path, properties["FunctionName"]["Ref"]))
    return granted


def statements(function: str) -> list[dict[str, Any]]:
    """The statements of a function's own policies."""
    properties = transformed()["Resources"][f"{function}Role"]["Properties"]
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


# --- lint -------------------------------------------------------------------------


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


def test_every_function_that_openapi_names_exists_and_has_its_handler() -> None:
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
                [condition] = statement["Condition"].values()
                assert condition["s3:prefix"], (name, statement["Sid"])


def test_the_documentation_has_no_rights_on_data() -> None:
    assert statements("DocsFunction") == []


# --- functions --------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted(["UploadFunction", "JobsFunction", "DocsFunction"]))
def test_functions_that_compute_nothing_carry_no_layer(function: str) -> None:
    assert "Layers" not in transformed()["Resources"][function]["Properties"]


def test_every_function_is_traced_and_logs_json_into_a_group_that_forgets() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        properties = function["Properties"]
        assert properties["Runtime"] == "python3.13", name
        assert properties["TracingConfig"] == {"Mode": "Active"}, name
        assert properties["LoggingConfig"]["LogFormat"] == "JSON", name
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in transformed()["Resources"][group]["Properties"], name


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
    assert (
        stored["DeletionPolicy"] == stored["UpdateReplacePolicy"] == {"Ref": "DataDeletionPolicy"}
    )
    assert source()["Parameters"]["DataDeletionPolicy"]["Default"] == "Retain"


def test_the_bucket_is_closed_encrypted_and_versioned() -> None:
    bucket = transformed()["Resources"]["DataBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert {rule.get("ExpirationInDays", {}).get("Ref") for rule in lifecycle()} >= {
        "JobExpiryDays"
    }


def lifecycle() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = transformed()["Resources"]["DataBucket"]["Properties"][
        "LifecycleConfiguration"
    ]["Rules"]
    return rules


@pytest.mark.parametrize(
    "policy", ["DataBucketPolicy", "FitQueuePolicy", "FitDeadLetterQueuePolicy"]
)
def test_nothing_is_reached_without_tls(policy: str) -> None:
    document = transformed()["Resources"][policy]["Properties"]["PolicyDocument"]
    denied = [entry for entry in document["Statement"] if entry["Effect"] == "Deny"]
    assert [entry["Condition"] for entry in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_the_table_has_what_the_jobs_need() -> None:
    table = transformed()["Resources"]["JobsTable"]["Properties"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "active"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["gsi1pk", "due_at"]
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
