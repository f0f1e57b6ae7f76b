"""`engine`: every way in takes it, and one that the deployment does not have is refused."""

import json
from typing import Any

import pytest

from harness.api import FORM_TYPE, Answer, Client, form
from harness.system import deliver, drop, items, job
from kmeans_service.lifecycle.job import Input, fit_id_of
from kmeans_service.recipes.recipe import Recipe, recipe_of

CSV = b"1,2\n1,4\n10,2\n10,4\n"
GIVEN = Input("inputs/o/f.csv", None, "0f" * 32, 10, 5, 2, None)


def by_fit(client: Client, engine: Any) -> Answer:
    client.upload(CSV)
    return client.post_json("/kmeans/fit", {"job_id": 0, "engine": engine})


def by_form(client: Client, engine: Any) -> Answer:
    text = engine if isinstance(engine, str) else json.dumps(engine)
    body = form(("file", "f.csv", CSV), ("engine", None, text.encode()))
    return client.call("POST", "/kmeans/fit_predict", body, FORM_TYPE)


def by_upload(client: Client, engine: Any) -> Answer:
    return client.post_json("/kmeans/uploads", {"filename": "f.csv", "engine": engine})


WAYS = (by_fit, by_form, by_upload)


def test_the_identity_of_a_fit_that_names_no_engine_is_what_it_was() -> None:
    assert "engine" not in Recipe().as_json()
    named = Recipe(engine="spark")
    assert fit_id_of(GIVEN, named) != fit_id_of(GIVEN, Recipe())
    assert recipe_of(json.loads(named.canonical())) == named


@pytest.mark.parametrize("way", WAYS)
def test_auto_is_as_if_nothing_were_said(client: Client, way: Any) -> None:
    assert way(client, "auto").status in (200, 201)
    client.upload(CSV, "f.csv")
    recipe = job(0).recipe
    assert recipe is not None
    assert recipe.strictly() == Recipe()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("engine", ["flink", "", None, 3, ["spark"], "Spark"])
def test_what_is_no_engine_is_refused(client: Client, way: Any, engine: Any) -> None:
    answer = way(client, engine)
    assert (answer.status, answer.json()["field"]) == (422, "engine")
    assert "allowed is" in answer.json()["detail"]


@pytest.mark.parametrize("way", WAYS)
def test_one_that_is_not_there_is_refused_with_what_is_taken_without_it(
    client: Client, way: Any
) -> None:
    answer = way(client, "spark")
    assert (answer.status, answer.json()["field"]) == (422, "engine")
    assert "does not have" in answer.json()["detail"]
    assert "at most 5,368,709,120 bytes" in answer.json()["detail"]


def test_a_dropped_file_says_it_in_its_metadata(client: Client) -> None:
    deliver(drop("incoming/tester/f.csv", CSV, engine="spark"))
    [only] = items()
    assert only["status"] == "FAILED"
    answer = client.get("/kmeans/jobs/0").json()
    assert answer["error"]["field"] == "engine"
