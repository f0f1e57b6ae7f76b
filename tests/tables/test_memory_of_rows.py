"""What reading a table for a fit holds of its rows."""

import tracemalloc

import numpy as np
import pytest

from harness.api import Client
from harness.system import OWNER
from kmeans_service.fitting import data as rows_of_a_fit
from kmeans_service.fitting.data import data_of
from kmeans_service.lifecycle import reads
from kmeans_service.recipes.request import parse_recipe


def test_rows_of_many_indicators_are_in_memory_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_a_fit, "SLICE_BYTES", 64 * 1024)
    n_samples, n_texts = 60_000, 40
    lines = (f"{row % 7}.5,t{row % n_texts},{row % 3}" for row in range(n_samples))
    text = "\n".join(["x,place,w", *lines])
    assert client.upload(text.encode()).status == 200
    given = reads.get(OWNER, 0).checked_input
    asked = {"preprocessing": {"categories": "one_hot", "weight_column": "w"}}
    data = data_of(given, parse_recipe(asked))
    tracemalloc.start()
    try:
        X = data.in_memory()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert X.shape == (n_samples, 1 + n_texts)
    assert data.weights is not None
    assert data.weights[:4].tolist() == [0, 1, 2, 0]
    assert peak < 1.5 * X.nbytes


@pytest.mark.parametrize("missing", ["mean", "drop"])
def test_a_table_that_is_filled_in_and_scaled_is_in_memory_once(
    client: Client, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_a_fit, "SLICE_BYTES", 128 * 1024)
    numbers = np.random.default_rng(0).normal(size=(60_000, 6)).round(3).astype(str)
    numbers[::7, 2] = ""
    text = "\n".join([",".join("abcdef"), *(",".join(row) for row in numbers)])
    assert client.upload(text.encode()).status == 200
    given = reads.get(OWNER, 0).checked_input
    asked = {"preprocessing": {"missing": missing, "scaling": "standard"}, "model_params": {}}
    data = data_of(given, parse_recipe(asked))
    tracemalloc.start()
    try:
        X = data.in_memory()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert X.shape[0] == (60_000 if missing != "drop" else 60_000 - len(numbers[::7]))
    assert np.isfinite(X).all()
    # Twice would be a copy; slices, and the file as it is read, are small.
    assert peak < 2 * 60_000 * 6 * 8
