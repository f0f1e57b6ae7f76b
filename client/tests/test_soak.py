"""Minutes of work for what the gate tries in seconds."""

import subprocess
import time
from pathlib import Path

import pytest

from kmeans_client import Client

from .command_line import Kmeans

pytestmark = pytest.mark.soak
SIZE = 10**9


def newest(client: Client) -> int:
    """The last job of the file; -1 where there is none."""
    jobs = client.list_jobs()
    return next((job["job_id"] for job in jobs if job["filename"] == "large.csv"), -1)


def received(client: Client, job_id: int) -> int:
    return client.get_upload(job_id)["received"]


def test_a_gigabyte_that_was_killed_at_half_goes_on_where_it_stopped(
    tmp_path: Path, url: str, client: Client
) -> None:
    path, last = tmp_path / "large.csv", newest(client)
    lines = (f"{n % 997}.{n % 83},{n % 991}.{n % 79},{n % 983}.{n % 73}\n" for n in range(100_000))
    block = "".join(lines).encode()
    with path.open("wb") as file:
        while file.tell() < SIZE:
            file.write(block)
    kmeans = Kmeans(tmp_path, url)
    process = subprocess.Popen(
        [*kmeans.program, "columns", path.name],
        cwd=tmp_path,
        env=kmeans.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while newest(client) == last or received(client, newest(client)) < SIZE / 2:
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()
    job_id = newest(client)
    before = received(client, job_id)
    assert SIZE / 2 <= before < SIZE
    told: list[int] = []
    again = client.upload(path, progress=lambda done, _: told.append(done))["job_id"]
    assert again == job_id
    assert told[0] >= before
    job = client.get_job(job_id)
    assert (job["status"], job["size"]) == ("UPLOADED", path.stat().st_size)
    client.delete_job(job_id)
