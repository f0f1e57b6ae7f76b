"""`make run` on a disk that is full: what was acknowledged is there, the rest was refused."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness.service.running import Service, refused

DISK = 48_000_000  # bytes
ROWS = "1.25,2.5\n" * 250_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    disk = tmp_path_factory.mktemp("full") / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    service = Service(disk / "home")
    service.output = disk.parent / "service.log"
    service.start()
    try:
        yield service
    finally:
        service.stop(signal.SIGKILL)
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.killpg(service.pid_of_emulator(), signal.SIGKILL)
        subprocess.run(["umount", "--lazy", disk], check=True)


def file(number: int) -> str:
    return f"{number},1\n{ROWS}"


def upload(service: Service, number: int) -> requests.Response:
    files = {"file": (f"{number}.csv", file(number))}
    return requests.post(f"{service.url}/upload", files=files, timeout=60)


def stored(service: Service, job_id: int) -> str:
    return requests.get(f"{service.url}/jobs/{job_id}/input", timeout=60).text


def test_what_finds_no_room_is_refused_and_what_was_acknowledged_outlives_a_restart(
    service: Service,
) -> None:
    answers = [upload(service, number) for number in range(14)]
    kept = [answer for answer in answers if answer.status_code == 200]
    full = [answer for answer in answers if answer.status_code == 507]
    assert kept
    assert full
    assert len(kept) + len(full) == len(answers)
    assert full[0].headers["Content-Type"] == "application/problem+json"
    assert "The disk with" in full[0].json()["detail"]

    assert service.stop() == 0
    service.start()
    for answer in kept:
        job_id = answer.json()["job_id"]
        assert stored(service, job_id) == file(job_id)
    assert len(requests.get(f"{service.url}/jobs", timeout=60).json()["jobs"]) == len(kept)
    for answer in kept:
        job = f"{service.url}/jobs/{answer.json()['job_id']}"
        assert requests.delete(job, timeout=60).status_code == 204
    assert upload(service, 99).status_code == 200


def test_a_disk_that_others_fill_to_the_brim_loses_nothing(service: Service) -> None:
    service.write_item("before")
    ballast = service.home.parent / "ballast"
    fill(ballast)
    s3, dynamodb, exports = service.aws("s3"), service.aws("dynamodb"), service.exports()
    key = {"pk": {"S": "TEST"}, "sk": {"S": "during"}}
    with pytest.raises(ClientError, match="InsufficientStorage"):
        s3.put_object(Bucket=exports["DATA_BUCKET"], Key="inputs/during", Body=b"x" * 10_000)
    changes = [key | {"note": {"S": str(number) + "x" * 300_000}} for number in range(100)]
    # The first ones may still find room in SQLite's own file.
    with pytest.raises(ClientError, match="InsufficientStorage"):
        put_all(dynamodb, exports["JOBS_TABLE"], changes)
    seen = dynamodb.get_item(TableName=exports["JOBS_TABLE"], Key=key).get("Item")
    assert upload(service, 100).status_code == 507

    os.kill(service.pid_of_emulator(), signal.SIGKILL)
    assert service.process is not None
    service.process.wait(60)
    # The next start would remove what the run left in its tmp.
    shutil.rmtree(service.home / "tmp")
    fill(ballast)
    assert "to start" in refused("run", service.environment).stderr
    ballast.unlink()
    service.start()
    assert service.has_item("before")
    dynamodb, table = service.aws("dynamodb"), service.exports()["JOBS_TABLE"]
    assert dynamodb.get_item(TableName=table, Key=key).get("Item") == seen


def put_all(dynamodb: Any, table: str, items: list[dict[str, Any]]) -> None:
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)


def fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as out, suppress(OSError):
        while out.write(b"x" * 4096):
            pass
