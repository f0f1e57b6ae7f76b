"""Generated requests, from the contract that the service itself answers, against all its paths."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_service import Service, serving

# What is sent is generated from the document, and also breaks it; what comes back must be in it.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "use_after_free",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("schemathesis")) as running:
        yield running


def test_no_generated_request_gets_an_undocumented_answer_or_a_5xx(service: Service) -> None:
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{service.url}/openapi.json",
            f"--url={service.url.removesuffix('/kmeans')}",
            f"--checks={','.join(CHECKS)}",
            "--max-examples=50",
            "--workers=2",
            "--generation-deterministic",
        ],
        cwd=service.home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-1000:]
    assert "Tested: 20" in ran.stdout
