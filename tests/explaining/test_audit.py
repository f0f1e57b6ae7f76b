"""How sure an optimum is: many starts and a search beside the model."""

import json
import re
import shlex
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.limits import with_worker_memory
from harness.system import OWNER, work_off
from kmeans_service import config
from kmeans_service.errors import FitConflict, JobGone
from kmeans_service.explaining import optimum
from kmeans_service.lifecycle import explanations, reads
from kmeans_service.models.predictor import Predictor, Space
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.stored_object import StoredObject

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
    share = 100 * (1 - best / found["inertia"])  # type: ignore[operator]
    assert warning.startswith(f"Clusters with {share:.0f} % less inertia were found by an audit")


def test_what_an_audit_warns_of_is_a_warning_of_the_job_with_the_request_that_mends_it(
    client: Client,
) -> None:
    found = audit(client, PAIRS, n_clusters=3, init=BETWEEN, n_init=1)
    [warning] = found["warnings"]  # type: ignore[misc]
    job = client.get("/kmeans/jobs/0").json()
    assert job["warnings"][-1] == warning
    assert client.get("/kmeans/jobs").json()["jobs"][0]["warnings"] == job["warnings"]
    assert "were found by an audit" in client.get("/kmeans/jobs/0/report").text
    body = warning.split("POST /kmeans/fit with ")[1].removesuffix(".")
    assert client.post_json("/kmeans/fit", json.loads(body)).status == 200
    mended = client.get("/kmeans/jobs/0").json()
    assert mended["scores"]["inertia"] == pytest.approx(found["best_inertia"])
    assert "an audit" not in str(mended)


def test_a_later_fit_has_no_warning_of_an_audit_of_the_one_before(client: Client) -> None:
    audit(client, PAIRS, n_clusters=3, init=BETWEEN, n_init=1)
    client.fit(0, {"n_clusters": 3, "init": BETWEEN, "n_init": 1, "max_iter": 299})
    assert "an audit" not in str(client.get("/kmeans/jobs/0").json())


def test_an_audit_that_ends_after_a_newer_fit_was_published_warns_of_nothing(
    client: Client,
) -> None:
    client.upload(PAIRS)
    client.fit(0, {"n_clusters": 3, "init": BETWEEN, "n_init": 1})
    old = reads.get(OWNER, 0)
    client.fit(0, {"n_clusters": 2})
    late = replace(explanations.of(old, "audit", 1, {}), warnings=("An audit of what was.",))
    with pytest.raises(FitConflict):
        explanations.note(late, StoredObject("models/x", "0" * 64, 1))
    assert "An audit" not in str(client.get("/kmeans/jobs/0").json())


def test_an_audit_that_ends_after_the_job_was_deleted_warns_of_nothing(client: Client) -> None:
    client.upload(PAIRS)
    client.fit(0, {"n_clusters": 3, "init": BETWEEN, "n_init": 1})
    old = reads.get(OWNER, 0)
    client.call("DELETE", "/kmeans/jobs/0")
    late = replace(explanations.of(old, "audit", 1, {}), warnings=("An audit of what was.",))
    with pytest.raises(JobGone):
        explanations.note(late, StoredObject("models/x", "0" * 64, 1))


def test_the_worker_writes_the_warning_of_an_audit_that_it_makes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upload(PAIRS)
    client.fit(0, {"n_clusters": 3, "init": BETWEEN, "n_init": 1})
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    assert client.get("/kmeans/jobs/0/audit").status == 202
    assert work_off() == 0
    [warning] = client.get("/kmeans/jobs/0/audit").json()["warnings"]
    assert client.get("/kmeans/jobs/0").json()["warnings"][-1] == warning


def test_a_start_that_finds_what_the_search_does_not_is_asked_for_by_its_seed() -> None:
    X = load_iris().data
    fit = KMeans(3, init=np.array([[5.0, 3.4, 1.5, 0.2]] * 3), n_init=1, max_iter=1).fit(X)
    space = Space(np.zeros(4), 1.0)
    recipe = Recipe(n_clusters=3, random_state=5)
    predictor = Predictor(space, fit.cluster_centers_)
    found, best = optimum.audit(X.copy(), None, predictor, fit.inertia_, recipe, 5, lambda: None)
    assert best.algorithm == "swap"
    [warning] = optimum.warnings_of(found, replace(best, algorithm="lloyd", n_init=1), 7)
    asked = {"algorithm": "lloyd", "n_clusters": 3, "n_init": 1, "random_state": 5}
    assert json.dumps({"job_id": 7, "model_params": asked}) in warning


def test_of_rows_that_may_lie_on_their_centers_a_gap_has_no_share() -> None:
    X = np.array([[0.0], [0.0], [4.0]])
    predictor = Predictor(Space(np.zeros(1), 1.0), np.array([[1.0], [9.0]]))
    recipe = Recipe(n_clusters=2, random_state=0)
    found, best = optimum.audit(X, None, predictor, 11.0, recipe, 3, lambda: None)
    assert (found.best_inertia, found.gap) == (0, None)
    [warning] = optimum.warnings_of(found, best, 0)
    assert "100 % less inertia" in warning


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


def test_the_report_says_what_the_clusters_were_made_with(client: Client) -> None:
    client.upload(TWO)
    client.fit(0, {"n_clusters": 2, "algorithm": "elkan", "random_state": 41})
    report = client.get("/kmeans/jobs/0/report").text
    assert "<dt>Algorithm</dt><dd>elkan</dd>" in report
    assert "<dt>Seed</dt><dd>41</dd>" in report


def test_the_report_has_the_request_as_it_was_written(client: Client) -> None:
    client.upload("größe,x\n1,2\n1,4\n10,2\n10,5\n".encode())
    asked = {"model_params": {"n_clusters": 2}, "preprocessing": {"columns": ["größe"]}}
    assert client.post_json("/kmeans/fit", {"job_id": 0} | asked).status == 200
    report = unescape(client.get("/kmeans/jobs/0/report").text)
    [command] = re.findall(r'curl -s "\$KMEANS/kmeans/fit" [^<]+', report)
    sent = json.loads(shlex.split(command)[-1])
    assert sent["preprocessing"]["columns"] == ["größe"]
    assert sent["model_params"]["n_clusters"] == 2
    assert "größe" in command
