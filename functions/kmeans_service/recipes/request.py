"""What is asked of a fit, as it comes over REST, to a Recipe."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.preprocessing import parse_preprocessing
from kmeans_service.recipes.recipe import Recipe


def parse_recipe(asked: Mapping[str, Any]) -> Recipe:
    """Of an object with `model_params` and `preprocessing`, or without; other members are others'.

    Raises InvalidParameter or TooLarge.
    """
    recipe = parse_params(asked.get("model_params", {}))
    return replace(recipe, preprocessing=parse_preprocessing(asked.get("preprocessing", {})))
