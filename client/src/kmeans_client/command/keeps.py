"""The commands that name, delete, and keep where the service is."""

import sys
from typing import Any

import click

from kmeans_client.command import options, profiles, screen


@click.command()
@options.job
@click.option("--name", help="Of the job; an empty one removes it.")
@click.option("--cluster", "named", multiple=True, metavar="N=NAME", help="As often as you like.")
@options.service
def rename(job: int, name: str | None, named: tuple[str, ...], as_json: bool) -> None:
    """Names a job and its clusters: `--name Visits --cluster 0=near`."""
    names: dict[str, Any] = {} if name is None else {"name": name or None}
    clusters = dict(_cluster_name(given) for given in named)
    if clusters:
        names["clusters"] = clusters
    if not names:
        raise click.UsageError("Give --name or --cluster.")
    with options.chosen_service().client() as client:
        found = client.rename_job(job, **names)
    if as_json:
        screen.answer(found)


def _cluster_name(given: str) -> tuple[str, str | None]:
    number, equals, name = given.partition("=")
    if not (number.isdigit() and equals):
        raise click.BadParameter(f"{given!r} is not NUMBER=NAME", param_hint="--cluster")
    return number, name or None


@click.command()
@click.argument("job", type=click.IntRange(min=0), nargs=-1, required=True)
@options.service
def delete(job: tuple[int, ...], as_json: bool) -> None:
    """Deletes jobs with everything stored for them."""
    with options.chosen_service().client() as client:
        for job_id in job:
            client.delete_job(job_id)
    if as_json:
        screen.answer({"deleted": list(job)})


@click.command()
@click.option("--forget", is_flag=True, help="Remove what is kept.")
@options.service
@click.pass_context
def token(context: click.Context, forget: bool, as_json: bool) -> None:
    """Keeps a URL and a token as a profile: --url URL, --token TOKEN, or asked for.

    Through a pipe the token comes from standard input. `make token` of the service makes tokens.
    """
    said = context.ensure_object(dict)
    name = said.get("profile") or "default"
    if forget:
        profiles.keep(name, url=None, token=None)
    else:
        secret = (said.get("token") or _asked_for()).strip()
        if not secret:
            raise click.UsageError("Give a token: --token TOKEN, or through standard input.")
        url = said.get("url") or profiles.read(name).get("url") or profiles.LOCAL
        profiles.keep(name, url=url, token=secret)
    kept = profiles.read(name)
    if as_json:
        screen.answer({"profile": name, "url": kept.get("url"), "file": str(profiles.file())})
    else:
        screen.say(f"Profile {name} of {profiles.file()}: {kept.get('url') or 'empty'}")


def _asked_for() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True, err=True))
    return sys.stdin.readline()


@click.command("open")
@options.service
def open_page(as_json: bool) -> None:
    """The service's web page, in the browser."""
    with options.chosen_service().client() as client:
        client.health()
        url = f"{client.url}/"
    if as_json:
        screen.answer({"url": url})
        return
    click.echo(url)
    click.launch(url)
