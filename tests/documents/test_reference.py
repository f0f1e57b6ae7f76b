"""The reference pages are those that `make reference` makes today."""

import pytest

from docs_site.__main__ import PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_it_is_made_of(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name](), "`make reference` makes it anew"


def test_every_operation_and_every_command_is_in_it() -> None:
    from kmeans_client.command.cli import cli

    from harness import contract

    calls = (REFERENCE / "http.md").read_text()
    for method, path, _ in contract.operations():
        if method != "HEAD" and path != contract.UNKNOWN:
            assert f"\n### {method} {path}\n" in calls
    commands = (REFERENCE / "command.md").read_text()
    assert all(f"\n## kmeans {name}\n" in commands for name in cli.commands)
