"""A recipe as it is for one table: what of it makes no difference there is left out of it."""

import hashlib
import json
from dataclasses import replace

from kmeans_service.recipes.plan import LEVELS, USED, Plan, plan
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.tables.table import Table


def settled(table: Table, recipe: Recipe) -> tuple[Recipe, Plan]:
    """The recipe with its plan in it, and the plan; raises InvalidParameter as `plan` does.

    Where every column is used as it is, nothing is planned: that fit is the one of a plain matrix,
    and has its identity.
    """
    found = plan(table, recipe.preprocessing)
    if found.is_whole and not changes_rows(found, recipe):
        return recipe.strictly(), found
    roles = json.dumps([each.role for each in found.columns]).encode()
    digest = hashlib.sha256(roles).hexdigest()[:16]
    return replace(recipe, plan=digest, n_features=found.n_features), found


def changes_rows(found: Plan, recipe: Recipe) -> bool:
    """Whether rows are clustered otherwise than as they are in the used columns."""
    asked = recipe.preprocessing
    if asked.scaling != "none" or asked.normalize != "none" or found.of(LEVELS):
        return True
    return any(column.n_missing for column in found.of(USED))
