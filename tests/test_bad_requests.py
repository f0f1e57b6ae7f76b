"""Every bad request is answered with a problem that says what is wrong, and harms nobody."""

import json
import re
from itertools import groupby

import pytest

from harness.api import JSON_TYPE, MODEL_CSV, Client, event
from harness.bad_requests import Case, csv_cases, form_cases, http_cases, json_cases
from harness.fake_aws.environment import BUCKET, QUEUE, TABLE
from harness.system import keys

CASES = [*json_cases.CASES, *form_cases.CASES, *http_cases.CASES, *csv_cases.CASES]
INTERNALS = re.compile(
    r"Traceback|\.py\b|/var/task|/home/|site-packages|<class|object at 0x|\w+Error\b|\w+Exception\b"
    r"|kmeans_service|boto|powertools|numpy|sklearn|csv_numbers|inputs/|models/|pending/|arn:aws|None"
    rf"|{BUCKET}|{TABLE}|{QUEUE}"
)


@pytest.fixture(scope="module")
def service(shared_client: Client) -> Client:
    """The jobs that harness/bad_requests/__init__.py tells of."""
    client = shared_client
    for name, content in [("m", MODEL_CSV), ("xy", b"x,y\n" + MODEL_CSV), ("u", b"1\n2\n3\n")]:
        assert client.upload(content, f"{name}.csv").status == 200
    assert client.fit(0).status == client.fit(1).status == 200
    assert client.upload(b"1,2\n3,4\n", "deleted.csv").json()["job_id"] == 3
    assert client.call("DELETE", "/kmeans/jobs/3").status == 204
    assert client.post_json("/kmeans/uploads", {"filename": "p.csv"}).json()["job_id"] == 4
    return client


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


def test_after_all_of_them_a_good_request_works_and_ids_are_dense(service: Client) -> None:
    assert service.upload(b"1,1\n2,2\n3,3\n", "good.csv").json()["job_id"] == 5
    assert sorted(service.fit(5).labels()) in ([0, 0, 1], [0, 1, 1])
    assert [job["job_id"] for job in service.get("/kmeans/jobs").json()["jobs"]] == [5, 4, 2, 1, 0]


def test_no_two_cases_have_one_name() -> None:
    names = sorted(case.name for case in CASES)
    assert [name for name, same in groupby(names) if len(list(same)) > 1] == []
    assert len(CASES) >= 120


SAVED_AS = r"""attachment; filename="[\w .()+-]*"(; filename\*=\S+)?"""
HOSTILE_NAMES = [
    "../../models/tester/0/model.joblib",
    "..\\..\\a.csv",
    "=cmd|' /C calc'!A0",
    "=1+1.csv",
    "@SUM(1+1).csv",
    "+1.csv",
    "<script>alert(1)</script>.csv",
    'a"; filename="b.csv',
    "a\r\nSet-Cookie: x=1\r\n\r\n.csv",
    "a\0.csv",
    "\u202egnp.csv",
    "\u2066\u2069\u200b\ufeff.csv",
    "שלום.csv",
    "👩‍👩‍👧‍👦" * 30,
    "x" * 1024,
    "%00%0d%0a%2e%2e%2f.csv",
    "${jndi:ldap://127.0.0.1/a}",
    "'; DROP TABLE jobs; --",
    "CON",
    ".",
]


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_hostile_file_name_is_data_and_nothing_else(service: Client, name: str) -> None:
    body = json.dumps({"filename": name})
    made = service.call("POST", "/kmeans/uploads", body.encode(), JSON_TYPE).json()
    assert re.fullmatch(r"pending/[a-z]+/[0-9]+/[a-z0-9.]+", made["fields"]["key"])
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    answer = service.upload(MODEL_CSV, escaped)
    if "\0" in name or "%" in name or "\\" in name:  # which forms can say in two ways
        assert answer.status in (200, 400)
        return
    job_id = answer.json()["job_id"]
    service.fit(job_id)
    assert service.get(f"/kmeans/jobs/{job_id}").json()["filename"] == name
    for read in ("input", "labels", "centers", "model"):
        disposition = service.get(f"/kmeans/jobs/{job_id}/{read}").headers["Content-Disposition"]
        assert re.fullmatch(
            r"""attachment; filename="[\w .()+-]*"(; filename\*=\S+)?""", disposition
        )
        assert disposition.isascii()
    stored = [key for key in keys() if f"/{job_id}/" in key or key.startswith("inputs/")]
    assert all(re.fullmatch(r"[a-z]+/tester/[\w/.-]+", key) for key in stored)


NUMBERS = re.compile(r"(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?(,|\n))*", re.ASCII)


def test_no_csv_that_is_answered_holds_anything_that_a_spreadsheet_would_run(
    service: Client,
) -> None:
    formulas = b"=1+1,@x,+y\n1,-2,3e-7\n4,5,6\n7,-8,1e99\n"
    job_id = service.upload(formulas, "=1+1.csv").json()["job_id"]
    answers = [
        service.fit(job_id),
        service.get(f"/kmeans/jobs/{job_id}/labels"),
        service.get(f"/kmeans/jobs/{job_id}/centers", Accept="text/csv"),
        service.predict(formulas, job_id),
        service.predict(formulas, job_id, "/kmeans/transform"),
    ]
    for answer in answers:
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert NUMBERS.fullmatch(answer.text), answer.text
