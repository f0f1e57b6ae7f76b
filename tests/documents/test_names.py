"""What a page names is there: calls, parameters of the template, files of the code."""

import re
import subprocess
from pathlib import Path

import pytest

from harness import PROJECT, contract
from harness.documents import pages

# Decisions are dated: they name what there was. The page on Python is made of what it names.
PAGES = [page for page in pages() if page.name not in ("decisions.md", "python.md")]
FOLDERS = (
    "functions",
    "functions/kmeans_service",
    "functions/docs",
    "distributed",
    "local",
    "tests",
    "layers",
    "",
)
PARAMETER = re.compile(r"`((?:Max|Worker|Fit|Job|Data|Kms|Api|Throttling|Alarm)[A-Z]\w+)`")


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_call_that_is_named_is_one_of_the_contract(page: Path) -> None:
    """Or the beginning of some."""
    named = re.findall(r"(?<![\w./])/kmeans(?:/(?:[\w.-]+|\{\w+\}))+", page.read_text())
    paths = contract.document()["paths"]
    unknown = [path for path in named if contract.template_of(path.rstrip(".")) == contract.UNKNOWN]
    assert [one for one in unknown if not any(path.startswith(f"{one}/") for path in paths)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_parameter_that_is_named_is_one_of_the_template(page: Path) -> None:
    """Or a resource, an output or a metric of it."""
    template = (PROJECT / "template.yaml").read_text()
    assert [one for one in PARAMETER.findall(page.read_text()) if one not in template] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_file_of_the_code_that_is_named_is_there(page: Path) -> None:
    named = set(re.findall(r"`((?:[a-z_]\w*/)*[a-z_]\w*\.(?:py|js|yaml|toml))`", page.read_text()))
    assert [file for file in named if not is_there(file)] == []


def is_there(file: str) -> bool:
    if any((PROJECT / folder / file).exists() for folder in FOLDERS):
        return True
    return any(found for folder in FOLDERS[:-1] for found in (PROJECT / folder).rglob(file))


def test_the_architecture_names_every_folder() -> None:
    tree = (
        (PROJECT / "docs/architecture.md")
        .read_text()
        .partition("## Folders")[2]
        .partition("\n## ")[0]
    )
    listed = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    paths = [file.split("/") for file in listed.stdout.splitlines()]
    folders = {path[0] for path in paths if len(path) > 1 and not path[0].startswith(".")}
    handlers = {path[1] for path in paths if path[0] == "functions" and len(path) > 2}
    assert [name for name in sorted(folders | handlers) if f"{name}/" not in tree] == []
