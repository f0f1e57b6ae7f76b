"""A driver that dies, wherever it is: no result of it, and one that is started anew comes to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distributed import job, rows, tasks, work
from distributed.progress import Telling
from harness.alone import Alone
from harness.faults import Died
from harness.spark_runs import Runs, running, written
from harness.spark_tables import csv, s1_like
from kmeans_service.fitting.kernel import library

pytestmark = pytest.mark.skipif(not library.runs_here(), reason="the kernel needs AVX2")

BODY = csv(s1_like(n=400), header=True)
ASKED: dict[str, Any] = {"model_params": {"n_clusters": {"min": 2, "max": 4}}}
RANGE_BYTES = 2000
STAGES = ("CHECKING", "READING", "CHOOSING", "FITTING", "LABELLING", "STORING")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.setattr(rows, "PART_BYTES", 1)
    with running(tmp_path, monkeypatch) as made:
        yield made


def dies(runs: Runs, uri: str) -> None:
    with pytest.raises(Died):
        work.do(job.load(uri), Alone(), RANGE_BYTES)
    folder = runs.folder / uri.removeprefix("s3://")
    assert not folder.with_name("result.json").exists()


def finishes(runs: Runs, uri: str) -> None:
    work.do(job.load(uri), Alone(seed=1), RANGE_BYTES)
    assert written(runs.result_of(uri)) == written(runs.run([BODY], RANGE_BYTES, **ASKED))


@pytest.mark.thorough
@pytest.mark.parametrize("stage", STAGES)
def test_one_that_dies_at_any_stage_leaves_no_result_and_the_next_one_finishes(
    stage: str, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = runs.asked([BODY], **ASKED)

    def die(_telling: Telling, progress: dict[str, Any]) -> None:
        if progress["stage"] == stage:
            raise Died

    with monkeypatch.context() as patched:
        patched.setattr(Telling, "__call__", die)
        dies(runs, uri)
    finishes(runs, uri)


@pytest.mark.thorough
def test_one_that_dies_while_labels_are_written_leaves_no_part_of_them(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = runs.asked([BODY], **ASKED)
    label = tasks.label

    def die(shared: Any, index: int, blocks: Iterator[Any]) -> Any:
        if index == 2:
            raise Died
        return label(shared, index, blocks)

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "label", die)
        dies(runs, uri)
    assert list((runs.folder / ".parts").iterdir()) == []
    finishes(runs, uri)
