"""Jobs, predictions and messages that version 0.1.0 left behind go on, whatever state they were in.

The items stand in files/items_0_1_0.json as that version wrote them, all of the same six points:
job 0 QUEUED, job 1 RUNNING with a lease that has run out since, job 2 PENDING, job 3 SUCCEEDED, and
a prediction by job 3's model. Only their time of expiry is put off.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.api import MODEL_CSV, PREDICT_CSV, Client
from harness.presigned import follow, labels
from harness.system import (
    created,
    deliver,
    fitted_recipe,
    item,
    let_leases_run_out,
    overwrite,
    put,
    sweep,
    work_off,
)
from kmeans_service import config
from kmeans_service.table import clock

LEFT: dict[str, list[Any]] = json.loads(
    (Path(__file__).parent / "files" / "items_0_1_0.json").read_text()
)
CENTERS = [[10.0, 2.0], [1.0, 2.0]]


@pytest.fixture
def upgraded(client: Client, aws: Any) -> Client:
    for found in LEFT["meta"] + LEFT["jobs"] + LEFT["predictions"]:
        expiry = {"expires_at": {"N": str(clock.seconds(10**6))}} if "expires_at" in found else {}
        if "give_up_at" in found:
            expiry["give_up_at"] = expiry["expires_at"]
        aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=found | expiry)
    for n in (0, 1, 3):
        put(item(n)["input"]["key"], MODEL_CSV)
    centers = io.BytesIO()
    np.save(centers, np.array(CENTERS))
    stored = item(3)["model"]
    put(stored["centers"]["key"], centers.getvalue())
    put(stored["labels"]["key"], b"".join(b"%.18e\n" % n for n in (1, 1, 1, 0, 0, 0)))
    return client


def test_a_queued_fit_is_computed_by_the_message_that_was_sent_for_it(upgraded: Client) -> None:
    assert deliver(*LEFT["messages"]) == 0
    assert item(0)["status"] == "SUCCEEDED"
    assert upgraded.get("/kmeans/jobs/0").json()["scores"]["inertia"] == pytest.approx(10)
    assert len(set(upgraded.get("/kmeans/jobs/0/labels").labels())) == 3


def test_a_running_fit_whose_worker_went_with_the_upgrade_is_found_by_the_sweeper(
    upgraded: Client,
) -> None:
    """Its random_state is null, which that version left to the worker."""
    let_leases_run_out()
    assert sweep()["queued"] == 2
    assert work_off() == 0
    assert [item(n)["status"] for n in (0, 1)] == ["SUCCEEDED"] * 2
    assert isinstance(fitted_recipe(1).random_state, int)
    assert sorted(upgraded.predict(PREDICT_CSV, 1).labels()) == [0, 1]


def test_the_same_fit_asked_for_again_joins_the_one_that_is_under_way(upgraded: Client) -> None:
    later = {"Prefer": "respond-async"}
    assert upgraded.fit(0, {"n_clusters": 3}, **later).status == 202
    assert upgraded.fit(1, {"random_state": None}, **later).status == 202
    assert item(1)["fence"] == 1


def test_a_pending_upload_takes_its_file_and_is_fitted_as_was_asked_for(upgraded: Client) -> None:
    key = "pending/tester/2/input.csv"
    event = created(key, put(key, MODEL_CSV))
    assert deliver(event, event) == 0
    assert (item(2)["status"], item(2)["fence"]) == ("SUCCEEDED", 1)
    assert upgraded.get("/kmeans/jobs/2").json()["seed_drawn"] is True


def test_a_model_predicts_by_its_centers(upgraded: Client) -> None:
    assert upgraded.predict(PREDICT_CSV, 3).labels() == [1, 0]
    centers = upgraded.get("/kmeans/jobs/3/centers", Accept="application/json").json()["centers"]
    assert centers == CENTERS
    assert upgraded.get("/kmeans/jobs/3").json()["scores"]["method"] == "in_memory"


def test_a_fit_asked_for_again_is_computed_anew_under_its_id(upgraded: Client) -> None:
    """That version lost digits of data far from zero: here, its scores are made to be wrong."""
    found = item(3)
    wrong = json.dumps(json.loads(found["model"]["scores"]) | {"silhouette": -0.158})
    overwrite(found, model=found["model"] | {"scores": wrong})
    assert upgraded.fit(3).labels() == [1, 1, 1, 0, 0, 0]
    again = item(3)
    assert (again["fit_id"], again["fence"]) == (found["fit_id"], found["fence"] + 1)
    scores = upgraded.get("/kmeans/jobs/3/scores").json()
    assert scores["silhouette"] == pytest.approx(0.7133477791749615)
    assert upgraded.predict(PREDICT_CSV, 3).labels() == [1, 0]


def test_a_prediction_that_was_reserved_takes_its_points(upgraded: Client) -> None:
    [reserved] = LEFT["predictions"]
    name = reserved["sk"]["S"].split("#")[2]
    key = f"pending/tester/3/predictions/{name}.csv"
    assert deliver(created(key, put(key, PREDICT_CSV))) == 0
    assert labels(follow(upgraded.get(f"/kmeans/predictions/3-{name}"))) == [1, 0]


def test_new_jobs_follow_the_old_ones(upgraded: Client) -> None:
    assert upgraded.upload(b"1\n2\n", "new.csv").json()["job_id"] == 4
