"""Lines that run once a process, at an import or behind a cache: who looks at what they define?"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

Place = tuple[str, int]
_ONCE = re.compile(r"\b(lru_)?cache\b")


def executed(tree: Path, module: str, lines: range) -> set[Place]:
    """The lines themselves; for one that runs once, each line that names what is defined there."""
    names = {
        name
        for statement in _statements(_parsed(tree / module).body)
        if {*lines} & {*range(_first(statement), (statement.end_lineno or 0) + 1)}
        for name in _defined(statement, lines)
    }
    places = {(module, line) for line in lines}
    return places | {place for name in names for place in _naming(tree).get(name, ())}


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Of a module and of its classes."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.ClassDef):
            yield from _statements(statement.body)


def _first(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _defined(statement: ast.stmt, lines: range) -> Iterator[str]:
    match statement:
        case ast.Assign(targets):
            yield from (node.id for node in targets if isinstance(node, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.FunctionDef(name=name, decorator_list=decorators):
            once = any(_ONCE.search(ast.unparse(decorator)) for decorator in decorators)
            if once or lines.start < statement.body[0].lineno:
                yield name


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _naming(tree: Path) -> dict[str, set[Place]]:
    """Every name, and where it stands in functions/ and local/."""
    found: dict[str, set[Place]] = {}
    for part in ("functions", "local"):
        for path in tree.glob(f"{part}/**/*.py"):
            for node in ast.walk(_parsed(path)):
                name = getattr(node, "id", None) or getattr(node, "attr", None)
                if isinstance(name, str):
                    line: int = node.lineno  # type: ignore[attr-defined]
                    found.setdefault(name, set()).add((str(path.relative_to(tree)), line))
    return found
