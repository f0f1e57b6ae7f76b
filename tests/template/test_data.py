"""Data outlives the stack, encrypted and closed."""

import json
from typing import Any

import pytest

from harness.template.reading import (
    as_list,
    chosen,
    functions,
    lifecycle,
    resolved,
    resources,
    source,
    statements,
    transformed,
)

# The key's rights, if there is a key: what is done with it, through which services.
READ_WITH_KEY, WRITE_WITH_KEY = {"kms:Decrypt"}, {"kms:Decrypt", "kms:GenerateDataKey"}
KEY_RIGHTS = {
    "AuthorizerFunction": (READ_WITH_KEY, {"dynamodb"}),
    "UploadFunction": (WRITE_WITH_KEY, {"dynamodb", "s3"}),
    "FitFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "FitWorkerFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "ConvertFunction": (WRITE_WITH_KEY, {"s3"}),
    "PredictFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "ExplainFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
    "JobsFunction": (WRITE_WITH_KEY, {"dynamodb", "s3"}),
    "SweeperFunction": (WRITE_WITH_KEY, {"dynamodb", "s3", "sqs"}),
}


def test_pages_of_any_origin_may_use_signed_urls_of_the_bucket_and_see_the_etag() -> None:
    bucket = source()["Resources"]["DataBucket"]["Properties"]
    [rule] = bucket["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == rule["AllowedHeaders"] == ["*"]
    assert set(rule["AllowedMethods"]) == {"GET", "HEAD", "POST", "PUT"}
    assert rule["ExposedHeaders"] == ["ETag"]
    # Nothing is open without a signature all the same.
    assert all(bucket["PublicAccessBlockConfiguration"].values())


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
    document = chosen(policy)["PolicyDocument"]
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
