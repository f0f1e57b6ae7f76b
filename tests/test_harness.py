"""What is used by several tests is in harness/, and nobody needs a test for anything."""

import ast
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from harness import PROJECT
from harness.api import Client, csv
from harness.timing import at_once
from kmeans_service.owners.rate import Meter

FOLDERS = ("tests", "harness", "bench", "fuzz", "mutants", "local", "functions", "layers", "ci")


def imported(module: Path) -> set[str]:
    """The modules that it names, in programs that it has as text too."""
    tree = ast.parse(module.read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                found.update(name.name for name in names)
            case ast.ImportFrom(module=str(name)):
                found.add(name)
            case ast.Constant(str(text)) if text.startswith("tests.") or "from tests" in text:
                found.add("tests.in_a_text")
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_imports_a_test(folder: str) -> None:
    modules = [path for path in (PROJECT / folder).rglob("*.py") if path != Path(__file__)]
    assert modules
    wrong = {
        str(module.relative_to(PROJECT))
        for module in modules
        if any(name.partition(".")[0] == "tests" for name in imported(module))
    }
    assert wrong == set()


def test_calls_at_once_answer_each_for_its_own_event(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_here = Barrier(4)

    def counted_when_all_are_here(_meter: Meter, _owner: str) -> bool:
        all_are_here.wait(timeout=30)
        return True

    monkeypatch.setattr(Meter, "spend", counted_when_all_are_here)
    uploads = [partial(client.upload, csv(n), f"{n}.csv") for n in range(4)]
    names = [answer.json()["filename"] for answer in at_once(uploads)]
    assert names == ["0.csv", "1.csv", "2.csv", "3.csv"]


def test_what_asks_for_nothing_is_a_unit_test(request: pytest.FixtureRequest) -> None:
    assert sizes(request) == {"unit"}


def test_what_is_on_moto_is_none(request: pytest.FixtureRequest, client: Client) -> None:
    del client  # to ask for it is enough
    assert sizes(request) == {"aws"}


def sizes(request: pytest.FixtureRequest) -> set[str]:
    return {mark.name for mark in request.node.iter_markers()} & {"unit", "aws"}
