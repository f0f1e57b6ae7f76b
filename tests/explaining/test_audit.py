"""How sure an optimum is: many starts and a search beside the model."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.limits import with_worker_memory
from harness.system import work_off

TWO = b"".join(b"%d,%d\n" % (x, y) for x in (0, 1, 100, 101) for y in range(5))
# Four pairs on a line, of which three clusters have two local optima that Lloyd's never leaves.
PAIRS = b"0,0\n0,1\n10,0\n10,1\n20,0\n20,1\n60,0\n60,1\n"
BETWEEN = [[0.0, 0.5], [40.0, 0.0], [40.0, 1.0]]


def audit(client: Client, body: bytes, **model_params: object) -> dict[str, object]:
    job_id = client.upload(body).json()["job_id"]
    assert client.fit(job_id, model_params).status == 200
    answer = client.get(f"/kmeans/jobs/{job_id}/audit")
    assert answer.status == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_where_every_start_comes_to_the_same_it_is_sure(client: Client) -> None:
    found = audit(client, TWO, n_clusters=2)
    assert found == {
        "n_starts": 50,
        "inertia": pytest.approx(2 * (10 * 0.25 + 2 * 10)),
        "best_inertia": pytest.approx(45),
        "gap": 0,
        "reached": 1,
        "within_one_percent": 1,
        "distinct_optima": 1,
        "agreement": 1,
        "warnings": [],
    }


def test_a_fit_that_was_caught_far_from_the_best_is_told_how_far_and_what_to_ask(
    client: Client,
) -> None:
    found = audit(client, PAIRS, n_clusters=3, init=BETWEEN, n_init=1)
    best = 4 * 0.25 + 4 * 25 + 4 * 0.25  # two of the near pairs together, or the middle with either
    assert found["best_inertia"] == pytest.approx(best)
    assert found["gap"] == pytest.approx(found["inertia"] / best - 1)  # type: ignore[operator]
    assert found["gap"] > 1  # type: ignore[operator]
    [warning] = found["warnings"]  # type: ignore[misc]
    assert '"algorithm": "swap"' in warning


def test_the_starts_are_scikit_learns_in_how_often_they_reach_the_best(client: Client) -> None:
    X = load_iris().data
    body = "\n".join(",".join(map(repr, row)) for row in X.tolist()).encode()
    found = audit(client, body, n_clusters=5, random_state=0)
    theirs = [KMeans(5, random_state=seed, n_init=1).fit(X) for seed in range(200)]
    best = min(theirs, key=lambda fit: fit.inertia_)
    own = KMeans(5, random_state=0, n_init=1).fit(X)
    assert found["best_inertia"] == pytest.approx(best.inertia_, rel=1e-6)
    assert found["gap"] == pytest.approx(own.inertia_ / best.inertia_ - 1, abs=1e-6)
    agreement = adjusted_rand_score(own.labels_, best.labels_)
    assert found["agreement"] == pytest.approx(agreement)
    near = np.mean([fit.inertia_ <= best.inertia_ * 1.01 for fit in theirs])
    assert abs(found["within_one_percent"] - near) < 0.2  # type: ignore[operator]
    assert 1 < found["distinct_optima"] <= 50  # type: ignore[operator]


def test_it_is_the_same_to_the_bit_when_it_is_made_anew(client: Client) -> None:
    first = audit(client, TWO, n_clusters=3, random_state=4)
    client.call("DELETE", "/kmeans/jobs/0")
    assert audit(client, TWO, n_clusters=3, random_state=4) == first


def test_weights_count_in_the_starts_as_they_did_in_the_fit(client: Client) -> None:
    body = b"x,w\n0,1\n1,1\n10,1\n11,5\n"
    job_id = client.upload(body).json()["job_id"]
    asked = {"model_params": {"n_clusters": 2}, "preprocessing": {"weight_column": "w"}}
    client.post_json("/kmeans/fit", {"job_id": job_id, **asked})
    found = client.get(f"/kmeans/jobs/{job_id}/audit").json()
    assert found["best_inertia"] == pytest.approx(0.5 + 5 / 6)
    assert found["reached"] == 1


def test_a_chosen_number_of_clusters_is_audited_as_that_number(client: Client) -> None:
    found = audit(client, TWO, n_clusters="auto")
    assert found["gap"] == pytest.approx(0, abs=1e-9)


def test_a_fit_out_of_core_has_none_and_says_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload(csv_of(np.random.default_rng(0).normal(size=(4000, 3))))
    with_worker_memory(monkeypatch, 256)
    assert client.fit(0, {"n_clusters": 4}).status == 202
    assert work_off() == 0
    answer = client.get("/kmeans/jobs/0/audit")
    assert (answer.status, "out of core" in answer.json()["detail"]) == (422, True)


def test_the_report_has_the_choice_and_once_it_was_asked_for_the_audit(client: Client) -> None:
    job_id = client.upload(TWO).json()["job_id"]
    client.fit(job_id, {"n_clusters": "auto"})
    before = client.get(f"/kmeans/jobs/{job_id}/report").text
    assert "Choice of the number of clusters" in before
    assert "How sure this optimum is" not in before
    client.get(f"/kmeans/jobs/{job_id}/audit")
    assert "How sure this optimum is" in client.get(f"/kmeans/jobs/{job_id}/report").text
