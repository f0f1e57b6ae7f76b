"""Every function does all it has to with the rights that its own role gives it, and no others."""

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from harness.service.running import Service
from harness.timing import wait_until
from local.tokens import TokenTable

OWNER = "alice"
POINTS = b"1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n"
WAIT = 120  # seconds; a sweep comes every minute


class Enforced(Service):
    """A service whose emulator refuses what the roles' policies do not allow."""

    program = ("-m", "harness.service.enforcing")

    def login(self) -> None:
        table = TokenTable(self.aws("dynamodb"), self.exports()["JOBS_TABLE"])
        token, _ = table.create(OWNER, "test")
        self.headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, status: int = 200, **given: Any) -> requests.Response:
        answer = requests.request(
            method,
            f"{self.url}{path}",
            headers=self.headers | given.pop("headers", {}),
            timeout=WAIT,
            **given,
        )
        assert answer.status_code == status, (method, path, answer.text)
        return answer

    def upload(self, name: str, content: bytes = POINTS) -> int:
        answer = self.call("POST", "/upload", files={"file": (name, content)})
        job_id: int = answer.json()["job_id"]
        return job_id

    def status(self, job_id: int) -> str:
        status: str = self.call("GET", f"/jobs/{job_id}").json()["status"]
        assert status != "FAILED", self.call("GET", f"/jobs/{job_id}").text
        return status

    def send(self, form: dict[str, Any]) -> None:
        """Through a presigned form, with no credentials but what is in it."""
        sent = requests.post(form["url"], data=form["fields"], files={"file": POINTS}, timeout=WAIT)
        assert sent.status_code in (200, 204), sent.text

    def keys(self, prefix: str) -> list[str]:
        bucket = self.exports()["DATA_BUCKET"]
        found = self.aws("s3").list_object_versions(Bucket=bucket, Prefix=prefix)
        return [version["Key"] for version in found.get("Versions", [])]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforced]:
    enforced = Enforced(tmp_path_factory.mktemp("rights") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "ACCESS", "TOKEN")
        enforced.start()
    try:
        enforced.login()
        yield enforced
    finally:
        enforced.stop()


@pytest.fixture(scope="module")
def job(service: Enforced) -> int:
    job_id = service.upload("model.csv")
    service.call("POST", "/fit", json={"job_id": job_id})
    return job_id


def eventually(ready: Callable[[], Any]) -> None:
    wait_until(ready, WAIT)


def test_a_fit_a_prediction_and_every_read(service: Enforced, job: int) -> None:
    data = {"job_id": str(job)}
    for path in ("/predict", "/transform", "/score"):
        service.call("POST", path, data=data, files={"file": ("p.csv", POINTS)})
    for part in ("", "/labels", "/scores", "/centers", "/input", "/model"):
        service.call("GET", f"/jobs/{job}{part}")
    for page in ("/jobs", "/openapi.json", "/ui/", "/health"):
        service.call("GET", page)


def test_a_fit_in_the_background(service: Enforced) -> None:
    job_id = service.upload("background.csv", POINTS + b"3, 3\n")
    service.call("POST", "/fit", 202, json={"job_id": job_id}, headers={"Prefer": "respond-async"})
    eventually(lambda: service.status(job_id) == "SUCCEEDED")


def test_a_file_of_fit_predict(service: Enforced) -> None:
    service.call("POST", "/fit_predict", files={"file": ("both.csv", POINTS + b"4, 4\n")})


def test_a_file_through_a_presigned_form(service: Enforced) -> None:
    wanted = {"filename": "large.csv", "model_params": {}}
    form = service.call("POST", "/uploads", 201, json=wanted).json()
    service.send(form)
    eventually(lambda: service.status(form["job_id"]) == "SUCCEEDED")
    service.call("GET", f"/jobs/{form['job_id']}/input")


def test_points_through_a_presigned_form(service: Enforced, job: int) -> None:
    form = service.call("POST", "/predictions", 202, json={"job_id": job}).json()
    path = f"{service.url}/predictions/{form['prediction_id']}"
    service.send(form)

    def answer() -> requests.Response:
        return requests.get(path, headers=service.headers, timeout=WAIT, allow_redirects=False)

    eventually(lambda: answer().status_code == 303)
    labels = requests.get(answer().headers["Location"], timeout=WAIT)
    assert (labels.status_code, len(labels.text.split())) == (200, 6)


def test_a_file_that_is_dropped_into_the_bucket(service: Enforced) -> None:
    bucket = service.exports()["DATA_BUCKET"]
    service.aws("s3").put_object(Bucket=bucket, Key=f"incoming/{OWNER}/d.csv", Body=POINTS)

    def jobs() -> list[int]:
        found = service.call("GET", "/jobs").json()["jobs"]
        return [entry["job_id"] for entry in found if entry["filename"] == "d.csv"]

    eventually(jobs)
    eventually(lambda: service.status(jobs()[0]) == "SUCCEEDED")
    service.call("DELETE", f"/jobs/{jobs()[0]}", 204)
    assert service.keys("incoming/") == []


def test_a_deletion_takes_every_object(service: Enforced) -> None:
    job_id = service.upload("doomed.csv", POINTS + b"5, 5\n")
    service.call("POST", "/fit", json={"job_id": job_id})
    assert service.keys(f"models/{OWNER}/{job_id}/")
    inputs = len(service.keys("inputs/"))
    service.call("DELETE", f"/jobs/{job_id}", 204)
    assert service.keys(f"models/{OWNER}/{job_id}/") == []
    assert len(service.keys("inputs/")) == inputs - 1


def test_a_fit_that_got_lost_and_a_deletion_that_stopped_half_way(service: Enforced) -> None:
    """The sweeper's work: two jobs as a crash would leave them."""
    table = {"TableName": service.exports()["JOBS_TABLE"]}
    lost = service.upload("lost.csv", POINTS + b"6, 6\n")
    doomed = service.upload("half-way.csv", POINTS + b"7, 7\n")
    long_ago = {"N": str(int(time.time()) - 3600)}

    def overwrite(job_id: int, status: str) -> None:
        service.aws("dynamodb").update_item(
            **table,
            Key={"pk": {"S": f"O#{OWNER}"}, "sk": {"S": f"J#{job_id:010d}"}},
            UpdateExpression="SET #s = :s, gsi1pk = :active, due_at = :due, lease_until = :due",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={
                ":s": {"S": status},
                ":active": {"S": "ACTIVE"},
                ":due": long_ago,
            },
        )

    service.call("POST", "/fit", json={"job_id": lost})
    inputs = len(service.keys("inputs/"))
    overwrite(lost, "QUEUED")
    overwrite(doomed, "DELETING")
    eventually(lambda: service.status(lost) == "SUCCEEDED")
    eventually(lambda: len(service.keys("inputs/")) == inputs - 1)


def test_what_no_policy_allows_is_refused_here(service: Enforced) -> None:
    """The emulator does enforce: those tests would mean nothing if it let everything through."""
    iam = service.aws("iam")
    [role] = [
        found["RoleName"]
        for found in iam.list_roles()["Roles"]
        if "UploadFunctionRole" in found["RoleName"]
    ]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    without = [entry for entry in document["Statement"] if entry["Sid"] != "CreateJobs"]
    iam.put_role_policy(
        RoleName=role,
        PolicyName=policy,
        PolicyDocument=json.dumps(document | {"Statement": without}),
    )
    refused = requests.post(
        f"{service.url}/upload",
        headers=service.headers,
        files={"file": ("no.csv", POINTS + b"8, 8\n")},
        timeout=WAIT,
    )
    assert refused.status_code == 500
