"""The wheel in environments of its own, with nothing but what it asks for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[1]


def runs(python: str) -> bool:
    """A name on the path may be a shim for a version that is not chosen here."""
    found = shutil.which(python)
    return bool(found) and not subprocess.run([found, "-c", ""], capture_output=True).returncode  # type: ignore[list-item]


OLDEST = [name for name in ("python3.10", "python3.11", "python3.12") if runs(name)][:1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*build, str(CLIENT)], check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.parametrize("python", [sys.executable, *OLDEST])
def test_the_wheel_brings_all_that_it_needs(python: str, wheel: Path, tmp_path: Path) -> None:
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv/bin"
    subprocess.run([programs / "pip", "install", "-q", wheel], check=True, capture_output=True)
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    shown = subprocess.run(
        [programs / "kmeans", "--help"], check=True, capture_output=True, text=True, env=outside
    )
    assert "predict" in shown.stdout
    code = (
        "from importlib.resources import files; from kmeans_client import Client, KMeansError;"
        "from kmeans_client.tables import table; assert table([[1, 2]]).size == 4;"
        "assert files('kmeans_client').joinpath('py.typed').is_file()"
    )
    subprocess.run([programs / "python", "-c", code], check=True, env=outside)
