"""RemoteKMeans as scikit-learn knows estimators: its checks, its habits, KMeans' own answers."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._test_common.instance_generator import _get_expected_failed_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from kmeans_client import Client, RemoteKMeans, problems

X, _ = make_blobs(200, n_features=3, centers=4, random_state=0)


@pytest.fixture(autouse=True)
def here(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its user has it: the environment says where the service is."""
    monkeypatch.setenv("KMEANS_URL", url)


def not_of_kmeans(_: Any) -> dict[str, str]:
    """What scikit-learn knows that its own KMeans does not pass."""
    known: dict[str, str] = _get_expected_failed_checks(KMeans())
    return known


@parametrize_with_checks([RemoteKMeans(n_clusters=3)], expected_failed_checks=not_of_kmeans)
def test_scikit_learn_finds_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(
    "parameters",
    [
        {"random_state": 0},
        {"random_state": 7, "n_init": 3},
        {"init": "random", "random_state": 1},
        {"init": X[:4]},
        {"init": lambda data, k, random_state: data[:k].copy(), "n_init": 1},
        {"algorithm": "elkan", "random_state": 0},
        {"max_iter": 2, "random_state": 3},
        {"n_init": np.int64(2), "random_state": 5},
    ],
    ids=[
        "default",
        "three starts",
        "random",
        "array",
        "callable",
        "elkan",
        "two iterations",
        "of NumPy",
    ],
)
def test_it_finds_what_kmeans_finds(parameters: dict[str, Any]) -> None:
    ours = RemoteKMeans(4, **parameters).fit(X)
    theirs = KMeans(4, **parameters).fit(X)
    assert ours.labels_.tolist() == theirs.labels_.tolist()
    assert ours.cluster_centers_ == pytest.approx(theirs.cluster_centers_, rel=1e-12)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-12)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.predict(X).tolist() == theirs.predict(X).tolist()


def test_weights_count() -> None:
    weights = np.arange(len(X), dtype=float)
    ours = RemoteKMeans(4, random_state=0).fit(X, sample_weight=weights)
    theirs = KMeans(4, random_state=0).fit(X, sample_weight=weights)
    assert ours.labels_.tolist() == theirs.labels_.tolist()
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-12)


def test_fitted_it_needs_no_service_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = RemoteKMeans(3, random_state=0).fit(X)
    monkeypatch.setenv("KMEANS_URL", "http://localhost:1")
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict(X).tolist() == fitted.labels_.tolist()
    assert again.score(X) == pytest.approx(-fitted.inertia_)
    assert again.transform(X).shape == (200, 3)
    with pytest.raises(problems.NoService):
        again.fit(X)


def test_it_leaves_no_job_behind_unless_told_to(url: str) -> None:
    with Client(url) as client:
        before = {job["job_id"] for job in client.list_jobs()}
        RemoteKMeans(2).fit(X)
        with pytest.raises(problems.Problem):
            RemoteKMeans(1001).fit(np.vstack([X] * 6))
        assert {job["job_id"] for job in client.list_jobs()} == before
        kept = RemoteKMeans(2, keep_job=True).fit(X)
        assert client.get_labels(kept.job_id_) == kept.labels_.tolist()


def test_it_works_where_estimators_do() -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    pipeline = make_pipeline(StandardScaler(), RemoteKMeans(3, random_state=0))
    labels = pipeline.fit_predict(frame)
    expected = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit_predict(frame)
    assert labels.tolist() == expected.tolist()
    model = clone(RemoteKMeans(3, random_state=0)).set_output(transform="pandas").fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert list(model.transform(frame).columns) == [f"remotekmeans{n}" for n in range(3)]
    search = GridSearchCV(RemoteKMeans(random_state=0), {"n_clusters": [2, 4]}, cv=2, n_jobs=2)
    with parallel_config(backend="threading"):
        assert search.fit(X).best_params_ == {"n_clusters": 4}


def test_swap_is_asked_for_by_name() -> None:
    found = RemoteKMeans(4, algorithm="swap", random_state=0).fit(X)
    assert found.inertia_ <= KMeans(4, random_state=0).fit(X).inertia_ * (1 + 1e-12)
