"""The queue, the worker and the schedule; each function is what was chosen for it."""

import re

from harness.template.reading import arn, chosen, functions, parameters, properties, ref, resources

BEHIND_THE_API = {
    "UploadFunction",
    "FitFunction",
    "PredictFunction",
    "ExplainFunction",
    "JobsFunction",
    "DocsFunction",
}


def test_the_worker_takes_one_message_at_a_time_and_returns_only_what_failed() -> None:
    """Otherwise a long fit holds up others, and one that fails has them all done again."""
    [mapping] = resources("AWS::Lambda::EventSourceMapping").values()
    said = mapping["Properties"]
    assert said["BatchSize"] == 1
    assert said["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert said["ScalingConfig"] == {"MaximumConcurrency": ref("WorkerConcurrency")}
    assert said["EventSourceArn"] == arn("FitQueue")
    assert said["FunctionName"] == ref("FitWorkerFunction")
    assert said.get("Enabled", True) is True
    assert "FilterCriteria" not in said
    assert "MaximumBatchingWindowInSeconds" not in said


def test_a_message_that_fails_again_and_again_is_kept_for_two_weeks_where_an_alarm_sees_it() -> (
    None
):
    queue = properties("FitQueue")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": arn("FitDeadLetterQueue"),
        "maxReceiveCount": ref("FitMaxReceives"),
    }
    assert queue["VisibilityTimeout"] == ref("FitVisibilityTimeout")
    assert "DelaySeconds" not in queue
    assert "MessageRetentionPeriod" not in queue  # four days; less is less time to mend a worker
    assert properties("FitDeadLetterQueue")["MessageRetentionPeriod"] == 14 * 24 * 3600
    [watched] = properties("DeadLettersAlarm")["Dimensions"]
    assert watched["Value"] == {"Fn::GetAtt": ["FitDeadLetterQueue", "QueueName"]}


def test_files_that_are_dropped_or_uploaded_reach_the_worker_and_nothing_else_does() -> None:
    """Of models or results, the worker would be told what it wrote itself."""
    notified = properties("DataBucket")["NotificationConfiguration"]
    assert notified.keys() == {"QueueConfigurations"}
    found = []
    for entry in notified["QueueConfigurations"]:
        assert entry["Event"] == "s3:ObjectCreated:*"
        assert entry["Queue"] == arn("FitQueue")
        rules = {each["Name"]: each["Value"] for each in entry["Filter"]["S3Key"]["Rules"]}
        found.append((rules.pop("prefix"), rules))
    assert found == [
        ("incoming/", {}),
        ("pending/", {}),
        ("datasets/", {"suffix": "/_SUCCESS"}),
    ]


def test_lost_fits_are_looked_for_on_a_schedule_and_one_search_ends_before_the_next() -> None:
    rules = resources("AWS::Events::Rule").values()
    [rule] = [rule for rule in rules if "ScheduleExpression" in rule["Properties"]]
    assert rule["Properties"]["ScheduleExpression"] == ref("SweepSchedule")
    assert rule["Properties"].get("State", "ENABLED") == "ENABLED"
    [target] = rule["Properties"]["Targets"]
    assert target["Arn"] == arn("SweeperFunction")
    [minutes] = re.findall(r"rate\((\d+) minutes\)", parameters()["SweepSchedule"]["Default"])
    assert properties("SweeperFunction")["Timeout"] < int(minutes) * 60


def test_time_and_memory_of_each_function_are_what_was_chosen_for_it() -> None:
    chosen = {
        "UploadFunction": "UploadMemory",
        "FitFunction": "FitMemory",
        "FitWorkerFunction": "WorkerMemory",
        "ConvertFunction": "ConvertMemory",
        "PredictFunction": "PredictMemory",
        "ExplainFunction": "ExplainMemory",
    }
    for name in functions():
        said = properties(name)
        wanted = ref(chosen[name]) if name in chosen else 512
        assert said["MemorySize"] == wanted, name
        if name in BEHIND_THE_API:
            assert said["Timeout"] == 29, name
        assert "ReservedConcurrentExecutions" not in said, name
    assert properties("FitWorkerFunction")["Timeout"] == ref("WorkerTimeout")
    assert properties("AuthorizerFunction")["Timeout"] <= 10  # API Gateway waits for it too
    # Rows lie on disk as eight bytes a number: twice the largest that memory cannot hold.
    assert properties("FitWorkerFunction")["EphemeralStorage"]["Size"] >= 4096


def test_functions_have_the_layers_that_they_import_from() -> None:
    reader, numpy, sklearn = "ReaderLayer", "NumpyLayer", "SklearnLayer"
    wanted = {
        "FitFunction": [reader, numpy, sklearn],
        "FitWorkerFunction": [reader, numpy, sklearn],
        "ConvertFunction": [reader, "FormatsLayer"],
        "PredictFunction": [reader, numpy],
        "ExplainFunction": [reader, numpy, sklearn],
        "UploadFunction": [reader],
        "JobsFunction": [reader],
    }
    for name in functions():
        found = [
            re.sub("[0-9a-f]{10}$", "", layer["Ref"]) for layer in chosen(name).get("Layers", [])
        ]
        assert found == wanted.get(name, []), name
    for layer in resources("AWS::Lambda::LayerVersion").values():
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
        assert layer["Properties"]["CompatibleArchitectures"] == [ref("Architecture")]
    for name in functions():
        assert properties(name)["Architectures"] == [ref("Architecture")]


def test_each_function_runs_the_handler_that_is_meant_for_it() -> None:
    handlers = {name: properties(name)["Handler"] for name in functions()}
    assert handlers == {
        "AuthorizerFunction": "authorizer.app.lambda_handler",
        "UploadFunction": "upload.app.lambda_handler",
        "FitFunction": "fit.app.lambda_handler",
        "FitWorkerFunction": "worker.app.lambda_handler",
        "ConvertFunction": "convert.app.lambda_handler",
        "PredictFunction": "predict.app.lambda_handler",
        "ExplainFunction": "explain.app.lambda_handler",
        "JobsFunction": "jobs.app.lambda_handler",
        "SweeperFunction": "sweeper.app.lambda_handler",
        "DocsFunction": "docs.app.lambda_handler",
    }
