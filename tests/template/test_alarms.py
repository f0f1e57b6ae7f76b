"""Alarms and dashboard: they watch what is there, under the names it is there by."""

import re

import pytest

from harness.template.reading import functions, resources, source, transformed
from harness.template.watched import OURS, Watched, alarms, shown, watched_by, widgets

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
FREE_ALARMS = 10  # a metric each; one that does arithmetic counts for as many as it reads
FREE_METRICS = 50  # of a dashboard; CloudWatch takes three such dashboards for nothing


def everything_watched() -> list[Watched]:
    return [*shown(), *watched_by_alarms()]


def watched_by_alarms() -> list[Watched]:
    return [watched for alarm in alarms().values() for watched in watched_by(alarm)]


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
