"""Generated requests, from the contract that the service itself answers, against all its paths."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import contract
from harness.schemathesis_hooks import FITTED
from harness.service.closed import POINTS, Closed, bearer, running
from local.settings import PROJECT

# What is sent is generated from the document, and also breaks it; what comes back must be in it.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "use_after_free",
)

# Of each operation. A HEAD is the GET of its path without a body, and with a token the requests are
# the same: these few are for what a token and a method change.
EXAMPLES = {"OPEN": 40, "TOKEN": 15}
LEAST = {"OPEN": 2500, "TOKEN": 800}  # that are generated of all operations
LESS = {"OPEN": ("--exclude-method=HEAD",), "TOKEN": ("--phases=examples,fuzzing,stateful",)}


@pytest.fixture(scope="module", params=["OPEN", "TOKEN"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Closed]:
    yield from running(tmp_path_factory.mktemp(f"schemathesis-{request.param}"), request.param)


@pytest.fixture(scope="module")
def credentials(service: Closed) -> list[str]:
    return [] if service.access == "OPEN" else bearer(service.token("create --owner alice"))


@pytest.fixture(scope="module")
def prediction_id(service: Closed, credentials: list[str]) -> str:
    """Of a prediction that waits for its points; beside it, fitted jobs."""
    for number in range(max(FITTED) + 1):
        file = f"file=@-;filename={number}.csv"
        made = service.curl("/kmeans/upload", *credentials, "-F", file, given=POINTS)
        assert made.json()["job_id"] == number
    for job_id in FITTED:
        body = json.dumps({"job_id": job_id})
        assert service.curl("/kmeans/fit", *credentials, "--json", body).status == 200
    reserved = service.curl("/kmeans/predictions", *credentials, "--json", body)
    return str(reserved.json()["prediction_id"])


@pytest.mark.parametrize("times", [1, pytest.param(6, marks=pytest.mark.soak)])
def test_no_generated_request_gets_an_undocumented_answer_or_a_5xx(
    service: Closed, credentials: list[str], prediction_id: str, times: int
) -> None:
    examples = times * EXAMPLES[service.access]
    less = LESS[service.access] if times == 1 else ()
    published = service.service.home / "openapi.json"
    published.write_text(service.curl("/kmeans/openapi.json", *credentials).body)
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            published,
            f"--url={service.service.url.removesuffix('/kmeans')}",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={examples}",
            "--workers=2",
            "--generation-deterministic",
            "--no-color",
            *credentials,
            *less,
        ],
        cwd=service.service.home,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": "harness.schemathesis_hooks",
            "PYTHONPATH": str(PROJECT),
            "PREDICTION_ID": prediction_id,
        },
        capture_output=True,
        text=True,
        timeout=600 * times,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-1000:]
    methods = [method for method, _, _ in contract.operations()]
    tested = len(methods) - ("--exclude-method=HEAD" in less) * methods.count("HEAD")
    assert f"Tested: {tested}\n" in ran.stdout, ran.stdout[-3000:]
    cases = re.search(r"([0-9]+) generated, ([0-9]+) passed", ran.stdout)
    assert cases, ran.stdout[-2000:]
    assert int(cases[1]) == int(cases[2]) > LEAST[service.access]
