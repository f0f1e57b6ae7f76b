"""What time does by itself, to the second: leases run out, lost work falls due, all expires."""

import base64
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.api import ASYNC, MODEL_CSV, Client
from harness.presigned import predict, reserve
from harness.system import (
    OWNER,
    deliver,
    drop,
    everything,
    item,
    items,
    items_under,
    job,
    keys,
    looked_after,
    put,
    sweep,
    take_messages,
    work_off,
)
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.errors import FitFailed
from kmeans_service.lifecycle import creation, fits
from kmeans_service.lifecycle.fits import ClaimRefused
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.large_predictions import LeaseHeld, claim, renew
from kmeans_service.lifecycle.large_predictions import find as find_prediction
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.line import shares, waiting
from kmeans_service.line.shares import Slot
from kmeans_service.line.waiting import Work
from kmeans_service.problems import problem_document

NOTHING = {"queued": 0, "deleted": 0, "removed": 0, "woken": 0}
FOUND = NOTHING | {"woken": 1}
LEASE, SLOT, SWEPT_AFTER, DAY = 60, 65, 120, 86_400
EXPIRY = 30 * DAY
REASON = problem_document(FitFailed("for the test"))


def begun() -> tuple[Slot, Job]:
    """As a worker begins: it holds a slot, and then the job."""
    slot = shares.take(math.inf)
    assert isinstance(slot, Slot)
    return slot, fits.claim(job())


@pytest.fixture
def queued(clock: Clock, client: Client) -> Client:  # noqa: ARG001 (time stands still from here)
    """Job 0 waits for its fit, and its message is lost."""
    client.upload()
    assert client.fit(0, **ASYNC).status == 202
    take_messages()
    return client


@pytest.fixture
def fitted(clock: Clock, client: Client) -> Client:  # noqa: ARG001 (as above)
    client.upload()
    assert client.fit(0).status == 200
    return client


# --- fits ---------------------------------------------------------------------------


def test_a_fit_whose_worker_died_is_found_a_minute_after_its_last_sign_of_life(
    clock: Clock, queued: Client
) -> None:
    slot, claimed = begun()
    clock.pass_by(50)
    fits.report(claimed, {"stage": "FITTING"})
    slot.keep()
    clock.pass_by(SLOT)
    assert sweep() == NOTHING
    clock.pass_by(1)
    assert sweep() == FOUND
    assert work_off() == 0
    assert (item()["status"], item()["fence"]) == ("SUCCEEDED", 2)
    assert queued.predict().status == 200


def test_a_fit_that_died_before_it_ever_reported_is_found_as_soon(
    clock: Clock, queued: Client
) -> None:
    begun()
    clock.pass_by(SLOT + 1)
    assert sweep() == FOUND
    assert queued.get("/kmeans/jobs/0").json()["status"] == "RUNNING"


@pytest.mark.usefixtures("queued")
def test_a_fit_that_reports_is_left_alone_however_long_it_takes(clock: Clock) -> None:
    slot, claimed = begun()
    message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
    for _ in range(20):
        clock.pass_by(LEASE - 1)
        assert sweep() == NOTHING
        fits.report(claimed, {"stage": "FITTING"})
        slot.keep()
        assert deliver(message) == 0
    assert sweep() == NOTHING
    assert (item()["status"], item()["fence"], item()["attempt"]) == ("RUNNING", 1, 1)


@pytest.mark.usefixtures("queued")
def test_a_lease_is_good_for_a_minute_and_not_for_a_second_more(clock: Clock) -> None:
    fits.claim(job())
    clock.pass_by(LEASE)
    with pytest.raises(ClaimRefused):
        fits.claim(job())
    clock.pass_by(1)
    assert fits.claim(job()).fence == 2


@pytest.mark.usefixtures("queued")
def test_a_lost_message_is_sent_again_by_the_next_sweep_and_once() -> None:
    for _ in range(3):
        assert [sweep(), sweep()] == [FOUND, NOTHING]
        assert len(take_messages()) == 1


@pytest.mark.usefixtures("queued")
def test_a_queued_job_that_stands_in_no_line_is_put_there_after_two_minutes(clock: Clock) -> None:
    """Whoever asked for the fit died before that."""
    waiting.done(waiting.fit_of(job()))
    clock.pass_by(SWEPT_AFTER - 1)
    assert sweep() == NOTHING
    clock.pass_by(1)
    assert sweep() == FOUND | {"queued": 1}
    assert work_off() == 0
    assert item()["status"] == "SUCCEEDED"


@pytest.mark.usefixtures("queued")
def test_a_fit_handed_back_shows_nothing_of_its_attempt(client: Client) -> None:
    claimed = fits.claim(job())
    fits.report(claimed, {"stage": "FITTING"})
    fits.release(claimed, spent=0)
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "QUEUED"
    assert not {"progress", "started_at", "finished_at", "error"} & view.keys()
    assert sweep() == FOUND
    assert work_off() == 0
    assert (item()["status"], item()["attempt"]) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("spent", [0, 1])
@pytest.mark.usefixtures("queued")
def test_a_crash_costs_an_attempt_and_a_handover_none(spent: int) -> None:
    fits.release(fits.claim(job()), spent=spent)
    assert item()["attempt"] == spent
    assert fits.claim(job()).attempt == spent + 1


@pytest.mark.usefixtures("queued")
def test_a_message_delivered_twice_does_no_harm_to_a_healthy_last_attempt(clock: Clock) -> None:
    """Two attempts crashed; the third is fine, and its message comes once more."""
    for attempt in (1, 2, 3):
        claimed = fits.claim(job())
        assert claimed.attempt == attempt
        message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
        assert deliver(message) == 0
        assert item()["status"] == "RUNNING"
        if attempt < 3:
            clock.pass_by(LEASE + 1)
    fits.report(claimed, {"stage": "STORING"})
    assert item()["status"] == "RUNNING"


@pytest.mark.usefixtures("queued")
def test_after_three_crashes_the_next_message_fails_the_job_once_the_lease_is_over(
    clock: Clock, client: Client
) -> None:
    for _ in range(3):
        claimed = fits.claim(job())
        clock.pass_by(LEASE + 1)
    message = json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id})
    clock.pass_by(-1)
    assert deliver(message) == 0
    assert item()["status"] == "RUNNING"
    clock.pass_by(1)
    assert deliver(message) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["attempt"]) == ("FAILED", 3)
    assert "progress" not in view
    assert not {"gsi1pk", "due_at", "lease_until"} & item().keys()
    clock.pass_by(DAY)
    assert sweep() == NOTHING


# --- the line, and the slots of those who work ---------------------------------------------


def slot_of(owner: str = OWNER) -> Slot:
    """That of a worker which has begun with what the owner has in line."""
    assert waiting.add(Work(owner, 1, "J0", 600))
    taken = shares.take(math.inf)
    assert isinstance(taken, Slot)
    return taken


@pytest.mark.usefixtures("aws")
def test_a_slot_is_its_workers_until_it_runs_out_and_then_anybodys(clock: Clock) -> None:
    slot = slot_of()
    clock.pass_by(config.SLOT_SECONDS)
    assert shares.take(math.inf) is None
    clock.pass_by(1)
    again = shares.take(math.inf)
    assert isinstance(again, Slot)
    assert again.work == slot.work


@pytest.mark.usefixtures("aws")
def test_a_worker_that_goes_on_keeps_its_slot_and_writes_it_seldom(clock: Clock, aws: Any) -> None:
    slot = slot_of()
    written: list[str] = []
    aws.dynamodb().meta.events.register(
        "before-call", lambda model, **_: written.append(model.name)
    )
    for _ in range(300):  # five minutes, as a stream of points is read
        clock.pass_by(1)
        slot.keep()
    assert written == ["UpdateItem"] * (300 // config.REPORT_SECONDS)
    assert shares.take(math.inf) is None
    slot.free()
    assert shares.read().slots == {}


@pytest.mark.usefixtures("aws")
def test_what_was_put_off_is_not_begun_before_its_time(clock: Clock) -> None:
    """But for the seconds that clocks of machines may differ by."""
    work = Work(OWNER, int(clock.now * 1000), "J0", 1)
    assert waiting.add(work)
    waiting.put_off(work, 60)
    assert shares.take(math.inf) is None
    clock.pass_by(60 - waiting.CLOCKS_DIFFER - 1)
    assert shares.take(math.inf) is None
    clock.pass_by(1)
    taken = shares.take(math.inf)
    assert isinstance(taken, Slot)
    assert taken.work.since == int((clock.now + waiting.CLOCKS_DIFFER) * 1000)
    waiting.done(taken.work)
    taken.free()
    assert shares.take(math.inf) is None


@pytest.mark.usefixtures("aws")
def test_who_asks_late_stands_behind_who_asked_early_whoever_is_delivered_first() -> None:
    for owner, since in (("b", 2), ("a", 1), ("c", 3)):
        assert waiting.add(Work(owner, since, "J0", 1))
        assert not waiting.add(Work(owner, since, "J0", 1))  # sent twice, it stands there once
    taken = [shares.take(math.inf) for _ in range(2)]
    assert [slot.work.owner for slot in taken if isinstance(slot, Slot)] == ["a", "b"]


def test_what_stands_in_line_expires_with_everything_else(clock: Clock, queued: Client) -> None:
    assert queued.get("/kmeans/jobs/0").json()["status"] == "QUEUED"
    [line] = [found for found in items_under("Q") if found["sk"] != "#SHARES"]
    assert line["expires_at"] == int(clock.now) + EXPIRY


# --- who waited, and who came later ------------------------------------------------------


def fit_that_arrived(client: Client, at: float, n_clusters: int) -> int:
    """A fit's status, of a request that waited in a proxy's queue since then."""
    answer = client.fit(0, {"n_clusters": n_clusters}, X_Request_Start=f"t={at:.3f}")
    return answer.status


def test_of_different_fits_that_were_asked_for_together_the_first_to_finish_wins(
    clock: Clock, client: Client
) -> None:
    client.upload()
    arrived = clock.now
    clock.pass_by(10)
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(10)
    assert fit_that_arrived(client, arrived, 3) == 409
    assert fit_that_arrived(client, arrived + 9.999, 3) == 409
    assert fit_that_arrived(client, arrived, 2) == 200
    assert fit_that_arrived(client, arrived + 10, 3) == 200


@pytest.mark.parametrize("crashes", [0, 3])
def test_a_failed_fit_stood_in_the_way_of_those_that_waited_too(
    clock: Clock, client: Client, crashes: int
) -> None:
    client.upload()
    arrived = clock.now
    client.fit(0, {"n_clusters": 2}, **ASYNC)
    take_messages()
    claimed = fits.claim(job())
    if crashes:
        for _ in range(crashes - 1):
            clock.pass_by(LEASE + 1)
            claimed = fits.claim(job())
        clock.pass_by(LEASE + 1)
        deliver(json.dumps({"owner": OWNER, "job_id": 0, "fit_id": claimed.fit_id}))
    else:
        clock.pass_by(5)
        fits.fail(claimed, REASON)
    assert client.get("/kmeans/jobs/0").json()["status"] == "FAILED"
    failed_at = clock.now
    clock.pass_by(1)
    assert fit_that_arrived(client, arrived, 3) == 409
    assert fit_that_arrived(client, failed_at, 3) == 200


def test_the_gateways_own_time_of_arrival_counts_as_well(clock: Clock, client: Client) -> None:
    from harness import contract
    from harness.api import JSON_TYPE, Context, answer_of, event

    client.upload()
    body = json.dumps({"job_id": 0, "model_params": {"n_clusters": 3}}).encode()
    waited = event("POST", "/kmeans/fit", body, JSON_TYPE)
    assert waited["requestContext"]["requestTimeEpoch"] == clock.now * 1000
    clock.pass_by(10)
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(1)
    assert answer_of(contract.handler_of("/kmeans/fit")(waited, Context())).status == 409


@pytest.mark.parametrize(("ago", "status"), [(299, 409), (301, 200), (10 * DAY, 200)])
def test_a_request_that_is_played_again_is_a_new_one(
    clock: Clock, client: Client, ago: int, status: int
) -> None:
    """No queue holds a request for more than five minutes: such a time is no time of arrival."""
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    clock.pass_by(1)
    assert fit_that_arrived(client, clock.now - ago, 3) == status


def test_a_queued_job_shows_nothing_of_the_fit_before(client: Client) -> None:
    client.upload()
    client.fit(0, {"n_clusters": 2}, **ASYNC)
    claimed = fits.claim(job())
    fits.report(claimed, {"stage": "FITTING"})
    fits.fail(claimed, REASON)
    view = client.get("/kmeans/jobs/0").json()
    assert view["error"]["detail"] == REASON["detail"]
    assert "progress" not in view
    assert client.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "QUEUED"
    assert not {"error", "started_at", "finished_at", "progress"} & view.keys()
    assert "lease_until" not in item()
    work_off()
    view = client.get("/kmeans/jobs/0").json()
    assert view["status"] == "SUCCEEDED"
    assert not {"error", "progress"} & view.keys()


# --- deletions --------------------------------------------------------------------------


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


# --- expiry -----------------------------------------------------------------------------


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


def test_every_item_but_the_counters_expires(clock: Clock, client: Client) -> None:
    """And none before what it is about."""
    client.upload()
    client.fit(0)
    deliver(drop(f"incoming/{OWNER}/dropped.csv", MODEL_CSV))
    client.post_json("/kmeans/predictions", {"job_id": 0})
    found = {entry["sk"]: entry for entry in everything()}
    kinds = {sk.partition("#")[0] for sk in found}
    assert kinds >= {"META", "J", "UP", "EV", "P"}
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


# --- large predictions --------------------------------------------------------------------


def test_a_prediction_expires_with_its_job(clock: Clock, fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n")
    deliver(arrived)
    clock.pass_by(EXPIRY - 1)
    assert fitted.get(path).status == 303
    clock.pass_by(1)
    assert fitted.get(path).status == 404


def test_points_that_nobody_works_off_have_failed_after_a_day(clock: Clock, fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n")
    clock.pass_by(DAY - 1)
    assert fitted.get(path).status == 202
    clock.pass_by(1)
    assert fitted.get(path).status == 422
    assert deliver(arrived) == 0
    assert keys("results/") == []


def test_a_prediction_that_succeeded_stays_so_after_a_day(clock: Clock, fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n")
    deliver(arrived)
    clock.pass_by(DAY)
    assert fitted.get(path).status == 303


def test_a_day_that_ends_during_an_attempt_takes_nothing_from_it(
    clock: Clock, fitted: Client
) -> None:
    path, _ = predict(fitted, b"0, 0\n12, 3\n")
    clock.pass_by(config.PREDICTION_SECONDS - 1)
    claimed = claim(find_prediction(OWNER, path.rpartition("/")[2]))
    clock.pass_by(LEASE)
    assert fitted.get(path).status == 202
    assert claimed is not None
    clock.pass_by(1)  # its lease is over: it is nobody's
    assert fitted.get(path).status == 422
    with pytest.raises(FenceLost):
        renew(claimed)


def test_a_prediction_that_has_failed_of_its_day_has_failed_for_good(
    clock: Clock, fitted: Client
) -> None:
    """It is written, as every other end is: who read it as pending can do nothing any more."""
    path, _ = predict(fitted, b"0, 0\n12, 3\n")
    pending = find_prediction(OWNER, path.rpartition("/")[2])
    clock.pass_by(config.PREDICTION_SECONDS)
    assert fitted.get(path).status == 422
    [stored] = items(prefix="P#")
    assert stored["status"] == "FAILED"
    assert not claim(pending)
    assert items(prefix="P#") == [stored]


def test_a_predictions_lease_is_its_own_too_until_it_is_over(clock: Clock, fitted: Client) -> None:
    path, _ = predict(fitted, b"0, 0\n12, 3\n")
    found = find_prediction(OWNER, path.rpartition("/")[2])
    for attempt in (1, 2, 3):
        claimed = claim(found)
        assert claimed is not None
        assert claimed.fence == attempt
        clock.pass_by(LEASE)
        with pytest.raises(LeaseHeld):
            claim(found)
        [stored] = items(prefix="P#")
        assert stored["attempt"] == attempt
        clock.pass_by(1)
        assert fitted.get(path).status == 202
    assert not claim(found)
    answer = fitted.get(path)
    assert answer.status == 422
    assert "crashed 3 times" in answer.json()["detail"]


# --- forms ------------------------------------------------------------------------------


def policy(form: dict[str, Any]) -> dict[str, Any]:
    """What S3 is told by the form that it may take."""
    read: dict[str, Any] = json.loads(base64.b64decode(form["fields"]["policy"]))
    return read


def test_a_form_is_good_for_a_quarter_of_an_hour_for_one_key_and_no_empty_file(
    fitted: Client,
) -> None:
    before = datetime.now(UTC).timestamp()
    forms = [reserve(fitted), fitted.post_json("/kmeans/predictions", {"job_id": 0}).json()]
    for form in forms:
        said = policy(form)
        ends = datetime.fromisoformat(said["expiration"]).timestamp()
        assert form["expires_in"] == 900
        assert 899 <= ends - before <= 960
        assert ["content-length-range", 1, form["max_bytes"]] in said["conditions"]
        assert {"key": form["fields"]["key"]} in said["conditions"]


def test_a_link_to_a_large_answer_is_good_for_a_quarter_of_an_hour(fitted: Client) -> None:
    path, arrived = predict(fitted, b"0, 0\n12, 3\n")
    deliver(arrived)
    assert "X-Amz-Expires=900" in fitted.get(path).headers["Location"]


def test_an_event_that_was_never_handled_is_not_known(aws: Any) -> None:  # noqa: ARG001
    assert not creation.is_handled(OWNER, "incoming/x\0version")
    creation.remember(OWNER, "incoming/x\0version")
    assert creation.is_handled(OWNER, "incoming/x\0version")
    assert not creation.is_handled(OWNER, "incoming/x\0other version")
    assert not creation.is_handled("other", "incoming/x\0version")
