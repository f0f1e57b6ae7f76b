"""Large predictions, forms and links as time passes."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.api import Client
from harness.presigned import predict, reserve
from harness.system import OWNER, deliver, items, keys
from harness.timing import DAY, EXPIRY, LEASE, Clock
from kmeans_service import config
from kmeans_service.lifecycle import creation
from kmeans_service.lifecycle.large_predictions import find as find_prediction
from kmeans_service.lifecycle.lease import FenceLost, OutOfTime
from kmeans_service.lifecycle.results import LeaseHeld, claim, kept, renew


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


def test_a_long_prediction_stays_with_its_worker_for_as_long_as_that_goes_on(
    clock: Clock, fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = predict(fitted, b"0, 0\n12, 3\n")
    found = find_prediction(OWNER, path.rpartition("/")[2])
    claimed = claim(found)
    assert claimed is not None
    monkeypatch.setattr(time, "monotonic", clock.time)
    said: list[float] = []
    goes_on = kept(claimed, 10 * LEASE, lambda: said.append(clock.time()))
    for _ in range(5 * LEASE // (config.REPORT_SECONDS + 1)):
        clock.pass_by(config.REPORT_SECONDS + 1)
        goes_on()
        with pytest.raises(LeaseHeld):
            claim(found)
    assert len(said) == 5 * LEASE // (config.REPORT_SECONDS + 1)
    clock.pass_by(5 * LEASE + 60)
    with pytest.raises(OutOfTime):
        goes_on()


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
