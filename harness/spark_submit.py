"""Runs on a real Spark, of two threads on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

from harness import PROJECT
from harness.needed import missing
from local.spark.submit import ENVIRONMENT, OPTIONS, SPARK_SUBMIT


def needed() -> None:
    """Skips the test where there is no Spark, saying what makes one."""
    if not shutil.which("java"):
        missing("Spark needs Java: Debian has it as default-jre-headless")
    if not (ENVIRONMENT / ".installed").exists():
        missing("there is no Spark here: make .venv-spark/.installed")


def command(program: Path, *arguments: str) -> list[str]:
    """As it is called."""
    needed()
    return [str(SPARK_SUBMIT), *OPTIONS, str(program), *arguments]


def environment(**more: str) -> dict[str, str]:
    """That of this test, with Spark's Python; its AWS is at AWS_ENDPOINT_URL."""
    return os.environ | {
        "PYTHONPATH": f"{PROJECT / 'functions'}:{PROJECT}",
        "PYSPARK_PYTHON": str(ENVIRONMENT / "bin/python"),
        "PYSPARK_DRIVER_PYTHON": str(ENVIRONMENT / "bin/python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def submitted(program: Path, *arguments: str, **environ: str) -> str:
    """What it printed; it must succeed."""
    done = subprocess.run(
        command(program, *arguments),
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout
