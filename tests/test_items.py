"""No record of the table grows with the data: what does lies in the bucket, beside the files."""

import json
from typing import Any

import pytest

from harness.api import ASYNC, Client
from harness.faults import Fault, injected
from harness.presigned import follow, post, predict, reserve
from harness.system import (
    OWNER,
    as_of_an_older_version,
    counted,
    deliver,
    drop,
    item,
    items,
    items_under,
    job,
    keys,
    lie_there,
    overwrite,
    take_messages,
    work_off,
)
from kmeans_service import config
from kmeans_service.table.values import marshal

COLUMNS, ROWS = 1_000, 12
# As long as a header of 64 KiB allows, of letters that JSON writes in six bytes.
NAMES = [f"{number:03}" + "\x01" * 61 for number in range(COLUMNS)]
HEADER = ",".join(NAMES).encode()
CELLS = [[b"%d" % ((7 * row + column) % 11) for column in range(COLUMNS)] for row in range(ROWS)]
WIDE = b"\n".join([HEADER, *map(b",".join, CELLS), b""])
INIT = [[row + column / 7 for column in range(COLUMNS)] for row in range(10)]
PARAMS = {"n_clusters": 10, "init": INIT, "n_init": 1, "random_state": None}
FILENAME = "\u20ac" * 1_000 + ".csv"


def bytes_of(typed: dict[str, Any]) -> int:
    """As DynamoDB counts an attribute, rounded up."""
    [(kind, value)] = typed.items()
    if kind == "M":
        return 3 + sum(1 + len(name) + bytes_of(inner) for name, inner in value.items())
    if kind == "L":
        return 3 + sum(1 + bytes_of(inner) for inner in value)
    return len(str(value).encode())


def largest() -> int:
    found = [*items_under(f"O#{OWNER}"), *items_under("Q")]
    return max(sum(len(k) + bytes_of(v) for k, v in marshal(each).items()) for each in found)


def model_params(params: dict[str, Any]) -> dict[str, Any]:
    """Without the seed, which is drawn."""
    return {name: params[name] for name in ("n_clusters", "init", "n_init")}


EXPECTED = model_params(PARAMS)


def assert_small_and_whole(client: Client) -> None:
    assert largest() < 100_000
    view = client.get("/kmeans/jobs/0").json()
    assert view["feature_names"] == NAMES
    assert model_params(view["model_params"]) == EXPECTED
    [listed] = client.get("/kmeans/jobs").json()["jobs"]
    assert not {"feature_names"} & listed.keys()
    assert "init" not in listed["model_params"]


@pytest.mark.thorough
def test_the_widest_names_and_the_most_centers_make_no_large_record(
    client: Client, aws: Any
) -> None:
    assert client.upload(WIDE, FILENAME).status == 200
    assert client.fit(0, PARAMS).status == 200
    assert_small_and_whole(client)
    assert counted() == job().stored_bytes
    assert client.predict(WIDE).status == 200
    assert client.predict(WIDE.replace(b"000", b"zzz", 1)).status == 422
    as_json = client.get("/kmeans/jobs/0/centers", Accept="application/json").json()
    assert as_json["feature_names"] == NAMES
    path, arrived = predict(client, WIDE)
    assert deliver(arrived) == 0
    assert len(follow(client.get(path)).split()) == ROWS
    assert client.fit(0, PARAMS).status == 200
    assert largest() < 100_000
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (keys(), counted(), lie_there(aws)) == ([], 0, 0)


def test_in_the_background_too(client: Client) -> None:
    client.upload(WIDE, FILENAME)
    asked = client.fit(0, PARAMS, **ASYNC)
    assert model_params(asked.json()["model_params"]) == EXPECTED
    assert largest() < 100_000
    work_off()
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert_small_and_whole(client)


def test_through_a_presigned_form_too(client: Client) -> None:
    reserved = reserve(client, filename=FILENAME, model_params=PARAMS)
    assert largest() < 100_000
    assert deliver(post(reserved, WIDE)) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert_small_and_whole(client)
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == []


@pytest.mark.thorough
@pytest.mark.parametrize("headers", [{}, ASYNC])
def test_centers_are_kept_where_only_the_answer_to_their_write_was_lost(
    client: Client, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """The write is sent again, and its condition does not hold any more: it was made."""
    with injected(monkeypatch) as faults:
        for target in range(1, 5):
            client.upload(WIDE, f"{target}.csv")
            faults.arm(Fault.LOST, target)
            with faults.watch():
                assert client.fit(target - 1, PARAMS, **headers).status in (200, 202)
            assert faults.struck
            assert json.loads(item(target - 1)["init"])["key"] in keys("models/")


def test_a_dropped_file_too(client: Client) -> None:
    assert deliver(drop(f"incoming/{OWNER}/wide.csv", WIDE)) == 0
    assert client.get("/kmeans/jobs/0").json()["feature_names"] == NAMES
    assert largest() < 100_000
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == []


def test_other_centers_replace_those_before_and_leave_none_behind(client: Client) -> None:
    """A fit that fails, another that is refused, a third that is the job's."""
    client.upload(WIDE, FILENAME)
    client.fit(0, PARAMS, **ASYNC)
    other = PARAMS | {"init": [[2 * x for x in row] for row in INIT]}
    assert client.fit(0, other, **ASYNC).status == 409
    assert len([key for key in keys("models/") if "init" in key]) == 1
    overwrite(item(), status="FAILED", error=json.dumps({"detail": "for the test"}))
    assert client.fit(0, other, **ASYNC).status == 202
    [left] = [key for key in keys("models/") if "init" in key]
    assert left == json.loads(item()["init"])["key"]
    take_messages()
    overwrite(item(), status="FAILED")
    assert client.fit(0, {"n_clusters": 2}, **ASYNC).status == 202
    assert [key for key in keys("models/") if "init" in key] == []
    assert "init" not in item()


def test_short_names_and_centers_stand_in_the_record_and_cost_no_object(client: Client) -> None:
    client.upload(b"x,y\n1,2\n3,4\n5,6\n")
    client.fit(0, {"n_clusters": 2, "init": [[1, 2], [5, 6]], "n_init": 1})
    [kept] = [key for key in keys() if key.endswith(".json")]
    assert kept.endswith("/manifest.json")
    [listed] = client.get("/kmeans/jobs").json()["jobs"]
    assert listed == client.get("/kmeans/jobs/0").json()
    assert listed["model_params"]["init"] == [[1, 2], [5, 6]]


def test_a_record_of_the_version_before_that_holds_it_all_still_reads(
    client: Client, aws: Any
) -> None:
    """Names in file and model, the file's own item as it was written then."""
    client.upload(WIDE)
    client.fit(0, {"n_clusters": 2})
    as_of_an_older_version()
    found = item()
    del found["input"]["names"]
    for part in (found["input"], found["model"]):
        part["feature_names"] = NAMES
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(found))
    assert client.get("/kmeans/jobs/0").json()["feature_names"] == NAMES
    assert client.predict(WIDE).status == 200
    assert client.fit(0, {"n_clusters": 3}).status == 200
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204


def test_names_that_were_swapped_are_not_shown(client: Client, aws: Any) -> None:
    client.upload(WIDE)
    [names] = [key for key in keys("inputs/") if key.endswith(".json")]
    bucket = config.settings().data_bucket
    aws.s3().put_object(Bucket=bucket, Key=names, Body=b'["secret"]')
    answer = client.get("/kmeans/jobs/0")
    assert answer.status == 410
    assert answer.json()["type"] == "urn:kmeans-service:problem:model-damaged"


@pytest.mark.parametrize("clusters", [1_000])
def test_the_most_clusters_make_no_large_record(client: Client, clusters: int) -> None:
    client.upload(b"".join(b"%d,%d\n" % (row, row * row) for row in range(1_200)))
    assert client.fit(0, {"n_clusters": clusters}).status == 200
    assert largest() < 100_000
    assert items()[0]["status"] == "SUCCEEDED"
