"""Every bad request is answered with a problem that says what is wrong, and harms nobody."""

import json
import re
from collections.abc import Iterator
from itertools import groupby

import pytest

from harness.api import MODEL_CSV, Client, event
from harness.bad_requests import Case, csv_cases, form_cases, http_cases, json_cases
from harness.fake_aws.environment import BUCKET, QUEUE, TABLE

CASES = [*json_cases.CASES, *form_cases.CASES, *http_cases.CASES, *csv_cases.CASES]
INTERNALS = re.compile(
    r"Traceback|\.py\b|/var/task|/home/|site-packages|<class|object at 0x|\w+Error\b|\w+Exception\b"
    r"|kmeans_service|boto|powertools|numpy|sklearn|csv_numbers|inputs/|models/|pending/|arn:aws|None"
    rf"|{BUCKET}|{TABLE}|{QUEUE}"
)


@pytest.fixture(scope="module")
def service(shared_client: Client) -> Iterator[Client]:
    """The jobs that harness/bad_requests/__init__.py tells of, and no others are made meanwhile."""
    client = shared_client
    for name, content in [("m", MODEL_CSV), ("xy", b"x,y\n" + MODEL_CSV), ("u", b"1\n2\n3\n")]:
        assert client.upload(content, f"{name}.csv").status == 200
    assert client.fit(0).status == client.fit(1).status == 200
    assert client.upload(b"1,2\n3,4\n", "deleted.csv").json()["job_id"] == 3
    assert client.call("DELETE", "/kmeans/jobs/3").status == 204
    assert client.post_json("/kmeans/uploads", {"filename": "p.csv"}).json()["job_id"] == 4
    yield client
    assert client.upload(b"1,1\n2,2\n3,3\n", "good.csv").json()["job_id"] == 5
    assert sorted(client.fit(5).labels()) in ([0, 0, 1], [0, 1, 1])
    assert [job["job_id"] for job in client.get("/kmeans/jobs").json()["jobs"]] == [5, 4, 2, 1, 0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_request_is_refused_with_what_is_wrong(service: Client, case: Case) -> None:
    given = event(case.method, case.path, case.body, case.headers) | case.event
    answer = service.send(given)
    problem = json.loads(answer.body)
    assert answer.status == case.status, problem
    assert [word for word in case.words if word not in problem["detail"]] == [], problem["detail"]
    assert problem["request_id"] == given["requestContext"]["requestId"]
    assert not INTERNALS.search(answer.text), answer.text
    assert len(answer.body) < 2000


def test_no_two_cases_have_one_name() -> None:
    names = sorted(case.name for case in CASES)
    assert [name for name, same in groupby(names) if len(list(same)) > 1] == []
    assert len(CASES) >= 120
