"""Runs on a real Spark, of two threads on this machine."""

import os
import shutil
import subprocess
from pathlib import Path

from harness import PROJECT
from harness.needed import missing

VENV = PROJECT / ".venv-spark"


def needed() -> None:
    """Skips the test where there is no Spark, saying what makes one."""
    if not shutil.which("java"):
        missing("Spark needs Java: Debian has it as default-jre-headless")
    if not (VENV / ".installed").exists():
        missing("there is no Spark here: make .venv-spark/.installed")


def command(program: Path, *arguments: str, **settings: str) -> list[str]:
    """As it is called; `settings` are Spark's, `_` for `.`."""
    needed()
    options = [f"--conf=spark.{name.replace('_', '.')}={value}" for name, value in settings.items()]
    submit = [str(VENV / "bin/spark-submit"), "--master=local[2]", "--driver-memory=1g"]
    return [*submit, *options, str(program), *arguments]


def environment(**more: str) -> dict[str, str]:
    """That of this test, with Spark's Python; its AWS is at AWS_ENDPOINT_URL."""
    return os.environ | {
        "PYTHONPATH": f"{PROJECT / 'functions'}:{PROJECT}",
        "PYSPARK_PYTHON": str(VENV / "bin/python"),
        "PYSPARK_DRIVER_PYTHON": str(VENV / "bin/python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def submitted(program: Path, *arguments: str, **environ: str) -> str:
    """What it printed; it must succeed."""
    done = subprocess.run(
        command(program, *arguments, ui_enabled="false"),
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout
