"""What is asked of a fit, held against the file that it is asked for."""

from kmeans_service import config
from kmeans_service.lifecycle import inputs
from kmeans_service.lifecycle.job import Input
from kmeans_service.models.columns import Columns, planned_columns
from kmeans_service.recipes.engines import check_engine
from kmeans_service.recipes.params import check_against_data
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.settled import settled
from kmeans_service.tables.table import Table


def planned(given: Input, recipe: Recipe) -> Recipe:
    """The recipe as it is for this file; raises InvalidParameter if it cannot be fitted so.

    Of a dataset, as it was asked for: the fit itself reads it, and plans.
    """
    if given.dataset:
        check_engine(recipe)
        return recipe
    return planned_with_columns(given, recipe)[0]


def planned_with_columns(given: Input, recipe: Recipe) -> tuple[Recipe, Columns]:
    """The same, and the columns that it uses."""
    if _is_used_whole(given, recipe):
        check_against_data(recipe, given.n_samples, given.n_features)
        return recipe.strictly(), Columns(given.n_features, given.feature_names)
    return planned_of(inputs.table_of(given), recipe)


def _is_used_whole(given: Input, recipe: Recipe) -> bool:
    """Whether no plan is needed to know it: a file without a profile is of numbers alone.

    One with a header is older than profiles are; a large one of these is not read for a plan.
    """
    if given.profile is not None or recipe.preprocessing not in (DEFAULT, STRICT):
        return False
    plain = given.feature_names is None and given.names is None
    return plain or given.size > config.MAX_SYNCHRONOUS_BYTES


def planned_of(table: Table, recipe: Recipe) -> tuple[Recipe, Columns]:
    recipe, plan = settled(table, recipe)
    check_against_data(recipe, table.n_rows, plan.n_features)
    return recipe, planned_columns(table, plan)
