"""Names of files and columns that somebody might run, and what is answered of them."""

import json
import re

import pytest

from harness.api import JSON_TYPE, MODEL_CSV, Client
from harness.system import keys

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
def test_a_hostile_file_name_is_data_and_nothing_else(client: Client, name: str) -> None:
    body = json.dumps({"filename": name})
    made = client.call("POST", "/kmeans/uploads", body.encode(), JSON_TYPE).json()
    assert re.fullmatch(r"pending/[a-z]+/[0-9]+/[a-z0-9.]+", made["fields"]["key"])
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    answer = client.upload(MODEL_CSV, escaped)
    if "\0" in name or "%" in name or "\\" in name:  # which forms can say in two ways
        assert answer.status in (200, 400)
        return
    job_id = answer.json()["job_id"]
    client.fit(job_id)
    assert client.get(f"/kmeans/jobs/{job_id}").json()["filename"] == name
    for read in ("input", "labels", "centers", "model"):
        disposition = client.get(f"/kmeans/jobs/{job_id}/{read}").headers["Content-Disposition"]
        assert re.fullmatch(SAVED_AS, disposition)
        assert disposition.isascii()
    stored = [key for key in keys() if f"/{job_id}/" in key or key.startswith("inputs/")]
    assert all(re.fullmatch(r"[a-z]+/tester/[\w/.-]+", key) for key in stored)


NUMBERS = re.compile(r"(-?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?(,|\n))*", re.ASCII)


def test_no_csv_that_is_answered_holds_anything_that_a_spreadsheet_would_run(
    client: Client,
) -> None:
    formulas = b"=1+1,@x,+y\n1,-2,3e-7\n4,5,6\n7,-8,1e99\n"
    job_id = client.upload(formulas, "=1+1.csv").json()["job_id"]
    answers = [
        client.fit(job_id),
        client.get(f"/kmeans/jobs/{job_id}/labels"),
        client.get(f"/kmeans/jobs/{job_id}/centers", Accept="text/csv"),
        client.predict(formulas, job_id),
        client.predict(formulas, job_id, "/kmeans/transform"),
    ]
    for answer in answers:
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert NUMBERS.fullmatch(answer.text), answer.text
