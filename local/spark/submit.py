"""A run as a real `spark-submit`, on this machine's processors."""

import itertools
import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from local.settings import PROJECT, REGION, Settings
from local.spark.runs import PROCESSORS, Launch, Process

ENVIRONMENT = PROJECT / ".venv-spark"
SPARK_SUBMIT = ENVIRONMENT / "bin/spark-submit"
# No row goes through Java: what would compile its code well costs more than all that it runs.
# The archive of its classes is left unread where there is none, or it is of another Java.
JAVA = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:SharedArchiveFile={ENVIRONMENT}/classes.jsa"
TRIES = 4  # of a task, as on EMR Serverless
# What a task finds, as the rows of a sample, is where it is wanted: in the one Java that there is.
FOUND = "spark.task.maxDirectResultSize=1g"
OPTIONS = (
    *("--master", f"local[{PROCESSORS},{TRIES}]", "--driver-memory", "1g"),
    *("--driver-java-options", JAVA, "--conf", "spark.ui.enabled=false", "--conf", FOUND),
)


class Submitted:
    """A process and all that it starts."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def poll(self) -> int | None:
        return self._process.poll()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def launcher(settings: Settings) -> Launch:
    """Of the runs of this service, each with a log of its own."""
    numbers = itertools.count(1)

    def launch(asked: dict[str, Any]) -> Process:
        return _submit(settings, next(numbers), asked)

    return launch


def _submit(settings: Settings, number: int, asked: dict[str, Any]) -> Process:
    arguments = asked["jobDriver"]["sparkSubmit"]["entryPointArguments"]
    settings.spark.mkdir(parents=True, exist_ok=True)
    with (settings.spark / f"run-{number}.log").open("wb") as log:
        return Submitted(
            subprocess.Popen(
                [
                    str(SPARK_SUBMIT),
                    *OPTIONS,
                    *(str(PROJECT / "distributed/run.py"), *arguments),
                ],
                cwd=PROJECT,
                env=_environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )


def _environment(settings: Settings) -> dict[str, str]:
    """Nothing of the caller's AWS: the emulator is all that a run can reach."""
    names = ("PATH", "HOME", "LANG", "LC_ALL", "JAVA_HOME", "RANGE_MB")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return inherited | {
        "PYTHONPATH": f"{PROJECT / 'functions'}:{PROJECT}",
        "PYSPARK_PYTHON": str(ENVIRONMENT / "bin/python"),
        "PYSPARK_DRIVER_PYTHON": str(ENVIRONMENT / "bin/python"),
        "SPARK_LOCAL_DIRS": str(settings.scratch),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(settings.scratch),
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "OMP_NUM_THREADS": "1",
    }
