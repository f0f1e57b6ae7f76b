"""What the stage of the API lets through and logs."""

import json

from harness.template.reading import arn, contract, ref, resources, source
from local.contract import GATEWAY


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
