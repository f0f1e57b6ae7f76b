"""Every command and every Python block of the documentation, run in order as a reader would.

Each page begins with a service that is empty. A block that cannot be run here says so, and why:
```bash no-test aws. An answer that is shown stands in the block right below its commands; "…" in it
is whatever came.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import PROJECT
from harness.clusterings import LABEL_ROWS, as_good
from harness.documents import Example, pages, parts
from harness.reader import Reader
from harness.service.closed import running
from harness.service.running import Service, serving

RUN_ELSEWHERE = {"docs/first-deployment.md"}  # by tests/test_first_deployment.py
PARTS = {
    str(page.relative_to(PROJECT)): found for page in pages() if (found := parts(page.read_text()))
}
CLOSED = [page for page, [first, *_] in PARTS.items() if first[0].closed]
PAGES = sorted(PARTS.keys() - RUN_ELSEWHERE - set(CLOSED))
README = (PROJECT / "README.md").read_text()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("documents")) as service:
        yield service


@pytest.fixture(scope="module")
def reader(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(tmp_path_factory.mktemp("clone"), service)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_what_it_shows(page: str, reader: Reader) -> None:
    wrong = wrong_in(page, reader)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", CLOSED)
def test_a_page_on_tokens_answers_what_it_shows(page: str, tmp_path: Path) -> None:
    for closed in running(tmp_path, "TOKEN"):
        (tmp_path / "clone").mkdir()
        assert wrong_in(page, Reader(tmp_path / "clone", closed.service)) == []


def wrong_in(page: str, reader: Reader) -> list[str]:
    """The examples that answer something else."""
    return [
        f"{example.code}\nshows\n{example.answer}\nbut came\n{came}"
        for told in PARTS[page]
        for example, came in zip(told, reader.reads(told), strict=True)
        if not right(example, came)
    ]


def right(example: Example, came: str) -> bool:
    if LABEL_ROWS.fullmatch(example.answer):
        return as_good(came, example.answer)
    return example.shows(came)


def test_the_defaults_of_a_fit_are_those_of_the_code() -> None:
    from kmeans_service.recipes.recipe import Recipe

    page = (PROJECT / "docs/reference/fit.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", page, re.M))
    params = Recipe().model_params
    assert {name: rows[name] for name in params} == {
        name: f'"{value}"' if isinstance(value, str) else str(value)
        for name, value in params.items()
    }


def test_what_the_readme_says_of_costs_was_measured() -> None:
    measured = (PROJECT / "docs/benchmarks.md").read_text()
    rows = re.findall(r"^\| ([\d,]+ \w+, \S+ × \d+) \|.*\*\*([\d.]+)\*\* \|$", measured, re.M)
    costs = {what: float(dollars) for what, dollars in rows}
    assert f"{costs['1,000 fits, 100,000 × 2'] * 100:.0f} cents" in README
    assert f"${costs['1,000,000 predictions, 6 × 2']:.2f}" in README


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len(README.splitlines()) <= 150
