"""However many processors a function has, and whichever function it is: the same bits."""

import numpy as np
import pytest

from harness.api import ASYNC, Client
from harness.system import job, work_off
from kmeans_service import config
from kmeans_service.fitting import runs

ONE, TWO = "1769", "3538"


def memory(monkeypatch: pytest.MonkeyPatch, megabytes: str) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", megabytes)


@pytest.mark.parametrize(
    ("megabytes", "processors"), [("512", 1), (ONE, 1), ("3008", 2), (TWO, 2), ("10240", 6)]
)
def test_memory_pays_for_processors(
    monkeypatch: pytest.MonkeyPatch, megabytes: str, processors: int
) -> None:
    memory(monkeypatch, megabytes)
    assert config.processors() == processors


def test_many_rows_are_shared_and_few_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    memory(monkeypatch, TWO)
    assert runs.rows_of(np.zeros((runs.SHARED_VALUES // 2, 2))).n_threads == 2
    assert runs.rows_of(np.zeros((10, 2))).n_threads == 1


def published(n: int = 0) -> tuple[str | None, ...]:
    """Digests of what the fit has stored: labels and centers, and the scores."""
    found = job(n).published
    assert found
    return found.labels.sha256, found.centers.sha256, str(found.scores)


@pytest.mark.parametrize("algorithm", ["lloyd", "swap"])
def test_a_fit_has_the_same_bits_on_one_thread_and_two_here_and_in_the_worker(
    client: Client, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    monkeypatch.setattr(runs, "SHARED_VALUES", 0)
    wanted = {"n_clusters": 9, "random_state": 3, "algorithm": algorithm}
    X = np.random.default_rng(0).uniform(size=(9_001, 3))
    client.upload(b"".join(b"%.6f,%.6f,%.6f\n" % tuple(row) for row in X))
    found = []
    for megabytes, how in ((ONE, {}), (ONE, {}), (TWO, {}), (TWO, ASYNC), (ONE, ASYNC)):
        memory(monkeypatch, megabytes)
        client.fit(0, {"n_clusters": 1})
        assert client.fit(0, wanted, **how).status == (202 if how else 200)
        work_off()
        found.append(published())
    assert found == [found[0]] * len(found)
