"""Runs pytest again and again, each time in a fork that has the libraries already.

Run by the tests' own Python, in the tree whose tests it runs. A line of JSON on standard input is
{"tests": [arguments], "seconds": most}; the answer is a line with the outcome and who failed.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Nothing of ours, and nothing that is used before the fork.
LIBRARIES = (
    "aiohttp.test_utils, aws_lambda_powertools.event_handler, aws_lambda_powertools.metrics,"
    "aws_lambda_powertools.utilities.batch, boto3, boto3.s3.transfer, hypothesis, numpy,"
    "openapi_schema_validator, pytest, requests, samtranslator.translator.translator,"
    "sklearn.cluster, sklearn.metrics, yaml"
)


def run(tests: list[str], seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            import pytest

            os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))
        ended = _wait(child, time.monotonic() + seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it started goes with it
        if ended is None:
            os.waitpid(child, 0)
            return {"outcome": "timeout", "said": ""}
        said.seek(0)
        text = said.read()
    failed = [
        line for line in text.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))
    ]
    if ended == 4 and "ERROR: not found" in text:  # else its conftest has stumbled over the mistake
        raise RuntimeError(f"no such test: {text[-5000:]}")
    outcome = {0: "survived", 5: "no tests"}.get(ended, "killed")
    return {"outcome": outcome, "said": "\n".join(failed[:1]) or text[-2000:]}


def _wait(child: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    return None


def main() -> None:
    sys.path[:1] = [str(Path.cwd()), str(Path.cwd() / "functions")]
    exec(f"import {LIBRARIES}")  # noqa: S102 (a list that is easy to read)
    server = subprocess.Popen(
        [sys.executable, "-m", "harness.fake_aws.server"],
        stdin=subprocess.PIPE,  # whose end is that of this process
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    os.environ["AWS_OF_TESTS"] = server.stdout.readline().strip()
    try:
        for line in sys.stdin:
            print(json.dumps(run(**json.loads(line))), flush=True)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
