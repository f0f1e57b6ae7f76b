"""A file that is sent in parts: begun, broken off, gone on with, completed, given up."""

from typing import Any

import pytest
import requests

from harness.api import Answer, Client
from harness.faults import Died
from harness.limits import Set
from harness.meanwhile import raising
from harness.system import (
    counted,
    created,
    deliver,
    item,
    items,
    keys,
    lie_there,
    meanwhile,
    overwrite,
    sweep,
)
from kmeans_service import config
from local.template import load_template

PART = 5 * 1024**2  # the smallest that S3 takes, but for the last
FILE = b"1,2\n10,4\n" * 600_000
KEY = "pending/tester/0/input.csv"
PART_BYTES = config.PART_BYTES  # as it is deployed


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "PART_BYTES", PART)


def test_parts_are_as_large_and_as_many_as_s3_takes() -> None:
    most = load_template()["Parameters"]["MaxFileBytes"]["MaxValue"]
    assert PART_BYTES >= PART
    assert most / PART_BYTES <= 10_000


def begin(client: Client, size: int = len(FILE), **more: Any) -> Answer:
    wanted = {"filename": "large.csv", "parts": True, "size": size, **more}
    return client.post_json("/kmeans/uploads", wanted)


def send(view: dict[str, Any], *numbers: int, body: bytes = FILE) -> None:
    for part in view["parts"]:
        if part["part"] in numbers:
            start = (part["part"] - 1) * PART
            sent = requests.put(part["url"], data=body[start : start + part["size"]], timeout=30)
            assert sent.status_code == 200, sent.text


def uploads_of(aws: Any) -> list[Any]:
    bucket = config.settings().data_bucket
    return aws.s3().list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def test_an_upload_that_broke_goes_on_where_it_was_and_is_fitted(client: Client) -> None:
    answer = begin(client, model_params={"n_clusters": 2})
    assert answer.status == 201
    assert answer.headers["Location"] == "/kmeans/uploads/0"
    view = answer.json()
    assert [part["size"] for part in view["parts"]] == [PART, len(FILE) - PART]
    assert (view["size"], view["received"]) == (len(FILE), 0)
    send(view, 2)
    there = client.get("/kmeans/uploads/0").json()
    assert there["received"] == len(FILE) - PART
    assert ["url" in part for part in there["parts"]] == [True, False]
    missing = client.call("POST", "/kmeans/uploads/0")
    assert (missing.status, missing.json()["type"]) == (
        409,
        "urn:kmeans-service:problem:parts-missing",
    )
    assert "of 2 parts, 1 have not come" in missing.json()["detail"]
    send(there, 1)
    for _ in range(2):  # the answer to the first may have been lost
        done = client.call("POST", "/kmeans/uploads/0")
        assert (done.status, done.json()["status"]) == (202, "PENDING")
    assert deliver(created(KEY)) == 0
    job = client.get("/kmeans/jobs/0").json()
    assert (job["status"], job["size"], job["n_samples"]) == ("SUCCEEDED", len(FILE), 1_200_000)
    there = client.get("/kmeans/uploads/0").json()
    assert (there["size"], there["received"], there["parts"]) == (len(FILE), len(FILE), [])
    assert client.call("POST", "/kmeans/uploads/0").json()["status"] == "SUCCEEDED"
    late = client.call("DELETE", "/kmeans/uploads/0")
    assert (late.status, late.json()["title"]) == (409, "File has arrived")
    assert counted() == lie_there(aws_module())
    assert not {"parts", "gsi1pk", "due_at"} & item().keys()


def aws_module() -> Any:
    from kmeans_service import aws

    return aws


def test_a_part_with_other_bytes_than_it_should_have_is_missing(client: Client, aws: Any) -> None:
    view = begin(client, size=100).json()
    bucket = config.settings().data_bucket
    aws.s3().upload_part(
        Bucket=bucket,
        Key=KEY,
        UploadId=item()["parts"]["upload_id"],
        PartNumber=1,
        Body=b"1,2\n",
    )
    assert client.call("POST", "/kmeans/uploads/0").status == 409
    assert "content-length" in view["parts"][0]["url"].lower()  # signed: S3 takes no other


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"parts": True}, 422, "size"),
        ({"parts": True, "size": 0}, 422, "size"),
        ({"parts": True, "size": "5"}, 422, "size"),
        ({"parts": True, "size": True}, 422, "size"),
        ({"parts": True, "size": 10**12}, 413, "size"),
        ({"parts": 1, "size": 5}, 422, "parts"),
        ({"size": 5}, 422, "size"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(
    client: Client, body: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post_json("/kmeans/uploads", {"filename": "a.csv"} | body)
    assert (answer.status, answer.json()["field"]) == (status, field)
    assert items() == []


def test_the_bytes_count_from_the_start_and_no_more_once_it_is_given_up(
    client: Client, limit: Set, aws: Any
) -> None:
    limit(stored_bytes=1000)
    assert begin(client, size=600).status == 201
    assert counted() == 600
    full = begin(client, size=600)
    assert (full.status, full.json()["type"]) == (413, "urn:kmeans-service:problem:storage-full")
    assert client.call("DELETE", "/kmeans/uploads/0").status == 204
    assert (counted(), uploads_of(aws)) == (0, [])
    job = client.get("/kmeans/jobs/0").json()
    assert job["status"] == "FAILED"
    assert "aborted" in job["error"]["detail"]
    assert client.call("DELETE", "/kmeans/uploads/0").status == 410
    assert client.get("/kmeans/uploads/0").status == 410
    assert begin(client, size=600).status == 201


def test_a_deleted_job_takes_its_upload_along(client: Client, aws: Any) -> None:
    send(begin(client, size=10).json(), 1)
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), uploads_of(aws), keys()) == (0, [], [])
    assert client.get("/kmeans/uploads/0").status == 410


def test_an_upload_that_is_not_completed_within_a_day_ends(client: Client, aws: Any) -> None:
    begin(client, size=10)
    assert sweep()["lapsed"] == 0
    overwrite(item(), due_at=1)
    assert sweep()["lapsed"] == 1
    assert (counted(), uploads_of(aws)) == (0, [])
    assert "within a day" in client.get("/kmeans/jobs/0").json()["error"]["detail"]
    assert sweep()["lapsed"] == 0


def test_one_that_is_completed_has_come_before_the_worker_has_looked_at_it(client: Client) -> None:
    send(begin(client, size=10).json(), 1)
    assert client.call("POST", "/kmeans/uploads/0").status == 202
    there = client.get("/kmeans/uploads/0")
    assert there.status == 200, there.body
    assert (there.json()["size"], there.json()["received"]) == (10, 10)
    assert there.json()["parts"] == [{"part": 1, "size": 10}]


def test_one_that_is_completed_is_not_ended_by_the_sweeper(client: Client) -> None:
    send(begin(client, size=10).json(), 1)
    assert client.call("POST", "/kmeans/uploads/0").status == 202
    assert "due_at" not in item()
    assert sweep()["lapsed"] == 0


def test_who_asks_again_where_s3_took_longer_than_the_request_finds_it_completed(
    client: Client, aws: Any
) -> None:
    send(begin(client, size=10).json(), 1)
    answered = "after-call.s3.CompleteMultipartUpload"

    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    aws.s3().meta.events.register(answered, die)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.call("POST", "/kmeans/uploads/0")
    finally:
        aws.s3().meta.events.unregister(answered, die)
    assert client.get("/kmeans/uploads/0").json()["received"] == 10
    assert client.call("POST", "/kmeans/uploads/0").status == 202
    assert "due_at" not in item()


def test_one_that_is_aborted_while_it_is_completed_is_gone(client: Client, aws: Any) -> None:
    send(begin(client, size=10).json(), 1)

    def abort() -> None:
        assert client.call("DELETE", "/kmeans/uploads/0").status == 204

    with meanwhile(aws.dynamodb(), "UpdateItem", abort):
        assert client.call("POST", "/kmeans/uploads/0").status == 410


def test_what_died_before_s3_knew_of_it_is_begun_by_who_looks(client: Client, aws: Any) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), meanwhile(aws.s3(), "CreateMultipartUpload", die):
        begin(client, size=10)
    assert uploads_of(aws) == []
    assert "url" in client.get("/kmeans/uploads/0").json()["parts"][0]
    assert len(uploads_of(aws)) == 1


def test_two_who_begin_it_at_once_have_one_upload(client: Client, aws: Any) -> None:
    with pytest.raises(Died), meanwhile(aws.s3(), "CreateMultipartUpload", raising(Died())):
        begin(client, size=10)
    seen: list[Answer] = []

    def other() -> None:
        seen.append(client.get("/kmeans/uploads/0"))

    with meanwhile(aws.s3(), "CreateMultipartUpload", other):
        seen.append(client.get("/kmeans/uploads/0"))
    [upload] = uploads_of(aws)
    assert [answer.status for answer in seen] == [200, 200]
    for answer in seen:
        assert upload["UploadId"] in answer.json()["parts"][0]["url"]


def test_what_s3_has_dropped_is_gone(client: Client, aws: Any) -> None:
    begin(client, size=10)
    aws.s3().abort_multipart_upload(
        Bucket=config.settings().data_bucket, Key=KEY, UploadId=item()["parts"]["upload_id"]
    )
    assert client.get("/kmeans/uploads/0").status == 410
    assert client.call("POST", "/kmeans/uploads/0").status == 410
    assert client.call("DELETE", "/kmeans/uploads/0").status == 204


def test_only_its_owner_sees_an_upload_and_only_one_in_parts_is_one(client: Client) -> None:
    begin(client, size=10)
    other = Client(client._route, owner="other")
    for method in ("GET", "POST", "DELETE"):
        assert other.call(method, "/kmeans/uploads/0").status == 404
    client.post_json("/kmeans/uploads", {"filename": "a.csv"})
    for method in ("GET", "POST", "DELETE"):
        assert client.call(method, "/kmeans/uploads/1").status == 409
