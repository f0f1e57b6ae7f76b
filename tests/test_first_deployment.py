"""docs/first-deployment.md, run as it stands there, with an emulator in the place of AWS.

`make deploy` with SAM's own CLI, CloudFormation, the deployed URL, the queue, the bucket, and back.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from harness import PROJECT
from harness.documents import BLOCK, Example
from harness.service import commands as on_emulator
from harness.template.sam import build, environment
from local.deployment import uploads_to
from local.template import load_template, packaged

PAGE = (PROJECT / "docs/first-deployment.md").read_text()
EXAMPLES = [Example(found["code"], found["answer"] or "") for found in BLOCK.finditer(PAGE)]
STACK = "kmeans"
START_SECONDS = 60
ANSWER_SECONDS = 180  # the first call unpacks the layers
LIMIT = 600  # seconds for all of them
NEXT = "\f"


def client(service: str, endpoint: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulator")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    variables = environment(BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), TMPDIR=str(folder))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, PROJECT / "harness/service/emulator.py"],
            cwd=folder,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"{endpoint}/_ministack/health", process)
        yield endpoint
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "the emulator ended"
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.RequestException:
            assert time.monotonic() < deadline, "the emulator does not answer"
            time.sleep(0.2)
        else:
            return


@pytest.fixture(scope="module")
def said(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block printed, all run by one shell."""
    build()
    programs = tmp_path_factory.mktemp("programs")
    on_emulator.install(programs)
    script = "".join(f"{example.code}\nprintf '{NEXT}'\n" for example in EXAMPLES)
    variables = environment(AWS_ENDPOINT_URL=emulator, TMPDIR=str(programs))
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=PROJECT,
        env=variables | {"PATH": f"{programs}:{variables['PATH']}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    printed = shell.stdout.split(NEXT)
    assert len(printed) == len(EXAMPLES) + 1, f"after {printed[-1]!r}: {shell.stderr[-3000:]}"
    return printed


@pytest.mark.parametrize("place", range(len(EXAMPLES)), ids=lambda place: EXAMPLES[place].name)
def test_a_step_prints_what_the_page_shows(said: list[str], place: int) -> None:
    pattern = ".*?".join(map(re.escape, EXAMPLES[place].answer.strip().split("…")))
    assert re.fullmatch(pattern, said[place].replace("\r", "").strip(), re.S), said[place]


def test_the_steps_that_are_not_run_are_those_of_aws_alone_and_deletion() -> None:
    steps = re.split(r"^\*\*(\d+)\. ", PAGE, flags=re.M)[1:]
    for number, text in zip(steps[::2], steps[1::2], strict=True):
        if "```bash no-test" in text:
            assert "(AWS alone)" in text or number in ("1", "14"), number


def test_every_test_that_the_page_names_exists() -> None:
    for name in re.findall(r"`(?:tests/)?([\w/]*test_\w+\.py)`", PAGE):
        assert (PROJECT / "tests" / name).exists(), name


def outputs(emulator: str) -> dict[str, str]:
    stack = client("cloudformation", emulator).describe_stacks(StackName=STACK)["Stacks"][0]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}


def test_what_is_deployed_with_no_word_on_access_is_closed(
    said: list[str],  # noqa: ARG001 (it deployed it)
    emulator: str,
) -> None:
    api = f"{emulator}/restapis/{outputs(emulator)['ApiId']}/v1/_user_request_"
    for path in ("/kmeans/jobs", "/kmeans/jobs/0", "/kmeans/ui/", "/kmeans/openapi.json"):
        for headers in ({}, {"Authorization": "Bearer km_" + "a" * 43}):
            answer = requests.get(api + path, headers=headers, timeout=ANSWER_SECONDS)
            assert answer.status_code in (401, 403), path
    assert requests.get(f"{api}/kmeans/health", timeout=ANSWER_SECONDS).ok


def test_a_bucket_that_holds_data_would_not_go_and_an_empty_one_goes_with_the_stack(
    said: list[str],  # noqa: ARG001 (it emptied the bucket)
    emulator: str,
) -> None:
    cloudformation, s3 = client("cloudformation", emulator), client("s3", emulator)
    named = outputs(emulator)
    bucket = named["DataBucketName"]
    version = s3.put_object(Bucket=bucket, Key="one/more", Body=b"")["VersionId"]
    with pytest.raises(ClientError, match="BucketNotEmpty"):  # what CloudFormation would meet with
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="one/more", VersionId=version)
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=bucket)
    assert named["JobsTableName"] not in client("dynamodb", emulator).list_tables()["TableNames"]


def test_open_without_an_owner_is_not_deployed(emulator: str) -> None:
    upload = uploads_to(client("s3", emulator))
    address = upload(json.dumps(packaged(load_template(), upload)).encode())
    with pytest.raises(ClientError, match="it needs a DefaultOwner too"):
        client("cloudformation", emulator).create_stack(
            StackName=f"{STACK}-open",
            TemplateURL=address.replace("s3://", f"{emulator}/"),
            Parameters=[{"ParameterKey": "Access", "ParameterValue": "OPEN"}],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
