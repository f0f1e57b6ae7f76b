"""README.md of the client, line by line, as a reader runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kmeans_client import Client

from .command_line import ROWS, Kmeans

ELSEWHERE = re.compile(r"^```python no-test client\n(.*?)^```", re.M | re.S)
V2 = Path(__file__).parents[2] / "docs/how-to/v2.md"
README = (Path(__file__).parents[1] / "README.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
COMMANDS = [
    line.partition("#")[0].split()
    for block in re.findall(r"^```bash\n(.*?)^```", README, re.M | re.S)
    for line in block.splitlines()
    if line.startswith("kmeans ")
]


def test_there_is_something_to_run() -> None:
    assert len(PYTHON) == 2
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("place", range(2))
def test_a_python_block_runs(place: int, url: str, tmp_path: Path) -> None:
    code = PYTHON[place].replace("http://localhost:8080/kmeans", url)
    kmeans = Kmeans(tmp_path, url)
    done = subprocess.run(
        [sys.executable, "-c", code], env=kmeans.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_runs(words: list[str], url: str, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(ROWS)
    (tmp_path / "others.csv").write_text(ROWS)
    kmeans = Kmeans(tmp_path, url)
    if "0" in words:  # the job of the command before
        kmeans("points.csv", "-k", "3")
        job = re.search(r"Job (\d+);", kmeans.said)
        assert job
        words = [job[1] if word == "0" else word for word in words]
    kmeans(*words[1:])


def test_tritons_client_does_what_the_page_shows(client: Client, url: str) -> None:
    [code] = ELSEWHERE.findall(V2.read_text())
    customers = V2.parents[1] / "customers.csv"
    job_id = client.upload(customers)["job_id"]
    client.fit(job_id, {"n_clusters": 5, "algorithm": "swap"})
    code = code.replace("localhost:8080/kmeans", url.removeprefix("http://"))
    code = code.replace('"0"', f'"{job_id}"')
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1 4]\n"
