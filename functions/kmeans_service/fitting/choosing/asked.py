"""The choice that a fit asks for, and what a user is told of it."""

from collections.abc import Callable
from typing import Any

from kmeans_service.arrays import Array
from kmeans_service.errors import FitFailed
from kmeans_service.fitting import column_facts
from kmeans_service.fitting.choosing.choice import Choice, choose, sample_of
from kmeans_service.fitting.choosing.verdict import CLEAR, NONE
from kmeans_service.fitting.kernel import library
from kmeans_service.recipes.params import too_few_rows
from kmeans_service.recipes.recipe import Recipe

type Say = Callable[[dict[str, Any]], None]


def chosen(Z: Array, recipe: Recipe, scale: float, say: Say) -> tuple[Recipe, Choice | None]:
    """The recipe with its number of clusters, and why it is that; None where it was given.

    Z      in the fit's space, of this scale: all rows, or a sample
    Raises InvalidParameter where the rows are too few.
    """
    asked = recipe.choice
    if asked is None:
        return recipe, None
    if not library.runs_here():
        raise FitFailed("a choice of n_clusters needs a processor with AVX2; give a number here")
    rows = sample_of(Z, recipe.seed)
    distinct = column_facts.distinct_rows(column_facts.in_chunks(rows), asked.most + 1)
    numbers = range(asked.least, min(asked.most, distinct - 1) + 1)
    if not numbers:
        raise too_few_rows(asked, distinct)

    def told(number: int) -> None:
        say({"stage": "CHOOSING", "n_clusters": number})

    found = choose(rows, numbers, recipe.seed, scale=scale, say=told)
    return recipe.of(found.n_clusters), found


def warnings_of(choice: Choice | None) -> list[str]:
    """First of all: whether the clusters are any."""
    if choice is None or choice.verdict == CLEAR:
        return []
    if choice.evidence.stability is None:
        return [
            f"{choice.sample_size} rows are too few to tell whether the {choice.n_clusters} "
            "clusters are any: half of the rows cannot show as many again. GET …/choice has what "
            "was compared; more rows, or a smaller max, would tell."
        ]
    if choice.verdict == NONE:
        return [
            f"There seem to be no clusters: {choice.n_clusters} were made, and data without any, "
            "drawn like this data, falls apart as well as this does. GET …/choice has the evidence."
        ]
    return [
        f"The {choice.n_clusters} clusters are not stable: those of one half of the rows are not "
        "those of the other. GET …/choice has the evidence; another range may have better ones."
    ]
