"""What `make build` left, made once a session by those tests that look at it."""

import os
import subprocess
from functools import cache
from pathlib import Path

from harness import PROJECT
from local import transform

SAM = PROJECT / ".venv-sam/bin/sam"
BUILD = PROJECT / ".aws-sam/build"


@cache
def declared_variables() -> set[str]:
    return set(transform.source()["Globals"]["Function"]["Environment"]["Variables"])


def environment(**more: str) -> dict[str, str]:
    """The environment without anything that leads to somebody's AWS account or into a function.

    `sam local` gives a function each variable the template declares, from here if it is here.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in declared_variables()
    }
    # sam and the layers' builds look for python3.13 on the PATH.
    path = f"{SAM.parent}{os.pathsep}{inherited['PATH']}"
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return (
        inherited
        | credentials
        | {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0", "PATH": path}
        | more
    )


@cache
def installed() -> None:
    """Brings the SAM CLI, if it is not there yet."""
    subprocess.run(["make", ".venv-sam/.installed"], cwd=PROJECT, env=environment(), check=True)


@cache
def build() -> Path:
    """Runs `make build`; the folder with the built template, functions and layers."""
    made = subprocess.run(
        ["make", "build"],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert made.returncode == 0, made.stdout
    return BUILD
