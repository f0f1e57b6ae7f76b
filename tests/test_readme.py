"""Every command of the README, run in order as a reader would, against a service of its own.

A block that cannot be run here says so in the README: ```bash no-test. An answer that is shown
stands in the block right below its commands; "…" in it is whatever came.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from itertools import groupby

import pytest

from harness import PROJECT
from harness.documents import BLOCK, Example
from harness.service.running import Service, serving

README = (PROJECT / "README.md").read_text()
LABEL_ROWS = re.compile(r"(\d\.\d{18}e[+-]\d\d\n)+")
LIMIT = 120  # seconds for all of them
NEXT = "\f"


EXAMPLES = [Example(found["code"], found["answer"] or "") for found in BLOCK.finditer(README)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("readme")) as service:
        yield service


@pytest.fixture(scope="module")
def said(service: Service, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each example printed, all run by one shell in a folder that looks like the clone."""
    clone = tmp_path_factory.mktemp("clone")
    for entry in PROJECT.iterdir():
        (clone / entry.name).symlink_to(entry)
    script = "".join(f"{example.code}\nprintf '{NEXT}'\n" for example in EXAMPLES)
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8080", address(service))],
        cwd=clone,
        env=service.environment
        | {"PATH": f"{PROJECT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    printed = shell.stdout.replace(address(service), "localhost:8080").split(NEXT)
    assert len(printed) == len(EXAMPLES) + 1, f"after {printed[-1]!r}: {shell.stderr[-2000:]}"
    return printed


def address(service: Service) -> str:
    return f"localhost:{service.port}"


@pytest.mark.parametrize("place", range(len(EXAMPLES)), ids=lambda place: EXAMPLES[place].name)
def test_an_example_answers_what_the_readme_shows(said: list[str], place: int) -> None:
    shown, came = EXAMPLES[place].answer, said[place]
    if not shown:
        assert came == ""
    elif LABEL_ROWS.fullmatch(shown):
        assert LABEL_ROWS.fullmatch(came)
        assert len(clusters(came)) == len(clusters(shown))
        assert quality(came) == quality(shown)
    else:
        pattern = ".*?".join(map(re.escape, shown.strip().split("…")))
        assert re.fullmatch(pattern, came.replace("\r", "").strip(), re.S), came


def clusters(labels: str) -> list[list[int]]:
    """Rows that have one label, whatever its number."""
    rows = sorted(enumerate(labels.split()), key=lambda row: row[1])
    return [[row for row, _ in group] for _, group in groupby(rows, key=lambda row: row[1])]


def quality(labels: str) -> float:
    """Of the six points' clustering its inertia, as several are equally good; else nothing."""
    points = [(1, 2), (1, 4), (1, 0), (10, 2), (10, 4), (10, 0)]
    if len(labels.split()) != len(points):
        return 0.0
    return sum(inertia([points[row] for row in rows]) for rows in clusters(labels))


def inertia(points: list[tuple[int, int]]) -> float:
    """Sum of squared distances from the points' mean."""
    return sum(
        sum((value - sum(axis) / len(axis)) ** 2 for value in axis)
        for axis in zip(*points, strict=True)
    )


def test_no_command_is_left_out_but_those_that_say_so() -> None:
    fences = re.findall(r"^```(.+)$", README, re.M)
    assert {fence for fence in fences if fence != "json"} == {"bash", "bash no-test"}
    assert fences.count("bash") == len(EXAMPLES)


def test_what_the_readme_leads_to_is_there() -> None:
    for page in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"(?:^|[`(])make (?:-s )?([a-z-]+)", README, re.M)))
)
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.M)


def test_the_limits_of_the_readme_are_those_of_the_code() -> None:
    from kmeans_service import config
    from kmeans_service.recipes.recipe import Recipe

    limits = README.partition("## Limits")[2].partition("\n## ")[0]
    default = config.Limits()
    for limit in (
        default.rows,
        default.columns,
        default.cell_length,
        default.jobs,
        default.requests_per_minute,
        config.MAX_FILENAME_LENGTH,
    ):
        assert f"{limit:,}" in limits
    assert f"{config.MAX_INLINE_BYTES / 1e6} MB" in limits
    assert f"{config.MAX_ANSWER_BYTES / 1e6} MB" in limits
    assert f"{default.file_bytes // 1024**3} GiB" in limits
    assert f"{default.stored_bytes // 1024**3} GiB" in limits
    assert f"{default.work:.0e}".replace("+", "") in limits
    assert f"{default.line_length // 1024**2} MiB" in limits
    assert f"{config.MAX_HEADER_BYTES // 1024} KiB" in limits
    assert f"{config.SYNCHRONOUS_SECONDS:.0f} seconds" in limits
    rows = dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \|", README, re.M))
    params = Recipe().model_params
    assert {name: rows[name] for name in params} == {
        name: f'"{value}"' if isinstance(value, str) else str(value)
        for name, value in params.items()
    }


def test_no_command_is_one_that_macos_lacks() -> None:
    """Or takes otherwise; `make run` and the first deployment are for macOS, too."""
    gnu = r"\b(sha256sum|md5sum|timeout|tac|nproc|readlink -f|date -d|stat -c|sed -i|grep -P)\b"
    for page in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")):
        for block in re.findall(r"^```bash.*?\n(.*?)^```", page.read_text(), re.M | re.S):
            assert not re.search(gnu, block), (page.name, block)
