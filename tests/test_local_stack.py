"""`make run` as its user has it: a process of its own, real HTTP, Ctrl-C, kill -9, start again.

One service for all of it, on a copy of the project: a start is dear. A test that ends the service
may leave it so.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from harness import PROJECT
from harness.ports import free_port
from harness.service.running import STOP_LIMIT, Service, refused
from local.contract import GATEWAY
from local.items import opened

POINTS = "1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n"
JOB_LIMIT = 90.0

# In the place of the health check, and of the contract.
ECHO = """
import time

def lambda_handler(event, context):
    if event["path"].endswith("openapi.json"):
        time.sleep(60)
    return {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "SAYS"}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Has not been started; what it runs may be edited."""
    folder = tmp_path_factory.mktemp("local")
    project = folder / "project"
    for name in ("local", "functions"):
        shutil.copytree(PROJECT / name, project / name)
    for file in ("template.yaml", GATEWAY.name):
        shutil.copy(PROJECT / file, project)
    made = Service(folder / "home", project)
    let_docs_say("before", made)
    yield made
    if made.process is not None:
        made.stop(signal.SIGKILL)
        with suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(made.pid_of_emulator(), signal.SIGKILL)


@pytest.fixture
def service(made: Service) -> Service:
    """Runs, however the test before has left it."""
    if not made.runs():
        made.start()
    return made


def let_docs_say(text: str, service: Service) -> None:
    handler = service.project / "functions" / "docs" / "app.py"
    handler.write_text(ECHO.replace("SAYS", text))


def upload(service: Service, filename: str = "points.csv") -> int:
    answer = requests.post(f"{service.url}/upload", files={"file": (filename, POINTS)}, timeout=60)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["job_id"])


def predict(service: Service, job_id: int) -> list[float]:
    answer = requests.post(
        f"{service.url}/predict",
        files={"file": ("p.csv", "0, 0\n12, 3\n")},
        data={"job_id": job_id},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return [float(line) for line in answer.text.split()]


def health(service: Service) -> str:
    return requests.get(f"{service.url}/health", timeout=60).text


# --- the service ------------------------------------------------------------------


def test_upload_fit_and_predict_answer_and_the_job_survives_ctrl_c(service: Service) -> None:
    job_id = upload(service)
    fitted = requests.post(f"{service.url}/fit", json={"job_id": job_id}, timeout=60)
    assert fitted.status_code == 200, fitted.text
    labels = fitted.text.split()
    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert labels[0] != labels[3]
    before = predict(service, job_id)
    assert before[0] != before[1]

    assert service.stop(signal.SIGINT) == 0
    assert service.processes() == []
    service.start()

    assert predict(service, job_id) == before
    assert upload(service) == job_id


def test_the_worker_works_on_where_the_emulator_has_another_port(service: Service) -> None:
    job_id = upload(service)
    service.stop()
    service.emulator_port = free_port()
    service.start()
    wanted = {"job_id": job_id, "model_params": {"n_clusters": 2, "random_state": 7}}
    asked = requests.post(
        f"{service.url}/fit", json=wanted, headers={"Prefer": "respond-async"}, timeout=60
    )
    assert asked.status_code == 202, asked.text
    deadline = time.monotonic() + JOB_LIMIT
    while (job := requests.get(f"{service.url}/jobs/{job_id}", timeout=60).json())[
        "status"
    ] != "SUCCEEDED":
        assert time.monotonic() < deadline, job
        time.sleep(0.1)


def test_a_file_put_into_incoming_is_fitted_without_any_call(service: Service) -> None:
    bucket = service.exports()["DATA_BUCKET"]
    owner = service.exports()["OWNER"]
    name = "drop + 100% é.csv"
    service.aws("s3").put_object(
        Bucket=bucket, Key=f"incoming/{owner}/{name}", Body=POINTS.encode()
    )
    deadline = time.monotonic() + JOB_LIMIT
    jobs: list[dict[str, Any]] = []
    while not any(job["status"] == "SUCCEEDED" for job in jobs):
        assert time.monotonic() < deadline, jobs
        time.sleep(0.1)
        listed = requests.get(f"{service.url}/jobs", timeout=60).json()["jobs"]
        jobs = [job for job in listed if job["filename"] == name]
    assert len(jobs) == 1


def test_a_workbook_is_converted_by_a_function_of_its_own_and_fitted_in_one_go(
    service: Service,
) -> None:
    book = (PROJECT / "tests/cases/book.xlsx").read_bytes()
    answer = requests.post(f"{service.url}/upload", files={"file": ("book.xlsx", book)})
    job_id = answer.json()["job_id"]
    wanted = {"job_id": job_id, "model_params": {"n_clusters": 2}}
    fitted = requests.post(f"{service.url}/fit", json=wanted)
    while fitted.status_code == 202:  # it may take longer than a request waits
        fitted = requests.post(f"{service.url}/fit", json=wanted)
    assert fitted.status_code == 200, fitted.text
    assert len(set(fitted.text.split())) == 2
    assert requests.get(f"{service.url}/jobs/{job_id}/input").content == book


def test_everything_listens_on_loopback_only(service: Service) -> None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("needs /proc/net/tcp to see who listens where")
    listening = [line.split()[1] for line in table.read_text().splitlines() if " 0A " in line]
    for port in (service.port, service.emulator_port):
        assert [address for address in listening if address.endswith(f":{port:04X}")] == [
            f"0100007F:{port:04X}"
        ]


# --- starting and stopping --------------------------------------------------------


def test_a_taken_port_is_one_clear_sentence(service: Service, tmp_path: Path) -> None:
    for name in ("PORT", "EMULATOR_PORT"):
        taken = {
            "PORT": str(free_port()),
            "EMULATOR_PORT": str(free_port()),
            name: str(service.port),
        }
        done = refused("run", {**taken, "LOCAL_HOME": str(tmp_path / name)})
        assert done.stderr.startswith(f"Port {service.port} cannot be had")


def test_a_second_run_on_the_same_data_is_refused(service: Service) -> None:
    assert "already running" in refused("run", service.environment).stderr


def test_env_without_a_service_is_one_clear_sentence(tmp_path: Path) -> None:
    assert "not running" in refused("env", {"LOCAL_HOME": str(tmp_path)}).stderr


def test_a_missing_python_is_one_clear_sentence(tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    done = subprocess.run(
        [PROJECT / "local" / "install.sh", tmp_path / "venv", "any.txt", "anything"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.13 is needed")
    assert len(done.stderr.splitlines()) == 1


def test_an_edit_is_seen_after_a_restart(service: Service) -> None:
    assert health(service) == "before"
    let_docs_say("after", service)
    assert service.stop() == 0
    service.start()
    assert health(service) == "after"


def test_a_killed_run_leaves_nothing_behind_and_the_next_one_has_its_data(service: Service) -> None:
    service.write_item("one")
    assert service.process is not None
    service.process.kill()
    service.process.wait()
    service.start()
    assert service.has_item("one")


def test_a_killed_emulator_ends_the_run_and_costs_nothing_that_was_acknowledged(
    service: Service,
) -> None:
    health(service)
    service.write_item("two")
    os.kill(service.pid_of_emulator(), signal.SIGKILL)
    assert service.process is not None
    assert service.process.wait(STOP_LIMIT) == 1
    assert "ended by itself" in service.said()
    assert service.processes() == []
    service.start()
    assert service.has_item("two")


def test_functions_orphaned_by_kill_9_are_ended_at_the_next_start(service: Service) -> None:
    with pytest.raises(requests.Timeout):
        requests.get(f"{service.url}/openapi.json", timeout=3)
    assert service.process is not None
    os.kill(service.pid_of_emulator(), signal.SIGSTOP)  # lest it tidies up
    service.process.kill()
    os.kill(service.pid_of_emulator(), signal.SIGKILL)
    service.process.wait()
    assert any("DocsFunction" in line for line in service.processes())
    service.start()
    assert not any("DocsFunction" in line for line in service.processes())


def test_a_service_is_not_started_over_what_is_damaged_and_comes_back_with_its_data(
    service: Service,
) -> None:
    service.write_item("three")
    assert service.stop() == 0
    items = service.home / "state" / "items.sqlite"
    os.truncate(items, items.stat().st_size // 2)
    damaged = items.read_bytes()
    assert "make -s recover" in refused("run", service.environment).stderr
    assert items.read_bytes() == damaged

    said = service.command("recover")
    assert "items.sqlite: now as of" in said
    service.start()
    assert service.has_item("three")
    assert service.stop() == 0
    assert opened(items).read()
