"""What the project is made of: locks that change all or none; the list of what is deployed."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import vendored
from harness import PROJECT
from harness.template.sam import environment

DEPLOYED = ["functions", "layers/numpy", "layers/sklearn", "layers/formats", "layers/spark"]
LOCK = PROJECT / "requirements/lock.sh"
NOBODY_LISTENS = "http://127.0.0.1:9/simple"


def sources() -> list[Path]:
    """Every list of packages that is locked, relative to the project."""
    named = re.search(r"locks=\((.+?)\)", LOCK.read_text(), re.DOTALL)
    assert named
    return [Path(f"{name}.in") for name in named[1].split()]


def locked(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


# --- locks ------------------------------------------------------------------------


def test_every_list_of_packages_is_locked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.in"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {Path(name) for name in tracked.stdout.split()} == set(sources())


def test_every_locked_package_has_one_version_and_its_digests() -> None:
    for path in sources():
        text = (PROJECT / path).with_suffix(".txt").read_text()
        entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
        assert entries, path
        for entry in entries:
            assert re.match(r"[\w.-]+==\d\S*[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", entry), entry


class Project:
    """Copies of the script and of lists that want one package, from an index that is a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.index.mkdir()
        for path in sources():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("tiny\n")
        shutil.copy(LOCK, folder / "requirements")

    def publish(self, version: str) -> None:
        info = f"tiny-{version}.dist-info"
        with zipfile.ZipFile(self.index / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")

    def lock(self, **variables: str) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        inherited = {
            "PATH": path,
            "HOME": str(self.folder),
            "UV_CACHE_DIR": str(self.folder / "cache"),
        }
        return subprocess.run(
            ["requirements/lock.sh"],
            cwd=self.folder,
            env=inherited | variables,
            capture_output=True,
            text=True,
        )

    def offline(self, **variables: str) -> subprocess.CompletedProcess[str]:
        config = self.folder / "uv.toml"
        config.write_text(f'no-index = true\nfind-links = ["{self.index}"]\n')
        return self.lock(UV_CONFIG_FILE=str(config), **variables)

    def locks(self) -> dict[Path, str]:
        return {path: (self.folder / path).with_suffix(".txt").read_text() for path in sources()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.publish("1.0")
    assert made.offline().returncode == 0
    assert all(locked(text) == {"tiny": "1.0"} for text in made.locks().values())
    return made


def test_an_update_raises_every_lock_and_says_what_changed(project: Project) -> None:
    project.publish("1.1")
    assert project.offline().stdout == ""
    said = project.offline(UPGRADE="--upgrade")
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == [
        f"{path.with_suffix('')}: tiny 1.0 → 1.1" for path in sources()
    ]
    assert all(locked(text) == {"tiny": "1.1"} for text in project.locks().values())


def test_an_index_that_is_out_of_reach_changes_no_lock(project: Project) -> None:
    before = project.locks()
    said = project.lock(UPGRADE="--upgrade", UV_DEFAULT_INDEX=NOBODY_LISTENS, UV_HTTP_RETRIES="0")
    assert said.returncode != 0
    assert "all locks are as they were" in said.stderr
    assert project.locks() == before


def test_one_list_that_cannot_be_resolved_changes_no_lock(project: Project) -> None:
    before = project.locks()
    project.publish("1.1")
    (project.folder / sources()[-1]).write_text("tiny\nabsent\n")
    said = project.offline(UPGRADE="--upgrade")
    assert said.returncode != 0
    assert f"{sources()[-1]} could not be resolved" in said.stderr
    assert project.locks() == before


# --- the list of what is deployed --------------------------------------------------


@cache
def sbom(file: Path) -> dict[str, Any]:
    """What `make sbom` writes."""
    made = subprocess.run(
        ["make", "sbom", f"SBOM={file}"],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    read: dict[str, Any] = json.loads(file.read_text())
    return read


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"


def test_the_sbom_lists_what_is_deployed_with_the_digests_of_the_locks(file: Path) -> None:
    text = "".join((PROJECT / name / "requirements.txt").read_text() for name in DEPLOYED)
    components = [entry for entry in sbom(file)["components"] if "pypi" in entry["purl"]]
    assert {entry["name"]: entry["version"] for entry in components} == locked(text)
    digests = {
        digest["content"]
        for entry in components
        for reference in entry["externalReferences"]
        for digest in reference["hashes"]
    }
    assert digests == set(re.findall(r"--hash=sha256:(\w{64})", text))


def test_the_sbom_lists_what_was_taken_from_npm_with_its_digest(file: Path) -> None:
    entries = {entry["name"]: entry for entry in sbom(file)["components"] if "npm" in entry["purl"]}
    assert set(entries) == {package.name for package in vendored.PACKAGES}
    for package in vendored.PACKAGES:
        entry = entries[package.name]
        assert entry["version"] == package.version
        digest = base64.b64encode(bytes.fromhex(entry["hashes"][0]["content"])).decode()
        assert package.integrity == f"sha512-{digest}"


def test_the_sbom_names_the_project_its_version_and_every_licence(file: Path) -> None:
    from kmeans_service import __version__

    project = sbom(file)["metadata"]["component"]
    assert (project["name"], project["version"]) == ("kmeans-service", __version__)
    for entry in sbom(file)["components"]:
        assert entry["licenses"], entry["name"]


def test_the_sbom_knows_what_needs_what(file: Path) -> None:
    needs = {entry["ref"]: entry["dependsOn"] for entry in sbom(file)["dependencies"]}
    [sklearn] = [ref for ref in needs if ref.startswith("pkg:pypi/scikit-learn@")]
    assert any(ref.startswith("pkg:pypi/scipy@") for ref in needs[sklearn])
    assert set(needs) == {entry["bom-ref"] for entry in sbom(file)["components"]} | {
        sbom(file)["metadata"]["component"]["bom-ref"]
    }


def test_the_same_locks_make_the_same_sbom(file: Path) -> None:
    assert sbom(file.with_name("again.json")) == sbom(file)
    assert file.with_name("again.json").read_bytes() == file.read_bytes()
    assert "serialNumber" not in sbom(file)


# --- checkov ----------------------------------------------------------------------


def test_every_check_that_is_skipped_says_why() -> None:
    text = (PROJECT / ".checkov.yaml").read_text()
    skipped = yaml.safe_load(text)["skip-check"]
    explained = re.findall(r"(?:^  # .+\n)+  - (CKV_AWS_\d+)$", text, re.MULTILINE)
    assert explained == skipped
