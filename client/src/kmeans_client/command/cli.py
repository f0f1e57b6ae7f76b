"""All commands, by their names."""

from pathlib import Path

import click

from kmeans_client._version import __version__
from kmeans_client.command import fits, keeps, reads


class Commands(click.Group):
    """`kmeans points.csv` is `kmeans cluster points.csv`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        first = args[0]
        if first not in self.commands and (first == "-" or "." in first or Path(first).exists()):
            args = ["cluster", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kmeans")
def cli() -> None:
    """Clusters of a table, by K-means as a service.

    `kmeans points.csv` uploads the file, looks at its columns, fits, shows the clusters, and
    writes points.clusters.csv, each row with its cluster, and points.report.html. `-` is standard
    input or output.

    Exit codes: 0 done, 2 wrong usage, 3 no service, 4 not allowed in, 5 no such job, 6 file or
    parameter refused, 7 not now, 8 the service failed, 1 anything else, 130 interrupted.
    """


for command in (
    *(fits.cluster, fits.fit, fits.predict),
    *(reads.columns, reads.rows, reads.jobs, reads.show, reads.choice, reads.audit),
    *(reads.compare, reads.report),
    *(keeps.rename, keeps.delete, keeps.token, keeps.open_page),
):
    cli.add_command(command)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """The script that completes commands: `eval "$(kmeans completion bash)"`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # the choice has those that there are  # noqa: S101
    click.echo(kind(cli, {}, "kmeans", "_KMEANS_COMPLETE").source())
