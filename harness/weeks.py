"""A table of this week and of the next, whose clusters are continued."""

import json
from typing import Any

from harness.api import JSON_TYPE, Answer, Client

Json = Any
SWAP = {"algorithm": "swap"}


def points(*groups: tuple[float, int]) -> bytes:
    """So many rows around each place of a line, a hundredth of a unit apart."""
    return b"".join(b"%f,0\n" % (at + row / 100) for at, count in groups for row in range(count))


# Largest first, as a swap search numbers them: 0, 10 and 20.
WEEK_1 = points((0, 30), (10, 20), (20, 10))
# The sizes are the other way round.
WEEK_2 = points((0, 10), (10, 20), (20, 30))


def fit(client: Client, job_id: int, n_clusters: int = 3, **more: Json) -> Answer:
    params = SWAP | {"n_clusters": n_clusters}
    return client.post_json("/kmeans/fit", {"job_id": job_id, "model_params": params} | more)


def upload(client: Client, content: bytes, name: str) -> int:
    job_id: int = client.upload(content, name).json()["job_id"]
    return job_id


def rename(client: Client, job_id: int, clusters: Json) -> None:
    body = json.dumps({"clusters": clusters}).encode()
    assert client.call("PATCH", f"/kmeans/jobs/{job_id}", body, JSON_TYPE).status == 200


def centers(client: Client, job_id: int) -> list[int]:
    """Where each label is, to the unit."""
    text = client.get(f"/kmeans/jobs/{job_id}/centers", Accept="text/csv").text
    return [round(float(line.split(",")[0])) for line in text.splitlines()]
