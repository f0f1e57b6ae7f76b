"""What is used by several tests is in harness/, and nobody needs a test for anything."""

import ast
from pathlib import Path

import pytest

from harness import PROJECT

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
