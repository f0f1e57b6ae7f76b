"""A random_state of null is a number that was drawn, and that repeats the fit."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from harness.api import ASYNC, FORM_TYPE, Client, form
from harness.system import (
    created,
    deliver,
    drop,
    fitted_recipe,
    item,
    items,
    job,
    overwrite,
    put,
    work_off,
)
from kmeans_service.lifecycle.job import fit_id_of
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.recipe import Recipe

NULL = {"n_clusters": 20, "random_state": None}


def uniform() -> bytes:
    """Of many optima: another seed finds another one."""
    X = np.random.default_rng(0).uniform(size=(300, 2))
    return b"".join(b"%.6f,%.6f\n" % (x, y) for x, y in X)


def view(client: Client, job_id: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/kmeans/jobs/{job_id}").json()
    return found


def test_the_job_shows_the_seed_that_was_drawn_and_the_seed_repeats_the_fit(
    client: Client,
) -> None:
    client.upload(uniform())
    first = client.fit(0, NULL)
    shown = view(client)
    assert shown["seed_drawn"] is True
    seed = shown["model_params"]["random_state"]
    assert 0 <= seed < 2**32
    client.fit(0, {"n_clusters": 1})
    assert client.fit(0, NULL | {"random_state": seed}).body == first.body
    assert "seed_drawn" not in view(client)


def test_a_second_request_is_another_start(client: Client) -> None:
    client.upload(uniform())
    seeds, inertias = set(), set()
    for _ in range(4):
        client.fit(0, NULL)
        seeds.add(view(client)["model_params"]["random_state"])
        inertias.add(view(client)["scores"]["inertia"])
    assert len(seeds) == 4
    assert len(inertias) > 1
    assert item()["fence"] == 4


def test_fit_predict_is_another_start_each_time(client: Client) -> None:
    parts = ("file", "u.csv", uniform()), ("model_params", None, json.dumps(NULL).encode())
    for fence in (1, 2):
        assert client.call("POST", "/kmeans/fit_predict", form(*parts), FORM_TYPE).status == 200
        assert item()["fence"] == fence
    assert len(items()) == 1


def test_a_repeat_joins_the_fit_that_is_active(client: Client) -> None:
    client.upload()
    client.fit(0, {"random_state": None}, **ASYNC)
    asked = item()
    assert client.fit(0, {"random_state": None}, **ASYNC).status == 202
    assert item() == asked
    assert client.fit(0, {"random_state": None, "n_clusters": 3}, **ASYNC).status == 409
    assert client.fit(0, {"random_state": 5}, **ASYNC).status == 409
    work_off()
    assert item()["fence"] == 1


def test_of_requests_at_once_all_have_the_answer_of_one(client: Client) -> None:
    client.upload(uniform())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.fit(0, NULL), range(8)))
    assert {answer.status for answer in answers} <= {200, 202}
    work_off()
    assert item()["fence"] == 1
    assert len({answer.body for answer in answers if answer.status == 200}) == 1


def test_an_integer_is_the_same_fit_as_ever(client: Client) -> None:
    client.upload()
    client.fit(0, {"random_state": 7})
    given = job().input
    assert given is not None
    assert item()["fit_id"] == fit_id_of(given, parse_params({"random_state": 7}))
    assert "seed_drawn" not in view(client)
    client.fit(0, {"random_state": 7})
    assert item()["fence"] == 1


def test_a_dropped_file_that_is_announced_twice_is_fitted_once_and_again_when_dropped_again(
    client: Client,
) -> None:
    key = "incoming/tester/u.csv"
    event = drop(key, uniform(), model_params=json.dumps(NULL))
    deliver(event, event)
    assert (item()["fence"], view(client)["seed_drawn"]) == (1, True)
    deliver(drop(key, uniform(), model_params=json.dumps(NULL)))
    assert item()["fence"] == 2
    assert len(items()) == 1


def test_a_notification_whose_first_delivery_died_before_it_was_remembered_is_the_same_fit(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kmeans_service.lifecycle import creation

    event = drop("incoming/tester/u.csv", uniform(), model_params=json.dumps(NULL))
    with monkeypatch.context() as patch:
        patch.setattr(creation, "remember", lambda *_: None)
        deliver(event)
    assert view(client)["status"] == "SUCCEEDED"
    deliver(event)
    assert item()["fence"] == 1


def test_an_upload_that_is_reserved_draws_its_seed_then(client: Client) -> None:
    wanted = {"filename": "u.csv", "model_params": NULL}
    client.post_json("/kmeans/uploads", wanted)
    seed = view(client)["model_params"]["random_state"]
    assert view(client)["seed_drawn"] is True
    event = created("pending/tester/0/input.csv", put("pending/tester/0/input.csv", uniform()))
    deliver(event, event)
    assert (item()["fence"], fitted_recipe().random_state) == (1, seed)
    assert client.fit(0, NULL | {"random_state": seed}).status == 200
    assert item()["fence"] == 1


def test_a_drawn_fit_that_an_older_version_queued_is_joined_and_shows_its_seed_in_the_model(
    client: Client,
) -> None:
    client.upload()
    client.fit(0, {"random_state": None}, **ASYNC)
    params = json.dumps(Recipe(random_state=None).model_params, sort_keys=True)
    overwrite(item(), params=params, drawn=False)
    assert client.fit(0, {"random_state": None}, **ASYNC).status == 202
    work_off()
    assert isinstance(fitted_recipe().random_state, int)
