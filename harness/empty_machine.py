"""A machine with nothing but Python, and a reader who types the README's first commands there.

A fresh clone, an empty home, an empty cache of packages, ports of its own.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import PROJECT
from harness.documents import examples, not_run
from harness.ports import free_port

LIMIT = 900.0  # seconds until the service is ready


def commands() -> tuple[str, str, str]:
    """Of README: what starts the service, what installs the command, and what clusters a file."""
    readme = (PROJECT / "README.md").read_text()
    left_out = {reason: code.strip() for code, reason in reversed(list(not_run(readme)))}
    return left_out["stays"], left_out["installs"], examples(readme)[0].code.strip()


def measured(folder: Path) -> tuple[list[tuple[str, float]], float]:
    """Each command and its seconds by the clock, in a folder made for it; the CPU time of all."""
    before = _cpu()
    folder.mkdir()
    clone, own = folder / "clone", folder / "own"
    subprocess.run(["git", "clone", "--quiet", PROJECT, clone], check=True)
    environment = _empty(folder)
    run, install, cluster = commands()
    python = environment["PYTHON"]
    subprocess.run([python, "-m", "venv", own], check=True)  # "a virtual environment of yours"
    environment["PATH"] = f"{own / 'bin'}{os.pathsep}{environment['PATH']}"
    with _running(run, clone, environment, folder / "log") as started:
        timed = [(run, started)]
        for command in (install, cluster):
            began = time.monotonic()
            subprocess.run(
                ["bash", "-c", command], cwd=clone, env=environment, check=True, stdout=sys.stderr
            )
            timed.append((command, time.monotonic() - began))
    [report] = clone.glob("*.report.html")
    assert "<svg" in report.read_text(), "the report has no picture"
    return timed, _cpu() - before


def _cpu() -> float:
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _empty(folder: Path) -> dict[str, str]:
    """An environment that knows of nothing that is there already, but of the package index."""
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    settings = Path.home() / ".config/pip/pip.conf"
    port = free_port()
    return (
        {"PIP_CONFIG_FILE": str(settings)}
        | index
        | {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "PIP_NO_CACHE_DIR": "1",
            "PYTHON": str(Path(sys.base_prefix) / "bin/python3"),
            "PORT": str(port),
            "EMULATOR_PORT": str(free_port()),
            "KMEANS_URL": f"http://localhost:{port}/kmeans",
        }
    )


@contextmanager
def _running(command: str, clone: Path, environment: dict[str, str], log: Path) -> Iterator[float]:
    """The service, and the seconds until it was ready."""
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while "Ready" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - began < LIMIT, log.read_text()
            time.sleep(0.1)
        yield time.monotonic() - began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
