"""Alarms and dashboard: they watch what is there, under the names it is there by."""

import json
import os
import re
from typing import Any

import pytest

from harness import PROJECT
from harness.api import ASYNC, MODEL_CSV, Client
from harness.system import deliver, drop, item, job, manifest, put, work_off
from harness.template.reading import Resource, functions, metrics_of, resources, source, transformed
from kmeans_service.models import loading

type Watched = tuple[str, str, frozenset[tuple[str, str]]]

# What AWS publishes, by its own documents, of the services that are here; dimensions by name.
PUBLISHED: dict[str, tuple[set[str], list[set[str]]]] = {
    "AWS/ApiGateway": (
        {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
        [{"ApiName"}, {"ApiName", "Stage"}],
    ),
    "AWS/Lambda": (
        {"Invocations", "Duration", "Errors", "Throttles", "ConcurrentExecutions"},
        [set(), {"FunctionName"}],
    ),
    "AWS/SQS": (
        {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
        [{"QueueName"}],
    ),
    "AWS/DynamoDB": (
        {"ReadThrottleEvents", "WriteThrottleEvents"},
        [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}],
    ),
}
OURS = "KMeansService"
# Not worth causing here: looked up in the code.
SELDOM = {"FilesTurnedAway", "RequestsUncounted"}
FREE_ALARMS = 10  # a metric each; one that does arithmetic counts for as many as it reads
FREE_METRICS = 50  # of a dashboard; CloudWatch takes three such dashboards for nothing


def alarms() -> dict[str, Resource]:
    return resources("AWS::CloudWatch::Alarm")


def widgets() -> list[dict[str, Any]]:
    """The dashboard's, with ${Name} where CloudFormation puts in a name."""
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body, _ = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def shown() -> list[Watched]:
    """Every metric of the dashboard."""
    rows = [row for widget in widgets() for row in widget["properties"]["metrics"]]
    named = [[part for part in row if isinstance(part, str)] for row in rows]
    return [
        (namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True)))
        for namespace, name, *rest in named
    ]


def watched_by(alarm: Resource) -> list[Watched]:
    """Its one metric, or those that it does arithmetic with."""
    return [
        (
            metric["Namespace"],
            metric["MetricName"],
            frozenset(
                (entry["Name"], _as_text(entry["Value"])) for entry in metric.get("Dimensions", [])
            ),
        )
        for metric in metrics_of(alarm)
    ]


def _as_text(value: Any) -> str:
    """A reference as Fn::Sub would write it."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case text:
            return str(text)


def everything_watched() -> list[Watched]:
    return [*shown(), *watched_by_alarms()]


def watched_by_alarms() -> list[Watched]:
    return [watched for alarm in alarms().values() for watched in watched_by(alarm)]


class Emitted:
    """The metrics that handlers print, as CloudWatch reads them from the log (EMF)."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def metrics(self) -> dict[Watched, list[float]]:
        found: dict[Watched, list[float]] = {}
        for line in self._capsys.readouterr().out.splitlines():
            logged = json.loads(line)
            for directive in logged.get("_aws", {}).get("CloudWatchMetrics", []):
                for names in directive["Dimensions"]:
                    dimensions = frozenset((name, logged[name]) for name in names)
                    for metric in directive["Metrics"]:
                        key = (directive["Namespace"], metric["Name"], dimensions)
                        found.setdefault(key, []).extend(logged[metric["Name"]])
        return found


@pytest.fixture
def emitted(client: Client, capsys: pytest.CaptureFixture[str]) -> Emitted:
    client.get("/kmeans/health")  # a cold start is behind us
    capsys.readouterr()
    return Emitted(capsys)


def integrity() -> Watched:
    """What the alarm watches, with this process's service in the place of the stack's."""
    [(namespace, name, dimensions)] = watched_by(alarms()["IntegrityAlarm"])
    return namespace, name, as_here(dimensions)


def as_here(dimensions: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    variables = source()["Globals"]["Function"]["Environment"]["Variables"]
    service = _as_text(variables["POWERTOOLS_SERVICE_NAME"])
    here = os.environ["POWERTOOLS_SERVICE_NAME"]
    return frozenset((name, value.replace(service, here)) for name, value in dimensions)


def code() -> str:
    return "".join(path.read_text() for path in (PROJECT / "functions").rglob("*.py"))


# --- names ------------------------------------------------------------------------


def test_what_is_watched_of_aws_is_a_metric_that_aws_publishes() -> None:
    for namespace, name, dimensions in everything_watched():
        if namespace != OURS:
            names, kinds = PUBLISHED[namespace]
            assert name in names, (namespace, name)
            assert {key for key, _ in dimensions} in kinds, (namespace, name, dimensions)


def test_what_is_watched_is_a_resource_of_the_type_that_the_metric_is_of() -> None:
    of = {
        "ApiName": {"AWS::StackName"},
        "Stage": {"StageName"},
        "FunctionName": set(functions()),
        "QueueName": {f"{name}.QueueName" for name in resources("AWS::SQS::Queue")},
        "TableName": set(resources("AWS::DynamoDB::Table")),
        "service": {"AWS::StackName"},
    }
    for _, _, dimensions in everything_watched():
        for key, value in dimensions:
            reference = re.fullmatch(r"\$\{([\w.:]+)\}", value)
            if reference:
                assert reference[1] in of[key], (key, value)
            else:
                assert (key, value) == ("GlobalSecondaryIndexName", "active")


def test_the_api_is_named_as_its_metrics_are() -> None:
    properties = source()["Resources"]["Api"]["Properties"]
    assert (properties["Name"], properties["StageName"]) == (
        {"Ref": "AWS::StackName"},
        {"Ref": "StageName"},
    )


def test_the_dashboard_refers_to_nothing_that_may_be_absent() -> None:
    """The authorizer is not there where AWS checks signatures."""
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body, given = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    for reference in re.findall(r"\$\{(\w+)", body):
        conditional = "Condition" in transformed()["Resources"].get(reference, {})
        assert conditional == (reference in given), reference


def test_every_function_every_queue_and_the_table_are_on_the_dashboard() -> None:
    values = {value for _, _, dimensions in shown() for _, value in dimensions}
    for name in [*functions(), *resources("AWS::DynamoDB::Table")]:
        assert f"${{{name}}}" in values, name
    for name in resources("AWS::SQS::Queue"):
        assert f"${{{name}.QueueName}}" in values, name


def test_the_dashboard_is_one_that_costs_nothing() -> None:
    assert len(shown()) < FREE_METRICS


def test_widgets_have_a_title_and_show_this_region() -> None:
    for widget in widgets():
        assert widget["properties"]["title"]
        assert widget["properties"]["region"] == "${AWS::Region}"


def test_an_alarm_is_raised_by_the_first_occurrence_but_throttling_and_tells_the_topic() -> None:
    for name, alarm in alarms().items():
        properties = alarm["Properties"]
        # Only what lasts is news where a moment's throttling is how a small account works.
        periods = 3 if name == "ThrottlesAlarm" else 1
        assert (properties["Threshold"], properties["EvaluationPeriods"]) == (1, periods), name
        assert properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert properties["TreatMissingData"] == "notBreaching", name
        assert properties["AlarmActions"] == {
            "Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]
        }, name


@pytest.mark.parametrize(
    "watched",
    [
        ("AWS/ApiGateway", "5XXError"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/Lambda", "Throttles"),
        (OURS, "IntegrityFailures"),
    ],
)
def test_there_is_an_alarm_for(watched: tuple[str, str]) -> None:
    assert watched in {entry[:2] for entry in watched_by_alarms()}


def test_a_call_that_lambda_turns_away_is_no_server_error() -> None:
    """Each is a 5xx of the API and a throttle of the account: nothing is left to ring for."""
    alarm = alarms()["ServerErrorsAlarm"]["Properties"]
    asked = {entry["Id"]: entry for entry in alarm["Metrics"]}
    assert {name for name, entry in asked.items() if entry["ReturnData"]} == {"failed"}
    assert asked["failed"]["Expression"] == "errors - FILL(throttles, 0)"
    assert asked["errors"]["MetricStat"]["Metric"]["MetricName"] == "5XXError"
    assert asked["throttles"]["MetricStat"]["Metric"] == {
        "Namespace": "AWS/Lambda",
        "MetricName": "Throttles",
    }


def test_alarms_watch_no_more_metrics_than_are_free() -> None:
    assert len(watched_by_alarms()) <= FREE_ALARMS


def test_what_no_caller_sees_fail_has_an_alarm_for_its_errors() -> None:
    """The worker and the sweeper have nobody to answer 5xx to."""
    failing = {
        dict(dimensions).get("FunctionName")
        for _, name, dimensions in watched_by_alarms()
        if name == "Errors"
    }
    assert failing == {"${FitWorkerFunction}", "${SweeperFunction}"}


# --- what the functions print ------------------------------------------------------


def test_all_functions_emit_under_the_namespace_and_service_that_are_watched() -> None:
    for name in functions():
        variables = transformed()["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == OURS, name
        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}, name


def test_the_dashboard_shows_metrics_of_ours_that_are_emitted(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    loading.forget()
    client.predict()
    client.upload(MODEL_CSV + b"1, 1\n", "other.csv")
    client.fit(1, **ASYNC)
    put(item(1)["input"]["key"], MODEL_CSV)
    work_off()
    found = set(emitted.metrics())
    for namespace, name, dimensions in shown():
        if namespace != OURS:
            continue
        if name in SELDOM:
            assert as_here(dimensions) == integrity()[2], name
            assert f'count("{name}")' in code(), name
        else:
            assert (namespace, name, as_here(dimensions)) in found, name


def test_an_object_that_was_swapped_raises_the_alarm_when_a_request_reads_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    put(job().published.labels.key, b"0\n" * 6)
    assert integrity() not in emitted.metrics()
    assert client.get("/kmeans/jobs/0/labels").status == 410
    assert emitted.metrics()[integrity()] == [1]


def test_a_file_that_was_swapped_raises_the_alarm_once_when_a_request_fits_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    assert client.fit(0).status == 410
    assert emitted.metrics()[integrity()] == [1]


def test_a_file_that_was_swapped_raises_the_alarm_once_when_the_worker_fits_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    work_off()
    assert emitted.metrics()[integrity()] == [1]


def test_centers_that_were_swapped_raise_the_alarm_when_the_worker_predicts(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    prediction = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    loading.forget()
    put(manifest().key, b"anything")
    deliver(drop(prediction["fields"]["key"], MODEL_CSV))
    assert emitted.metrics()[integrity()] == [1]
    assert client.get(f"/kmeans/predictions/{prediction['prediction_id']}").status == 422


def test_any_other_refusal_raises_no_alarm(client: Client, emitted: Emitted) -> None:
    client.upload(b"a,1")
    client.get("/kmeans/jobs/7")
    client.predict()
    assert integrity() not in emitted.metrics()
