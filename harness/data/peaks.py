"""Peak memory of fits, each in a child of its own: run as a program, cases in, peaks out, as JSON.

A case is n_samples, n_features, the fit's parameters, what the data is like, and whether it is
weighted.
"""

import json
import os
import sys
import tempfile
from dataclasses import replace
from typing import Any

import numpy as np

from kmeans_service.fitting import capacity, clustering, out_of_core, runs
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.models.manifest import npy
from kmeans_service.models.predictor import Space
from kmeans_service.recipes.params import parse_params
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.recipes.recipe import Recipe

BLOCK_BYTES = 1024**2  # of data at a time, so that making it is not what is measured


def blocks(n_samples: int, n_features: int, kind: str) -> Any:
    rng = np.random.default_rng(0)
    rows = max(1, BLOCK_BYTES // (8 * n_features))
    for start in range(0, n_samples, rows):
        block = rng.normal(size=(min(rows, n_samples - start), n_features))
        if kind == "outliers" and start == 0:
            block[:100] *= 1e6  # all others are one giant cluster
        yield np.ones_like(block) if kind == "alike" else block


def fit_in_memory(n_samples: int, n_features: int, recipe: Recipe, kind: str) -> None:
    X = np.empty((n_samples, n_features))
    filled = 0
    for block in blocks(n_samples, n_features, kind):
        X[filled : filled + len(block)] = block
        filled += len(block)
    weights = np.arange(n_samples) % 3.5 if recipe.is_weighted else None
    found = clustering.fit(X, recipe, weights=weights)
    with tempfile.TemporaryFile() as labels:
        labels.writelines(csv_chunks(found.labels))
    _ = npy(found.predictor.centers), npy(found.centers)


def fit_from_a_file(n_samples: int, n_features: int, recipe: Recipe, kind: str) -> None:
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as labels:
        for block in blocks(n_samples, n_features, kind):
            file.write(block.data)
        rows = out_of_core.RowFile(file, n_samples, n_features, Space(np.zeros(n_features), 1.0))
        found = out_of_core.fit(rows, recipe, labels, lambda _progress: None)
        _ = npy(found.predictor.centers), npy(found.centers)


def peak(case: dict[str, Any]) -> dict[str, int]:
    """Bytes that the case takes, and what was said that it would."""
    recipe = parse_params(case["params"])
    if case.get("weighted"):
        recipe = replace(recipe, preprocessing=Preprocessing(weight_column="w"))
    shape = case["n_samples"], case["n_features"]
    fit = fit_from_a_file if case.get("method") == "out_of_core" else fit_in_memory
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fit(*shape, recipe, case.get("kind", "blobs"))
            status = 0
        finally:
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{case} ended with {status}")
    return {"peak": usage.ru_maxrss * 1024, "needed": capacity.needed_in_memory(*shape, recipe)}


if __name__ == "__main__":
    # scikit-learn is imported before the fork, and counts in what is fixed: elkan needs it.
    runs.prepare(parse_params({"algorithm": "elkan"}))
    json.dump([peak(case) for case in json.load(sys.stdin)], sys.stdout)
