"""Fits of a table are those of scikit-learn's own Pipeline on the same frame."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from harness.api import Client
from harness.limits import with_worker_memory
from harness.system import work_off

SCALERS = {
    "none": "passthrough",
    "standard": StandardScaler(),
    "min_max": MinMaxScaler(),
    "robust": RobustScaler(),
}
SEEDS = range(12)


@dataclass(frozen=True)
class Drawn:
    """A table: a column of texts, then numbers with gaps; and what is asked of its fit."""

    X: Any
    texts: list[str]
    asked: dict[str, str]
    n_clusters: int

    @property
    def names(self) -> list[str]:
        return [f"m{column}" for column in range(self.X.shape[1])]

    @property
    def body(self) -> bytes:
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["place", *self.names])
        for text, row in zip(self.texts, self.X.tolist(), strict=True):
            rows.writerow([text, *("" if np.isnan(x) else repr(x) for x in row)])
        return out.getvalue().encode()

    @property
    def raw(self) -> Any:
        """All columns, as an array."""
        return np.column_stack([np.array(self.texts, dtype=object), self.X.astype(object)])

    @property
    def kept(self) -> Any:
        gaps = np.isnan(self.X)
        return ~(gaps.any(axis=1) if self.asked["missing"] == "drop" else gaps.all(axis=1))

    def pipeline(self) -> Pipeline:
        median = self.asked["missing"] == "median"
        normalizer = Normalizer() if self.asked["normalize"] == "l2" else "passthrough"
        return Pipeline(
            [
                ("impute", SimpleImputer(strategy="median" if median else "mean")),
                ("scale", SCALERS[self.asked["scaling"]]),
                ("normalize", normalizer),
                ("kmeans", KMeans(self.n_clusters, random_state=0)),
            ]
        ).fit(self.X[self.kept])


def drawn(seed: int) -> Drawn:
    rng = np.random.default_rng(seed)
    n_samples, n_columns = int(rng.integers(30, 200)), int(rng.integers(1, 6))
    spread, offset = 10.0 ** rng.integers(-3, 4, n_columns), rng.integers(-3, 4, n_columns)
    groups = rng.integers(-3, 4, (3, n_columns))[rng.integers(3, size=n_samples)]
    X = (rng.normal(size=groups.shape) + groups + offset) * spread
    X[rng.random(X.shape) < rng.choice([0, 0.02, 0.15])] = np.nan
    asked = {
        "missing": str(rng.choice(["mean", "median", "drop"])),
        "scaling": str(rng.choice(list(SCALERS))),
        "normalize": str(rng.choice(["none", "none", "l2"])),
    }
    texts = [str(text) for text in rng.choice(["rome", "bonn", "a, b"], n_samples)]
    return Drawn(X, texts, asked, int(rng.integers(2, 5)))


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
    """scikit-learn's centers, and how far each column spreads."""
    centers = pipeline["kmeans"].cluster_centers_
    if table.asked["normalize"] == "l2":
        return centers, np.ones(table.X.shape[1])
    scaler = pipeline["scale"]
    centers = centers if scaler == "passthrough" else scaler.inverse_transform(centers)
    return centers, np.nanmax(table.X, axis=0) - np.nanmin(table.X, axis=0)


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

    model = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    of_kept = expected[table.kept].tolist()
    assert model.predict(table.raw[table.kept]).tolist() == of_kept
    assert model["columns"].feature_names_in_.tolist() == ["place", *table.names]

    rows = np.where(np.isnan(table.X), None, table.X.astype(object)).tolist()
    assert predicted(client, rows) == labels
    assert predicted(client, [dict(zip(table.names, row, strict=True)) for row in rows]) == labels
    again = client.predict(table.body, Accept="application/json")
    assert again.json()["labels"] == labels


def test_out_of_core_the_fit_from_given_centers_is_the_pipelines(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    X = np.array([0, 500.0]) + rng.normal(size=(4000, 2)) * [1, 100]
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:3] = [[-1, 400], [0, 500], [1, 600]]
    asked = {"missing": "median", "scaling": "robust", "normalize": "none"}
    table = Drawn(X, ["rome"] * len(X), asked, 3)
    learnt = table.pipeline()[:2]
    rows = learnt.transform(X[table.kept])
    expected = KMeans(3, init=learnt.transform(X[:3]), n_init=1).fit(rows)
    with_worker_memory(monkeypatch, 256)
    client.upload(table.body)
    params = {"n_clusters": 3, "init": X[:3].tolist()}
    body = {"job_id": 0, "model_params": params, "preprocessing": asked}
    assert client.post_json("/kmeans/fit", body).status == 202
    assert work_off() == 0
    assert client.get("/kmeans/jobs/0/scores").json()["method"] == "out_of_core"
    labels = client.get("/kmeans/jobs/0/labels", Accept="application/json").json()["labels"]
    kept = [label for label in labels if label is not None]
    assert kept == expected.labels_.tolist()
    assert [label is not None for label in labels] == table.kept.tolist()
    again = client.predict(table.body, Accept="application/json").json()["labels"]
    assert again == labels
