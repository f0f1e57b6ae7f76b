"""A file that arrives while something else happens to its job, or twice."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.api import MODEL_CSV, Client, csv
from harness.faults import Died
from harness.limits import held
from harness.meanwhile import raising
from harness.presigned import post, reserve
from harness.system import (
    OWNER,
    deliver,
    drop,
    item,
    keys,
    let_leases_run_out,
    meanwhile,
    take_messages,
)


def test_a_file_that_arrives_while_its_job_is_being_deleted_is_deleted_with_it(
    client: Client, aws: Any
) -> None:
    arrived = post(reserve(client), MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(arrived)):
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert item()["status"] == "DELETED"
    assert keys() == []
    assert held() == (0, 0)


def test_a_bad_file_does_not_fail_a_job_that_a_good_one_reached_first(
    client: Client, aws: Any
) -> None:
    """Two files for one form, handled by two workers at once."""
    key = reserve(client)["fields"]["key"]
    bad, good = drop(key, b"no\nnumbers\n"), drop(key, MODEL_CSV)
    with meanwhile(aws.dynamodb(), "UpdateItem", lambda: deliver(good), 3):
        assert deliver(bad) == 0
    assert item()["status"] == "UPLOADED"
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert keys() == [f"pending/{OWNER}/0/input.csv"]
    assert client.fit(0).status == 200


def test_of_two_good_files_for_one_form_at_once_one_is_the_jobs_and_counted(
    client: Client, aws: Any
) -> None:
    key = reserve(client)["fields"]["key"]
    first, second = drop(key, csv(1)), drop(key, MODEL_CSV)
    with meanwhile(aws.dynamodb(), "TransactWriteItems", lambda: deliver(second)):
        assert deliver(first) == 0
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert held() == (1, len(MODEL_CSV))
    assert len(keys()) == 1


def test_a_job_that_is_fitted_meanwhile_is_not_failed_by_its_metadata(
    client: Client, aws: Any
) -> None:
    """A dropped file's parameters are wrong; its owner has asked for a good fit already."""
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV, model_params='{"n_clusters": 99}')
    with meanwhile(aws.dynamodb(), "UpdateItem", lambda: client.fit(0), 3):
        assert deliver(dropped) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_job_that_is_deleted_while_its_file_is_read_stays_deleted(
    client: Client, aws: Any
) -> None:
    arrived = post(reserve(client), MODEL_CSV)
    delete: Callable[[], Any] = lambda: client.call("DELETE", "/kmeans/jobs/0")  # noqa: E731
    with meanwhile(aws.s3(), "GetObject", delete):
        assert deliver(arrived) == 0
    assert (item()["status"], keys()) == ("DELETED", [])
    assert held() == (0, 0)


def test_a_dropped_file_whose_worker_died_before_its_fit_is_fitted_at_the_next_delivery(
    client: Client, aws: Any
) -> None:
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV, model_params='{"n_clusters": 3}')
    with pytest.raises(Died), meanwhile(aws.dynamodb(), "PutItem", raising(Died()), 2):
        deliver(dropped)  # the fit is asked for, but not yet noted that the file was handled
    assert item()["status"] == "QUEUED"
    assert deliver(dropped) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["model_params"]["n_clusters"]) == ("SUCCEEDED", 3)
    assert take_messages() == []


@pytest.mark.parametrize(
    ("operation", "call"),
    [*(("UpdateItem", call) for call in range(1, 8)), ("PutItem", 1), ("PutItem", 2)],
)
def test_an_uploaded_file_whose_worker_died_before_its_fit_is_fitted_at_the_next_delivery(
    client: Client, aws: Any, operation: str, call: int
) -> None:
    """Whatever it had written until then."""
    arrived = post(reserve(client, model_params={"n_clusters": 3}), MODEL_CSV)
    with pytest.raises(Died), meanwhile(aws.dynamodb(), operation, raising(Died()), call):
        deliver(arrived)
    if item()["status"] == "RUNNING":
        let_leases_run_out()
    assert deliver(arrived) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"


def test_a_dropped_file_whose_fit_was_done_is_not_fitted_again(client: Client, aws: Any) -> None:
    """Its worker died before it could note that the file was handled; a request did the fit."""
    dropped = drop(f"incoming/{OWNER}/a.csv", MODEL_CSV)
    with pytest.raises(Died), meanwhile(aws.dynamodb(), "PutItem", raising(Died()), 2):
        deliver(dropped)
    assert client.fit(0).status == 200
    assert deliver(dropped) == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 1)
