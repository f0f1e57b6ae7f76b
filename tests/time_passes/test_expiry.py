"""What is deleted or has expired, and when it goes."""

import json

import pytest

from harness.api import MODEL_CSV, Client
from harness.system import (
    OWNER,
    deliver,
    drop,
    everything,
    item,
    items,
    job,
    keys,
    looked_after,
    put,
)
from harness.timing import DAY, EXPIRY, LEASE, Clock
from kmeans_service import config
from kmeans_service.lifecycle import fits


def test_a_running_fits_objects_go_when_its_lease_is_over_and_not_before(
    clock: Clock, queued: Client
) -> None:
    fits.claim(job())
    put(f"models/{OWNER}/0/fit/1/centers.npy", b"being written")
    assert queued.call("DELETE", "/kmeans/jobs/0").status == 204
    assert len(keys()) == 2
    clock.pass_by(LEASE)
    assert looked_after() == {"queued": 0, "deleted": 0}
    assert len(keys()) == 2
    clock.pass_by(1)
    assert looked_after() == {"queued": 0, "deleted": 1}
    assert keys() == []


def test_what_is_left_of_a_deleted_job_says_nothing_of_it_and_expires(
    clock: Clock, client: Client
) -> None:
    client.upload(b"secret column,y\n" + MODEL_CSV, "secret name.csv")
    client.fit(0, {"n_clusters": 3})
    before = item()
    clock.pass_by(DAY)
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    left = item()
    assert left["status"] == "DELETED"
    assert left["expires_at"] == int(clock.now) + EXPIRY
    text = json.dumps(left)
    for secret in ("secret", before["input"]["sha256"], before["input"]["key"], before["fit_id"]):
        assert secret not in text
    assert not {"filename", "input", "model", "params", "error", "progress"} & left.keys()
    assert not {"gsi1pk", "due_at", "lease_until"} & left.keys()
    assert items(prefix="UP#") == []


def test_a_failed_jobs_reason_is_forgotten_with_it(client: Client) -> None:
    deliver(drop(f"incoming/{OWNER}/secret.csv", b"1, 2\nsecret, 3\n"))
    assert "secret" in json.dumps(item())
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert "secret" not in json.dumps(item())


def test_a_job_is_there_until_its_last_second_and_gone_in_the_next(
    clock: Clock, fitted: Client
) -> None:
    paths = [f"/kmeans/jobs/0{part}" for part in ("", "/labels", "/centers", "/scores", "/model")]
    clock.pass_by(EXPIRY - 1)
    assert {fitted.get(path).status for path in paths} == {200}
    assert len(fitted.get("/kmeans/jobs").json()["jobs"]) == 1
    assert fitted.upload().json()["job_id"] == 0
    assert fitted.predict().status == 200
    clock.pass_by(1)
    assert {fitted.get(path).status for path in paths} == {410}
    assert fitted.get("/kmeans/jobs").json() == {"jobs": []}
    assert fitted.predict().status == fitted.fit(0).status == 410
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 410
    assert fitted.upload().json()["job_id"] == 1


@pytest.mark.thorough
def test_every_item_but_the_counters_expires(
    clock: Clock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none before what it is about."""
    client.upload()
    client.fit(0)
    deliver(drop(f"incoming/{OWNER}/dropped.csv", MODEL_CSV))
    client.post_json("/kmeans/predictions", {"job_id": 0})
    assert client.get("/kmeans/jobs/0/rows").status == 200
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    assert client.get("/kmeans/jobs/0/clusters").status == 202
    found = {entry["sk"]: entry for entry in everything()}
    kinds = {sk.partition("#")[0] for sk in found}
    assert kinds >= {"META", "J", "UP", "EV", "P", "E"}
    made = {entry["status"] for sk, entry in found.items() if sk.startswith("E#")}
    assert made == {"SUCCEEDED", "PENDING"}  # at once, and in line
    for sk, entry in found.items():
        if sk == "META":
            assert "expires_at" not in entry
        elif not sk.startswith("RATE#"):
            assert entry["expires_at"] == int(clock.now) + EXPIRY, sk


def test_the_days_that_a_job_is_kept_are_the_deployments_choice(
    clock: Clock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_EXPIRY_DAYS", "2")
    config.settings.cache_clear()
    client.upload()
    assert item()["expires_at"] == int(clock.now) + 2 * DAY


def test_a_dropped_file_is_taken_once_also_after_its_job_is_gone(client: Client) -> None:
    event = drop(f"incoming/{OWNER}/dropped.csv", MODEL_CSV)
    assert deliver(event) == 0
    found = items(prefix="EV#")
    assert len(found) == 1
    client.call("DELETE", "/kmeans/jobs/0")
    assert deliver(event) == 0
    assert len(items()) == 1
