"""docs/threat-model.md: every row names a test, and every test that is named is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "threat-model.md").read_text()
NAMED = re.compile(r"`([\w/]*test_\w+\.py)::(test_\w+)`")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "attack |" not in line]


def test_every_attack_names_a_test_that_shows_what_happens() -> None:
    assert len(ROWS) >= 40
    assert [row for row in ROWS if not NAMED.search(row.split(" | ")[-1])] == []


def test_every_test_that_is_named_is_there() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(PAGE)
        if f"\ndef {name}(" not in (TESTS / file).read_text()
    ]
    assert missing == []


def test_nothing_that_looks_like_a_test_is_named_in_another_way() -> None:
    assert len(re.findall(r"test_\w+\.py", PAGE)) == len(NAMED.findall(PAGE))
