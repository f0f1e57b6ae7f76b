"""What a changed parameter moves: a version and a deployment are made anew or stay what they were.

CloudFormation puts values of parameters into Resources before SAM sees them, and SAM names a
version and a deployment by a digest of what it sees. The SAM CLI brings a port of that first step.
"""

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from harness import PROJECT
from harness.template.reading import contract, source
from harness.template.sam import SAM, environment, installed

Json = Any

# Values that no AllowedValues and no number beside the default give.
OTHER = {
    "StageName": "v2",
    "DefaultOwner": "bob",
    "AwsEndpointUrl": "http://localhost:4566",
    "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/0b1a",
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "SweepSchedule": "rate(10 minutes)",
}
# What a parameter means something beside of.
BESIDE = {
    "DefaultOwner": {"Access": "OPEN", "DefaultOwner": "alice"},
    "DistributedProcessors": {"DistributedEngine": "emr-serverless"},
}


def packaged() -> Json:
    """The template as `sam package` leaves it, with the contract where AWS::Include puts it."""
    template = copy.deepcopy(source())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://artifacts/functions"
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://artifacts/layer"
    template["Resources"]["Api"]["Properties"]["DefinitionBody"] = contract()
    return template


def other(name: str) -> str:
    """A value that the parameter may have and does not have by default."""
    declared = source()["Parameters"][name]
    if "AllowedValues" in declared:
        value = next(value for value in declared["AllowedValues"] if value != declared["Default"])
        return str(value)
    if declared["Type"] == "Number":
        default = int(declared["Default"])
        return str(default - 1 if default == declared.get("MaxValue") else default + 1)
    return OTHER[name]


def parameters() -> list[str]:
    return list(source()["Parameters"])


@cache
def deployed() -> dict[str, Json]:
    """What becomes of the template, with each parameter changed alone; "" with none."""
    installed()
    given = [BESIDE.get(name, {}) | {name: other(name)} for name in parameters()]
    beside = list(BESIDE.values())
    run = subprocess.run(
        [SAM.with_name("python"), PROJECT / "harness/template/as_cloudformation.py"],
        input=json.dumps({"template": packaged(), "parameters": [*given, {}, *beside]}),
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    names = [*parameters(), "", *(f"without {name}" for name in BESIDE)]
    return dict(zip(names, json.loads(run.stdout), strict=True))


def ids(kind: str, changed: str) -> list[str]:
    """Logical ids of the resources of a type when this parameter is changed."""
    resources = deployed()[changed]["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == kind]


def moves(kind: str, name: str) -> bool:
    before = f"without {name}" if name in BESIDE else ""
    return ids(kind, name) != ids(kind, before)


def named(part: Json) -> Iterator[str]:
    """Parameters that a part of the template is made of, be it through a condition."""
    match part:
        case {"Ref": str(name)} if name in source()["Parameters"]:
            yield name
        case {"Fn::If": [condition, *branches]}:
            yield from named(source()["Conditions"][condition])
            yield from named(branches)
        case {"Fn::Sub": [str(text), dict(given)]}:
            yield from named([{"Fn::Sub": text}, *given.values()])
        case {"Fn::Sub": str(text)}:
            yield from named([{"Ref": name} for name in re.findall(r"\$\{(\w+)\}", text)])
        case dict():
            yield from named(list(part.values()))
        case list():
            for value in part:
                yield from named(value)
        case _:
            return


def of_a_version() -> set[str]:
    """Parameters that FitFunction is made of, all that it shares with others and its layers."""
    template = copy.deepcopy(source())
    own = template["Resources"]["FitFunction"]["Properties"]
    shared = template["Globals"]["Function"]
    layers = [template["Resources"][layer["Ref"]]["Properties"] for layer in own["Layers"]]
    del own["Events"]  # the API's, not the function's
    return set(named([shared | own, layers]))


@pytest.mark.parametrize("name", parameters())
def test_a_new_version_is_published_for_what_reaches_the_function_and_for_nothing_else(
    name: str,
) -> None:
    assert moves("AWS::Lambda::Version", name) == (name in of_a_version())


def test_limits_access_logging_and_memory_reach_the_function() -> None:
    limits = {name for name in parameters() if name.startswith("Max")}
    assert limits | {"Access", "DefaultOwner", "LogLevel", "FitMemory"} <= of_a_version()


def test_the_function_gets_the_changed_value_and_the_alias_the_new_version() -> None:
    resources = deployed()["MaxRows"]["Resources"]
    variables = resources["FitFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["MAX_ROWS"] == other("MaxRows")
    [version] = ids("AWS::Lambda::Version", "MaxRows")
    [alias] = ids("AWS::Lambda::Alias", "MaxRows")
    assert resources[alias]["Properties"]["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


def test_the_function_has_all_that_the_others_have() -> None:
    """What stands in Globals is repeated for it, word for word."""
    shared = source()["Globals"]["Function"]
    own = source()["Resources"]["FitFunction"]["Properties"]
    assert own["Environment"] == shared["Environment"]
    assert own["LoggingConfig"] == shared["LoggingConfig"]


def test_another_kind_of_access_is_deployed_and_no_other_parameter_deploys_the_api_anew() -> None:
    """A stage serves its deployment; authorizers that change alone would never get there."""
    moving = {name for name in parameters() if moves("AWS::ApiGateway::Deployment", name)}
    assert moving == {"Access"}
