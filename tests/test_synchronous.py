"""What is fitted within the request, and what goes to the worker right away: both sides of each."""

import json
import time

import pytest

from fit import app as fit_app
from harness.api import ASYNC, FORM_TYPE, JSON_TYPE, MODEL_CSV, Client, Context, form
from harness.system import item, job, let_leases_run_out, take_messages, work_off
from kmeans_service import config
from kmeans_service.fitting import synchronous
from kmeans_service.lifecycle import fits
from kmeans_service.recipes.params import parse_params

ROWS, COLUMNS = 6, 2


@pytest.fixture
def uploaded(client: Client) -> Client:
    client.upload()
    return client


@pytest.mark.parametrize(("room", "status"), [(len(MODEL_CSV), 200), (len(MODEL_CSV) - 1, 202)])
def test_a_large_file_is_not_read_within_a_request(
    uploaded: Client, monkeypatch: pytest.MonkeyPatch, room: int, status: int
) -> None:
    monkeypatch.setattr(config, "MAX_SYNCHRONOUS_BYTES", room)
    assert uploaded.fit(0).status == status
    assert ("fence" in item()) == (status == 200)
    assert len(take_messages()) == (status == 202)


@pytest.mark.parametrize("params", [{"n_clusters": 3}, {"init": "random"}, {"n_init": 7}])
def test_a_fit_of_too_much_work_is_not_begun_within_a_request(
    uploaded: Client, monkeypatch: pytest.MonkeyPatch, params: dict[str, object]
) -> None:
    work = parse_params(params).iteration_work(ROWS, COLUMNS)
    monkeypatch.setattr(config, "MAX_SYNCHRONOUS_WORK", work - 1)
    assert uploaded.fit(0, params).status == 202
    assert "fence" not in item()
    assert work_off() == 0
    monkeypatch.setattr(config, "MAX_SYNCHRONOUS_WORK", work)
    assert uploaded.fit(0, params | {"random_state": 1}).status == 200


@pytest.mark.parametrize("wish", ["respond-async", "wait=0"])
def test_who_will_not_wait_gets_a_job_to_follow(uploaded: Client, wish: str) -> None:
    answer = uploaded.fit(0, Prefer=wish)
    assert answer.status == 202
    assert answer.headers["Location"] == "/kmeans/jobs/0"
    assert answer.headers["Preference-Applied"] == wish
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["status"] == "QUEUED"
    [message] = take_messages()
    named = {"owner": "tester", "job_id": 0, "fit_id": item()["fit_id"]}
    assert json.loads(message) == named | {"in_line": True}


@pytest.mark.parametrize(("seconds", "status"), [(3.0, 202), (2.0, 202), (28.0, 200)])
def test_a_call_that_is_nearly_over_begins_no_fit(
    uploaded: Client, seconds: float, status: int
) -> None:
    """What is left of it is for the answer."""
    assert fit_app.ANSWER_SECONDS == 3.0
    context = Context(seconds)
    answer = uploaded.call("POST", "/kmeans/fit", b'{"job_id": 0}', JSON_TYPE, context)
    assert answer.status == status
    assert ("fence" in item()) == (status == 200)


def test_a_fit_that_is_done_is_answered_whatever_the_wish(uploaded: Client) -> None:
    first = uploaded.fit(0)
    again = uploaded.fit(0, **ASYNC)
    assert (again.status, again.body) == (200, first.body)
    assert take_messages() == []


def test_the_same_fit_asked_for_again_while_it_waits_is_one_fit(uploaded: Client) -> None:
    assert uploaded.fit(0, {"n_clusters": 3}, **ASYNC).status == 202
    assert uploaded.fit(0, {"n_clusters": 3}).status == 200
    assert work_off() == 0
    assert (item()["fence"], item()["attempt"]) == (1, 1)


def test_who_asks_for_a_fit_that_another_is_at_waits_for_its_end(
    uploaded: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded.fit(0, **ASYNC)
    fits.claim(job())
    waited: list[float] = []

    class WhileTheOtherEnds:
        monotonic = time.monotonic

        @staticmethod
        def sleep(seconds: float) -> None:
            waited.append(seconds)
            let_leases_run_out()
            work_off()

    monkeypatch.setattr(synchronous, "time", WhileTheOtherEnds)
    assert uploaded.fit(0).status == 200
    assert waited == [synchronous.POLL_SECONDS]


def test_but_no_longer_than_it_may(uploaded: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded.fit(0, **ASYNC)
    fits.claim(job())
    passed: list[float] = []

    class Passing:
        @staticmethod
        def monotonic() -> float:
            return sum(passed)

        sleep = staticmethod(passed.append)

    monkeypatch.setattr(synchronous, "time", Passing)
    monkeypatch.setattr(synchronous, "POLL_SECONDS", 1.0)
    assert uploaded.fit(0, Prefer="wait=3").status == 202
    assert passed == [1.0] * 3


def test_a_file_that_cannot_be_fitted_so_makes_no_job(client: Client) -> None:
    """fit_predict refuses before it stores anything what its fit or prediction would be refused."""
    wrong = {
        "model_params": (("model_params", None, b'{"n_clusters": 7}'),),
        "columns": (("predict", "p.csv", b"1,2,3\n"),),
        "names": (("predict", "p.csv", b"a,b\n1,2\n"),),
    }
    for name, parts in wrong.items():
        body = form(("file", "model.csv", b"x,y\n" + MODEL_CSV), *parts)
        answer = client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE)
        assert answer.status in (400, 409, 422), name
        assert client.get("/kmeans/jobs").json() == {"jobs": []}, name


def test_fit_predict_that_goes_on_in_the_worker_says_which_job_it_is(client: Client) -> None:
    body = form(("file", "model.csv", MODEL_CSV))
    answer = client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE | ASYNC)
    assert answer.status == 202
    assert (answer.headers["X-Job-Id"], answer.headers["Location"]) == ("0", "/kmeans/jobs/0")
    assert work_off() == 0
    assert client.fit(0).status == 200
