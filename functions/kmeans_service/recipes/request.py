"""What is asked of a fit, as it comes over REST, to a Recipe."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter
from kmeans_service.json_values import is_integer, shown
from kmeans_service.recipes.engines import parse_engine
from kmeans_service.recipes.params import parse_params, refuse
from kmeans_service.recipes.preprocessing import parse_preprocessing
from kmeans_service.recipes.recipe import Alignment, Recipe


def parse_recipe(asked: Mapping[str, Any]) -> Recipe:
    """Of an object with `model_params`, `preprocessing`, `align_to` and `engine`, or without.

    Other members are others'.

    Raises InvalidParameter or TooLarge.
    """
    recipe = parse_params(asked.get("model_params", {}))
    preprocessing = parse_preprocessing(asked.get("preprocessing", {}))
    alignment = _alignment(asked.get("align_to"), recipe.algorithm)
    if recipe.choice and preprocessing.weight_column is not None:
        number = "a number, where rows have a weight_column: ask without it first, and GET …/choice"
        raise refuse("n_clusters", recipe.choice.said(), f"{number} proposes one")
    recipe = replace(recipe, preprocessing=preprocessing, align_to=alignment)
    return replace(recipe, engine=parse_engine(asked.get("engine", "auto"), recipe))


def _alignment(job_id: Any, algorithm: str) -> Alignment | None:
    if job_id is None:
        return None
    if not is_integer(job_id) or not 0 <= job_id <= config.MAX_JOB_ID:
        raise InvalidParameter(
            f"align_to is {shown(job_id)}; allowed is the id of a job, or null", field="align_to"
        )
    if algorithm != "swap":
        raise InvalidParameter(
            f'align_to is {job_id} with algorithm "{algorithm}", whose labels are scikit-learn\'s; '
            'allowed is null, or algorithm "swap"',
            field="align_to",
        )
    return Alignment(job_id)
