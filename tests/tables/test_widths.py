"""What a fit of a table takes is reckoned by the width of what is clustered."""

from typing import Any

import numpy as np
import pytest

from harness.api import Client
from harness.system import OWNER
from kmeans_service.fitting.engines.in_memory import InMemory
from kmeans_service.fitting.engines.out_of_core import OutOfCore
from kmeans_service.lifecycle import reads
from kmeans_service.models.labels_from_text import ROW_BYTES
from kmeans_service.recipes.recipe import Recipe

N = 60


def wide_table() -> bytes:
    """30 columns: 20 of texts with three words each, 9 of numbers and one of weights."""
    rng = np.random.default_rng(0)
    names = [f"t{n}" for n in range(20)] + [f"x{n}" for n in range(9)] + ["w"]
    words = rng.choice(["red", "green", "blue"], (N, 20))
    words[:3] = np.array([["red"], ["green"], ["blue"]])
    numbers = rng.normal(size=(N, 9)).astype(str)
    weights = rng.integers(1, 5, (N, 1)).astype(str)
    rows = np.hstack([words, numbers, weights])
    return "\n".join([",".join(names), *(",".join(row) for row in rows.tolist())]).encode()


@pytest.mark.parametrize(
    ("asked", "width"),
    [
        ({}, 10),
        ({"columns": ["x0", "x1"]}, 2),
        ({"weight_column": "w"}, 9),
        ({"categories": "one_hot", "weight_column": "w"}, 9 + 20 * 3),
        ({"categories": "one_hot", "columns": ["t0", "x0"]}, 3 + 1),
    ],
)
def test_the_width_is_that_of_what_is_clustered(
    client: Client, asked: dict[str, Any], width: int
) -> None:
    client.upload(wide_table())
    body = {"job_id": 0, "preprocessing": asked}
    assert client.post_json("/kmeans/fit", body).status == 200
    job = reads.get(OWNER, 0)
    recipe, given = job.recipe, job.checked_input
    assert isinstance(recipe, Recipe)
    assert recipe.n_clustered(given.n_features) == width
    centers = client.get("/kmeans/jobs/0/centers", Accept="application/json").json()["centers"]
    assert len(centers[0]) == width
    weight = "weight_column" in asked
    scratch = OutOfCore().estimate(given, recipe).scratch
    assert scratch == N * (8 * (width + weight) + ROW_BYTES)
    whole = InMemory().estimate(given, recipe.strictly()).memory
    needed = InMemory().estimate(given, recipe).memory
    assert (needed < whole) == (width < 30)


def test_a_fit_that_an_older_version_noted_is_reckoned_by_all_columns() -> None:
    assert Recipe(plan="0123456789abcdef").n_clustered(30) == 30
