"""The transform beside scikit-learn's own pipeline, on random tables with gaps and categories."""

from collections import Counter
from math import sqrt
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from kmeans_service.recipes.levels import INDICATOR, Levels, levels_of
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.recipes.quantiles import quantiles
from kmeans_service.recipes.transform import learn, transform_of

SCALERS: dict[str, Any] = {
    "standard": StandardScaler,
    "min_max": MinMaxScaler,
    "robust": RobustScaler,
}


def test_a_table_worked_out_by_hand() -> None:
    raw = np.array([[1.0, 0], [3.0, 1], [np.nan, np.nan], [8.0, -1]])
    levels = Levels(("a", "b"), other=True, missing=True)
    asked = Preprocessing(scaling="min_max", categories="one_hot")
    found = learn(lambda: iter([raw]), [False, True], [levels], asked)
    assert found.fill.tolist() == [4.0]
    z = found.apply(raw[found.kept(raw)])
    half = sqrt(0.5)
    assert z.tolist() == [
        [0, half, 0, 0, 0],
        [2 / 7, 0, half, 0, 0],
        [1, 0, 0, 0, half],
    ]
    assert found.kept(raw).tolist() == [True, True, False, True]
    np.testing.assert_allclose(found.inverse(z)[:, 0], [1, 3, 8], rtol=1e-15)


def test_two_rows_that_differ_in_one_category_are_one_apart() -> None:
    raw = np.array([[0.0], [1.0]])
    found = learn(lambda: iter([raw]), [True], [Levels(("a", "b"), False, False)], Preprocessing())
    z = found.apply(raw)
    assert np.linalg.norm(z[0] - z[1]) == pytest.approx(1, abs=1e-15)


def test_the_most_frequent_fifty_texts_are_levels_and_the_rest_is_other() -> None:
    counts = {f"t{index:02}": 1 + index // 2 for index in range(60)}
    levels = levels_of(counts, missing=False)
    assert levels.texts == tuple(f"t{index:02}" for index in range(10, 60))
    assert levels.other
    assert levels.width == 51
    assert not levels_of({"a": 1}, missing=True).other


def table(seed: int) -> tuple[np.ndarray, list[str | None]]:
    """Numbers of many scales with gaps, shape (n, d), and a category beside them."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(5, 400)), int(rng.integers(1, 6))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-6, 7, d) + 10.0 ** rng.integers(-3, 9, d)
    if seed % 4 == 0:
        X[:, 0] = 7.25
    X[rng.random(X.shape) < rng.choice([0, 0.05, 0.3])] = np.nan
    X[0] = np.arange(d)
    n_words = int(rng.choice([2, 7, 70]))
    words: list[str | None] = [f"w{rng.integers(n_words)}" for _ in range(n)]
    return X, words


def pipeline(asked: Preprocessing, d: int, *, one_hot: bool) -> Pipeline:
    scaler = SCALERS[asked.scaling]() if asked.scaling in SCALERS else FunctionTransformer()
    parts: list[Any] = [
        ("numbers", make_pipeline(SimpleImputer(strategy=asked.missing), scaler), slice(0, d))
    ]
    if one_hot:
        encoder = OneHotEncoder(
            max_categories=51, handle_unknown="infrequent_if_exist", sparse_output=False
        )
        parts.append(("levels", encoder, [d]))
    columns = ColumnTransformer(parts, transformer_weights={"levels": INDICATOR})
    normal = Normalizer() if asked.normalize == "l2" else FunctionTransformer()
    return make_pipeline(columns, normal)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(200))
def test_it_is_what_a_pipeline_of_scikit_learn_makes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, words = table(seed)
    asked = Preprocessing(
        missing=str(rng.choice(["mean", "median"])),
        scaling=str(rng.choice(["none", "standard", "min_max", "robust"])),
        normalize=str(rng.choice(["none", "none", "l2"])),
    )
    one_hot = bool(rng.integers(2))
    levels, raw = [], X
    if one_hot:
        level = levels_of(Counter(word for word in words if word), missing=False)
        if len(set(words)) == 51:
            level = Levels(tuple(sorted(set(filter(None, words)))), False, False)
        levels = [level]
        code = {text: index for index, text in enumerate(level.texts)}
        codes = np.array([code.get(word, -1) for word in words], dtype=float)
        raw = np.column_stack([X, codes])
    flags = [False] * X.shape[1] + [True] * one_hot
    size = int(rng.integers(1, len(raw) + 1))
    whole = learn(lambda: iter([raw]), flags, levels, asked)
    parts = learn(
        lambda: (raw[begin : begin + size] for begin in range(0, len(raw), size)),
        flags,
        levels,
        asked,
    )
    kept = whole.kept(raw)
    frame = np.column_stack([X.astype(object), np.array(words, dtype=object)])[kept]
    expected = pipeline(asked, X.shape[1], one_hot=one_hot).fit_transform(frame)
    spread = np.maximum(np.abs(expected).max(axis=0), 1e-300)
    if asked.scaling == "none" and asked.normalize == "none":
        spread = np.maximum(spread, 1)
        expected[:, : X.shape[1]] -= whole.shift
    for found in (whole, parts, transform_of(whole.as_json())):
        np.testing.assert_allclose(found.apply(raw[kept]) / spread, expected / spread, atol=1e-12)
    np.testing.assert_allclose(
        whole.forward(whole.inverse(expected)), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(30))
def test_quantiles_of_many_chunks_are_numpys_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 300))
    X = np.column_stack(
        [
            rng.normal(size=n),
            rng.integers(-2, 3, n) * 1.0,
            10.0 ** rng.uniform(-300, 90, n) * rng.choice([-1, 1], n),
            np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
            np.full(n, np.nan),
        ]
    )
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    whole = quantiles(lambda: iter([X]), 5, shares)
    parts = quantiles(lambda: iter(np.array_split(X, min(n, 4))), 5, shares)
    np.testing.assert_array_equal(parts, whole)
