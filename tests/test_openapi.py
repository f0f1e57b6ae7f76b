"""The contract is valid, API Gateway can read it, and it says what the handlers do, both ways."""

import copy
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from jsonschema.exceptions import ValidationError
from openapi_spec_validator import OpenAPIV30SpecValidator

from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, MODEL_CSV, Answer, Client, form
from harness.routes import filled
from kmeans_service.media_types import BINARY
from local.contract import (
    GATEWAY,
    INTEGRATION,
    PUBLISHED,
    SOURCE,
    TEMPLATE,
    ContractError,
    gateway,
    gateway_contract,
    published_contract,
)
from local.template import load_yaml

HTTP_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def nodes(node: Any, path: tuple[str, ...] = ()) -> Any:
    """(path, object) of every object in a document."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from nodes(value, (*path, str(name)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, (*path, str(index)))


def routes_of(module: Any) -> set[tuple[str, str]]:
    app = module.app
    routes = app._static_routes + app._dynamic_routes
    return {(route.method, re.sub(r"<(\w+)>", r"{\1}", route.path)) for route in routes}


def documented_routes() -> dict[str, set[tuple[str, str]]]:
    routes = defaultdict(set)
    for method, path, operation in contract.operations():
        routes[contract.function_of(operation)].add((method, path))
    return routes


def test_the_document_is_valid_openapi_3_0_3() -> None:
    assert contract.document()["openapi"] == "3.0.3"
    OpenAPIV30SpecValidator(contract.document()).validate()


def test_an_invalid_document_would_be_found() -> None:
    broken = copy.deepcopy(contract.document())
    del broken["info"]["title"]
    with pytest.raises(ValidationError):
        OpenAPIV30SpecValidator(broken).validate()


def test_it_holds_nothing_that_api_gateway_cannot_read() -> None:
    for path, node in nodes(contract.document()):
        assert not {"oneOf", "anyOf", "nullable", "discriminator"} & node.keys(), path
        if "$ref" in node:
            assert path[-1] in ("schema", "items") or path[-2] == "properties", path
            assert node["$ref"].startswith("#/components/schemas/")
    assert set(contract.document()["components"]) == {"schemas", "securitySchemes"}


@pytest.mark.parametrize("function", sorted(documented_routes()))
def test_a_function_has_just_the_routes_that_are_wired_to_it(function: str) -> None:
    assert routes_of(contract.module_of(function)) == documented_routes()[function]


def test_any_other_method_goes_to_a_function_that_answers_405() -> None:
    for path, item in contract.document()["paths"].items():
        assert set(item) <= HTTP_METHODS | {contract.ANY_METHOD}
        function = contract.function_of(item[contract.ANY_METHOD])
        served = {contract.function_of(item[method]) for method in set(item) & HTTP_METHODS}
        assert {function} == served or path == contract.UNKNOWN


def test_operation_ids_and_summaries_are_there_and_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in contract.operations()]
    assert len(ids) == len(set(ids))
    assert all(operation["summary"] for _, _, operation in contract.operations())


def test_what_is_made_of_the_contract_is_fresh() -> None:
    assert GATEWAY.read_text() == gateway_contract(), "run `make openapi`"
    assert PUBLISHED.read_text() == published_contract(), "run `make openapi`"


def test_the_contract_is_written_without_what_is_the_gateways_and_is_valid_as_it_stands() -> None:
    assert "x-amazon" not in SOURCE.read_text()
    assert "x-amazon" not in PUBLISHED.read_text()
    OpenAPIV30SpecValidator(load_yaml(SOURCE)).validate()


# The ten lines of the contract and the two of the template that a new route may cost.
ROUTE = """\
  /kmeans/jobs/{job_id}/new:
    get:
      operationId: getNew
      tags: [jobs]
      summary: Something else of a fit
      parameters: [{$ref: '#/components/parameters/JobId'}]
      responses:
        <<: [*model, *unchanged, *read]
        '200': {description: It, headers: {ETag: {description: Of it, schema: {type: string}}},
          content: {application/json: {schema: {$ref: '#/components/schemas/Scores'}}}}
"""
EVENT = """\
        New:
          { Type: Api, Properties: { RestApiId: !Ref Api, Path: "/kmeans/jobs/{job_id}/new", Method: ANY } }
"""  # noqa: E501


def with_lines(source: Path, before: str, lines: str, folder: Path) -> Any:
    """What the file would say with these lines more."""
    head, found, tail = source.read_text().partition(before)
    assert found
    changed = folder / source.name
    changed.write_text(head + lines + found + tail)
    return load_yaml(changed)


def test_a_new_route_is_ten_lines_of_the_contract_and_two_of_the_template(tmp_path: Path) -> None:
    assert (ROUTE.count("\n"), EVENT.count("\n")) == (10, 2)
    openapi = with_lines(SOURCE, "  /kmeans/jobs/{job_id}/scores:\n", ROUTE, tmp_path)
    template = with_lines(TEMPLATE, "        Scores:\n", EVENT, tmp_path)
    paths = gateway(openapi, template)["paths"]
    new, known = (paths[f"/kmeans/jobs/{{job_id}}/{name}"] for name in ("new", "scores"))
    assert new.keys() == known.keys() == {"get", "head", contract.ANY_METHOD}
    for method in new:
        assert new[method][INTEGRATION] == known[method][INTEGRATION]
        assert new[method]["security"] == known[method]["security"]
    del new["get"]["responses"]["200"], known["get"]["responses"]["200"]
    assert new["get"]["responses"] == known["get"]["responses"]
    assert new["head"]["operationId"] == "headNew"


def test_a_route_without_a_function_and_a_function_without_a_route_are_named(
    tmp_path: Path,
) -> None:
    openapi = with_lines(SOURCE, "  /kmeans/jobs/{job_id}/scores:\n", ROUTE, tmp_path)
    template = with_lines(TEMPLATE, "        Scores:\n", EVENT, tmp_path)
    with pytest.raises(ContractError, match=r"/new is in openapi\.yaml, and no function"):
        gateway(openapi, load_yaml(TEMPLATE))
    with pytest.raises(ContractError, match=r"/new is an event of template\.yaml"):
        gateway(load_yaml(SOURCE), template)


def test_the_published_contract_is_served_without_what_is_the_gateways(client: Client) -> None:
    served = client.get("/kmeans/openapi.json").json()
    assert "x-amazon" not in json.dumps(served)
    assert contract.UNKNOWN not in served["paths"]
    OpenAPIV30SpecValidator(served).validate()


PROBLEMS = [
    (f"{method} {path}", status, response)
    for method, path, operation in contract.operations()
    for status, response in operation["responses"].items()
    if int(status) >= 400 and method != "HEAD"
]


def test_examples_of_problems_are_problems_of_their_status() -> None:
    shown = set()
    for _, status, response in PROBLEMS:
        example = response["content"]["application/problem+json"].get("example")
        if example:
            contract.validator(json.dumps(contract.PROBLEM)).validate(example)
            assert str(example["status"]) == status
            shown.add(status)
    assert shown >= {"413", "422", "429"}


def test_whoever_is_told_to_come_again_is_told_when() -> None:
    for operation, status, response in PROBLEMS:
        if status in ("429", "503"):
            assert "Retry-After" in response["headers"], operation


def test_head_is_wherever_get_is_and_answers_the_same_without_a_body() -> None:
    for path, item in contract.document()["paths"].items():
        assert ("head" in item) == ("get" in item), path
        if "get" not in item:
            continue
        get, head = (copy.deepcopy(item[method]) for method in ("get", "head"))
        for response in get["responses"].values():
            response.pop("content", None)
        assert head["responses"] == get["responses"], path
        for same in ("security", "parameters", INTEGRATION):
            assert head.get(same) == get.get(same), path


def test_every_operation_may_be_asked_too_often() -> None:
    for method, path, operation in contract.operations():
        assert "429" in operation["responses"], f"{method} {path}"


EXAMPLES = [
    (method, path, media_type, content["example"])
    for method, path, operation in contract.operations()
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
    if media_type != BINARY
]


def files_of(method: str, path: str) -> set[str]:
    """The fields of an operation's form that are files."""
    body = contract.document()["paths"][path][method.lower()]["requestBody"]
    name = body["content"]["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    fields = contract.document()["components"]["schemas"][name]["properties"]
    return {field for field, schema in fields.items() if schema.get("format") == "binary"}


def send(client: Client, method: str, path: str, media_type: str, example: Any) -> Answer:
    files = files_of(method, path) if media_type != "application/json" else set()
    path = path.replace("{job_id}", "0")
    if media_type == "application/json":
        return client.call(method, path, json.dumps(example).encode(), JSON_TYPE)
    parts = [
        (name, f"{name}.csv" if name in files else None, str(value).encode())
        for name, value in example.items()
    ]
    return client.call(method, path, form(*parts), FORM_TYPE)


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload(MODEL_CSV)
    client.fit(0)
    return client


@pytest.mark.parametrize(
    ("method", "path", "media_type", "example"), EXAMPLES, ids=lambda value: str(value)[:30]
)
def test_every_example_works(
    fitted: Client, method: str, path: str, media_type: str, example: Any
) -> None:
    documented = contract.document()["paths"][path][method.lower()]["responses"]
    success = min(int(status) for status in documented)
    assert send(fitted, method, path, media_type, example).status == success


@pytest.mark.parametrize("path", [path for verb, path, _ in contract.operations() if verb == "GET"])
def test_everything_that_can_be_read_is_answered(fitted: Client, path: str) -> None:
    if path.endswith("/choice"):
        fitted.fit(0, {"n_clusters": "auto"})
    prediction = fitted.post_json("/kmeans/predictions", {"job_id": 0}).json()["prediction_id"]
    answer = fitted.get(filled(path, job_id="0", prediction_id=prediction))
    assert answer.status == (202 if "predictions" in path else 200)


def test_an_undocumented_answer_is_an_error() -> None:
    problem = b'{"type": "a", "title": "b", "status": 404, "detail": "c", "request_id": "d"}'
    json_type, problem_type = JSON_TYPE, {"Content-Type": "application/problem+json"}
    contract.check("GET", "/kmeans/jobs/0", 404, problem_type, problem)
    for method, path, status, headers, body in [
        ("GET", "/kmeans/jobs/0", 418, problem_type, problem.replace(b"404", b"418")),
        ("GET", "/kmeans/jobs/0", 410, problem_type, problem),
        ("GET", "/kmeans/jobs/0", 404, json_type, problem),
        ("GET", "/kmeans/jobs/0", 404, problem_type, problem.replace(b"detail", b"details")),
        ("GET", "/kmeans/health", 200, json_type, b'{"status": "ok"}'),
        ("GET", "/kmeans/health", 200, json_type, b'{"status": "ok", "version": 1}'),
        ("GET", "/kmeans/health", 200, json_type, b'{"status": "ok", "version": "1", "x": 1}'),
        ("GET", "/kmeans/health", 200, {"Content-Type": "text/html"}, b"ok"),
        ("DELETE", "/kmeans/jobs/0", 204, {}, b"gone"),
        ("PUT", "/kmeans/jobs/0", 404, problem_type, problem),
        ("GET", "/kmeans/nothing", 200, json_type, b"{}"),
    ]:
        with pytest.raises((AssertionError, ValidationError)):
            contract.check(method, path, status, headers, body)
