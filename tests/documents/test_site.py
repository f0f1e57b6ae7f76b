"""The site is built without a warning, and needs no other host."""

import re
import subprocess
from pathlib import Path

import pytest

from harness import PROJECT
from harness.documents import pages
from harness.needed import missing

MKDOCS = PROJECT / ".venv-docs/bin/mkdocs"
LOADED = re.compile(r'<(?:link|script|img|iframe)\b[^>]*(?:href|src)="?(https?://[^"> ]+)')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MKDOCS.exists():
        missing("no .venv-docs, which `make docs` makes")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [MKDOCS, "build", "--quiet", "-f", PROJECT / "docs_site/mkdocs.yml", "-d", folder],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    docs = PROJECT / "docs"
    made = [page.relative_to(docs).with_suffix(".html") for page in pages() if docs in page.parents]
    assert [page for page in made if not (site / page).exists()] == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert LOADED.findall(page.read_text()) == [], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(.?https?:", sheet.read_text()), sheet.name


def test_what_tests_are_told_is_not_shown(site: Path) -> None:
    assert not [page for page in site.rglob("*.html") if "no-test" in page.read_text()]
