"""Fits that run elsewhere, without Spark: a run here is this process, which fits in memory and
writes what a run writes, under the endpoint that `make run ENGINE=spark` has.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from distributed import work
from distributed.job import load
from harness.alone import Alone
from harness.api import Answer, Client
from harness.system import deliver, let_all_be_ready, sweep, waiting, work_off
from kmeans_service import aws, config
from kmeans_service.errors import ServiceError
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.fitting.computation import compute
from kmeans_service.fitting.data import Data
from kmeans_service.fitting.engines import in_memory
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle import reads
from kmeans_service.models.published import Published
from kmeans_service.problems import problem_document
from kmeans_service.runs import program
from kmeans_service.storage import data_bucket
from local.spark.endpoint import changed, serving
from local.spark.runs import Run, Runs

APPLICATION = "00f1cbsc6anuij25"
RANGE_BYTES = 1000
ROLE = "arn:aws:iam::123456789012:role/spark"

type Work = Callable[[str], int]
"""What a run does with the prefix of its fit; its exit code."""


@dataclass
class Step:
    """A run that goes on until it is told to do its work."""

    asked: dict[str, Any]
    killed: bool = False
    code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.killed = True

    @property
    def prefix(self) -> str:
        [uri] = self.asked["jobDriver"]["sparkSubmit"]["entryPointArguments"]
        found = re.fullmatch("s3://[^/]+/(.*/)run.json", uri)
        assert found is not None
        return found[1]


@dataclass
class Elsewhere:
    """The application, and what happens to its runs."""

    runs: Runs = field(init=False)
    started: list[Step] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs = Runs(self._launch, self._changed)

    def _launch(self, asked: dict[str, Any]) -> Step:
        self.started.append(Step(asked))
        return self.started[-1]

    def _changed(self, run: Run) -> None:
        if run.is_over:
            self.events.append(json.dumps(changed(APPLICATION, run)))

    def let_run(self) -> Step:
        """The last run that was started is RUNNING."""
        for _ in range(3):
            self.runs.step()
        return self.started[-1]

    def do(self, work: Work | None = None) -> str:
        """The last run does its work and ends: the event that tells of it."""
        step = self.let_run()
        step.code = (work or fitted)(step.prefix)
        self.runs.step()
        return self.events[-1]

    def states(self) -> list[str]:
        return [run.state for run in self.runs.in_states(())]


def fitted(prefix: str) -> int:
    """All that a run writes, as a fit in memory finds it."""
    put(prefix, "progress.json", {"stage": "FITTING", "percent": 50})
    try:
        model = compute(_claimed(prefix), _cluster, lambda _progress: None).published
    except ServiceError as error:
        put(prefix, "result.json", {"status": "refused", "problem": problem_document(error)})
    else:
        put(prefix, "result.json", {"status": "fitted", "model": said_of(model)})
    return 0


def over_files(prefix: str) -> int:
    """The program of a run itself, in this process: what no fit in memory reads."""
    run = load(data_bucket().uri(f"{prefix}run.json"))
    work.do(run, Alone(), RANGE_BYTES)
    return 0


def _cluster(data: Data, labels_file: IO[bytes], say: Say) -> Clustering:
    found = in_memory._cluster(data, labels_file, say)
    return replace(found, scores=replace(found.scores, method="spark"))


def _claimed(prefix: str) -> Any:
    _, owner, job_id, *_ = prefix.split("/")
    return reads.get(owner, int(job_id))


def said_of(model: Published) -> dict[str, Any]:
    objects = {
        name: getattr(model, name) for name in ("manifest", "arrays", "choice", "centers", "labels")
    }
    found = {name: vars_of(each) for name, each in objects.items() if each}
    return {"fit_id": model.fit_id, "scores": model.scores.as_json()} | found


def vars_of(stored: Any) -> dict[str, Any]:
    return {"key": stored.key, "sha256": stored.sha256, "size": stored.size}


def put(prefix: str, name: str, document: Any) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    aws.s3().put_object(Bucket=data_bucket().name, Key=f"{prefix}{name}", Body=body)


def changing(**members: Any) -> Work:
    """As `fitted`, but for what its result says."""
    return partial(_changing, members)


def _changing(members: dict[str, Any], prefix: str) -> int:
    code = fitted(prefix)
    result = json.loads(data_bucket().open(f"{prefix}result.json", None).stream.read())
    put(prefix, "result.json", result | members)
    return code


@contextmanager
def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Elsewhere]:
    """A deployment that has the engine."""
    (folder / "run.py").write_text("the module")
    (folder / "engine.tar.gz").write_bytes(b"the archive")
    (folder / "submit.txt").write_text("--conf a=1\n--conf archives={archive}#engine\n")
    there = Elsewhere()
    with serving(there.runs) as url:
        told = {
            "AWS_ENDPOINT_URL_EMR_SERVERLESS": url,
            "SPARK_APPLICATION": APPLICATION,
            "SPARK_ROLE": ROLE,
            "SPARK_PROCESSORS": "16",
            "SPARK_PROGRAM": str(folder),
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        for made in (config.distributed, aws.spark, program.stored):
            made.cache_clear()
        yield there
    for made in (config.distributed, aws.spark, program.stored):
        made.cache_clear()


CSV = b"1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n"


def ask(client: Client, **more: Any) -> Answer:
    """For a fit of job 0 in a run."""
    return client.post_json("/kmeans/fit", {"job_id": 0, "engine": "spark"} | more)


def finishes(client: Client, spark: Elsewhere) -> None:
    """The last run ends well, and all others have ended."""
    assert deliver(spark.do()) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert client.get("/kmeans/jobs/0/labels").labels() == [1, 1, 1, 0, 0, 0]
    sweep()
    assert {run.state for run in spark.runs.in_states(())} <= {"SUCCESS", "FAILED", "CANCELLED"}


def stored(prefix: str, name: str) -> bytes:
    """What a run has written."""
    return data_bucket().open(f"{prefix}{name}", None).stream.read()


def look() -> None:
    """What was put off has waited long enough."""
    let_all_be_ready()
    sweep()
    assert work_off() == 0


def nobody_looks_for_it_any_more(spark: Elsewhere) -> None:
    """All runs have ended, and nothing stands in line."""
    look()
    assert waiting() == []
    assert sweep()["cancelled"] == 0
    assert {run.state for run in spark.runs.in_states(())} <= {"SUCCESS", "FAILED", "CANCELLED"}
