"""Parameters and conditions: what is allowed, and what follows."""

import re
from dataclasses import fields
from typing import Any

import pytest

from harness.template.reading import parameters, source
from kmeans_service import config
from kmeans_service.http import access


def holds(condition: Any, given: dict[str, str]) -> Any:
    """A condition, as CloudFormation decides it for these parameters."""
    match condition:
        case {"Fn::Equals": [left, right]}:
            return holds(left, given) == holds(right, given)
        case {"Fn::Not": [inner]}:
            return not holds(inner, given)
        case {"Ref": name}:
            return given[name]
        case _:
            return condition


@pytest.mark.parametrize(
    ("condition", "chosen", "true"),
    [
        ("IsOpen", {"Access": "OPEN"}, True),
        ("IsOpen", {"Access": "TOKEN"}, False),
        ("IsOpen", {"Access": "IAM"}, False),
        ("HasAuthorizer", {"Access": "OPEN"}, True),
        ("HasAuthorizer", {"Access": "TOKEN"}, True),
        ("HasAuthorizer", {"Access": "IAM"}, False),
        ("HasEndpointUrl", {"AwsEndpointUrl": ""}, False),
        ("HasEndpointUrl", {"AwsEndpointUrl": "http://localhost"}, True),
        ("HasKmsKey", {"KmsKeyArn": ""}, False),
        ("HasKmsKey", {"KmsKeyArn": "arn"}, True),
        ("HasAlarmTopic", {"AlarmTopicArn": ""}, False),
        ("HasAlarmTopic", {"AlarmTopicArn": "arn"}, True),
        ("HasSpark", {"DistributedEngine": "none"}, False),
        ("HasSpark", {"DistributedEngine": "emr-serverless"}, True),
        ("IsArm64", {"Architecture": "arm64"}, True),
        ("IsArm64", {"Architecture": "x86_64"}, False),
        ("LogsDebug", {"LogLevel": "DEBUG"}, True),
        ("LogsDebug", {"LogLevel": "INFO"}, False),
        ("CreatesApiGatewayLogRole", {"ApiGatewayLogRole": "create"}, True),
        ("CreatesApiGatewayLogRole", {"ApiGatewayLogRole": "existing"}, False),
    ],
)
def test_a_condition_holds_where_it_should(
    condition: str, chosen: dict[str, str], true: bool
) -> None:
    assert holds(source()["Conditions"][condition], chosen) is true


def test_every_condition_is_tried() -> None:
    [mark] = [
        mark
        for mark in test_a_condition_holds_where_it_should.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    assert {row[0] for row in mark.args[1]} == set(source()["Conditions"])


def test_open_to_everybody_needs_an_owner_to_be_named() -> None:
    [rule] = source()["Rules"].values()
    [assertion] = rule["Assertions"]
    for access_, owner, deployed in [
        ("OPEN", "", False),
        ("OPEN", "public", True),
        ("TOKEN", "", True),
        ("IAM", "", True),
    ]:
        given = {"Access": access_, "DefaultOwner": owner}
        asked = holds(rule["RuleCondition"], given)
        assert (not asked or holds(assertion["Assert"], given)) is deployed, given


def test_every_default_is_allowed_where_it_stands() -> None:
    for name, declared in parameters().items():
        default = declared["Default"]
        if "AllowedValues" in declared:
            assert default in declared["AllowedValues"], name
        if "AllowedPattern" in declared:
            assert re.fullmatch(declared["AllowedPattern"], default), name
        if declared["Type"] == "Number":
            number = int(default)
            assert number >= declared.get("MinValue", number), name
            assert number <= declared.get("MaxValue", number), name
            assert "MinValue" in declared or "AllowedValues" in declared, name
        assert declared["Description"], name


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("DefaultOwner", ["", "a", "A_b-9", "x" * 64], ["x" * 65, "a/b", "a b", "O#a", "é"]),
        ("StageName", ["v1", "prod_2"], ["", "a/b", "a-b", "a b"]),
        (
            "KmsKeyArn",
            [
                "",
                "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234abcd",
                "arn:aws-cn:kms:cn-north-1:123456789012:key/12-ab",
            ],
            [
                "alias/mine",
                "arn:aws:kms:eu-central-1:123456789012:alias/mine",
                "arn:aws:kms:eu-central-1:12345678901:key/12",
                "arn:aws:s3:::bucket",
            ],
        ),
    ],
)
def test_a_parameter_takes_what_it_should_and_refuses_what_it_must(
    name: str, taken: list[str], refused: list[str]
) -> None:
    pattern = parameters()[name]["AllowedPattern"]
    assert [text for text in taken if not re.fullmatch(pattern, text)] == []
    assert [text for text in refused if re.fullmatch(pattern, text)] == []


def test_an_owner_that_the_template_takes_is_one_that_the_service_takes() -> None:
    pattern = parameters()["DefaultOwner"]["AllowedPattern"]
    for text in ("a", "A_b-9", "x" * 64, "x" * 65, "a b", "é", "a/b"):
        assert bool(re.fullmatch(pattern, text)) == bool(access.OWNER.fullmatch(text)), text


# By AWS's own documents: what a service does not take is refused before anything is deployed.
BOUNDS = {
    "JobExpiryDays": (1, 3650),
    "MaxFileBytes": (1, 50 * 1024**3),
    "WorkerTimeout": (1, 900),
    "WorkerConcurrency": (2, 1000),
    "FitVisibilityTimeout": (1, 12 * 3600),
    "FitMaxReceives": (1, 1000),
    "UploadMemory": (128, 10_240),
    "FitMemory": (512, 10_240),
    "WorkerMemory": (512, 10_240),
    "ConvertMemory": (512, 10_240),
    "PredictMemory": (256, 10_240),
    "MaxColumns": (1, 100_000),
    "MaxLineLength": (1, 16 * 1024**2),
    "MaxCellLength": (130, 65_536),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_that_aws_or_the_code_cannot_use_is_refused_at_the_deployment(name: str) -> None:
    declared = parameters()[name]
    assert (declared["MinValue"], declared["MaxValue"]) == BOUNDS[name]


def test_what_is_deployed_by_default_keeps_data_logs_and_rights_as_documented() -> None:
    defaults = {name: declared["Default"] for name, declared in parameters().items()}
    assert defaults["Access"] == "TOKEN"
    assert defaults["DataDeletionPolicy"] == "Retain"
    assert defaults["JobExpiryDays"] == 30
    assert defaults["LogRetentionDays"] == 30
    assert defaults["LogLevel"] == "INFO"
    assert defaults["Architecture"] == "x86_64"
    assert defaults["FitSnapStart"] == "None"
    assert defaults["WorkerTimeout"] == 900
    for empty in ("DefaultOwner", "AwsEndpointUrl", "KmsKeyArn", "AlarmTopicArn"):
        assert defaults[empty] == ""
    assert parameters()["Access"]["AllowedValues"] == ["TOKEN", "IAM", "OPEN"]
    assert parameters()["DataDeletionPolicy"]["AllowedValues"] == ["Retain", "Delete"]


def test_a_limit_that_nobody_chose_is_the_same_on_aws_as_anywhere_else() -> None:
    variables = source()["Globals"]["Function"]["Environment"]["Variables"]
    for field in fields(config.Limits):
        chosen = variables[f"MAX_{field.name.upper()}"]["Ref"]
        assert float(parameters()[chosen]["Default"]) == field.default, chosen
