"""What is shown: results on standard output, how far it is on standard error."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click


def answer(value: Any) -> None:
    """As JSON, for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def say(line: str) -> None:
    """To whoever waits, not among the results."""
    click.echo(line, err=True)


def once() -> Callable[[str], None]:
    """Says what is not what was said before it."""
    before = [""]

    def tell(line: str) -> None:
        if line != before[0]:
            before[0] = line
            say(line)

    return tell


def rows(names: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    """A table: numbers to the right, words to the left."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        numbers = bool(lines) and all(isinstance(line[place], int | float) for line in lines)
        table.add_column(name, justify="right" if numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*[_shown(value) for value in line])
    wide = None if sys.stdout.isatty() else 200
    Console(width=wide, highlight=False, no_color="NO_COLOR" in os.environ or None).print(table)


def _shown(value: Any) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else escape(str(value))


def write(content: bytes, target: str) -> None:
    """To a file, or to standard output under the name `-`."""
    if target == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        Path(target).write_bytes(content)


class Shown(NamedTuple):
    """progress  shows the bytes that have gone; watch  shows what is waited for then"""

    progress: Callable[[int, int], None]
    watch: Callable[[Any], None]


@contextmanager
def going(what: str) -> Iterator[Shown]:
    """Shows bytes on their way: a bar on a terminal, elsewhere one line when it begins."""
    if not sys.stderr.isatty():
        say(f"{what} …")
        yield Shown(lambda _done, _total: None, _stages())
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    parts = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield Shown(
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda view: bar.update(task, description=f"{what}: {_stage(view)}"),
        )


@contextmanager
def waiting(what: str) -> Iterator[Callable[[Any], None]]:
    """Shows that something goes on: a wheel on a terminal, elsewhere a line at each new stage."""
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(what) as status:
            yield lambda job: status.update(f"{what}: {_stage(job)}")
        return
    say(f"{what} …")
    yield _stages()


def _stages() -> Callable[[Any], None]:
    """Says each new stage in a line."""
    tell = once()
    return lambda view: tell(f"  {_stage(view)}")


def _stage(job: Any) -> str:
    progress = job.get("progress") or {}
    return str(progress.get("stage") or job["status"]).lower()
