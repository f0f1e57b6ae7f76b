"""Mutants of functions/ and local/: a session that lasts, in Cosmic Ray's own database."""

import ast
import random
import uuid
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

from mutants import operators, tests_of
from mutants.tree import HOME, Warm, changed, copied, digest

# Of the tests of one mutant together, and of one of them.
SECONDS, SECONDS_OF_ONE = 600, 90
_PASSES: set[str] = set()
OUTCOMES = {"survived": TestOutcome.SURVIVED, "no tests": TestOutcome.INCOMPETENT}


def modules(tree: Path, wanted: list[str]) -> list[Path]:
    found = [*tree.glob("functions/**/*.py"), *tree.glob("local/*.py")]
    return sorted(path for path in found if any(_fits(path, tree, glob) for glob in wanted))


def _fits(path: Path, tree: Path, glob: str) -> bool:
    return fnmatch(str(path.relative_to(tree)), glob)


def sites(tree: Path, path: Path) -> Iterator[list[MutationSpec]]:
    """Every place of the module with the mistakes that can be made there."""
    nodes = list(ast_nodes(get_ast_from_path(path)))
    annotations = set(_annotations(path))
    found: dict[Any, list[MutationSpec]] = {}
    for name in operators.used():
        operator = get_operator(name)
        if operator.arguments():
            continue
        places = [(node, *place) for node in nodes for place in operator().mutation_positions(node)]
        for occurrence, (node, start, end) in enumerate(places):
            if start[0] in annotations:
                continue
            spec = MutationSpec(
                module_path=str(path.relative_to(tree)),
                operator_name=name,
                operator_args={},
                occurrence=occurrence,
                start_pos=start,
                end_pos=end,
                definition_name=ASTQuery(node).get_definition_name(),
            )
            found.setdefault(start, []).append(spec)
    yield from found.values()


def _annotations(path: Path) -> Iterator[int]:
    """Lines of nothing but types: no program behaves by them."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                types = [
                    node.returns,
                    *(
                        given.annotation
                        for given in ast.walk(node.args)
                        if isinstance(given, ast.arg)
                    ),
                ]
                yield from (
                    line
                    for part in types
                    if part
                    for line in _lines(part)
                    if line < node.body[0].lineno
                )
            case ast.AnnAssign(value=None) | ast.TypeAlias() | ast.Import() | ast.ImportFrom():
                yield from _lines(node)


def _lines(node: Any) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def chosen(tree: Path, wanted: list[str], sample: int | None, seed: int) -> list[WorkItem]:
    """All mutants; or, of so many places, drawn by the seed, one each."""
    places = [site for path in modules(tree, wanted) for site in sites(tree, path)]
    if sample is None:
        specs = [spec for site in places for spec in site]
    else:
        source = random.Random(seed)  # noqa: S311 (a sample)
        drawn = source.sample(places, min(sample, len(places)))
        specs = [source.choice(site) for site in drawn]
    return [WorkItem.single(job_id=uuid.uuid4().hex, mutation=spec) for spec in specs]


def begun(tree: Path, wanted: list[str], sample: int | None, seed: int) -> WorkDB:
    """The session of just this code and sample: a new one, or the one that was begun."""
    code = digest(modules(tree, wanted))
    path = HOME / f"{code}-{sample or 'all'}-{seed}.sqlite"
    known = path.exists()
    database = WorkDB(str(path), WorkDB.Mode.create)
    if not known:
        database.add_work_items(chosen(tree, wanted, sample, seed))
    print(f"{database.num_work_items} mutants, {database.num_results} of them done: {path.name}")
    return database


def mutated(tree: Path, spec: MutationSpec) -> str | None:
    source = (tree / spec.module_path).read_text()
    return mutate_code(source, get_operator(spec.operator_name)(), spec.occurrence)


def try_all(wanted: list[str], sample: int | None, seed: int, *, again: bool) -> WorkDB:
    """Run the tests on each mutant that has no result; `again`: on those that survived as well."""
    tree = copied()
    database = begun(tree, wanted, sample, seed)
    items = [(item, tests_of.MOST) for item in database.pending_work_items]
    if again:
        survived = {job for job, result in database.results if not result.is_killed}
        done = [item for item, _ in database.completed_work_items if item.job_id in survived]
        items += [(item, None) for item in done]  # by all that come there
    looking = tests_of.looking()
    warm = Warm()
    try:
        for item, most in items:
            [spec] = item.mutations
            tests = looking.at(str(spec.module_path), spec.start_pos[0], spec.end_pos[0], most)
            database.set_result(item.job_id, _result(tree, warm, spec, tests))
    finally:
        warm.close()
    return database


def _result(tree: Path, warm: Warm, spec: MutationSpec, tests: list[str]) -> WorkResult:
    text = mutated(tree, spec)
    path = tree / spec.module_path
    before = path.read_text()
    if text is None or text == before or not _compiles(text):
        return WorkResult(worker_outcome=WorkerOutcome.NO_TEST)
    found = {"outcome": "survived", "said": "no test comes here"}
    with changed(path, text):
        for part in (tests[: tests_of.FIRST], tests[tests_of.FIRST :]):
            if part and found["outcome"] == "survived":
                found = warm.run([*part, f"--timeout={SECONDS_OF_ONE}", "-m", "not soak"], SECONDS)
    _check_without(warm, found["said"])
    place = f"{spec.module_path}:{spec.start_pos[0]} {spec.operator_name.partition('/')[2]}"
    print(f"{found['outcome']:9} {place}  {found['said'].splitlines()[-1:]}", flush=True)
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL,
        output=found["said"],
        test_outcome=OUTCOMES.get(found["outcome"], TestOutcome.KILLED),
        diff=difference(before, text),
    )


def _check_without(warm: Warm, said: str) -> None:
    """The test that failed must pass without the mistake, or it has noticed nothing."""
    name = said.removeprefix("FAILED ").partition(" - ")[0]
    if not said.startswith("FAILED ") or name in _PASSES:
        return
    found = warm.run([name], SECONDS)
    if found["outcome"] != "survived":
        raise RuntimeError(f"{name} fails without any mistake too: {found['said']}")
    _PASSES.add(name)


def _compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def difference(before: str, after: str) -> str:
    """The lines that differ, without those around them."""
    import difflib

    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))
