"""A copy of the project, to make mistakes in, and the runs of its tests."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("MUTANTS_HOME") or PROJECT / ".mutants")
TREE = HOME / "tree"
PYTHON = PROJECT / ".venv/bin/python"


def copied() -> Path:
    """The project's files as they are, committed or not, in the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    shutil.rmtree(TREE, ignore_errors=True)
    for name in listed:
        if name and (PROJECT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, TREE / name)
    for name in (".venv", ".venv-sam"):
        if (PROJECT / name).exists():
            (TREE / name).symlink_to(PROJECT / name)
    return TREE


def digest(paths: Iterable[Path]) -> str:
    """Of these files: mutants are places in just this code."""
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """The file with another text, and afterwards as it was."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def _compile_tests() -> None:
    """Once: no run keeps anything compiled, as a mistake in the code would be kept with it."""
    subprocess.run(
        [str(PYTHON), "-m", "pytest", "--collect-only", "-qq", "tests"],
        cwd=TREE,
        stdout=subprocess.DEVNULL,
        check=False,
    )


class Warm:
    """pytest in forks of one process: see warm.py."""

    def __init__(self) -> None:
        _compile_tests()
        self._process = subprocess.Popen(
            [str(PYTHON), "-B", str(TREE / "mutants" / "warm.py")],
            cwd=TREE,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # harness/fake_aws would set it too late
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, tests: list[str], seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({"tests": tests, "seconds": seconds}), file=self._process.stdin, flush=True
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that runs the tests has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
