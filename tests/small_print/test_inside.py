"""The small print inside: estimates, what is kept warm, counters, the last second."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, csv, form
from harness.limits import Set, held
from harness.presigned import post, reserve
from harness.system import OWNER, created, deliver, everything, item, meanwhile, overwrite
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.fitting import capacity
from kmeans_service.lifecycle.job import Input
from kmeans_service.line import estimates
from kmeans_service.models import loading
from kmeans_service.owners import quota
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import Recipe
from worker import arrivals


def test_an_estimate_grows_with_what_there_is_to_do() -> None:
    given = Input("k", None, "0" * 64, 50_000_000, 1_000_000, 10, None)
    recipe = Recipe(n_clusters=5, max_iter=100)
    assert estimates.check_seconds(75_000_000) == 1.5
    assert estimates.prediction_seconds(75_000_000) == 7.5
    # 1e6 rows, 10 columns, 5 clusters, 100 iterations at 5e8 a second, and a second to read them
    assert estimates.fit_seconds(recipe, given) == pytest.approx(11)
    assert estimates.fit_seconds(replace(recipe, n_init=3), given) == pytest.approx(31)
    # Parts of a second count: many short fits are not no time at all.
    brief = replace(recipe, max_iter=5)
    assert estimates.fit_seconds(brief, replace(given, size=25_000_000)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("key", "seconds"),
    [
        (f"incoming/{OWNER}/a.csv", 10),
        (f"pending/{OWNER}/0/input.csv", 10),
        (f"pending/{OWNER}/0/predictions/{'0' * 32}.csv", 50),
    ],
)
def test_what_came_into_the_bucket_is_reckoned_by_its_size(key: str, seconds: int) -> None:
    record = json.loads(created(key))["Records"][0]
    record["s3"]["object"]["size"] = 500_000_000
    record["eventTime"] = "2026-01-02T03:04:05.678Z"
    work = arrivals.work_of(arrivals.arrival_of(record), record)
    assert work is not None
    assert (work.owner, work.seconds) == (OWNER, seconds)
    assert work.since == 1_767_323_045_678
    other = json.loads(created(key, "another version"))["Records"][0]
    assert arrivals.work_of(arrivals.arrival_of(other), other).name != work.name  # type: ignore[union-attr]


def test_what_a_row_takes_of_memory_depends_on_how_the_fit_begins_and_goes_on() -> None:
    def row(**params: Any) -> int:
        return capacity.row_bytes(2, parse_params({"n_clusters": 100, **params}))

    assert row() == row(init="random") == 8 * (2 + 1 + 8)  # the row once more as float32
    assert row(init="random", algorithm="elkan") == 8 * (2 + 100 + 2 * 2 + 8)
    few = {"algorithm": "elkan", "n_clusters": 3}
    assert row(**few) == 8 * (2 + 3 * (2 + 1) + 8)  # ln 3 = 1.1


@pytest.fixture
def read(client: Client, aws: Any) -> Callable[[int], int]:
    """Predict with a job's model: how many objects that reads."""
    for number in range(3):
        client.upload(csv(number))
        assert client.fit(number).status == 200
    loading.forget()
    asked: list[str] = []
    aws.s3().meta.events.register("before-call.*.GetObject", lambda **_: asked.append(""))

    def predict(job_id: int) -> int:
        asked.clear()
        assert client.predict(job_id=job_id).status == 200
        return len(asked)

    return predict


def test_a_model_is_read_once_as_long_as_there_is_room(read: Callable[[int], int]) -> None:
    assert [read(job_id) for job_id in (0, 0, 1, 0, 1)] == [1, 0, 1, 0, 0]


def test_what_was_used_longest_ago_makes_room_for_what_is_used_now(
    read: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(0)
    [(_, size)] = loading._warm.values()  # the others' numbers are a few digits longer or shorter
    monkeypatch.setattr(loading, "MAX_WARM_BYTES", 2.5 * size)
    assert [read(job_id) for job_id in (1, 0, 2, 0, 1)] == [1, 0, 1, 0, 1]


def test_a_model_larger_than_all_the_room_is_kept_alone(
    read: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MAX_WARM_BYTES", 1)
    assert [read(job_id) for job_id in (0, 0, 1, 1, 0)] == [1, 0, 1, 0, 1]


def expire_what_was_counted() -> None:
    [meta] = [found for found in everything() if found["sk"] == "META"]
    overwrite(meta, exact_until=1)


@pytest.mark.parametrize("what", ["a job", "a file", "a job less"])
def test_what_changes_while_jobs_are_counted_anew_is_not_forgotten(
    client: Client,
    limit: Set,
    aws: Any,
    what: str,
) -> None:
    client.upload(csv(0))
    client.upload(csv(1))
    arrived = post(reserve(client), MODEL_CSV)
    expire_what_was_counted()
    limit(jobs=3)

    def change() -> None:
        limit(jobs=10)
        if what == "a job":
            assert client.upload(csv(2)).status == 200
        elif what == "a file":
            assert deliver(arrived) == 0
        else:
            assert client.call("DELETE", "/kmeans/jobs/0").status == 204
        limit(jobs=3)

    with meanwhile(aws.dynamodb(), "UpdateItem", change):
        client.upload(csv(3))
    limit(jobs=10)
    live = [found for found in everything() if found["sk"].startswith("J#")]
    live = [found for found in live if found["status"] not in ("DELETING", "DELETED")]
    assert held()[0] == len(live)
    expire_what_was_counted()
    limit(jobs=1)
    before = held()
    assert client.upload(csv(4)).status == 422
    assert held() == before


def test_a_job_made_in_the_last_second_of_another_is_told_apart_from_it(
    clock: Clock, client: Client
) -> None:
    """What has expired and DynamoDB has not removed yet is overwritten, and nothing else is."""
    client.upload()
    expires_at = item()["expires_at"]
    clock.pass_by(expires_at - clock.now - 1)
    assert client.upload().json()["job_id"] == 0
    clock.pass_by(1)
    assert client.upload().json()["job_id"] == 1
    assert client.upload().json()["job_id"] == 1
    assert quota.read(OWNER).next_id == 2


def test_centers_of_one_cluster_and_one_column_are_answered_whole(client: Client) -> None:
    client.upload(b"1\n2\n6\n")
    assert client.fit(0, {"n_clusters": 1}).status == 200
    rows = np.loadtxt(io.StringIO(client.get("/kmeans/jobs/0/centers").text), ndmin=2)
    assert rows.tolist() == [[3.0]]
    assert client.predict(b"9\n-4\n").labels() == [0, 0]
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert not {"silhouette", "calinski_harabasz", "davies_bouldin"} & scores.keys()
    assert scores["cluster_sizes"] == [3]


def test_a_parameter_that_stands_twice_is_refused(client: Client) -> None:
    answer = client.get("/kmeans/jobs?limit=1&limit=2")
    assert answer.status == 422
    assert "stands 2 times" in answer.json()["detail"]
    body = form(("file", "a.csv", MODEL_CSV))
    assert client.call("POST", "/kmeans/upload", body, FORM_TYPE).status == 200
    assert config.MAX_JOB_ID == 9_999_999_999
