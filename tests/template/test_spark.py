"""The engine beyond the worker: nothing where it is not chosen, and no more than it needs."""

import json
from typing import Any

import pytest

from harness.template.reading import (
    arn,
    as_list,
    chosen,
    functions,
    parameters,
    ref,
    statements,
    transformed,
)
from kmeans_service import config

HERE = "HasSpark"
RUNS = {"Fn::Sub": "${SparkApplication.Arn}/jobruns/*"}


def rights(function: str) -> dict[str, Any]:
    """What it may do with the application, by action."""
    return {
        action.removeprefix("emr-serverless:"): statement["Resource"]
        for statement in statements(function, HERE)
        for action in as_list(statement["Action"])
        if action.startswith("emr-serverless:")
    }


def test_nobody_has_it_who_does_not_choose_it() -> None:
    assert parameters()["DistributedEngine"]["Default"] == "none"
    own = {
        name: resource
        for name, resource in transformed()["Resources"].items()
        if "EMRServerless" in resource["Type"] or name in ("SparkRunRole", "RunEnded")
    }
    assert set(own) == {"SparkApplication", "SparkRunRole", "RunEnded"}
    assert {resource["Condition"] for resource in own.values()} == {HERE}
    assert "Spark" not in json.dumps([chosen(name) for name in functions()])


def test_it_costs_nothing_while_no_fit_runs_there() -> None:
    """No machine waits, none stays, and nothing else that is paid by the hour comes with it."""
    said = chosen("SparkApplication", HERE)
    assert said["AutoStopConfiguration"] == {"Enabled": True, "IdleTimeoutMinutes": 1}
    assert said["AutoStartConfiguration"] == {"Enabled": True}
    assert not {"InitialCapacity", "InteractiveConfiguration", "NetworkConfiguration"} & said.keys()
    assert "MonitoringConfiguration" not in said
    kinds = {
        resource["Type"]
        for resource in transformed()["Resources"].values()
        if resource.get("Condition") == HERE
    }
    assert kinds == {"AWS::EMRServerless::Application", "AWS::IAM::Role", "AWS::Events::Rule"}


def test_all_of_its_runs_together_have_so_many_processors_at_most() -> None:
    said = chosen("SparkApplication", HERE)
    assert said["MaximumCapacity"]["Cpu"] == {"Fn::Sub": "${DistributedProcessors} vCPU"}
    assert parameters()["DistributedProcessors"]["Default"] == 16
    gigabytes = int(said["MaximumCapacity"]["Memory"].removesuffix(" GB"))
    assert gigabytes >= 4 * parameters()["DistributedProcessors"]["MaxValue"]


def test_its_machines_are_of_the_architecture_that_its_code_is_compiled_for() -> None:
    assert chosen("SparkApplication", HERE)["Architecture"] == "X86_64"
    assert chosen("SparkApplication", HERE, "IsArm64")["Architecture"] == "ARM64"


def test_a_run_reads_files_and_writes_models_and_labels_and_touches_nothing_else() -> None:
    read, find, write = statements("SparkRun", HERE)
    prefixes = ("datasets", "engine", "incoming", "inputs", "pending")
    assert read["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert read["Resource"] == [{"Fn::Sub": f"${{DataBucket.Arn}}/{name}/*"} for name in prefixes]
    assert (find["Action"], find["Resource"]) == ("s3:ListBucket", arn("DataBucket"))
    assert find["Condition"] == {"StringLike": {"s3:prefix": ["engine/*"]}}
    assert write["Action"] == ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
    assert write["Resource"] == [
        {"Fn::Sub": f"${{DataBucket.Arn}}/{name}/*"} for name in ("models", "results")
    ]
    key = statements("SparkRun", HERE, "HasKmsKey")[3]
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key["Condition"]["StringEquals"].keys() == {"kms:ViaService"}
    assert "ManagedPolicyArns" not in chosen("SparkRunRole", HERE)


def test_only_this_application_plays_its_role() -> None:
    [trust] = chosen("SparkRunRole", HERE)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "emr-serverless.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
        "ArnLike": {"aws:SourceArn": arn("SparkApplication")},
    }


def test_what_no_worker_has_the_time_for_is_known_by_the_longest_time_that_one_may_have() -> None:
    assert parameters()["WorkerTimeout"]["MaxValue"] == config.WORKER_SECONDS


@pytest.mark.parametrize("function", functions())
def test_the_worker_starts_runs_the_sweeper_lists_them_who_deletes_ends_them(
    function: str,
) -> None:
    application, look = arn("SparkApplication"), {"GetJobRun": RUNS, "CancelJobRun": RUNS}
    wanted = {
        "FitWorkerFunction": look | {"StartJobRun": application},
        "SweeperFunction": look | {"ListJobRuns": application},
        "JobsFunction": {"CancelJobRun": RUNS},
    }
    assert rights(function) == wanted.get(function, {})


@pytest.mark.parametrize("function", functions())
def test_the_worker_gives_a_run_its_role_and_nobody_anything_any_other(function: str) -> None:
    passed = [each for each in statements(function, HERE) if "iam:" in json.dumps(each["Action"])]
    if function != "FitWorkerFunction":
        assert passed == []
        return
    [statement] = passed
    assert statement["Action"] == "iam:PassRole"
    assert statement["Resource"] == arn("SparkRunRole")
    condition = {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
    assert statement["Condition"] == condition


def test_the_bucket_takes_models_from_a_run_too() -> None:
    statements = chosen("DataBucketPolicy", HERE)["PolicyDocument"]["Statement"]
    [denied] = [each for each in statements if each["Sid"] == "OnlyFitsWriteModels"]
    assert arn("SparkRunRole") in denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]


def test_the_end_of_its_runs_wakes_a_worker() -> None:
    rule = chosen("RunEnded", HERE)
    assert rule["EventPattern"] == {
        "source": ["aws.emr-serverless"],
        "detail-type": ["EMR Serverless Job Run State Change"],
        "detail": {
            "applicationId": [ref("SparkApplication")],
            "state": ["SUCCESS", "FAILED", "CANCELLED"],
        },
    }
    assert [target["Arn"] for target in rule["Targets"]] == [arn("FitQueue")]
    [allowed] = [
        each
        for each in chosen("FitQueuePolicy", HERE)["PolicyDocument"]["Statement"]
        if each.get("Principal") == {"Service": "events.amazonaws.com"}
    ]
    assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", arn("FitQueue"))
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": arn("RunEnded")}}


def test_every_function_knows_whether_it_is_there() -> None:
    for name in functions():
        variables = chosen(name, HERE)["Environment"]["Variables"]
        assert variables["SPARK_APPLICATION"] == ref("SparkApplication"), name
        assert variables["SPARK_ROLE"] == arn("SparkRunRole")
        assert variables["SPARK_PROCESSORS"] == ref("DistributedProcessors")
        assert "SPARK_APPLICATION" not in chosen(name)["Environment"]["Variables"]


def test_the_worker_has_what_a_run_executes() -> None:
    layers = chosen("FitWorkerFunction", HERE)["Layers"]
    assert any(layer["Ref"].startswith("SparkLayer") for layer in layers)
