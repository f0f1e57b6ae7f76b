"""What every page keeps to, so that what it tells can be checked."""

import re
from pathlib import Path

import pytest

from harness import PROJECT
from harness.documents import FENCE, NOT_RUN, pages

# Why a block is not run: it needs AWS, or Docker; it goes on until it is stopped; it installs
# packages; it takes what the tests have not. What needs the client's own environment is run there,
# by client/tests/test_documents.py.
REASONS = {"aws", "docker", "stays", "installs", "needs", "client"}
PAGES = pages()
TARGETS = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.M)


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_command_is_left_out_but_those_that_say_so_and_why(page: Path) -> None:
    for fence in FENCE.finditer(page.read_text()):
        if fence["info"] in ("", "json", "text", "bash", "bash closed", "python"):
            continue
        left_out = NOT_RUN.fullmatch(fence["info"])
        assert left_out, fence["info"]
        if page.name != "first-deployment.md":
            assert left_out["reason"] in REASONS, fence[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_stand_in_blocks_that_say_that_they_are_commands(page: Path) -> None:
    """And not indented, where nothing would look at them."""
    prose = FENCE.sub("", page.read_text())
    commands = r"^    (make|curl|aws|kmeans|pip|export|git|eval|python|\.venv\S*) .*"
    assert [found[0] for found in re.finditer(commands, prose, re.M)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_make_target_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"(?:^|[`(])make (?:-s )?([a-z-]+)", page.read_text(), re.M)
    assert set(named) - set(TARGETS) == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_command_is_one_that_macos_lacks(page: Path) -> None:
    """Or takes otherwise; `make run` and the first deployment are for macOS, too."""
    gnu = r"\b(sha256sum|md5sum|timeout|tac|nproc|readlink -f|date -d|stat -c|sed -i|grep -P)\b"
    for fence in FENCE.finditer(page.read_text()):
        if fence["info"].startswith("bash"):
            assert not re.search(gnu, fence["text"]), fence[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_table_has_a_head_and_as_many_cells_in_every_line(page: Path) -> None:
    """Else it is shown as text."""
    prose = FENCE.sub("", page.read_text())
    for table in re.findall(r"(?:^\|.*\n)+", prose, re.M):
        head, line, *rows = table.splitlines()
        assert re.fullmatch(r"\|(-+\|)+", line.replace(" ", "")), head
        assert {cells(row) for row in rows} == {cells(head)} == {cells(line)}, head


def cells(row: str) -> int:
    return len(re.sub(r"`[^`]*`|\\\|", "", row).split("|"))
