"""What the metadata of a dropped file ask for, and how they may be spelt."""

import pytest

from harness.api import MODEL_CSV, Client
from harness.system import (
    deliver,
    drop,
)
from kmeans_service.errors import MalformedRequest
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.request import parse_recipe
from worker.metadata import asked_recipe, warnings_of

KEY = "incoming/tester/points.csv"


def recipe_with(**metadata: str) -> Recipe:
    """Of an object with metadata spelt just so; moto's server takes both spellings for one."""
    return asked_recipe(metadata)


@pytest.mark.parametrize("name", ["model-params", "model_params", "Model-Params", "MODEL_PARAMS"])
def test_the_metadata_may_be_spelt_either_way_and_stand_beside_others(name: str) -> None:
    recipe = recipe_with(mtime="1700000000.5", **{name: '{"n_clusters": 3}'})
    assert recipe == parse_recipe({"model_params": {"n_clusters": 3}})
    assert recipe_with(mtime="1700000000.5") == parse_recipe({})


def test_metadata_that_are_not_known_are_warned_of_in_the_job_and_refuse_nothing(
    client: Client,
) -> None:
    deliver(drop(KEY, MODEL_CSV, model_params='{"n_clusters": 3}', mtime="1700000000.5", gid="0"))
    job = client.get("/kmeans/jobs/0").json()
    assert job["status"] == "SUCCEEDED"
    assert job["model_params"]["n_clusters"] == 3
    assert job["warnings"] == [
        "The metadata 'gid', 'mtime' is not known and was left aside; "
        "the parameters of a fit are read from 'model-params'."
    ]
    assert client.get("/kmeans/jobs").json()["jobs"][0]["warnings"] == job["warnings"]
    assert "warnings" not in client.get("/kmeans/jobs/0/scores").json()


def test_a_warning_of_metadata_stays_short_and_known_metadata_are_not_warned_of() -> None:
    [said] = warnings_of({f"key{n}" * 20: "x" for n in range(100)})
    assert len(said) < 400
    assert warnings_of({"Model-Params": "{}", "model_params": "{}"}) == warnings_of({}) == ()


def test_two_spellings_of_the_metadata_that_differ_are_refused() -> None:
    three, four = '{"n_clusters": 3}', '{"n_clusters": 4}'
    with pytest.raises(MalformedRequest, match="model-params and model_params differ"):
        recipe_with(**{"model_params": three, "model-params": four})
    recipe = recipe_with(**{"model_params": three, "model-params": three})
    assert recipe == parse_recipe({"model_params": {"n_clusters": 3}})
