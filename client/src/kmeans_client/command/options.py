"""The options that several commands have."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from kmeans_client.command import profiles

F = TypeVar("F", bound=Callable[..., Any])

job = click.argument("job", type=click.IntRange(min=0))
given = click.argument("given", metavar="FILE|JOB")
output = click.option(
    "-o", "--output", default="-", metavar="FILE", help="Instead of standard output."
)
detach = click.option("--detach", is_flag=True, help="Do not wait: the fit goes on by itself.")


def _all(options: list[Callable[[Any], Any]]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _service(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    context.ensure_object(dict)[_parameter.name] = value
    return value


_kept: dict[str, Any] = {"expose_value": False, "callback": _service, "is_eager": True}
service = _all(
    [
        click.option("--url", metavar="URL", help="Of the service (KMEANS_URL).", **_kept),
        click.option(
            "--token",
            metavar="TOKEN",
            help='API token (KMEANS_TOKEN); "aws" signs with the AWS credentials.',
            **_kept,
        ),
        click.option(
            "--profile", metavar="NAME", help="Kept URL, token (KMEANS_PROFILE).", **_kept
        ),
        click.option("--json", "as_json", is_flag=True, help="Answer JSON, for programs."),
    ]
)
reading = _all(
    [
        click.option("--header", type=click.Choice(["auto", "present", "absent"])),
        click.option(
            "--delimiter",
            type=click.Choice(["auto", "comma", "semicolon", "tab", "pipe", "space"]),
        ),
        click.option("--decimal", type=click.Choice(["auto", "point", "comma"])),
        click.option("--encoding", type=click.Choice(["auto", "utf-8", "utf-16", "windows-1252"])),
        click.option("--sheet", metavar="SHEET", help="Of a workbook: its name, or number from 1."),
    ]
)
fitting = _all(
    [
        click.option(
            "-k",
            "--clusters",
            "n_clusters",
            metavar="K",
            default="auto",
            show_default=True,
            help="How many clusters: 3, or 2-8 for one of these, or auto.",
        ),
        click.option(
            "--algorithm",
            type=click.Choice(["swap", "lloyd", "elkan"]),
            default="swap",
            show_default=True,
            help="swap searches for better clusters; the others are scikit-learn's.",
        ),
        click.option("--n-init", type=int, metavar="N", help="Starts, or searches of swap."),
        click.option("--seed", type=int, metavar="N", help="random_state; 0 otherwise."),
        click.option("--columns", metavar="NAMES", help='"auto", "all", or names: age,income.'),
        click.option("--leave-out", metavar="NAMES", help="Columns that are not used."),
        click.option("--missing", type=click.Choice(["mean", "median", "drop", "refuse"])),
        click.option("--scaling", type=click.Choice(["none", "standard", "min_max", "robust"])),
        click.option(
            "--categories",
            type=click.Choice(["leave_out", "one_hot"]),
            help="Columns of texts; one_hot clusters them, too.",
        ),
        click.option("--normalize", type=click.Choice(["none", "l2"])),
        click.option("--weight-column", metavar="NAME", help="How much each row counts."),
        click.option(
            "--align-to",
            type=click.IntRange(min=0),
            metavar="JOB",
            help="Clusters keep labels, numbers and names of those of this job.",
        ),
        click.option("--engine", type=click.Choice(["auto", "spark"]), help="What computes it."),
    ]
)
READING = ("header", "delimiter", "decimal", "encoding", "sheet")
PREPROCESSING = ("missing", "scaling", "categories", "normalize", "weight_column")
MORE = ("align_to", "engine")


def chosen_service() -> profiles.Service:
    said = click.get_current_context().ensure_object(dict)
    return profiles.chosen(said.get("url"), said.get("token"), said.get("profile"))


def how_it_is_read(given: dict[str, Any]) -> dict[str, str]:
    return {name: given[name] for name in READING if given.get(name) is not None}


@dataclass(frozen=True)
class Asked:
    """What is asked of a fit, under the service's names."""

    params: dict[str, Any]
    prepared: dict[str, Any]
    more: dict[str, Any]

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Asked":
        """Raises UsageError."""
        more = {name: given[name] for name in MORE if given[name] is not None}
        return cls(_model_params(given), _preprocessing(given), more)


def _model_params(given: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, under scikit-learn's names."""
    asked = {
        "n_clusters": _number_of_clusters(given["n_clusters"]),
        "algorithm": given["algorithm"],
        "n_init": given["n_init"],
        "random_state": given["seed"],
    }
    return {name: value for name, value in asked.items() if value is not None}


def _number_of_clusters(said: str) -> Any:
    """A number, "auto", or the range that one is chosen of."""
    if said == "auto":
        return said
    least, to, most = said.partition("-")
    if not least.isdigit() or (to and not most.isdigit()):
        told = f"{said!r} is no whole number such as 3, no range such as 2-8, and not auto"
        raise click.BadParameter(told, param_hint="-k")
    return {"min": int(least), "max": int(most)} if to else int(least)


def _preprocessing(given: dict[str, Any]) -> dict[str, Any]:
    asked = {name: given[name] for name in PREPROCESSING if given[name] is not None}
    if given["columns"] and given["leave_out"]:
        raise click.UsageError("--columns and --leave-out exclude each other.")
    if given["columns"]:
        asked["columns"] = (
            given["columns"] if given["columns"] in ("auto", "all") else _names(given["columns"])
        )
    if given["leave_out"]:
        asked["columns"] = {"leave_out": _names(given["leave_out"])}
    return asked


def _names(said: str) -> list[Any]:
    """Names, or numbers from 1, as the command line has them."""
    return [int(name) if name.isdigit() else name for name in map(str.strip, said.split(","))]
