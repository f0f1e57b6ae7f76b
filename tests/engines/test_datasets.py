"""A dataset of many files: a job once its mark is there, fitted where the engine for it is."""

import json
from typing import Any

import pytest

from harness.api import Client
from harness.elsewhere import Elsewhere, over_files
from harness.fake_aws.environment import BUCKET
from harness.limits import Set
from harness.system import (
    counted,
    deliver,
    drop,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    put,
    sweep,
)
from kmeans_service import aws, config
from kmeans_service.fitting.kernel import library

FOLDER = "datasets/tester/nightly/"
PARTS = {
    "part-0.csv": b"x,y\n1,2\n1,4\n",
    "part-1.csv": b"x,y\n1,0\n10,2\n",
    "part-2.csv": b"x,y\n10,4\n10,0\n",
}
ASKED = {"model_params": '{"n_clusters": 2}'}

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")


def dropped(parts: dict[str, bytes], **metadata: str) -> str:
    """The notification of the mark of a dataset with these files."""
    for name, body in parts.items():
        put(FOLDER + name, body)
    return complete(**metadata)


def complete(**metadata: str) -> str:
    return drop(f"{FOLDER}_SUCCESS", b"", **(ASKED | metadata))


def view(client: Client, job_id: int = 0) -> Any:
    return client.get(f"/kmeans/jobs/{job_id}").json()


def fit(spark: Elsewhere) -> None:
    assert deliver(spark.do(over_files)) == 0


def error_of(client: Client, job_id: int = 0) -> Any:
    found = view(client, job_id)
    assert found["status"] == "FAILED", found
    return found["error"]


def test_its_mark_makes_a_job_that_says_what_it_is_of(client: Client, spark: Elsewhere) -> None:
    assert deliver(dropped(PARTS)) == 0
    found = view(client)
    assert (found["status"], found["filename"]) == ("RUNNING", "nightly")
    assert (found["files"], found["size"]) == (3, 39)
    assert not {"n_samples", "n_features", "feature_names"} & found.keys()
    [listed] = client.get("/kmeans/jobs").json()["jobs"]
    assert (listed["files"], listed["size"]) == (3, 39)
    assert spark.states() == ["SUBMITTED"]


def test_its_rows_are_those_of_its_files_in_the_order_of_their_names(
    client: Client, spark: Elsewhere
) -> None:
    deliver(dropped(dict(reversed(PARTS.items()))))
    fit(spark)
    found = view(client)
    assert (found["status"], found["scores"]["method"]) == ("SUCCEEDED", "spark")
    assert (found["n_samples"], found["n_features"], found["feature_names"]) == (6, 2, ["x", "y"])
    assert client.get("/kmeans/jobs/0/labels").labels() == [1, 1, 1, 0, 0, 0]
    assert client.predict(b"0, 0\n12, 3").labels() == [1, 0]
    columns = client.get("/kmeans/jobs/0/columns").json()["columns"]
    assert [column["name"] for column in columns] == ["x", "y"]


def test_the_same_fit_asked_for_again_is_there_and_another_one_is_another_run(
    client: Client, spark: Elsewhere
) -> None:
    deliver(dropped(PARTS))
    fit(spark)
    asked = {"job_id": 0, "model_params": {"n_clusters": 2}}
    assert client.post_json("/kmeans/fit", asked).status == 200
    assert (
        client.post_json("/kmeans/fit", asked | {"model_params": {"n_clusters": 3}}).status == 202
    )
    assert len(spark.states()) == 1
    deliver(json.dumps({"owner": "tester", "job_id": 0, "fit_id": item()["fit_id"]}))
    fit(spark)
    assert len(view(client)["scores"]["cluster_sizes"]) == 3


def test_a_run_may_read_the_files_of_its_dataset_and_no_others(spark: Elsewhere) -> None:
    deliver(dropped(PARTS))
    asked = spark.let_run().asked
    read, *_ = json.loads(asked["executionIamPolicy"]["policy"])["Statement"]
    assert read["Resource"][0] == f"arn:aws:s3:::{BUCKET}/{FOLDER}*"
    assert len(read["Resource"]) == 2


@pytest.mark.usefixtures("spark")
def test_its_files_can_be_read_back_by_name_version_size_and_checksum(client: Client) -> None:
    deliver(dropped(PARTS))
    answer = client.get("/kmeans/jobs/0/input")
    assert answer.status == 200
    [first, *_] = answer.json()["files"]
    assert (first["key"], first["size"]) == (f"{FOLDER}part-0.csv", 12)
    assert first["version_id"]
    assert first.keys() == {"key", "version_id", "size", "etag", "crc64nvme"}
    refused = client.get("/kmeans/jobs/0/input", Accept="text/csv")
    assert (refused.status, "application/json" in refused.json()["detail"]) == (406, True)


def test_an_event_that_comes_twice_and_a_mark_that_is_put_again_are_one_job(
    client: Client, spark: Elsewhere
) -> None:
    event = dropped(PARTS)
    assert deliver(event, event, complete()) == 0
    assert len(items()) == 1
    assert len(spark.states()) == 1
    put(f"{FOLDER}part-3.csv", b"x,y\n5,5\n")
    assert deliver(complete()) == 0
    assert (view(client, 1)["files"], len(items())) == (4, 2)
    assert len([key for key in keys("inputs/") if key.endswith(".files.json")]) == 2


def test_files_without_a_mark_are_nothing(spark: Elsewhere) -> None:
    assert deliver(*(drop(FOLDER + name, body) for name, body in PARTS.items())) == 0
    assert items() == []
    assert spark.states() == []


LEFT_OUT = {"_committed_1": b"{}", ".part-0.csv.crc": b"crc", "_temporary/0/part-7.csv": b"9,9\n"}


def test_what_spark_and_hadoop_write_beside_data_is_left_out_and_said_to_be(
    client: Client, spark: Elsewhere
) -> None:
    deliver(dropped(PARTS | LEFT_OUT | {"empty/": b""} | {"part-5.csv": b""}))
    fit(spark)
    found = view(client)
    assert (found["files"], found["n_samples"]) == (4, 6)
    assert found["warnings"][0] == (
        "Files whose names begin with _ or . are no part of a dataset, and were left out: "
        "'.part-0.csv.crc', '_committed_1', '_temporary/0/part-7.csv' (3 in all)."
    )


REFUSED: list[tuple[dict[str, bytes], str]] = [
    ({}, "the dataset has no file where _SUCCESS was written"),
    ({"part-0.csv": b"", "part-1.csv": b""}, "the dataset has 2 files, all of them empty"),
    (PARTS | {"day=3/part-0.csv": b"1,2\n"}, "'day=3/part-0.csv' lies in a folder of its own"),
]


@pytest.mark.parametrize(("parts", "said"), REFUSED, ids=str)
def test_what_is_no_dataset_makes_a_job_that_says_so(
    client: Client, spark: Elsewhere, parts: dict[str, bytes], said: str
) -> None:
    assert deliver(dropped(parts)) == 0
    error = error_of(client)
    assert error["type"].endswith("invalid-csv")
    assert said in error["detail"]
    assert spark.states() == []


@pytest.mark.usefixtures("spark")
def test_more_bytes_or_files_than_are_taken_are_refused(client: Client, limit: Set) -> None:
    limit(dataset_bytes=38)
    deliver(dropped(PARTS))
    assert "has 39 bytes; at most 38 are taken" in error_of(client)["detail"]
    limit(dataset_bytes=39, dataset_files=2)
    deliver(complete())
    assert "has 3 files; at most 2 are taken" in error_of(client, 1)["detail"]
    limit(dataset_files=3)
    deliver(complete())
    assert view(client, 2)["status"] == "RUNNING"


def test_more_rows_than_are_taken_are_refused_with_the_file_and_the_line(
    client: Client, spark: Elsewhere, limit: Set
) -> None:
    limit(rows=1, dataset_rows=5)
    deliver(dropped(PARTS))
    fit(spark)
    error = error_of(client)
    assert (error["file"], error["line"]) == ("part-2.csv", 3)
    assert error["detail"] == "part-2.csv: more than the 5 rows a file may have"


@pytest.mark.thorough
def test_one_bad_cell_of_200_files_is_named_by_its_file_and_its_line_there(
    client: Client, spark: Elsewhere
) -> None:
    parts = {f"part-{number:03d}.csv": b"x,y\n1,2\n10,4\n" for number in range(200)}
    parts["part-123.csv"] = b"x,y\n1,2\n10,four\n"
    deliver(dropped(parts))
    fit(spark)
    error = error_of(client)
    assert (error["file"], error["line"], error["column"]) == ("part-123.csv", 3, 2)
    assert error["detail"].startswith("line 3 of part-123.csv, column 2: 'four' in the column 'y'")


def test_a_file_that_is_gone_before_it_is_fitted_is_named(client: Client, spark: Elsewhere) -> None:
    deliver(dropped(PARTS))
    spark.let_run()
    [gone] = [
        each for each in client.get("/kmeans/jobs/0/input").json()["files"] if "-1" in each["key"]
    ]
    aws.s3().delete_object(Bucket=BUCKET, Key=gone["key"], VersionId=gone["version_id"])
    fit(spark)
    error = error_of(client)
    assert (error["status"], error["file"]) == (410, "part-1.csv")


def test_without_the_engine_it_is_refused_with_the_parameter_that_brings_it(client: Client) -> None:
    assert deliver(dropped(PARTS)) == 0
    error = error_of(client)
    assert error["field"] == "engine"
    assert "DistributedEngine=emr-serverless" in error["detail"]
    again = client.fit(0)
    assert (again.status, again.json()["field"]) == (422, "engine")
    assert view(client)["files"] == 3


def test_what_its_metadata_ask_for_is_what_is_fitted(client: Client, spark: Elsewhere) -> None:
    deliver(dropped(PARTS, preprocessing='{"scaling": "standard"}', header="present"))
    found = view(client)
    assert (found["preprocessing"]["scaling"], found["reading"]) == (
        *("standard", {"header": "present"}),
    )
    fit(spark)
    assert view(client)["status"] == "SUCCEEDED"


def test_it_continues_no_other_fit(client: Client, spark: Elsewhere) -> None:
    client.upload()
    client.fit(0)
    deliver(dropped(PARTS, align_to="0"))
    assert error_of(client, 1)["field"] == "align_to"
    assert spark.states() == []


@pytest.mark.parametrize("part", ["clusters", "projection", "report"])
def test_what_else_needs_its_rows_once_more_is_refused_at_once_and_says_what_can_be_had(
    client: Client, spark: Elsewhere, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it would take, of one file."""
    deliver(dropped(PARTS))
    fit(spark)
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", 0.0)
    answer = client.get(f"/kmeans/jobs/0/{part}")
    assert answer.status == 422
    assert "the rows of a dataset" in answer.body.decode().lower()


def test_its_links_lead_to_what_can_be_had(client: Client, spark: Elsewhere) -> None:
    deliver(dropped(PARTS))
    fit(spark)
    links = view(client)["links"]
    assert links.keys() == {"self", "input", "labels", "rows", "centers", "scores", "model"}
    read = {client.get(links[name]).status for name in links.keys() - {"rows"}}
    assert read == {200}
    assert client.get(links["rows"]).status == 202


def test_with_its_job_go_its_files_in_the_versions_that_it_has(
    client: Client, spark: Elsewhere
) -> None:
    deliver(dropped(PARTS))
    fit(spark)
    newer = put(f"{FOLDER}part-0.csv", b"x,y\n7,7\n")
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys("datasets/") == [f"{FOLDER}part-0.csv"]
    assert keys("inputs/") == keys("models/") == []
    assert counted() == 0
    assert aws.s3().head_object(Bucket=BUCKET, Key=f"{FOLDER}part-0.csv")["VersionId"] == newer


@pytest.mark.usefixtures("spark")
def test_a_deletion_that_stopped_is_finished_by_the_sweeper(client: Client) -> None:
    deliver(dropped(PARTS))
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert item()["status"] == "DELETING"  # its run may be writing still
    assert len(keys(FOLDER)) == 4
    let_leases_run_out()
    sweep()
    assert item()["status"] == "DELETED"
    assert keys("datasets/") == []


@pytest.mark.usefixtures("spark")
def test_one_without_room_is_refused_and_stays_where_it_is(client: Client, limit: Set) -> None:
    limit(stored_bytes=38)
    deliver(dropped(PARTS))
    assert error_of(client)["type"].endswith("storage-full")
    assert job().input is None
    assert keys("inputs/") == []
    assert len(keys(FOLDER)) == 4
