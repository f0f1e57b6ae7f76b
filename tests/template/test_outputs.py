"""What alarms count, what a stack tells, and what it logs."""

from harness.template.reading import (
    functions,
    metrics_of,
    properties,
    ref,
    resolved,
    resources,
    source,
)


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
