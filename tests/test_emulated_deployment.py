"""`make deploy` against a local AWS: the built template, CloudFormation, the deployed URL."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from local.tokens import TokenTable
from tests.sam import PROJECT, SAM, build, environment

STACK = "kmeans-deployed"
OWNER = "alice"
STAGE = "v1"
POINTS = "1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n"
START_SECONDS = 60
ANSWER_SECONDS = 180  # the first call unpacks the layers
FIT_SECONDS = 120


@dataclass(frozen=True)
class Deployment:
    """A deployed stack: the emulator it is on and what the stack says of itself."""

    endpoint: str
    outputs: dict[str, str]
    token: str

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        """A call with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(
            method, self.url(path), headers=headers, timeout=ANSWER_SECONDS, **given
        )

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)

    def url(self, path: str) -> str:
        # The emulator serves the API on an address of its own; only id and stage are AWS's.
        api = self.outputs["ApiId"]
        return f"{self.endpoint}/restapis/{api}/{STAGE}/_user_request_{path}"


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
            [Path(sys.executable).with_name("ministack")],
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
def deployment(emulator: str) -> Deployment:
    build()
    parameters = f'DataDeletionPolicy=Delete StageName={STAGE} SweepSchedule="rate(10 minutes)"'
    deployed = subprocess.run(
        [sys.executable, "-m", "local.deploy", SAM, "--stack-name", STACK],
        cwd=PROJECT,
        env=environment(AWS_ENDPOINT_URL=emulator, PARAMETERS=parameters),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert deployed.returncode == 0, deployed.stdout[-5000:]
    stack = client("cloudformation", emulator).describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}
    make_concurrency_a_number(emulator)
    table = TokenTable(client("dynamodb", emulator), outputs["JobsTableName"])
    token, _ = table.create(OWNER, "test")
    return Deployment(emulator, outputs, token)


def make_concurrency_a_number(endpoint: str) -> None:
    """CloudFormation's parameters are text; AWS turns this one into a number, MiniStack does not.

    Its poller then stumbles over the comparison and delivers nothing.
    """
    functions = client("lambda", endpoint)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": concurrency}
        )


def upload(deployment: Deployment, filename: str) -> int:
    files = {"file": (filename, POINTS, "text/csv")}
    answer = deployment.call("POST", "/kmeans/upload", files=files)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["job_id"])


def test_the_stack_tells_where_everything_is(deployment: Deployment) -> None:
    assert deployment.outputs["ApiUrl"].endswith(f"/{STAGE}")
    assert deployment.outputs["ApiId"] in deployment.outputs["ApiUrl"]
    assert deployment.outputs["DataBucketName"].startswith("kmeans-data-")
    assert {"JobsTableName", "FitQueueUrl", "FitDeadLetterQueueUrl"} <= deployment.outputs.keys()


def test_what_is_deployed_with_no_word_on_access_is_closed(deployment: Deployment) -> None:
    for path in ("/kmeans/jobs", "/kmeans/jobs/0", "/kmeans/ui/", "/kmeans/openapi.json"):
        for headers in ({}, {"Authorization": "Bearer km_" + "a" * 43}):
            answer = requests.get(deployment.url(path), headers=headers, timeout=ANSWER_SECONDS)
            assert answer.status_code in (401, 403), path
    assert requests.get(deployment.url("/kmeans/health"), timeout=ANSWER_SECONDS).ok


def test_open_without_an_owner_is_not_deployed(deployment: Deployment) -> None:
    done = subprocess.run(
        [
            *(SAM, "deploy", "--stack-name", f"{STACK}-open"),
            *("--parameter-overrides", "Access=OPEN"),
        ],
        cwd=PROJECT,
        env=environment(AWS_ENDPOINT_URL=deployment.endpoint),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "it needs a DefaultOwner too" in done.stdout + done.stderr


def test_the_deployed_api_uploads_fits_and_predicts(deployment: Deployment) -> None:
    job_id = upload(deployment, "model.csv")
    fitted = deployment.call("POST", "/kmeans/fit", json={"job_id": job_id})
    if fitted.status_code == 202:  # a cold start may use up the request's time: then it goes on
        wait_until_fitted(deployment, job_id)
    else:
        assert fitted.status_code == 200, fitted.text
        labels = fitted.text.split()
        assert len(set(labels[:3])) == len(set(labels[3:])) == 1
        assert labels[0] != labels[3]
    files = {"file": ("predict.csv", "0, 0\n12, 3\n", "text/csv")}
    predicted = deployment.call("POST", "/kmeans/predict", data={"job_id": job_id}, files=files)
    assert predicted.status_code == 200, predicted.text
    first, second = predicted.text.split()
    assert first != second


def wait_until_fitted(deployment: Deployment, job_id: int) -> None:
    deadline = time.monotonic() + FIT_SECONDS
    while (job := read(deployment, job_id))["status"] != "SUCCEEDED":
        assert job["status"] != "FAILED", job
        assert time.monotonic() < deadline, job
        time.sleep(0.5)


def read(deployment: Deployment, job_id: int) -> dict[str, Any]:
    answer = deployment.call("GET", f"/kmeans/jobs/{job_id}")
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def test_a_file_dropped_into_the_bucket_is_fitted_through_the_queue(
    deployment: Deployment,
) -> None:
    deployment.client("s3").put_object(
        Bucket=deployment.outputs["DataBucketName"],
        Key=f"incoming/{OWNER}/dropped here.csv",
        Body=POINTS.encode(),
    )
    deadline = time.monotonic() + FIT_SECONDS
    while not (found := jobs_named(deployment, "dropped here.csv")):
        assert time.monotonic() < deadline, "no job for the dropped file"
        time.sleep(0.5)
    wait_until_fitted(deployment, found[0])


def jobs_named(deployment: Deployment, filename: str) -> list[int]:
    answer = deployment.call("GET", "/kmeans/jobs")
    assert answer.status_code == 200, answer.text
    return [job["job_id"] for job in answer.json()["jobs"] if job["filename"] == filename]


def test_a_stack_goes_with_its_data_once_its_bucket_is_empty(deployment: Deployment) -> None:
    cloudformation, s3 = deployment.client("cloudformation"), deployment.client("s3")
    bucket = deployment.outputs["DataBucketName"]
    with pytest.raises(ClientError, match="BucketNotEmpty"):  # what CloudFormation would meet with
        s3.delete_bucket(Bucket=bucket)
    emptied = subprocess.run(
        [sys.executable, "-m", "local.empty", "--stack", STACK],
        cwd=PROJECT,
        env=environment(AWS_ENDPOINT_URL=deployment.endpoint),
        input=f"{STACK}\nremove\n",
        capture_output=True,
        text=True,
    )
    assert emptied.returncode == 0, emptied.stderr
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=bucket)
    tables = deployment.client("dynamodb").list_tables()["TableNames"]
    assert deployment.outputs["JobsTableName"] not in tables
