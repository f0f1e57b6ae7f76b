"""A service that asks for tokens, and one that is stopped while something is under way."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from kmeans_client import Client, problems, uploads
from kmeans_client.command import work

from .command_line import Kmeans, running
from .conftest import PROJECT, Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("closed"), ACCESS="TOKEN")
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def token(service: Service) -> str:
    make = [PROJECT / ".venv/bin/python", "-m", "local.tokens", "create", "--owner", "alice"]
    environment = {**os.environ, **service.told, "PYTHONPATH": str(PROJECT / "functions")}
    done = subprocess.run(make, cwd=PROJECT, env=environment, check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def kmeans(tmp_path: Path, service: Service, token: str) -> Kmeans:
    kmeans = Kmeans(tmp_path, service.url)
    kmeans.environment["KMEANS_TOKEN"] = token
    return kmeans


def test_the_right_token_opens_it(kmeans: Kmeans, token: str, service: Service) -> None:
    assert kmeans("jobs", "--json").strip() == "[]"
    del kmeans.environment["KMEANS_URL"], kmeans.environment["KMEANS_TOKEN"]
    kmeans("token", "--url", service.url, given=f"{token}\n")
    assert len(kmeans.said.splitlines()) == 1  # no prompt, no warning
    assert kmeans("jobs", "--json").strip() == "[]"
    kmeans("token", given="\n", code=2)
    assert "through standard input" in kmeans.said


@pytest.mark.parametrize("wrong", ["", "km_wrong"])
def test_without_the_right_token_it_is_said_what_to_give(
    wrong: str, kmeans: Kmeans, service: Service
) -> None:
    with Client(service.url, wrong) as client, pytest.raises(problems.Unauthenticated):
        client.upload([[1, 2], [3, 4]])
    kmeans.environment["KMEANS_TOKEN"] = wrong
    (kmeans.folder / "points.csv").write_text("1,2\n3,4\n")
    kmeans("points.csv", "-k", "2", code=4)
    assert "KMEANS_TOKEN" in kmeans.said


def test_an_upload_comes_through_when_the_service_that_was_stopped_is_there_again(
    service: Service, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its beginning: the emulator, unlike S3, forgets the parts when it is stopped."""
    path = tmp_path / "large.csv"
    path.write_bytes(b"1,2\n10,4\n" * 4_000_000)  # three parts
    send = uploads._send_part

    def stops(transport: Any, given: Any, part: Any, *rest: Any) -> None:
        if part["part"] == 2:
            service.stop()
        send(transport, given, part, *rest)

    told = list[str]()
    with Client(service.url, token, patience=1, retrying=told.append) as client:
        monkeypatch.setattr(uploads, "_send_part", stops)
        with pytest.raises(problems.ConnectionLost):
            client.upload(path)
        monkeypatch.setattr(uploads, "_send_part", send)
        assert "trying again for up to 1 s" in told[0]
        service.start()
        job = client.get_job(client.upload(path)["job_id"])
        assert (job["status"], job["n_samples"]) == ("UPLOADED", 8_000_000)


def test_who_waits_for_a_fit_is_told_that_the_service_was_stopped(
    service: Service, token: str, kmeans: Kmeans
) -> None:
    with kmeans.fitting_for_long("long.csv") as process:
        assert process.stderr
        with Client(service.url, token) as client:
            job = running(client, "long.csv")
        service.stop()
        assert "trying again for up to 90 s" in until(process.stderr, "does not answer")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert f"kmeans delete {job}" in said


def test_who_has_waited_in_vain_is_told_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(problems.ConnectionLost), work._stopped_if_interrupted({"job_id": 3}):
        raise problems.ConnectionLost("gone")
    assert "kmeans show 3" in capsys.readouterr().err


def until(lines: IO[str], words: str) -> str:
    """The first line with these words."""
    return next(line for line in lines if words in line)
