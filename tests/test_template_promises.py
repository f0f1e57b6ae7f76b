"""What template.yaml promises those who operate it, and those whose data it keeps.

Settings that are chosen arrive; nothing goes before its time; nothing of a caller's is logged; the
failure of one message is not that of others.
"""

import json
import re
from dataclasses import fields
from typing import Any

import pytest

from harness import PROJECT
from harness.template.reading import (
    Resource,
    as_list,
    bucket_rights,
    contract,
    functions,
    lifecycle,
    metrics_of,
    resolved,
    resources,
    source,
    statements,
    transformed,
)
from kmeans_service import config
from kmeans_service.http import access
from local.contract import GATEWAY

BEHIND_THE_API = {
    "UploadFunction",
    "FitFunction",
    "PredictFunction",
    "JobsFunction",
    "DocsFunction",
}
# Variables that libraries read, and why they are set; whatever else is set, our code reads.
OF_LIBRARIES = {
    "POWERTOOLS_SERVICE_NAME": "of the metrics",
    "POWERTOOLS_METRICS_NAMESPACE": "of the metrics",
    "OMP_NUM_THREADS": "one, or a forked child hangs, and sums differ in their last bits",
    "OPENBLAS_THREAD_TIMEOUT": "idle threads sleep",
    "MALLOC_MMAP_THRESHOLD_": "memory is kept for the next call",
    "MALLOC_TRIM_THRESHOLD_": "memory is kept for the next call",
    "AWS_ENDPOINT_URL": "of a local emulator",
}


def properties(name: str) -> Resource:
    found: Resource = transformed()["Resources"][name]["Properties"]
    return found


def parameters() -> dict[str, Any]:
    found: dict[str, Any] = source()["Parameters"]
    return found


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


# --- variables --------------------------------------------------------------------------


def variables(function: str, *true: str) -> dict[str, Any]:
    """As the function sees them; what stands for something else is a text that says so."""
    given = resolved(properties(function)["Environment"]["Variables"], {*true})
    return {
        name: value["Ref"] if isinstance(value, dict) else value for name, value in given.items()
    }


@pytest.mark.parametrize("function", functions())
def test_what_the_operator_chooses_is_what_the_function_goes_by(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {name: str(1000 + number) for number, name in enumerate(parameters())}
    chosen |= {"Access": "OPEN", "DefaultOwner": "public"}
    for name in ("DATA_BUCKET", "JOBS_TABLE", "FIT_QUEUE_URL", "JOB_EXPIRY_DAYS", "ACCESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables(function, "IsOpen").items():
        monkeypatch.setenv(name, chosen.get(value, value))
    config.settings.cache_clear()
    config.limits.cache_clear()
    settings, limits = config.settings(), config.limits()
    config.settings.cache_clear()
    config.limits.cache_clear()
    assert (settings.data_bucket, settings.jobs_table) == ("DataBucket", "JobsTable")
    assert settings.fit_queue_url == "FitQueue"
    assert (settings.access, settings.default_owner) == ("OPEN", "public")
    assert settings.job_expiry_days == int(chosen["JobExpiryDays"])
    for field in fields(limits):
        parameter = "Max" + "".join(word.capitalize() for word in field.name.split("_"))
        assert getattr(limits, field.name) == int(chosen[parameter]), field.name


def test_no_owner_is_given_where_access_is_not_open() -> None:
    for function in functions():
        assert "DEFAULT_OWNER" not in variables(function)
        assert variables(function, "IsOpen")["DEFAULT_OWNER"] == "DefaultOwner"
        assert "AWS_ENDPOINT_URL" not in variables(function)
        assert variables(function, "HasEndpointUrl")["AWS_ENDPOINT_URL"] == "AwsEndpointUrl"


def test_a_function_is_given_no_variable_that_nobody_reads() -> None:
    """One of Powertools' can have it log each call whole, with its token and its points."""
    read = {f"MAX_{field.name.upper()}" for field in fields(config.Limits)}
    for path in (PROJECT / "functions").rglob("*.py"):
        read |= set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z_]+)\"""", path.read_text()))
    for function in functions():
        given = set(properties(function)["Environment"]["Variables"])
        assert given - read <= OF_LIBRARIES.keys(), function
        assert variables(function)["OMP_NUM_THREADS"] == "1"


# --- the queue --------------------------------------------------------------------------


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
        [rule] = entry["Filter"]["S3Key"]["Rules"]
        assert rule["Name"] == "prefix"
        found.append(rule["Value"])
    assert sorted(found) == ["incoming/", "pending/"]


def test_lost_fits_are_looked_for_on_a_schedule_and_one_search_ends_before_the_next() -> None:
    [rule] = resources("AWS::Events::Rule").values()
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
        "PredictFunction": "PredictMemory",
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
        "PredictFunction": [reader, numpy],
        "UploadFunction": [reader],
        "JobsFunction": [reader],
    }
    for name in functions():
        found = [
            re.sub("[0-9a-f]{10}$", "", layer["Ref"])
            for layer in properties(name).get("Layers", [])
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
        "PredictFunction": "predict.app.lambda_handler",
        "JobsFunction": "jobs.app.lambda_handler",
        "SweeperFunction": "sweeper.app.lambda_handler",
        "DocsFunction": "docs.app.lambda_handler",
    }


# --- how long anything is kept ----------------------------------------------------------


def test_no_version_of_an_object_goes_before_its_job_does_and_none_stays_for_ever() -> None:
    """A job reads its own version of a key, also when there is a newer one."""
    [expiry, markers] = lifecycle()
    for rule in (expiry, markers):
        assert rule["Status"] == "Enabled"
        assert not {"Prefix", "Filter", "TagFilters", "Transitions"} & rule.keys()
    assert expiry["ExpirationInDays"] == ref("JobExpiryDays")
    assert expiry["NoncurrentVersionExpiration"] == {"NoncurrentDays": ref("JobExpiryDays")}
    assert expiry["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert markers["ExpiredObjectDeleteMarker"] is True


def test_logs_are_kept_as_long_as_was_chosen() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert groups.keys() == {"FunctionLogs", "ApiLogs"}
    for name, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == ref("LogRetentionDays"), name


def test_the_table_is_paid_by_the_call_and_its_index_shows_whole_jobs() -> None:
    table = properties("JobsTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert {
        entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]
    } == {
        "pk": "S",
        "sk": "S",
        "gsi1pk": "S",
        "due_at": "N",
    }
    assert [key["KeyType"] for key in table["KeySchema"]] == ["HASH", "RANGE"]
    [index] = table["GlobalSecondaryIndexes"]
    assert [key["KeyType"] for key in index["KeySchema"]] == ["HASH", "RANGE"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


# --- rights -----------------------------------------------------------------------------


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
    """Keys under incoming/ hold owners' file names."""
    doomed = {
        prefix for prefix, rights in bucket_rights(function).items() if "DeleteObject" in rights
    }
    assert listed_prefixes(function) == doomed


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
    said = properties(policy)
    attached = as_list(said.get("Bucket") or said["Queues"])
    assert [entry["Ref"] for entry in attached] == sorted(protected)
    [denied] = [entry for entry in said["PolicyDocument"]["Statement"] if entry["Sid"] == "TlsOnly"]
    [name] = protected
    wanted = [arn(name), {"Fn::Sub": f"${{{name}.Arn}}/*"}] if name == "DataBucket" else [arn(name)]
    assert as_list(denied["Resource"]) == wanted


def test_only_our_bucket_in_our_account_may_put_messages_into_the_queue() -> None:
    [allowed] = [
        entry
        for entry in properties("FitQueuePolicy")["PolicyDocument"]["Statement"]
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


# --- the API ----------------------------------------------------------------------------


def test_the_access_log_says_which_route_was_called_and_nothing_that_was_sent() -> None:
    [stage] = resources("AWS::ApiGateway::Stage").values()
    setting = stage["Properties"]["AccessLogSetting"]
    assert setting["DestinationArn"] == arn("ApiLogs")
    logged = json.loads(setting["Format"])
    assert set(logged.values()) == {
        "$context.requestId",
        "$context.requestTime",
        "$context.httpMethod",
        "$context.resourcePath",  # the template: no ids, no query
        "$context.status",
        "$context.responseLatency",
        "$context.integrationErrorMessage",
        "$context.responseLength",
        "$context.identity.sourceIp",
    }
    for settings in stage["Properties"]["MethodSettings"]:
        assert not settings.get("DataTraceEnabled")
        assert "LoggingLevel" not in settings


def test_the_stage_lets_through_as_much_as_was_chosen_and_is_traced() -> None:
    [stage] = resources("AWS::ApiGateway::Stage").values()
    [settings] = stage["Properties"]["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == ref("ThrottlingRateLimit")
    assert settings["ThrottlingBurstLimit"] == ref("ThrottlingBurstLimit")
    assert stage["Properties"]["TracingEnabled"] is True
    assert stage["Properties"]["StageName"] == ref("StageName")
    [api] = resources("AWS::ApiGateway::RestApi").values()
    assert api["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_the_contract_is_the_one_that_is_made_for_api_gateway() -> None:
    body = source()["Resources"]["Api"]["Properties"]["DefinitionBody"]["Fn::Transform"]
    assert body == {"Name": "AWS::Include", "Parameters": {"Location": GATEWAY.name}}
    assert contract()["openapi"] == str(
        source()["Resources"]["Api"]["Properties"]["OpenApiVersion"]
    )


def test_the_stage_waits_for_the_role_that_its_logs_need() -> None:
    [stage] = resources("AWS::ApiGateway::Stage").values()
    role = {"Fn::If": ["CreatesApiGatewayLogRole", ref("ApiGatewayAccount"), "existing"]}
    assert stage["Properties"]["Variables"] == {"LOG_ROLE": role}
    for name in ("ApiGatewayAccount", "ApiGatewayCloudWatchRole"):
        declared = source()["Resources"][name]
        assert declared["Condition"] == "CreatesApiGatewayLogRole"
        # Other APIs of the account lean on it.
        assert declared["DeletionPolicy"] == declared["UpdateReplacePolicy"] == "Retain"


# --- parameters and conditions ----------------------------------------------------------


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
    "MaxFileBytes": (1, 5 * 1024**3),
    "WorkerTimeout": (1, 900),
    "WorkerConcurrency": (2, 1000),
    "FitVisibilityTimeout": (1, 12 * 3600),
    "FitMaxReceives": (1, 1000),
    "UploadMemory": (128, 10_240),
    "FitMemory": (512, 10_240),
    "WorkerMemory": (512, 10_240),
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


# --- alarms, and what a stack tells -------------------------------------------------------


def test_alarms_look_at_five_minutes_and_count_what_they_are_about() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        said = alarm["Properties"]
        for watched in metrics_of(alarm):
            assert watched["Period"] == 300, name
            level = watched["MetricName"] == "ApproximateNumberOfMessagesVisible"
            assert watched["Statistic"] == ("Maximum" if level else "Sum"), name
        assert said["AlarmDescription"], name
        assert said.get("ActionsEnabled", True) is True, name


def test_a_stack_tells_where_everything_is() -> None:
    outputs = {name: declared["Value"] for name, declared in source()["Outputs"].items()}
    host = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}"
    assert outputs == {
        "ApiUrl": {"Fn::Sub": host},
        "SwaggerUiUrl": {"Fn::Sub": f"{host}/kmeans/ui/"},
        "ApiId": ref("Api"),
        "DataBucketName": ref("DataBucket"),
        "JobsTableName": ref("JobsTable"),
        "FitQueueUrl": ref("FitQueue"),
        "FitDeadLetterQueueUrl": ref("FitDeadLetterQueue"),
    }


def test_logs_are_json_and_none_of_lambdas_own_lines_is_filtered() -> None:
    for name in functions():
        logging = properties(name)["LoggingConfig"]
        assert logging["LogGroup"] == ref("FunctionLogs"), name
        assert logging["LogFormat"] == "JSON", name
        assert "SystemLogLevel" not in logging, name
        assert resolved(logging["ApplicationLogLevel"], set()) == "INFO", name
        assert resolved(logging["ApplicationLogLevel"], {"LogsDebug"}) == "DEBUG", name
