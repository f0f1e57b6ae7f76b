"""`model_params`, KMeans' constructor parameters as they may come over REST, to a Recipe.

scikit-learn's own names, types and ranges, checked strictly (`"3"`, `true` and `3.0` are no
integers) and bounded in cost. Names, ranges and defaults:
https://scikit-learn.org/stable/modules/generated/sklearn.cluster.KMeans.html
"""

from collections.abc import Callable
from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter, TooLarge, quoted
from kmeans_service.json_values import is_finite_number, is_integer, shown
from kmeans_service.recipes.recipe import AUTO, MAX_RANDOM_STATE, Centers, Range, Recipe
from kmeans_service.recipes.work import fit_work

FEWEST_ROWS = 3  # distinct ones, among which a number of clusters can be chosen


def refuse(name: str, value: Any, allowed: str) -> InvalidParameter:
    return refusal(name, shown(value), allowed)


def refusal(name: str, found: str, allowed: str) -> InvalidParameter:
    """As `refuse`, of a value that is described instead of shown."""
    field = f"model_params.{name}"
    return InvalidParameter(
        f"{field} is {found}; allowed is {allowed}", field=field, allowed=allowed
    )


def integer(limit: str) -> Callable[[str, Any], int]:
    """A check for an integer from 1 to the limit of this name."""

    def check(name: str, value: Any) -> int:
        most = getattr(config.limits(), limit)
        if not is_integer(value) or not 1 <= value <= most:
            raise refuse(name, value, f"an integer from 1 to {most}")
        return int(value)

    return check


def n_clusters(name: str, value: Any) -> int | Range:
    """A number, or what it is to be chosen from."""
    if value == "auto":
        return AUTO
    if isinstance(value, dict) and set(value) == {"min", "max"}:
        most = integer("clusters")(f"{name}.max", value["max"])
        least = value["min"]
        if not is_integer(least) or not 2 <= least <= most:
            raise refuse(f"{name}.min", least, f"an integer from 2 to max, which is {most}")
        return Range(int(least), most)
    most = config.limits().clusters
    if not is_integer(value) or not 1 <= value <= most:
        choices = '"auto" or {"min": …, "max": …}'
        raise refuse(name, value, f"an integer from 1 to {most}, {choices}")
    return int(value)


def choice(*names: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise refuse(name, value, " or ".join(f'"{choice}"' for choice in names))
        return value

    return check


def n_init(name: str, value: Any) -> int | str:
    if value == "auto":
        return "auto"
    most = config.limits().n_init
    if not is_integer(value) or not 1 <= value <= most:
        raise refuse(name, value, f'"auto" or an integer from 1 to {most}')
    return int(value)


def random_state(name: str, value: Any) -> int | None:
    if value is not None and (not is_integer(value) or not 0 <= value <= MAX_RANDOM_STATE):
        raise refuse(name, value, f"an integer from 0 to {MAX_RANDOM_STATE}, or null")
    return value if value is None else int(value)


def tol(name: str, value: Any) -> float:
    if not is_finite_number(value) or value < 0:
        raise refuse(name, value, "a finite number of at least 0")
    return float(value)


def init(name: str, value: Any) -> str | Centers:
    """A method's name, or the initial centers, shape (n_clusters, n_features)."""
    if isinstance(value, str) and value in ("k-means++", "random"):
        return value
    if not isinstance(value, list) or not value:
        raise refuse(name, value, '"k-means++", "random" or an array of centers')
    width = len(value[0]) if isinstance(value[0], list) else 0
    return tuple(_center(f"{name}[{index}]", row, width) for index, row in enumerate(value))


def _center(place: str, row: Any, width: int) -> tuple[float, ...]:
    if not isinstance(row, list) or not row:
        raise refuse(place, row, "an array of numbers, one for each feature")
    if len(row) != width:
        raise refusal(
            place, f"an array of {len(row)}", f"an array of {width}, as many as in the first"
        )
    for column, number in enumerate(row):
        if not is_finite_number(number) or abs(number) > config.MAX_MAGNITUDE:
            limit = f"a number of magnitude at most {config.MAX_MAGNITUDE:g}"
            raise refuse(f"{place}[{column}]", number, limit)
    return tuple(float(number) for number in row)


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "n_clusters": n_clusters,
    "init": init,
    "n_init": n_init,
    "max_iter": integer("iterations"),
    "tol": tol,
    "random_state": random_state,
    "algorithm": choice("lloyd", "elkan", "swap"),
}


def parse_params(given: Any) -> Recipe:
    """Raises InvalidParameter that names field, found and allowed; TooLarge."""
    if not isinstance(given, dict):
        raise InvalidParameter(
            f"model_params is {shown(given)}; allowed is an object", field="model_params"
        )
    for name in given:
        if name not in CHECKS:
            allowed = ", ".join(CHECKS)
            raise InvalidParameter(
                f"model_params has the unknown parameter {quoted(name)}; allowed are {allowed}",
                field=f"model_params.{name[:100]}",
                allowed=allowed,
            )
    checked = {name: CHECKS[name](name, value) for name, value in given.items()}
    if isinstance(checked.get("n_clusters"), Range):
        # scikit-learn has no such fit that an answer would have to be as.
        checked = {"algorithm": "swap"} | checked
        checked |= {"choice": checked["n_clusters"], "n_clusters": checked["n_clusters"].most}
    recipe = Recipe(**checked)
    _check_init_shape(recipe)
    _check_start_of_swap(recipe)
    return recipe


def _check_init_shape(recipe: Recipe) -> None:
    centers = recipe.init
    if isinstance(centers, str):
        return
    if recipe.choice:
        chosen = shown(recipe.choice.said())
        raise refusal(
            "init",
            f"an array with n_clusters {chosen}",
            "a method's name; or give n_clusters as a number, that of the array's rows",
        )
    if len(centers) != recipe.n_clusters:
        rows = f"{recipe.n_clusters} rows, as many as n_clusters"
        raise refusal("init", f"an array of {len(centers)} rows", rows)
    if len(centers) * len(centers[0]) > config.MAX_INIT_NUMBERS:
        raise TooLarge(
            f"model_params.init holds {len(centers) * len(centers[0])} numbers; "
            f"at most {config.MAX_INIT_NUMBERS} are taken",
            field="model_params.init",
        )


def _check_start_of_swap(recipe: Recipe) -> None:
    init = recipe.init
    if recipe.algorithm == "swap" and init != "k-means++":
        given = shown(init) if isinstance(init, str) else "an array"
        raise refusal(
            "init",
            f'{given} with algorithm "swap", whose search makes its own starts',
            '"k-means++", or to leave it out; or ask for algorithm "lloyd"',
        )


def check_init(recipe: Recipe, n_features: int) -> None:
    """Raise InvalidParameter for initial centers that have not as many numbers as rows have."""
    centers = recipe.init
    if not isinstance(centers, str) and len(centers[0]) != n_features:
        columns = f"rows of n_features={n_features} numbers, what is clustered of the file"
        raise refusal("init", f"rows of {len(centers[0])} numbers", columns)


def too_few_rows(choice: Range, n_distinct: int) -> InvalidParameter:
    """Of a file with so many distinct rows, among which no number can be chosen."""
    return InvalidParameter(
        f"model_params.n_clusters is {shown(choice.said())}, and the file has {n_distinct} "
        f"distinct rows; allowed is more than {choice.least} of them, or a number",
        field="model_params.n_clusters",
    )


def check_against_data(recipe: Recipe, n_samples: int, n_features: int) -> None:
    """Raise InvalidParameter if data of this shape cannot be fitted so, or at too high a cost."""
    clusters, choice = recipe.n_clusters, recipe.choice
    if choice and choice.auto and n_samples < FEWEST_ROWS:
        raise too_few_rows(choice, n_samples)
    if choice and not choice.auto and clusters > n_samples:
        rows = f"at most n_samples={n_samples}, the rows of the file"
        raise refuse("n_clusters.max", clusters, rows)
    if not choice and clusters > n_samples:
        raise refuse("n_clusters", clusters, f"at most n_samples={n_samples}, the rows of the file")
    if recipe.preprocessing.categories == "leave_out":  # else it takes the file to know
        check_init(recipe, n_features)
    work = fit_work(recipe, n_samples, n_features)
    most = config.limits().work
    if work > most:
        searched = recipe.algorithm == "swap"
        what = "max_iter, and what n_init searches take," if searched else "n_init * max_iter"
        raise InvalidParameter(
            f"n_samples * n_features * n_clusters * {what} is {work:,}; "
            f"at most {most:,} is taken. Lower n_clusters, n_init or max_iter.",
            field="model_params",
        )
