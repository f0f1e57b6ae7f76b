"""A column that says how much each row counts: in the fit, in its numbers, and in score."""

import io
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from harness.api import Client
from harness.limits import with_worker_memory
from harness.system import work_off
from kmeans_service.arrays import Array
from kmeans_service.fitting import clustering, indices
from kmeans_service.recipes.params import parse_params

SIX = "x,n,y\n1,1,2\n1,0,4\n1,3,0\n10,1,2\n10,1,4\n10,1,0\n"


def text_of(X: Array, weights: Array) -> bytes:
    """A table whose second column is the weights."""
    rows = np.column_stack([X[:, 0], weights, X[:, 1:]]).tolist()
    names = ["x0", "n", *(f"x{column}" for column in range(1, X.shape[1]))]
    return "\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)]).encode()


def drawn(seed: int, n: int = 300) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) + rng.integers(-3, 4, (4, 3))[rng.integers(4, size=n)]
    return X, rng.choice([0, 1, 1, 2, 7], n).astype(float)


def fitted(client: Client, text: bytes | str, **asked: Any) -> Any:
    """The fit's answer; weights are the column n, unless something else is asked for."""
    body = text if isinstance(text, bytes) else text.encode()
    job_id = client.upload(body).json()["job_id"]
    preprocessing = {"weight_column": "n", **asked.pop("preprocessing", {})}
    return client.post_json(
        "/kmeans/fit",
        {"job_id": job_id, "model_params": asked, "preprocessing": preprocessing},
        Accept="application/json",
    )


def scores(client: Client, job_id: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/kmeans/jobs/{job_id}/scores").json()
    return found


def test_six_rows_by_hand(client: Client) -> None:
    """(1, 2) once, (1, 4) not at all, (1, 0) three times; and three rows once each."""
    assert fitted(client, SIX).json()["labels"] in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    centers = client.get("/kmeans/jobs/0/centers", Accept="application/json").json()
    assert sorted(centers["centers"]) == [[1, 0.5], [10, 2]]
    assert centers["feature_names"] == ["x", "y"]
    found = scores(client)
    assert found["inertia"] == 1.5**2 + 3 * 0.5**2 + 8
    assert found["cluster_sizes"] == [3, 3]
    assert sorted(found["cluster_weights"]) == [3, 4]


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_a_fit_is_that_of_scikit_learn_with_sample_weight(
    client: Client, algorithm: str, scaling: str
) -> None:
    X, weights = drawn(1)
    asked: dict[str, Any] = {"n_clusters": 4, "algorithm": algorithm}
    answer = fitted(client, text_of(X, weights), **asked, preprocessing={"scaling": scaling})
    rows = StandardScaler().fit_transform(X) if scaling == "standard" else X
    expected = KMeans(random_state=0, **asked).fit(rows, sample_weight=weights)
    assert answer.json()["labels"] == expected.labels_.tolist()
    found = scores(client)
    assert found["inertia"] == pytest.approx(expected.inertia_, rel=1e-12)
    assert found["n_iter"] == expected.n_iter_
    assert sum(found["cluster_weights"]) == weights.sum()
    assert sum(found["cluster_sizes"]) == len(X)
    model = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    raw = np.column_stack([X[:, 0], weights, X[:, 1:]])
    assert model.predict(raw).tolist() == expected.labels_.tolist()


def test_whole_weights_are_the_numbers_of_rows_that_are_repeated(client: Client) -> None:
    X, weights = drawn(2)
    ones = np.ones(len(X))
    params = {"n_clusters": 3, "init": X[:3].tolist()}
    fitted(client, text_of(X, weights), **params)
    repeated = np.repeat(X, weights.astype(int), axis=0)
    fitted(client, text_of(repeated, ones[:1].repeat(len(repeated))), **params)
    once, again = scores(client, 0), scores(client, 1)
    for name in ("inertia", "calinski_harabasz", "davies_bouldin", "silhouette"):
        assert once[name] == pytest.approx(again[name], rel=1e-9), name
    assert once["cluster_weights"] == again["cluster_sizes"]


def test_weights_that_are_not_whole_first_get_a_mean_of_1() -> None:
    X, weights = drawn(3)
    recipe = parse_params({"n_clusters": 3})
    thirds = clustering.fit(X.copy(), recipe, weights=weights / 3).scores
    tenths = clustering.fit(X.copy(), recipe, weights=weights / 1000).scores
    for name in ("calinski_harabasz", "davies_bouldin", "silhouette"):
        assert getattr(thirds, name) == pytest.approx(getattr(tenths, name), rel=1e-9), name
    assert thirds.inertia == pytest.approx(tenths.inertia * 1000 / 3)
    assert thirds.sample_size == np.count_nonzero(weights)


def test_the_silhouettes_of_weighted_rows_are_those_of_repeated_ones() -> None:
    rows, labels = np.array([[0.0], [1], [4], [6]]), np.array([0, 0, 1, 1], dtype=np.int32)
    counts = np.array([2.0, 1, 1, 3])
    times = counts.astype(int)
    repeated = indices.silhouettes(rows.repeat(times, axis=0), labels.repeat(times))
    found = indices.silhouettes(rows, labels, counts)
    assert found.repeat(times) == pytest.approx(repeated)


def test_a_swap_fit_numbers_its_clusters_by_weight(client: Client) -> None:
    fitted(client, SIX, algorithm="swap")
    assert scores(client)["cluster_weights"] == [4, 3]
    heavier = SIX.replace("10,1,0", "10,9,0")
    fitted(client, heavier, algorithm="swap")
    assert scores(client, 1)["cluster_weights"] == [11, 4]


def test_out_of_core_the_weights_count_as_in_memory(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, weights = drawn(4, 4000)
    X[::9, 1] = np.nan
    text = text_of(X, weights).replace(b"nan", b"")
    params = {"n_clusters": 3, "init": X[1:4].tolist()}
    drop = {"missing": "drop"}
    fitted(client, text, **params, preprocessing=drop)
    with_worker_memory(monkeypatch, 256)
    assert fitted(client, b"\n" + text, **params, preprocessing=drop).status == 202
    assert work_off() == 0
    here, there = scores(client, 0), scores(client, 1)
    assert there.pop("method") == "out_of_core"
    assert there["cluster_sizes"] == here["cluster_sizes"]
    for name in ("inertia", "calinski_harabasz", "davies_bouldin", "cluster_weights"):
        assert there[name] == pytest.approx(here[name], rel=1e-9), name
    labels = [client.get(f"/kmeans/jobs/{job}/labels").body for job in (0, 1)]
    assert labels[0] == labels[1]


def test_points_to_predict_need_no_weights_and_score_takes_them(client: Client) -> None:
    fitted(client, SIX)
    rows = [line.split(",") for line in SIX.split()]
    without = "\n".join(f"{x},{y}" for x, _, y in rows)
    labels = client.predict(SIX.encode(), Accept="application/json").json()["labels"]
    assert client.predict(without.encode(), Accept="application/json").json()["labels"] == labels
    score = client.predict(SIX.encode(), path="/kmeans/score").json()["score"]
    assert score == -scores(client)["inertia"]
    alike = client.predict(without.encode(), path="/kmeans/score").json()["score"]
    assert alike == -(1.5**2 + 3.5**2 + 0.5**2 + 8)
    points = [{"x": 1, "y": 2, "n": 5}]
    body = {"job_id": 0, "points": points}
    assert client.post_json("/kmeans/score", body).json()["score"] == -5 * 1.5**2
    body = {"job_id": 0, "points": [[1, None, 2]]}
    refused = client.post_json("/kmeans/score", body)
    assert refused.status == 422
    assert "points[0][1] is null" in refused.text


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "-2", "1"], "least number is -2 in line 3"),
        (["0", "0", "0"], "numbers are all 0"),
        (["1", "", "1"], "1 missing cells, from line 3 on"),
        (["1", "two", "1"], "'two' in line 3"),
        (["1", "1", "0"], None),
    ],
)
def test_weights_that_cannot_be_are_refused_with_their_line(
    client: Client, cells: list[str], said: str | None
) -> None:
    text = "x,n\n" + "\n".join(f"{index}.5,{cell}" for index, cell in enumerate(cells))
    answer = fitted(client, text, n_clusters=2)
    if said is None:
        assert answer.status == 200
        return
    assert answer.status == 422
    problem = answer.json()
    assert said in problem["detail"]
    assert problem["field"] == "preprocessing.weight_column"
    assert problem["column"] == 2


def test_there_are_no_more_clusters_than_rows_that_weigh_something(client: Client) -> None:
    answer = fitted(client, "x,n\n1,1\n2,1\n3,0\n4,0\n", n_clusters=3)
    assert answer.status == 422
    assert "n_samples=2, the rows that are left and weigh more than 0 of 4" in answer.text
