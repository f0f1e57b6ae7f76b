"""A new account of AWS can have the stack."""

import json
import re
from typing import Any

from harness import PROJECT
from harness.template.reading import as_list, resources, source, transformed
from local.contract import GATEWAY

# What AWS gives a new account, by its documentation and by the words of its refusals.
NEW_ACCOUNT_MEMORY, NEW_ACCOUNT_CONCURRENCY, TMP_LIMIT = 3008, 10, 10_240


def default_of(value: Any) -> Any:
    """A property's value where nobody chooses another."""
    match value:
        case {"Ref": name} if name in source()["Parameters"]:
            return int(source()["Parameters"][name]["Default"])
        case _:
            return value


def test_no_function_asks_for_more_than_a_new_account_may_have() -> None:
    for name, function in resources("AWS::Lambda::Function").items():
        properties = function["Properties"]
        assert default_of(properties["MemorySize"]) <= NEW_ACCOUNT_MEMORY, name
        assert properties.get("EphemeralStorage", {}).get("Size", 512) <= TMP_LIMIT, name
        # What is reserved must leave the account ten: in a new one, all there is.
        assert "ReservedConcurrentExecutions" not in properties, name
        assert "ProvisionedConcurrencyConfig" not in properties, name


def test_background_fits_leave_a_new_account_functions_for_calls() -> None:
    defaults = {name: entry["Default"] for name, entry in source()["Parameters"].items()}
    calls = NEW_ACCOUNT_CONCURRENCY - defaults["WorkerConcurrency"]
    assert calls >= NEW_ACCOUNT_CONCURRENCY / 2
    assert defaults["ThrottlingBurstLimit"] <= NEW_ACCOUNT_CONCURRENCY
    assert source()["Parameters"]["WorkerConcurrency"]["MinValue"] == 2  # SQS takes no less


def test_an_account_without_an_api_has_one_before_its_log_role_is_set() -> None:
    account = transformed()["Resources"]["ApiGatewayAccount"]
    assert "Api" in as_list(account["DependsOn"])
    # And the stage, which logs, comes after both.
    [stage] = resources("AWS::ApiGateway::Stage").values()
    assert "ApiGatewayAccount" in json.dumps(stage["Properties"]["Variables"])


def test_a_failed_or_deleted_stack_leaves_only_the_role_that_the_account_may_point_to() -> None:
    kept = {
        name: resource["DeletionPolicy"]
        for name, resource in source()["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert set(kept) == {"ApiGatewayAccount", "ApiGatewayCloudWatchRole"}


def test_nothing_is_billed_that_nobody_looks_at() -> None:
    """Metrics by route are custom metrics, five for each of forty methods."""
    [settings] = source()["Resources"]["Api"]["Properties"]["MethodSettings"]
    assert not settings.get("MetricsEnabled")


# The API's own: a name in a template of any partition is made of pseudo parameters.
def test_no_arn_or_address_is_of_one_partition() -> None:
    text = (PROJECT / "template.yaml").read_text() + GATEWAY.read_text()
    assert not re.search(r"(?<!\")\barn:aws:", text)
    services = set(re.findall(r"\b([\w.-]+)\.amazonaws\.com\b", text))
    # Principals, the same in every partition.
    assert services <= {"lambda", "apigateway", "s3", "events", "emr-serverless"}
