"""Commands and Python in a page of the documentation, and the answers that it shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import PROJECT

BLOCK = re.compile(
    r"^```(?P<language>bash|python)(?P<closed> closed)?\n(?P<code>.*?)^```\n"
    r"(```(json|text)?\n(?P<answer>.*?)^```\n)?",
    re.M | re.S,
)
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
EMPTIED = "<!-- an empty service -->"  # what stands below it begins with job 0 again
NOT_RUN = re.compile(r"(?P<language>bash|python) no-test(?: (?P<reason>\w+))?")


@dataclass(frozen=True)
class Example:
    """What a reader runs, and the answer that is shown; empty if none is."""

    code: str
    answer: str
    language: str = "bash"
    closed: bool = False  # on a service that asks for tokens

    @property
    def name(self) -> str:
        return self.code.splitlines()[0][:60]

    @property
    def script(self) -> str:
        """As bash runs it."""
        if self.language == "bash":
            return self.code
        return f"python3 <<'END_OF_PYTHON'\n{self.code}END_OF_PYTHON\n"

    def shows(self, came: str) -> bool:
        """Whether that is what the page shows; "…" in it is whatever came."""
        pattern = ".*?".join(map(re.escape, _trimmed(self.answer).split("…")))
        return bool(re.fullmatch(pattern, _trimmed(came), re.S))


def parts(page: str) -> list[list[Example]]:
    """The examples that follow each other, on a service that is empty at first."""
    return [found for part in page.split(EMPTIED) if (found := examples(part))]


def examples(page: str) -> list[Example]:
    return [
        Example(found["code"], found["answer"] or "", found["language"], bool(found["closed"]))
        for found in BLOCK.finditer(page)
    ]


def pages() -> list[Path]:
    """README.md, and all of docs/."""
    return [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def not_run(page: str) -> Iterator[tuple[str, str]]:
    """Commands that no test of a page can run, and why: the word after `no-test`."""
    for fence in FENCE.finditer(page):
        found = NOT_RUN.fullmatch(fence["info"])
        if found and found["language"] == "bash":
            yield fence["text"], found["reason"] or ""


def _trimmed(text: str) -> str:
    """Without the blanks at the ends of lines, which no reader sees."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
