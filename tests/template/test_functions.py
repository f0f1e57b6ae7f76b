"""Memory, time, logs and versions of the functions."""

import pytest

from harness.template.reading import integrations, resources, source, transformed


@pytest.mark.parametrize("function", sorted(["SweeperFunction", "DocsFunction"]))
def test_functions_that_read_no_table_carry_no_layer(function: str) -> None:
    assert "Layers" not in transformed()["Resources"][function]["Properties"]


def test_every_function_is_traced_and_logs_json_into_a_group_that_forgets() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        properties = function["Properties"]
        assert properties["Runtime"] == "python3.13", name
        assert properties["TracingConfig"] == {"Mode": "Active"}, name
        assert properties["LoggingConfig"]["LogFormat"] == "JSON", name
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert "RetentionInDays" in transformed()["Resources"][group]["Properties"], name


def test_fits_can_start_from_a_snapshot_of_the_newest_version_and_no_older_one_is_kept() -> None:
    properties = transformed()["Resources"]["FitFunction"]["Properties"]
    assert properties["SnapStart"] == {"ApplyOn": {"Ref": "FitSnapStart"}}
    [(version, declared)] = resources("AWS::Lambda::Version").items()
    assert declared["Properties"]["FunctionName"] == {"Ref": "FitFunction"}
    assert declared["DeletionPolicy"] == "Delete"
    [alias] = resources("AWS::Lambda::Alias").values()
    assert alias["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


def test_another_layer_is_another_version() -> None:
    versions = {
        name
        for layer in ("s3://artifacts/old", "s3://artifacts/new")
        for name, resource in transformed(layer)["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Version"
    }
    assert len(versions) == 2


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
