"""What an owner keeps is counted, and what nobody can reach any more is removed."""

from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.presigned import predict
from harness.system import (
    OWNER,
    counted,
    deliver,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    lie_there,
    overwrite,
    put,
    sweep,
    take_messages,
    work_off,
)
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.lifecycle import fits, leftovers
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.table.keys import LEFT
from kmeans_service.table.values import marshal

URL = 900
POINTS = b"0, 0\n12, 3\n"


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    assert client.fit(0).status == 200
    return client


def test_a_model_is_counted_with_its_file(fitted: Client, aws: Any) -> None:
    assert counted() == job().stored_bytes == lie_there(aws)
    assert counted() > len(MODEL_CSV)
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), lie_there(aws)) == (0, 0)


def test_a_replaced_model_is_removed_when_no_url_leads_to_it_any_more_and_not_before(
    clock: Clock, fitted: Client, aws: Any
) -> None:
    old = set(keys("models/"))
    assert fitted.fit(0, {"n_clusters": 3}).status == 200
    assert old < set(keys("models/"))
    assert counted() == lie_there(aws)
    clock.pass_by(URL)
    assert sweep()["removed"] == 0
    clock.pass_by(leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert old.isdisjoint(keys("models/"))
    assert counted() == job().stored_bytes == lie_there(aws)
    assert fitted.predict().status == fitted.get("/kmeans/jobs/0/model").status == 200
    assert items(prefix="L#") == []
    assert sweep()["removed"] == 0


@pytest.mark.thorough
def test_refit_after_refit_keeps_one_model(clock: Clock, fitted: Client, aws: Any) -> None:
    one = lie_there(aws)
    for k in (3, 4, 5, 6, 5, 4):
        assert fitted.fit(0, {"n_clusters": k}).status == 200
    assert counted() == lie_there(aws) > 5 * one
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 6
    assert counted() == job().stored_bytes == lie_there(aws) < 2 * one


def test_what_crashed_attempts_left_behind_goes_too(clock: Clock, client: Client, aws: Any) -> None:
    """A whole worker dies after it has stored the model; the next attempt publishes."""
    client.upload()
    client.fit(0, **ASYNC)
    crashed = fits.claim(job())
    put(f"{crashed.fit_prefix}centers.npy", b"never seen")
    let_leases_run_out()
    work_off()
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert keys(crashed.fit_prefix) == []
    assert counted() == lie_there(aws)


def test_a_sweep_that_comes_late_or_dies_takes_nothing_of_a_newer_model(
    clock: Clock, fitted: Client, aws: Any
) -> None:
    fitted.fit(0, {"n_clusters": 3})
    fitted.fit(0, {"n_clusters": 1})
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    first, second = list(leftovers.due())
    leftovers.remove(second)
    leftovers.remove(first)
    leftovers.remove(first)  # which another sweep did already
    assert counted() == lie_there(aws) == job().stored_bytes
    assert fitted.predict().status == 200


def test_a_damaged_record_of_leftovers_holds_up_no_other(
    clock: Clock, fitted: Client, aws: Any
) -> None:
    fitted.fit(0, {"n_clusters": 3})
    broken = {"pk": f"O#{OWNER}", "sk": "L#x", "gsi1pk": LEFT, "due_at": 1}
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(broken))
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    with pytest.raises(ExceptionGroup):
        sweep()
    assert counted() == lie_there(aws)


def test_results_of_predictions_are_counted_and_go_with_their_job(fitted: Client, aws: Any) -> None:
    for _ in range(3):
        path, arrived = predict(fitted, POINTS)
        assert deliver(arrived) == 0
    assert counted() == lie_there(aws)
    fitted.post_json("/kmeans/predictions", {"job_id": 0})  # whose points never come
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), keys(), items(prefix="P#")) == (0, [], [])
    assert fitted.get(path).status == 410


def test_leftovers_go_with_their_job(clock: Clock, fitted: Client, aws: Any) -> None:
    fitted.fit(0, {"n_clusters": 3})
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), keys(), items(prefix="L#")) == (0, [], [])
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 0
    assert lie_there(aws) == 0


def make_hundreds(client: Client) -> None:
    """More records of what was made of job 0 than a transaction takes."""
    client.get("/kmeans/jobs/0/clusters")
    [made] = items(prefix="E#")[:1]
    for number in range(250):
        overwrite(made | {"sk": f"{made['sk']}{number}"}, status="FAILED")


@pytest.mark.thorough
def test_hundreds_of_what_was_made_of_a_job_go_with_it(fitted: Client, aws: Any) -> None:
    make_hundreds(fitted)
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), lie_there(aws), items(prefix="E#")) == (0, 0, [])


@pytest.mark.thorough
def test_hundreds_of_what_was_made_of_a_model_go_with_it(
    clock: Clock, fitted: Client, aws: Any
) -> None:
    make_hundreds(fitted)
    assert fitted.fit(0, {"n_clusters": 3}).status == 200
    clock.pass_by(URL + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert items(prefix="E#") == []
    assert counted() == lie_there(aws)


def test_results_never_fail_a_fit_but_the_next_file_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload()
    assert client.fit(0).status == 200
    path, arrived = predict(client, POINTS)
    monkeypatch.setenv("MAX_STORED_BYTES", str(counted()))
    config.limits.cache_clear()
    assert client.fit(0, {"n_clusters": 3}).status == 200
    assert deliver(arrived) == 0
    assert client.get(path).status == 303
    refused = client.upload(b"1\n2\n")
    assert refused.status == 413
    assert "results" in refused.json()["detail"]
    assert client.post_json("/kmeans/predictions", {"job_id": 0}).status == 413
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert client.upload(b"1\n2\n").status == 200
    config.limits.cache_clear()


def as_the_version_before(aws: Any, **counters: Any) -> None:
    """It counted files, and let replaced models and predictions lie."""
    [meta] = items(prefix="META")
    del meta["counted"]
    aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=marshal(meta | counters))


@pytest.mark.thorough
def test_counters_of_the_version_before_are_counted_anew_at_the_first_occasion(
    fitted: Client, aws: Any
) -> None:
    _, arrived = predict(fitted, POINTS)
    deliver(arrived)
    everything = lie_there(aws)
    assert counted() == everything
    for act in (
        lambda: fitted.fit(0, {"n_clusters": 3}),
        lambda: fitted.upload(b"1\n2\n"),
        lambda: deliver(predict(fitted, POINTS)[1]),
        lambda: fitted.call("DELETE", "/kmeans/jobs/1"),
    ):
        as_the_version_before(aws, stored_bytes=len(MODEL_CSV))
        act()
        assert counted() == lie_there(aws)


def test_what_has_expired_is_counted_no_more(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, arrived = predict(fitted, POINTS)
    deliver(arrived)
    fitted.fit(0, {"n_clusters": 3})
    monkeypatch.setenv("MAX_STORED_BYTES", str(counted() + 1))
    config.limits.cache_clear()
    for prefix in ("J#", "P#", "L#"):
        for found in items(prefix=prefix):
            overwrite(found, expires_at=1)
    [meta] = items(prefix="META")
    overwrite(meta, exact_until=1)
    assert fitted.upload(b"1\n2\n").status == 200
    assert counted() == 4
    config.limits.cache_clear()


def test_a_prediction_that_was_taken_over_can_neither_publish_nor_fail_the_others(
    fitted: Client,
) -> None:
    from kmeans_service.lifecycle import large_predictions, results
    from kmeans_service.stored_object import StoredObject

    path, _ = predict(fitted, POINTS)
    found = large_predictions.find(OWNER, path.rpartition("/")[2])
    slow = results.claim(found)
    assert slow is not None
    [stored] = items(prefix="P#")
    overwrite(stored, lease_until=1)
    quick = results.claim(found)
    assert quick is not None
    assert slow.result_key != quick.result_key
    [before] = items(prefix="P#")
    for act in (
        lambda: results.succeed(slow, StoredObject(slow.result_key, "x", 1)),
        lambda: results.fail(slow, {"detail": "late"}),
        lambda: results.renew(slow),
    ):
        with pytest.raises(FenceLost):
            act()
    results.release(slow)
    assert items(prefix="P#") == [before]
    results.succeed(quick, StoredObject(quick.result_key, "x", 1))
    assert fitted.get(path).status == 303
    take_messages()
    assert item()["status"] == "SUCCEEDED"
