"""Every link of the documentation leads to a page that is there, and to a heading of it."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from harness import PROJECT
from harness.documents import FENCE, pages

DOCS = PROJECT / "docs"
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        yield (page.parent / path).resolve() if path else page, anchor


@cache
def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub and the site make them."""
    found: Counter[str] = Counter()
    named = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip())
        named.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return named


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), target
        if anchor:
            assert anchor in anchors(target), f"{target.name}#{anchor}"


@pytest.mark.parametrize("page", pages()[1:], ids=lambda page: str(page.relative_to(PROJECT)))
def test_no_link_of_docs_leads_out_of_it(page: Path) -> None:
    """The site has nothing else."""
    assert [target for target, _ in links(page) if not target.is_relative_to(DOCS)] == []


def test_every_page_is_led_to() -> None:
    """From README, or from a page that README leads to."""
    seen, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            waiting += [target for target, _ in links(page)]
    assert [page for page in pages() if page not in seen] == []


def test_every_picture_says_what_it_shows_and_is_shown() -> None:
    shown = set()
    for page in pages():
        for said, target in IMAGE.findall(page.read_text()):
            assert len(said) > 20, f"{page.name}: {target}"
            shown.add((page.parent / target).resolve())
    assert set(DOCS.rglob("*.png")) == shown
