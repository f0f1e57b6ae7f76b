"""Fits of a table are those of scikit-learn's own Pipeline on the same frame."""

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from harness.api import Client
from harness.limits import with_worker_memory
from harness.system import work_off

SCALERS = {
    "none": "passthrough",
    "standard": StandardScaler(),
    "min_max": MinMaxScaler(),
    "robust": RobustScaler(),
}
SEEDS = range(int(os.environ.get("PIPELINE_SEEDS", "12")))
MISSING, OTHER = "(missing)", "(other)"
EMPTY: list[str] = []


@dataclass(frozen=True)
class Drawn:
    """A table: a column of texts, then numbers with gaps, and weights; and what is asked of it.

    texts    None where a cell is missing
    weights  None where no column says what a row weighs
    """

    X: Any
    texts: list[str | None]
    weights: Any
    asked: dict[str, Any]
    n_clusters: int

    @property
    def names(self) -> list[str]:
        numbers = [f"m{column}" for column in range(self.X.shape[1])]
        return ["place", *numbers, *["w"] * (self.weights is not None)]

    @property
    def rows(self) -> list[list[Any]]:
        """All cells; None for a missing one."""
        cells = np.where(np.isnan(self.X), None, self.X.astype(object)).tolist()
        weights = [[]] * len(cells) if self.weights is None else self.weights[:, None].tolist()
        return [[text, *row, *w] for text, row, w in zip(self.texts, cells, weights, strict=True)]

    @property
    def body(self) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.names)
        for text, *numbers in self.rows:
            writer.writerow([text, *("" if x is None else repr(x) for x in numbers)])
        return out.getvalue().encode()

    @property
    def raw(self) -> Any:
        """All columns, as an array; NaN for a missing cell, as pandas reads it."""
        found = np.array(self.rows, dtype=object)
        found[found == None] = np.nan  # noqa: E711 (of each cell)
        return found

    @property
    def is_one_hot(self) -> bool:
        """Whether the texts are categories, and are not as many as names are."""
        present = [text for text in self.texts if text]
        are_names = len(present) >= 20 and 2 * len(set(present)) > len(present)
        return bool(self.asked["categories"] == "one_hot" and not are_names)

    @property
    def kept(self) -> Any:
        gaps = np.isnan(self.X)
        if self.is_one_hot:
            gaps = np.column_stack([gaps, [text is None for text in self.texts]])
        return ~(gaps.any(axis=1) if self.asked["missing"] == "drop" else gaps.all(axis=1))

    @property
    def levels(self) -> list[str]:
        """The fifty most frequent texts, in order; a missing one, and all others."""
        counts = Counter(text for text in self.texts if text)
        most = sorted(counts, key=lambda text: (counts[text], text))[-50:]
        missing = None in self.texts and self.asked["missing"] != "drop"
        return [*sorted(most), *[MISSING] * missing, *[OTHER] * (len(counts) > 50)]

    def frame(self, which: Any) -> Any:
        """The texts, of which the rarer ones are one, and the numbers, for scikit-learn."""
        known = {text: text for text in self.levels} | {None: MISSING}
        texts = [known.get(text, OTHER) for text in self.texts]
        return np.column_stack([np.array(texts, dtype=object), self.X.astype(object)])[which]

    def transformer(self) -> Pipeline:
        strategy = "median" if self.asked["missing"] == "median" else "mean"
        numbers = make_pipeline(SimpleImputer(strategy=strategy), SCALERS[self.asked["scaling"]])
        parts: list[Any] = [("numbers", clone(numbers), slice(1, 1 + self.X.shape[1]))]
        if self.is_one_hot:
            encoder = OneHotEncoder(categories=[self.levels], sparse_output=False)
            parts.append(("levels", encoder, [0]))
        columns = ColumnTransformer(parts, transformer_weights={"levels": sqrt(0.5)})
        normalizer = Normalizer() if self.asked["normalize"] == "l2" else "passthrough"
        return Pipeline([("columns", columns), ("normalize", normalizer)])

    def pipeline(self, **params: Any) -> Pipeline:
        model = KMeans(self.n_clusters, **{"random_state": 0} | params)
        found = Pipeline([*self.transformer().steps, ("kmeans", model)])
        weights = None if self.weights is None else self.weights[self.kept]
        return found.fit(self.frame(self.kept), kmeans__sample_weight=weights)


def drawn(seed: int, n_samples: int = 0) -> Drawn:
    rng = np.random.default_rng(seed)
    n_samples, n_columns = n_samples or int(rng.integers(30, 300)), int(rng.integers(1, 6))
    spread, offset = 10.0 ** rng.integers(-3, 4, n_columns), rng.integers(-3, 4, n_columns)
    groups = rng.integers(-3, 4, (3, n_columns))[rng.integers(3, size=n_samples)]
    X = (rng.normal(size=groups.shape) + groups + offset) * spread
    X[rng.random(X.shape) < rng.choice([0, 0.02, 0.15])] = np.nan
    asked: dict[str, Any] = {
        "missing": str(rng.choice(["mean", "median", "drop"])),
        "categories": str(rng.choice(["leave_out", "one_hot", "one_hot"])),
        "scaling": str(rng.choice(list(SCALERS))),
        "normalize": str(rng.choice(["none", "none", "l2"])),
    }
    weights = None
    if rng.integers(2):
        weights = rng.choice([[0, 1, 2, 5], [0.25, 0.5, 1, 3]][seed % 2], n_samples).astype(float)
        asked["weight_column"] = "w"
    texts = _texts(rng, n_samples)
    for row in np.flatnonzero(np.isnan(X).all(axis=1)).tolist():
        texts[row] = texts[row] or "bonn"  # a row of nothing but delimiters is none
    return Drawn(X, texts, weights, asked, int(rng.integers(2, 5)))


def _texts(rng: np.random.Generator, n_samples: int) -> list[str | None]:
    known: list[str | None] = ["rome", "7", "bonn", "a, b", 'so "said"', "+", "Zürich"]
    if rng.integers(2):
        known += [f"p{index}" for index in range(70)]
    known[0] = None if rng.integers(2) else known[0]
    places = np.minimum(rng.geometric(0.05, n_samples), len(known)) - 1
    return [known[place] for place in places.tolist()]


def fitted(client: Client, table: Drawn, **params: Any) -> list[int | None]:
    job_id = client.upload(table.body).json()["job_id"]
    asked = {"n_clusters": table.n_clusters, **params}
    answer = client.post_json(
        "/kmeans/fit",
        {"job_id": job_id, "model_params": asked, "preprocessing": table.asked},
        Accept="application/json",
    )
    assert answer.status == 200, answer.text
    found: list[int | None] = answer.json()["labels"]
    return found


def predicted(client: Client, points: Any) -> list[int | None]:
    body = {"job_id": 0, "points": points}
    answer = client.post_json("/kmeans/predict", body, Accept="application/json")
    found: list[int | None] = answer.json()["labels"]
    return found


def in_units_of_the_file(pipeline: Pipeline, table: Drawn) -> tuple[Any, Any]:
    """scikit-learn's centers, with the share of each level, and how far each column spreads."""
    centers, n_numbers = pipeline["kmeans"].cluster_centers_, table.X.shape[1]
    spread = np.ones(centers.shape[1])
    if table.asked["normalize"] == "l2":
        return centers, spread
    scaler = pipeline["columns"].named_transformers_["numbers"][1]
    numbers, shares = centers[:, :n_numbers], centers[:, n_numbers:] / sqrt(0.5)
    numbers = numbers if scaler == "passthrough" else scaler.inverse_transform(numbers)
    spread[:n_numbers] = np.nanmax(table.X, axis=0) - np.nanmin(table.X, axis=0)
    return np.hstack([numbers, shares]), spread


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_centers_and_the_downloaded_model_are_those_of_scikit_learns_pipeline(
    client: Client, seed: int
) -> None:
    table = drawn(seed)
    pipeline = table.pipeline()
    labels = fitted(client, table)
    expected = np.full(len(table.X), -1)
    expected[table.kept] = pipeline["kmeans"].labels_
    assert labels == [None if label < 0 else label for label in expected.tolist()]

    answer = client.get("/kmeans/jobs/0/centers", Accept="application/json").json()
    centers, spread = in_units_of_the_file(pipeline, table)
    assert (np.abs(np.array(answer["centers"]) - centers) <= 1e-12 * spread).all()
    numbers = [name for name in table.names if name.startswith("m")]
    assert answer["feature_names"] == numbers + [
        f"place {level}" if level in (MISSING, OTHER) else f"place={level}"
        for level in (table.levels if table.is_one_hot else EMPTY)
    ]
    inertia = client.get("/kmeans/jobs/0/scores").json()["inertia"]
    assert inertia == pytest.approx(pipeline["kmeans"].inertia_, rel=1e-9, abs=1e-12)

    model = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    of_kept = expected[table.kept].tolist()
    assert model.predict(table.raw[table.kept]).tolist() == of_kept
    assert model["columns"].feature_names_in_.tolist() == table.names

    assert predicted(client, table.rows) == labels
    named = [dict(zip(table.names, row, strict=True)) for row in table.rows]
    assert predicted(client, named) == labels
    again = client.predict(table.body, Accept="application/json")
    assert again.json()["labels"] == labels


def test_a_text_that_is_new_is_one_of_the_others(client: Client) -> None:
    """Of 60 texts 50 have an indicator; what is new is as the ten that have one together."""
    texts: list[str | None] = [
        f"t{index:02}" for index in range(60) for _ in range(2 + index // 10)
    ]
    X = np.zeros((len(texts), 1))
    X[::2] = 1
    asked = {"missing": "mean", "categories": "one_hot", "scaling": "none", "normalize": "none"}
    table = Drawn(X, texts, None, asked, 3)
    fitted(client, table, n_clusters=3)
    points = [["t00", 0], ["new", 0], [None, 0]]
    body = {"job_id": 0, "points": points}
    answer = client.post_json("/kmeans/transform", body, Accept="application/json")
    others, new, missing = answer.json()["distances"]
    assert others == new == missing
    model = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    raw = np.array([["t00", 0], ["new", 0], [np.nan, 0]], dtype=object)
    assert model.transform(raw) == pytest.approx(np.array(answer.json()["distances"]))


@pytest.mark.parametrize("seed", [7, 8])
def test_out_of_core_the_fit_from_given_centers_is_the_pipelines(
    client: Client, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    drawn_one = drawn(seed, 4000)
    asked = drawn_one.asked | {"missing": "median", "scaling": "robust", "categories": "one_hot"}
    asked |= {"normalize": "none", "weight_column": "w"}
    weights = np.random.default_rng(seed).choice([0.0, 1, 2], 4000)
    table = Drawn(drawn_one.X, drawn_one.texts, weights, asked, 3)
    rows = table.transformer().fit(table.frame(table.kept)).transform(table.frame(table.kept))
    # Far enough apart that no cluster is empty.
    init = rows[np.argsort(rows[:, 0])[[100, len(rows) // 2, -100]]]
    expected = table.pipeline(init=init, n_init=1)
    with_worker_memory(monkeypatch, 256)
    client.upload(table.body)
    scaler = expected["columns"].named_transformers_["numbers"][1]
    n_numbers = table.X.shape[1]
    in_units = np.hstack(
        [scaler.inverse_transform(init[:, :n_numbers]), init[:, n_numbers:] / sqrt(0.5)]
    )
    params = {"n_clusters": 3, "init": in_units.tolist()}
    body = {"job_id": 0, "model_params": params, "preprocessing": asked}
    assert client.post_json("/kmeans/fit", body).status == 202
    assert work_off() == 0
    scores = client.get("/kmeans/jobs/0/scores").json()
    assert scores["method"] == "out_of_core"
    assert scores["inertia"] == pytest.approx(expected["kmeans"].inertia_, rel=1e-9)
    labels = client.get("/kmeans/jobs/0/labels", Accept="application/json").json()["labels"]
    kept = [label for label in labels if label is not None]
    assert kept == expected["kmeans"].labels_.tolist()
    assert [label is not None for label in labels] == table.kept.tolist()
    again = client.predict(table.body, Accept="application/json").json()["labels"]
    assert again == labels
    body = {"job_id": 0, "points": table.rows[:50]}
    found = client.post_json("/kmeans/transform", body, Accept="application/json").json()
    distances = expected.transform(table.frame(slice(0, 50)))
    assert np.array(found["distances"]) == pytest.approx(distances, rel=1e-9)
