"""What a model's indicators of categories are called, read from its manifest. No NumPy."""

import json
from typing import Any

from kmeans_service.models.published import Published
from kmeans_service.recipes.levels import Levels
from kmeans_service.storage import data_bucket

type Indicators = dict[int, list[str]]
"""Of each column that is a category, by its number from 1."""


def indicators_of(published: Published) -> Indicators:
    """Raises JobGone or ModelDamaged."""
    if published.manifest is None:  # older than categories are
        return {}
    document = json.loads(data_bucket().get(published.manifest))
    columns, transform = document["columns"], document.get("transform", {})
    names = columns.get("feature_names") or [None] * columns["n_features"]
    return {
        position + 1: _levels(each).named(names[position] or f"column {position + 1}")
        for position, each in zip(
            columns.get("categories", ()), transform.get("levels", ()), strict=True
        )
    }


def _levels(document: dict[str, Any]) -> Levels:
    return Levels(tuple(document["texts"]), document["other"], document["missing"])
