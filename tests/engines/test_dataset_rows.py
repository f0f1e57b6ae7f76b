"""The rows of a dataset of many files with their clusters: as of one file, made by a run alone."""

import gzip
import io
import json

import pytest

from harness.api import Answer, Client
from harness.elsewhere import Elsewhere, look, nobody_looks_for_it_any_more, over_files
from harness.fake_aws.environment import BUCKET
from harness.limits import Set
from harness.system import deliver, drop, job, manifest, put, take_messages, work_off
from kmeans_service import aws, config
from kmeans_service.explaining import distances
from kmeans_service.explaining.assigned import assign
from kmeans_service.explaining.written import written
from kmeans_service.fitting.kernel import library
from kmeans_service.models.loading import model_of
from kmeans_service.models.points import PointsTable
from kmeans_service.tables.table import read_table

FOLDER = "datasets/tester/nightly/"
PARTS = {
    "part-0.csv": b"x,y\n1,2\n1,4\n",
    "part-1.csv.gz": gzip.compress(b"x,y\n1,0\n10,2\n"),
    "part-2.csv": b"x,y\n10,4\n10,0\n",
}
TOGETHER = b"x,y\n1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"
PATH = "/kmeans/jobs/0/rows"

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")


@pytest.fixture
def fitted(client: Client, spark: Elsewhere) -> Client:
    for name, body in PARTS.items():
        put(FOLDER + name, body)
    deliver(drop(f"{FOLDER}_SUCCESS", b"", model_params='{"n_clusters": 2}'))
    deliver(spark.do(over_files))
    return client


def ask(client: Client) -> None:
    """It is being made in a run."""
    assert client.get(PATH).status == 202
    assert work_off() == 0
    take_messages()


def made(client: Client, spark: Elsewhere) -> Answer:
    ask(client)
    assert deliver(spark.do(over_files)) == 0
    return client.get(PATH)


def of_one_file() -> bytes:
    model = model_of(job().published)
    table = read_table(lambda: io.BytesIO(TOGETHER))
    points = PointsTable(lambda: io.BytesIO(TOGETHER), table, model.columns, (0, 1))
    found = assign(model, points.in_memory())
    of_rows = distances.quantiles_of(found.labels, found.distances, 2)
    return b"".join(written(points, model, distances.at(of_rows, 0.99), ["", ""]))


def test_they_are_those_of_its_files_put_together(fitted: Client, spark: Elsewhere) -> None:
    answer = made(fitted, spark)
    assert (answer.status, answer.body) == (200, of_one_file())
    header, *rows = answer.body.decode().splitlines()
    assert header == "x,y,cluster,cluster_name,distance,second,margin,outlier"
    assert [row.split(",")[:3] for row in rows] == [
        *(["1", y, "1"] for y in "240"),
        *(["10", y, "0"] for y in "240"),
    ]
    nobody_looks_for_it_any_more(spark)


def test_the_run_may_read_its_files_and_its_model_and_no_others(
    fitted: Client, spark: Elsewhere
) -> None:
    ask(fitted)
    read, *_ = json.loads(spark.let_run().asked["executionIamPolicy"]["policy"])["Statement"]
    expected = (f"{FOLDER}*", manifest().key, "engine/*")
    assert read["Resource"] == [f"arn:aws:s3:::{BUCKET}/{each}" for each in expected]


def test_files_that_are_replaced_or_added_meanwhile_change_nothing(
    fitted: Client, spark: Elsewhere
) -> None:
    put(f"{FOLDER}part-0.csv", b"x,y\n7,7\n7,8\n")
    put(f"{FOLDER}part-3.csv", b"x,y\n9,9\n")
    assert made(fitted, spark).body == of_one_file()


def test_a_file_that_is_gone_is_named(fitted: Client, spark: Elsewhere) -> None:
    files = fitted.get("/kmeans/jobs/0/input").json()["files"]
    gone = files[1]
    aws.s3().delete_object(Bucket=BUCKET, Key=gone["key"], VersionId=gone["version_id"])
    answer = made(fitted, spark)
    assert answer.status == 422
    assert "part-1.csv.gz: the file was deleted, replaced" in answer.json()["detail"]


def test_more_rows_than_one_file_may_have_are_written(
    fitted: Client, spark: Elsewhere, limit: Set
) -> None:
    expected = of_one_file()
    limit(rows=5)
    assert made(fitted, spark).body == expected


def test_without_the_engine_the_parameter_is_named_that_brings_it(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPARK_APPLICATION")
    config.distributed.cache_clear()
    answer = fitted.get(PATH)
    assert answer.status == 422
    assert "DistributedEngine=emr-serverless" in answer.json()["detail"]


def test_a_run_that_is_killed_is_followed_by_another(fitted: Client, spark: Elsewhere) -> None:
    ask(fitted)
    assert deliver(spark.do(lambda _prefix: 1)) == 0
    look()
    assert deliver(spark.do(over_files)) == 0
    assert fitted.get(PATH).body == of_one_file()
