"""A recipe: one canonical form, the same identity as ever, and read back as it was written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.api import Client
from harness.system import item, job, manifest, overwrite
from kmeans_service.lifecycle.items import recipe_attributes
from kmeans_service.lifecycle.job import Input, fit_id_of
from kmeans_service.models import manifest as manifests
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.preprocessing import DEFAULT, parse_preprocessing
from kmeans_service.recipes.recipe import Recipe, recipe_of
from kmeans_service.table.values import UNREADABLE

GIVEN = Input("inputs/o/f.csv", None, "0f" * 32, 10, 5, 2, None)
# As they were before there was a Recipe.
RECORDED = json.loads((Path(__file__).parent / "files" / "fit_ids.json").read_text())
TABLES = (DEFAULT, parse_preprocessing({"scaling": "standard", "columns": ["a", 3]}))


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: json.dumps(each["model_params"]))
def test_a_fit_id_is_what_it_ever_was(recorded: dict[str, Any]) -> None:
    recipe = parse_params(recorded["model_params"])
    assert fit_id_of(GIVEN, recipe) == recorded["fit_id"]
    assert recipe_of(json.loads(recipe.canonical())) == recipe


def test_the_canonical_form_is_sorted_and_without_blanks() -> None:
    assert Recipe(n_clusters=2, init=((1.0, 2.5), (-3.0, 1e100))).canonical() == (
        '{"algorithm":"lloyd","init":[[1.0,2.5],[-3.0,1e+100]],"max_iter":300,"n_clusters":2,'
        '"n_init":"auto","random_state":0,"tol":0.0001}'
    )


def test_preprocessing_belongs_to_the_identity_and_is_read_back() -> None:
    found = [Recipe(), *(Recipe(preprocessing=each) for each in TABLES)]
    assert len({fit_id_of(GIVEN, each) for each in found}) == 3
    assert [recipe_of(json.loads(each.canonical())) for each in found] == found
    assert Recipe(preprocessing=DEFAULT).canonical().count('"preprocessing":{}') == 1


def test_a_recipe_is_read_from_what_older_versions_wrote() -> None:
    """With blanks, as they wrote it into items, and a seed that was not drawn yet."""
    text = (
        '{"algorithm": "elkan", "init": [[1.0], [2.0]], "max_iter": 300, "n_clusters": 2, '
        '"n_init": "auto", "random_state": null, "tol": 0.0001}'
    )
    assert recipe_of(json.loads(text)) == Recipe(
        algorithm="elkan", init=((1.0,), (2.0,)), random_state=None
    )


@pytest.mark.parametrize(
    "text", ["{", "[]", "7", "{}", '{"init": 7}', '{"init": "random", "k": 2}']
)
def test_what_is_no_recipe_is_unreadable(text: str) -> None:
    with pytest.raises(UNREADABLE):
        recipe_of(json.loads(text))


def test_a_seed_is_drawn_once_and_not_where_one_was_given() -> None:
    drawn = Recipe(random_state=None).seeded(7)
    assert (drawn.random_state, drawn.drawn) == (7, True)
    assert drawn.seeded(8).seed == 7
    assert Recipe(random_state=5).seeded(8) == Recipe(random_state=5)
    assert not Recipe(random_state=5).seeded(8).drawn
    assert len({Recipe(random_state=None).seeded().seed for _ in range(4)}) == 4
    with pytest.raises(ValueError, match="the seed is drawn when"):
        Recipe(random_state=None).seed  # noqa: B018


def test_recipes_that_drew_their_seeds_and_are_else_the_same_meet() -> None:
    one, other = (Recipe(random_state=None).seeded(seed) for seed in (1, 2))
    assert one.is_redrawn(other)
    assert one.is_redrawn(Recipe(random_state=None))
    assert not one.is_redrawn(replace(other, n_clusters=3))
    assert not one.is_redrawn(Recipe(random_state=2))
    assert not Recipe(random_state=1).is_redrawn(other)


def test_a_job_and_its_model_hold_the_whole_recipe(client: Client) -> None:
    client.upload()
    assert client.fit(0, {"n_clusters": 2}).status == 200
    stored, kept = item(), manifests.load(manifest())
    for n, each in enumerate(TABLES):
        recipe = Recipe(random_state=9, preprocessing=each, drawn=True)
        overwrite(stored, **recipe_attributes(recipe))
        found = job().recipe
        assert found == recipe
        assert found is not None
        assert found.drawn
        stored_model, _ = manifests.store(replace(kept, recipe=recipe), f"models/o/0/f/{n}/")
        assert manifests.load(stored_model).recipe == recipe
