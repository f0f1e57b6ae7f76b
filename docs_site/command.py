"""docs/reference/command.md, made of the help pages of `kmeans`."""

import click
from kmeans_client.command.cli import cli

HEAD = """# The command

<!-- Made of the help pages of `kmeans` by `make reference`: not to be changed by hand. -->

"""
WIDTH = 100


def page() -> str:
    whole = click.Context(
        cli, info_name="kmeans", terminal_width=WIDTH, color=False, **cli.context_settings
    )
    each = (click.Context(one, info_name=name, parent=whole) for name, one in cli.commands.items())
    return HEAD + "\n".join(map(_help, (whole, *each)))


def _help(context: click.Context) -> str:
    lines = (line.rstrip() for line in context.get_help().splitlines())
    return f"## {context.command_path}\n\n```text\n{'\n'.join(lines)}\n```\n"
