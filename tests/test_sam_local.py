"""The template over `sam local`, in Lambda's containers, on the data of a running `make run`."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests

from harness import PROJECT
from harness.needed import missing
from harness.ports import free_port
from harness.template.sam import build, environment

pytestmark = pytest.mark.docker
MODEL = "1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n"
PREDICT = "0, 0\n12, 3\n"
START_SECONDS = 120
ANSWER_SECONDS = 180  # the first call to a function with layers makes its image


def docker_answers() -> bool:
    return (
        shutil.which("docker") is not None
        and subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    )


@dataclass(frozen=True)
class Ports:
    """Where one test run's service, emulator and SAM listen."""

    service: int
    emulator: int
    sam: int


def free_ports() -> Ports:
    return Ports(free_port(), free_port(), free_port())


@contextmanager
def running(command: list[str], variables: dict[str, str], log: Path, ready: str) -> Iterator[None]:
    """A process in a group of its own that has said `ready`, and is told to stop at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while ready not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@dataclass(frozen=True)
class Sam:
    """A running `sam local start-api`, and what it takes to run more of `sam local`."""

    url: str
    ports: Ports
    variables: dict[str, str]
    log: Path


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sam]:
    if not docker_answers():
        missing("no Docker daemon answers; start yours, or run ci/start-docker.sh as root")
    build()
    folder = tmp_path_factory.mktemp("sam")
    ports = free_ports()
    variables = environment(
        PORT=str(ports.service), EMULATOR_PORT=str(ports.emulator), LOCAL_HOME=str(folder / "home")
    )
    subprocess.run(["ci/lambda-image.sh"], cwd=PROJECT, env=variables, check=True)
    service = [sys.executable, "-m", "local", "run"]
    start_api = [sys.executable, "-m", "local.sam_local", "start-api", "--port", str(ports.sam)]
    log = folder / "sam.log"
    with (
        running(service, variables, folder / "service.log", "Ready"),
        running(start_api, variables, log, "Press CTRL+C to quit"),
    ):
        yield Sam(f"http://127.0.0.1:{ports.sam}", ports, variables, log)


def curl(sam: Sam, path: str, folder: Path, *arguments: str) -> str:
    (folder / "model.csv").write_text(MODEL)
    (folder / "predict.csv").write_text(PREDICT)
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "-X", "POST"]
    done = subprocess.run(
        [*command, "--max-time", str(ANSWER_SECONDS), f"{sam.url}{path}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr + sam.log.read_text()[-5000:]
    return done.stdout


def upload(sam: Sam, folder: Path) -> dict[str, object]:
    answer = curl(
        sam,
        "/kmeans/upload",
        folder,
        *("-H", "accept: application/json", "-H", "Content-Type: multipart/form-data"),
        *("-F", "file=@model.csv;type=text/csv"),
    )
    answered: dict[str, object] = json.loads(answer)
    return answered


def test_the_first_users_curl_lines_work(sam: Sam, tmp_path: Path) -> None:
    assert upload(sam, tmp_path) == {"filename": "model.csv", "job_id": 0}

    labels = curl(
        sam,
        "/kmeans/fit",
        tmp_path,
        *("-H", "accept: text/csv", "-H", "Content-Type: application/json"),
        *("-d", '{"job_id":0,"model_params":{"n_clusters":3}}'),
    ).split()
    clusters: dict[str, list[tuple[float, float]]] = {}
    for label, line in zip(labels, MODEL.splitlines(), strict=True):
        x, y = line.split(",")
        clusters.setdefault(label, []).append((float(x), float(y)))
    assert len(clusters) == 3
    assert sum(inertia(points) for points in clusters.values()) == pytest.approx(10)

    predicted = curl(
        sam,
        "/kmeans/predict",
        tmp_path,
        *("-H", "accept: text/csv", "-H", "Content-Type: multipart/form-data"),
        *("-F", "job_id=0", "-F", "file=@predict.csv;type=text/csv"),
    ).split()
    assert len(predicted) == 2
    assert predicted[0] != predicted[1]
    assert set(predicted) <= set(labels)


def inertia(points: list[tuple[float, float]]) -> float:
    """Sum of squared distances from the points' mean."""
    return sum(
        sum((value - sum(axis) / len(axis)) ** 2 for value in axis)
        for axis in zip(*points, strict=True)
    )


def test_the_jobs_are_those_of_the_running_service(sam: Sam, tmp_path: Path) -> None:
    job_id = upload(sam, tmp_path)["job_id"]
    there = requests.get(
        f"http://127.0.0.1:{sam.ports.service}/kmeans/jobs/{job_id}", timeout=ANSWER_SECONDS
    )
    here = requests.get(f"{sam.url}/kmeans/jobs/{job_id}", timeout=ANSWER_SECONDS)
    assert here.status_code == 200, here.text
    assert there.status_code == 200, there.text
    assert here.json()["filename"] == there.json()["filename"] == "model.csv"


def test_swagger_ui_answers_with_and_without_the_slash(sam: Sam) -> None:
    for path in ("/kmeans/ui", "/kmeans/ui/"):
        answer = requests.get(f"{sam.url}{path}", timeout=ANSWER_SECONDS)
        assert answer.status_code == 200, answer.text
        assert "swagger" in answer.text.lower()


def test_a_mistake_is_a_problem_document(sam: Sam) -> None:
    answer = requests.post(f"{sam.url}/kmeans/fit", json={"job_id": 4711}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_an_invoked_worker_fits_the_file_an_s3_event_names(sam: Sam) -> None:
    """`sam local` has no S3 triggers: the event is generated and handed to the worker."""
    endpoint = f"http://127.0.0.1:{sam.ports.emulator}"
    names = {
        entry["OutputKey"]: entry["OutputValue"]
        for entry in boto3.client(
            "cloudformation",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        ).describe_stacks(StackName="kmeans")["Stacks"][0]["Outputs"]
    }
    sam_cli = str(PROJECT / ".venv-sam/bin/sam")
    event = subprocess.run(
        [
            *(sam_cli, "local", "generate-event", "s3", "put"),
            *("--bucket", names["DataBucketName"], "--key", "incoming/public/not+there.csv"),
        ],
        env=sam.variables,
        capture_output=True,
        check=True,
    ).stdout
    done = subprocess.run(
        [sys.executable, "-m", "local.sam_local", "invoke", "FitWorkerFunction", "--event", "-"],
        cwd=PROJECT,
        env=sam.variables,
        input=event,
        capture_output=True,
        timeout=ANSWER_SECONDS,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "errorMessage" not in said
