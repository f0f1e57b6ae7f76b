"""`engine`: what computes a fit. Left out, the size of the work decides."""

from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter
from kmeans_service.json_values import shown
from kmeans_service.recipes.recipe import Recipe

FIELD = "engine"
PARAMETER = "DistributedEngine"
DEPLOY = f"Whoever runs the service may deploy it with {PARAMETER}=emr-serverless"


def parse_engine(value: Any, recipe: Recipe) -> str:
    """Raises InvalidParameter, also for an engine that the deployment does not have."""
    named = _named(
        value,
        f"a file of at most {config.limits().file_bytes:,} bytes, and as "
        f"many numbers as {config.SCRATCH_BYTES:,} bytes of disk hold",
    )
    if named == "spark" and (why := not_taken(recipe)):
        raise _refusal(f'"spark" with {why}', f'"auto", or "spark" without {why}')
    return named


def engine_of_points(value: Any, *, as_rows: bool) -> str:
    """The same, of a large prediction."""
    named = _named(value, f"what is labelled in {config.WORKER_SECONDS} seconds at most")
    if named == "spark" and as_rows:
        raise _refusal(
            '"spark", and the answer is "rows"', '"auto" with it, or "spark" with "labels"'
        )
    return named


def _named(value: Any, taken: str) -> str:
    """taken   what the engine `auto` does without another one"""
    if value == "auto":
        return "auto"
    if value != "spark":
        allowed = '"auto" or "spark"' if config.distributed() else '"auto"'
        raise _refusal(shown(value), allowed)
    if config.distributed() is None:
        raise _refusal(
            '"spark", which this deployment does not have',
            f'"auto", which takes {taken}. {DEPLOY}',
        )
    return "spark"


def check_engine(recipe: Recipe) -> None:
    """Of what only Spark can fit; raises InvalidParameter where it is not there, or cannot."""
    if config.distributed() is None:
        raise InvalidParameter(
            "the fit is of a dataset of many files, which needs the engine spark, and this "
            f"deployment does not have it; send the table as one file. {DEPLOY}",
            field=FIELD,
        )
    if why := not_taken(recipe):
        raise InvalidParameter(
            f"{why} is given; a dataset of many files is fitted by the engine spark, which does "
            "not take it: leave it out",
            field=why,
        )


def not_taken(recipe: Recipe) -> str:
    """What of the recipe a run elsewhere cannot do; empty: nothing."""
    return "align_to" if recipe.align_to else ""


def _refusal(found: str, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"engine is {found}; allowed is {allowed}", field=FIELD)
