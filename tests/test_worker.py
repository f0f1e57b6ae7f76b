"""The worker: files dropped into the bucket, fits asked for, each delivered once or more."""

import json
import random
from typing import Any
from urllib.parse import quote_plus

import pytest

from harness.api import ASYNC, MODEL_CSV, Client, Context
from harness.system import (
    EVENTS,
    created,
    deliver,
    drop,
    item,
    items,
    job,
    keys,
    let_all_be_ready,
    put,
    sqs_event,
    sweep,
    take_messages,
    waiting,
    work_off,
)
from kmeans_service import config
from kmeans_service.fitting import clustering
from kmeans_service.lifecycle import fits

KEY = "incoming/tester/points.csv"


def test_a_dropped_file_becomes_a_job_and_is_fitted_with_the_defaults(client: Client) -> None:
    assert deliver(drop(KEY, MODEL_CSV)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["filename"]) == ("SUCCEEDED", "points.csv")
    assert view["model_params"]["n_clusters"] == 2
    assert sorted(client.predict().labels()) == [0, 1]
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV


def test_a_dropped_file_is_fitted_with_the_parameters_of_its_metadata(client: Client) -> None:
    deliver(drop(KEY, MODEL_CSV, model_params='{"n_clusters": 3}'))
    assert client.get("/kmeans/jobs/0").json()["scores"]["inertia"] == pytest.approx(10)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    [
        "",
        ".DS_Store",
        "._points.csv",
        "_SUCCESS",
        "Thumbs.db",
        "desktop.ini",
        ".keep",
        ".gitkeep",
        "_$folder$",
        "results_$folder$",
        "results/",
        "results/_SUCCESS",
        "results/2026/.DS_Store",
        ".part-00000.csv.crc",
        ".~lock.points.csv#",
        "~$points.csv",
        "results/_started_4711",
        "results/_committed_4711",
        "results/_temporary/0/task_1/part-00000.csv",
    ],
)
def test_what_programs_leave_in_a_folder_makes_no_job(client: Client, name: str) -> None:
    assert deliver(drop(f"incoming/tester/{name}", b"")) == 0
    assert deliver(drop(f"incoming/tester/{name}", b"\0\1\2")) == 0
    assert client.get("/kmeans/jobs").json() == {"jobs": []}


@pytest.mark.parametrize(
    "name", ["_SUCCESS.csv", "DS_Store", "folder$", "_points.csv", ".csv", ".crc"]
)
def test_a_name_that_looks_a_little_like_it_is_a_file(client: Client, name: str) -> None:
    deliver(drop(f"incoming/tester/{name}", MODEL_CSV))
    assert client.get("/kmeans/jobs/0").json()["filename"] == name


def test_a_bare_notification_works_as_well_with_and_without_a_version(client: Client) -> None:
    from worker.app import lambda_handler

    version = put(KEY, MODEL_CSV)
    assert lambda_handler(json.loads(created(KEY, version)), Context(60)) == {
        "batchItemFailures": []
    }
    other = KEY.replace("points", "others")
    put(other, MODEL_CSV)
    lambda_handler(json.loads(created(other)), Context(60))
    assert [client.get(f"/kmeans/jobs/{n}").json()["status"] for n in (0, 1)] == ["SUCCEEDED"] * 2


def test_without_a_version_a_file_with_other_bytes_under_the_same_key_is_a_new_job(
    client: Client,
) -> None:
    for number in (1, 2):
        put(KEY, MODEL_CSV + f"{number}, 0\n".encode())
        assert deliver(created(KEY), created(KEY)) == 0
    assert [job["status"] for job in items()] == ["SUCCEEDED"] * 2
    assert client.get("/kmeans/jobs/1").json()["n_samples"] == 7


def test_the_sample_events_work_once_they_name_what_is_there(client: Client) -> None:
    from worker.app import lambda_handler

    key, owner = "incoming/public/model.csv", "public"
    version = put(key, MODEL_CSV)
    placeholder = json.loads((EVENTS / "s3_put.json").read_text())
    named = placeholder["Records"][0]["s3"]["object"]["versionId"]
    for name in ("s3_put.json", "sqs_s3_put.json"):
        event = json.loads((EVENTS / name).read_text().replace(named, version))
        assert lambda_handler(event, Context(60)) == {"batchItemFailures": []}
    assert [job["status"] for job in items(owner)] == ["SUCCEEDED"]
    fit = json.loads((EVENTS / "sqs_fit.json").read_text())
    assert lambda_handler(fit, Context(60)) == {"batchItemFailures": []}
    assert item(0, owner)["fence"] == 1
    assert client.get("/kmeans/jobs/0").status == 404


@pytest.mark.parametrize(
    "name",
    ["a b.csv", "a+b.csv", "100%.csv", "%41.csv", "Zürich äöü.csv", "数据.csv", 'it\'s "q".csv'],
)
def test_awkward_keys_keep_their_file_name(client: Client, name: str) -> None:
    assert deliver(drop(f"incoming/tester/some/folder/{name}", MODEL_CSV)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["filename"], view["status"]) == (name, "SUCCEEDED")


def test_notifications_delivered_twice_and_out_of_order_make_one_job_and_one_fit_each(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [drop(f"{KEY}{n}", MODEL_CSV, model_params='{"n_clusters": 3}') for n in range(3)] * 2
    random.Random(0).shuffle(bodies)
    assert deliver(*bodies) == 0
    monkeypatch.setattr(clustering, "fit", None)
    assert deliver(*bodies) == 0
    assert [(job["status"], job["fence"]) for job in items()] == [("SUCCEEDED", 1)] * 3
    assert client.get("/kmeans/jobs/3").status == 404


def test_an_old_notification_does_not_bring_back_an_old_fit(client: Client) -> None:
    old = drop(KEY, MODEL_CSV, model_params='{"n_clusters": 1}')
    deliver(old, drop(KEY, MODEL_CSV, model_params='{"n_clusters": 2}'), old)
    assert len(items()) == 1
    assert client.get("/kmeans/jobs/0").json()["model_params"]["n_clusters"] == 2


def test_a_drop_that_finds_another_fit_active_is_put_off_and_spends_nothing(
    client: Client,
) -> None:
    client.upload(filename="points.csv")
    client.fit(0, {"n_clusters": 1}, **ASYNC)
    claimed = fits.claim(job())  # by a request
    take_messages()
    dropped = drop(KEY, MODEL_CSV)
    for _ in range(config.MAX_ATTEMPTS + 1):
        assert deliver(dropped) == 0
        let_all_be_ready()
    assert client.get("/kmeans/jobs/0").json()["model_params"]["n_clusters"] == 1
    fits.fail(claimed, {"detail": "for the test"})
    sweep()
    work_off()
    assert client.get("/kmeans/jobs/0").json()["model_params"]["n_clusters"] == 2
    assert waiting() == []


def test_a_new_version_of_a_dropped_file_is_a_job_of_its_own_and_outlives_the_old_one(
    client: Client,
) -> None:
    deliver(drop(KEY, MODEL_CSV), drop(KEY, MODEL_CSV + b"5, 5\n"))
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert client.get("/kmeans/jobs/1/input").body == MODEL_CSV + b"5, 5\n"
    assert client.fit(1, {"n_clusters": 3}).status == 200
    assert client.call("DELETE", "/kmeans/jobs/1").status == 204
    assert keys() == []


def test_a_bad_csv_is_a_failed_job_that_names_the_cell_and_is_not_tried_again(
    client: Client,
) -> None:
    dropped = drop(KEY, b"1, 2\n3\n")
    assert deliver(dropped, dropped) == 0
    [job] = items()
    error = json.loads(job["error"])
    assert (job["status"], error["line"], error["column"]) == ("FAILED", 2, 2)
    assert "fence" not in job
    answer = client.fit(0)
    assert (answer.status, answer.json()["error"]["line"]) == (422, 2)


def test_a_cell_among_numbers_that_is_none_fails_the_fit_and_another_may_leave_it_out(
    client: Client,
) -> None:
    assert deliver(drop(KEY, b"1, 2\n3, x\n")) == 0
    error = client.get("/kmeans/jobs/0").json()["error"]
    assert (error["status"], error["line"], error["column"]) == (422, 2, 2)
    asked = {"job_id": 0, "preprocessing": {"columns": {"leave_out": [2]}}}
    assert client.post_json("/kmeans/fit", asked).status == 200


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ('{"n_clusters": "3"}', "n_clusters"),
        ('{"n_clusters": 7}', "at most n_samples=6"),
        ("{", "not JSON"),
        ('{"k": 3}', "n_clusters"),
    ],
)
def test_bad_parameters_fail_the_job_with_the_reason_and_a_good_fit_still_works(
    client: Client, params: str, reason: str
) -> None:
    assert deliver(drop(KEY, MODEL_CSV, model_params=params)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "FAILED"
    assert reason in view["error"]["detail"]
    assert client.fit(0).status == 200
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_99_messages_for_one_fit_are_one_execution(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    [body] = take_messages()
    assert deliver(*[body] * 99) == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 1)


def test_a_message_for_a_job_that_is_gone_is_done_with(client: Client) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    client.call("DELETE", "/kmeans/jobs/0")
    assert work_off() == 0
    never = {"owner": "tester", "job_id": 7, "fit_id": "x"}
    assert deliver(json.dumps(never)) == 0


def test_what_is_nobodys_is_ignored(client: Client) -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data"}
    strays = ["incoming/points.csv", "incoming/tester/", "incoming/../x.csv", "inputs/tester/x.csv"]
    strays += ["pending/tester/x/input.csv", "incoming/tester/deleted.csv"]
    bodies = [json.dumps(test_event), *map(created, strays)]
    assert deliver(*bodies) == 0
    assert (items(), client.get("/kmeans/jobs").json()) == ([], {"jobs": []})


def test_one_bad_message_of_a_batch_is_returned_alone(aws: Any) -> None:  # noqa: ARG001
    from worker.app import lambda_handler

    event = sqs_event("not JSON", json.dumps({"Event": "s3:TestEvent"}))
    failures = lambda_handler(event, Context(60))["batchItemFailures"]
    assert failures == [{"itemIdentifier": event["Records"][0]["messageId"]}]


def test_keys_are_encoded_as_s3_does() -> None:
    assert quote_plus("ä b+c%.csv", safe="/") == "%C3%A4+b%2Bc%25.csv"
