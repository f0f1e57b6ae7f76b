"""`kmeans`: clusters from a terminal. What it needs of the client is imported when it is called."""

import sys
from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, and ends the process with an exit code that tells what happened."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    import click

    from kmeans_client.command.cli import cli
    from kmeans_client.command.failures import exit_code, sentence
    from kmeans_client.problems import KMeansError

    try:
        cli.main(
            list(arguments) if arguments is not None else None, "kmeans", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # who reads our output has seen enough
        sys.stderr.close()
        return 0
    except (KMeansError, OSError) as error:  # anything else is a mistake of ours, and escapes
        click.echo(sentence(error), err=True)
        return exit_code(error)
    return 0
