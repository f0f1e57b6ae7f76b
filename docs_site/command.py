"""docs/reference/command.md, made of the help pages of `kmeans`."""

import click
from kmeans_client.command.cli import cli

HEAD = """# The command

<!-- Made of the help pages of `kmeans` by `make reference`: not to be changed by hand. -->

"""
WIDTH = 100


def page() -> str:
    pages = [("kmeans", cli), *((f"kmeans {name}", one) for name, one in cli.commands.items())]
    return HEAD + "\n".join(_help(name, command) for name, command in pages)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=WIDTH, color=False)
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return f"## {name}\n\n```text\n{'\n'.join(lines)}\n```\n"
