"""The engine beyond the worker, beside the emulator: an endpoint, and Spark behind it."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from local import deployment
from local.settings import PROJECT, Settings, StartRefused
from local.spark import APPLICATION, submit
from local.spark.endpoint import changed, serving
from local.spark.runs import Run, Runs

STEP_SECONDS = 0.5


def running(settings: Settings) -> AbstractContextManager[Mapping[str, str]]:
    """What functions must be told of it; nothing where there is none."""
    return _running(settings) if settings.engine == "spark" else nullcontext({})


@contextmanager
def _running(settings: Settings) -> Iterator[Mapping[str, str]]:
    if not submit.SPARK_SUBMIT.exists():
        raise StartRefused("Spark is not installed here; `make run ENGINE=spark` brings it.")
    program = _program(settings)
    runs = Runs(submit.launcher(settings), partial(_tell, settings))
    ended = threading.Event()
    with serving(runs) as url:
        stepping = threading.Thread(target=_step, args=(runs, ended), daemon=True)
        stepping.start()
        try:
            yield {"AWS_ENDPOINT_URL_EMR_SERVERLESS": url, "SPARK_PROGRAM": program}
        finally:
            ended.set()
            stepping.join()
            runs.close()


def _program(settings: Settings) -> str:
    """The files of the layer. Here a run imports what lies in the project, and no archive."""
    folder = settings.spark / "program"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.py").write_bytes((PROJECT / "distributed/run.py").read_bytes())
    (folder / "engine.tar.gz").write_bytes(b"")
    (folder / "submit.txt").write_text("--archives {archive}")
    return str(folder)


def _step(runs: Runs, ended: threading.Event) -> None:
    while not ended.wait(STEP_SECONDS):
        runs.step()


def _tell(settings: Settings, run: Run) -> None:
    """As EventBridge would, by the rule of the template: of a run that is over."""
    if run.is_over:
        queue = deployment.read_back(settings).queue_url
        sqs = deployment.client("sqs", settings)
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(changed(APPLICATION, run)))
