"""The client beside the contract and the service's own errors: nothing of them is missing here."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kmeans_client import Client, answers, problems

PROJECT = Path(__file__).parents[2]
CONTRACT = yaml.safe_load((PROJECT / "openapi.yaml").read_text())
SERVICE = PROJECT / "functions/kmeans_service"
OPERATIONS = sorted(
    operation["operationId"]
    for path in CONTRACT["paths"].values()
    for name, operation in path.items()
    if name in {"get", "post", "put", "patch", "delete"}
)
# What the gateway, or `make run`, answers by itself.
BESIDE_THE_SERVICE = {"BadGateway", "InsufficientStorage"}


def method_of(operation: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", operation).lower()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_the_contract_has_its_method(operation: str) -> None:
    method = getattr(Client, method_of(operation), None)
    assert callable(method), f"Client.{method_of(operation)} is missing"
    assert method.__doc__


def classes_of(module: str) -> dict[str, str]:
    """Name and first base of each class."""
    tree = ast.parse((SERVICE / module).read_text())
    return {
        node.name: node.bases[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and isinstance(node.bases[0], ast.Name)
    }


def test_the_tree_of_problems_mirrors_that_of_the_service() -> None:
    theirs = classes_of("errors.py")
    del theirs["ServiceError"]
    mirrored = {
        kind.__name__: kind.__bases__[0].__name__.replace("Problem", "ServiceError")
        for kind in problems.leaves().values()
        if kind.__name__ not in BESIDE_THE_SERVICE
    }
    assert mirrored == theirs


def test_every_type_of_problem_is_a_class_of_its_own() -> None:
    table = (SERVICE / "problems.py").read_text()
    answered = set(re.findall(r"^    errors\.(\w+): HTTPStatus", table, re.M))
    assert answered
    kinds = {kind.__name__: type for type, kind in problems.leaves().items()}
    assert answered <= kinds.keys()
    assert kinds["FeatureMismatch"] == "urn:kmeans-service:problem:feature-mismatch"


def test_a_type_that_is_newer_than_the_client_is_a_problem_all_the_same() -> None:
    found = problems.problem(418, {"type": "urn:kmeans-service:problem:teapot", "detail": "short"})
    assert type(found) is problems.Problem
    assert str(found) == "short"


def members_of(schema: str) -> set[str]:
    """`Job.spent` are those of a member."""
    name, *members = schema.split(".")
    found: dict[str, Any] = CONTRACT["components"]["schemas"][name]
    for member in members:
        found = found["properties"][member]
    return set(found["properties"])


def test_what_is_waited_for_stands_in_the_contract() -> None:
    of_both = members_of("Prediction") | members_of("Making")
    assert answers.Pending.__annotations__.keys() == of_both


@pytest.mark.parametrize(
    ("known", "schema"),
    [
        (answers.Job, "Job"),
        (answers.Scores, "Scores"),
        (answers.Reading, "Reading"),
        (answers.Uploaded, "Uploaded"),
        (answers.Upload, "PresignedUpload"),
        (answers.Column, "Column"),
        (answers.Table, "Table"),
        (answers.PresignedPrediction, "PresignedPrediction"),
        (answers.Spent, "Job.spent"),
        (answers.Health, "Health"),
        (answers.Choice, "Choice"),
        (answers.Cluster, "Cluster"),
        (answers.Clusters, "Clusters"),
        (answers.Projection, "Projection"),
    ],
)
def test_what_is_said_of_an_answer_stands_in_the_contract(known: Any, schema: str) -> None:
    assert known.__annotations__.keys() <= members_of(schema)
