"""The pickle: made at its first download, noted, counted, and gone with its model."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.api import Client
from harness.system import items, job, keys, sweep, work_off
from harness.timing import Clock
from kmeans_service import config
from kmeans_service.lifecycle import fits, leftovers
from kmeans_service.storage import DataBucket, sha256_of
from kmeans_service.stored_object import StoredObject


def counted() -> int:
    [counters] = items(prefix="META")
    return int(counters["stored_bytes"])


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload()
    assert client.fit(0).status == 200
    return client


def test_the_pickle_is_made_at_its_first_download_noted_and_counted(fitted: Client) -> None:
    assert job().published.pickle is None
    before = counted()
    first = fitted.get("/kmeans/jobs/0/model")
    pickle = job().published.pickle
    assert pickle is not None
    assert first.headers["X-Model-Sha256"] == pickle.sha256 == sha256_of(first.body)
    assert "scikit-learn=" in first.headers["X-Library-Versions"]
    assert pickle.key.startswith(job().fit_prefix)
    assert counted() == job().stored_bytes == before + len(first.body)
    again = fitted.get("/kmeans/jobs/0/model", **{"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert fitted.get("/kmeans/jobs/0/model").body == first.body
    assert len(keys(job().fit_prefix)) == 4
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (counted(), keys()) == (0, [])


def test_of_pickles_that_are_asked_for_at_once_one_is_noted(fitted: Client) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: fitted.get("/kmeans/jobs/0/model"), range(5)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert counted() == job().stored_bytes
    assert len(keys(job().fit_prefix)) == 4


def test_a_pickle_that_is_made_while_another_fit_runs_goes_with_its_model(
    clock: Clock, fitted: Client
) -> None:
    fitted.fit(0, {"n_clusters": 3}, Prefer="respond-async")
    claimed = fits.claim(job())
    assert fitted.get("/kmeans/jobs/0/model").status == 200
    assert job().published.pickle is None
    fits.release(claimed, spent=0)
    assert work_off() == 0
    clock.pass_by(config.PRESIGNED_SECONDS + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert counted() == job().stored_bytes
    assert len(keys("models/")) == 3


def test_a_pickle_of_a_queued_fits_model_is_counted_out_when_it_is_replaced(
    clock: Clock, fitted: Client
) -> None:
    fitted.fit(0, {"n_clusters": 3}, Prefer="respond-async")
    assert fitted.get("/kmeans/jobs/0/model").status == 200
    assert job().published.pickle is not None
    assert work_off() == 0
    clock.pass_by(config.PRESIGNED_SECONDS + leftovers.MARGIN_SECONDS)
    assert sweep()["removed"] == 1
    assert counted() == job().stored_bytes


def test_a_pickle_of_a_job_that_is_deleted_meanwhile_is_not_left_behind(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DataBucket.put

    def put_and_delete(*arguments: Any) -> StoredObject:
        made = real(*arguments)
        monkeypatch.setattr(DataBucket, "put", real)
        assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
        real(*arguments)
        return made

    monkeypatch.setattr(DataBucket, "put", put_and_delete)
    assert fitted.get("/kmeans/jobs/0/model").status == 410
    assert keys() == []


def test_a_fit_that_the_kernel_computes_imports_no_scikit_learn() -> None:
    program = (
        "import sys\n"
        "import numpy as np\n"
        "from kmeans_service.fitting import clustering, pickles\n"
        "from kmeans_service.recipes.params import parse_params\n"
        "clustering.fit(np.arange(12.0).reshape(6, 2), parse_params({'n_clusters': 2}))\n"
        "print(sorted({'sklearn', 'scipy', 'joblib'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(config.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
