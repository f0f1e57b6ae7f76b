"""The rows of a file with what the fit says of each behind it, byte for byte."""

import gzip
from pathlib import Path

import pytest

from harness import PROJECT
from harness.api import Client
from harness.system import created, deliver

CASES = sorted((PROJECT / "tests" / "cases").iterdir())
CONVERTED = ".xlsx"


def rows(client: Client, query: str = "") -> bytes:
    answer = client.get(f"/kmeans/jobs/0/rows{query}")
    assert answer.status == 200, answer.body
    return answer.body


def fitted(client: Client, body: bytes, name: str = "a.csv", **params: object) -> None:
    """Job 0, in two clusters."""
    client.upload(body, name)
    if name.endswith(CONVERTED):
        deliver(created("pending/tester/0/input.csv"))
    assert client.fit(0, {"n_clusters": 2, "random_state": 0} | params).status == 200


def without_ours(answer: bytes, delimiter: bytes) -> bytes:
    """The answer less the six cells at the end of each line that has them."""
    lines = answer.split(b"\n")
    for place, line in enumerate(lines):
        cells = line.removesuffix(b"\r").rsplit(delimiter, 6)
        if len(cells) == 7:
            lines[place] = cells[0] + b"\r" * line.endswith(b"\r")
    return b"\n".join(lines)


@pytest.mark.parametrize("path", [path for path in CASES if path.suffix != CONVERTED], ids=str)
def test_of_files_as_people_have_them_every_byte_is_there(client: Client, path: Path) -> None:
    body = path.read_bytes()
    fitted(client, body, path.name)
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    delimiter = {"semi_dec.csv": b";", "r_table.txt": b" "}.get(path.name, b",")
    answer = rows(client)
    assert answer != text
    assert without_ours(answer, delimiter) == text
