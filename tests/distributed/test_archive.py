"""What is sent to a cluster: it needs nothing there but Python and Spark, on either processor."""

import os
import platform
import struct
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness import PROJECT
from harness.template.sam import build, environment
from layers.build import ARCHIVE, RUN, SUBMIT, collect

MOST_BYTES = 30_000_000
OF_ELF = {"x86_64": 0x3E, "arm64": 0xB7}
HERE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
ELSEWHERE = {"x86_64": "arm64", "arm64": "x86_64"}[HERE]
PROGRAM = """
import io, os, sys
sys.path.append({root!r})
os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
from distributed import data, files, job, progress, work
import arro3.io
from kmeans_service import aws
from kmeans_service.fitting.kernel.library import library
from kmeans_service.tables.table import read_table
library().nearest, aws.s3()
table = read_table(lambda: io.BytesIO(b"x,y\\n1,2\\n3,4\\n"))
own = {root!r}, sys.base_prefix
others = [
    name
    for name, module in sys.modules.items()
    if getattr(module, "__file__", None) and not module.__file__.startswith(own)
]
print(table.n_rows, others)
"""


@cache
def built(architecture: str) -> Path:
    """The folder that carries it, which `make build` has left if it is for the same processor."""
    if architecture == os.environ.get("ARCHITECTURE", "x86_64"):
        return build() / "SparkLayer/spark"
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)  # it stays until the tests have ended
    collect()
    program = [sys.executable, str(PROJECT / "layers/build.py")]
    done = subprocess.run(
        [*program, "spark", architecture, folder.name],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Path(folder.name) / "spark"


_FOLDERS: list[TemporaryDirectory[str]] = []


def test_nothing_but_python_is_needed_to_import_what_a_run_does(tmp_path: Path) -> None:
    with tarfile.open(built(HERE) / ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROGRAM.format(root=str(tmp_path))],
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("2 []\n", "")


@pytest.mark.parametrize("architecture", [HERE, ELSEWHERE])
def test_its_libraries_are_for_the_processor_that_was_asked_for(architecture: str) -> None:
    with tarfile.open(built(architecture) / ARCHIVE) as archive:
        names = [name for name in archive.getnames() if name.endswith(".so")]
        assert {"csv_numbers.so", "kmeans.so"} <= set(names)
        for name in names:
            library = archive.extractfile(name)
            assert library is not None
            assert struct.unpack("<H", library.read(20)[18:])[0] == OF_ELF[architecture], name


def test_what_starts_it_lies_beside_it() -> None:
    folder = built(HERE)
    assert (folder / ARCHIVE).stat().st_size <= MOST_BYTES
    assert (folder / RUN).read_text() == (PROJECT / "distributed/run.py").read_text()
    assert "{archive}#engine" in (folder / SUBMIT).read_text()
