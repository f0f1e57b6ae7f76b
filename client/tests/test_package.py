"""The wheel in environments of its own, with nothing but what it asks for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[1]


def found(version: str) -> str | None:
    """An interpreter; a name on the path may be a shim for a version that is not chosen here."""
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = shutil.which(f"python{version}")
    candidates = [named or "", *map(str, home.glob(f"versions/{version}.*/bin/python"))]
    return next(filter(runs, candidates), None)


def runs(python: str) -> bool:
    return bool(python) and not subprocess.run([python, "-c", ""], capture_output=True).returncode


OLDEST = list(filter(None, map(found, ("3.10", "3.11", "3.12"))))[:1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
EXTRAS = "[numpy,pandas,polars,sklearn,aws,plot]"
OF_THE_TESTS = ("pytest", "hypothesis", "pyyaml")
RUN_ON_EACH = ("test_auth", "test_client", "test_command", "test_estimator")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*build, str(CLIENT)], check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.parametrize("python", [sys.executable, *OLDEST])
def test_the_wheel_brings_all_that_it_needs(
    python: str, wheel: Path, url: str, tmp_path: Path
) -> None:
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv/bin"
    subprocess.run([programs / "pip", "install", "-q", wheel], check=True, capture_output=True)
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    outside["KMEANS_URL"] = url

    def kmeans(*words: str) -> str:
        run = [programs / "kmeans", *words]
        done = subprocess.run(run, capture_output=True, text=True, env=outside, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "predict" in kmeans("--help")
    (tmp_path / "points.csv").write_text("1,2\n1,4\n1,0\n10,2\n10,4\n10,0\n")
    assert "Cluster 1: 3 rows" in kmeans("points.csv", "-k", "2")
    code = (
        "import sys; from importlib.resources import files; from kmeans_client import Client;"
        "labels = Client(sys.argv[1]).fit_predict([[1, 2], [9, 9]], {'n_clusters': 2});"
        "assert sorted(labels) == [0, 1];"
        "assert files('kmeans_client').joinpath('py.typed').is_file()"
    )
    subprocess.run([programs / "python", "-c", code, url], check=True, env=outside)


@pytest.mark.pythons
@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_passes_the_tests_on_every_python(
    version: str, wheel: Path, url: str, tmp_path: Path
) -> None:
    """With the newest packages that this Python gets; nothing of the sources is in reach."""
    python = found(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True)
    own = tmp_path / "venv/bin/python"
    install = [own, "-m", "pip", "install", "-q", f"{wheel}{EXTRAS}", *OF_THE_TESTS]
    subprocess.run(install, check=True)
    shutil.copytree(CLIENT / "tests", tmp_path / "client/tests")
    shutil.copy(CLIENT / "pyproject.toml", tmp_path / "client")
    chosen = [f"tests/{name}.py" for name in RUN_ON_EACH]
    environment = {**os.environ, "KMEANS_URL_OF_TESTS": url}
    run = [own, "-m", "pytest", "-q", *chosen]
    done = subprocess.run(run, cwd=tmp_path / "client", env=environment)
    assert done.returncode == 0
