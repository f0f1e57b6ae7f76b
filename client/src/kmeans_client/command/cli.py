"""The commands: what each takes, calls and shows."""

from pathlib import Path
from typing import Any

import click

from kmeans_client._version import __version__
from kmeans_client.command import options, profiles, screen, work

JOB = click.argument("job", type=click.IntRange(min=0))
GIVEN = click.argument("given", metavar="FILE|JOB")
OUTPUT = click.option(
    "-o", "--output", default="-", metavar="FILE", help="Instead of standard output."
)
DETACH = click.option("--detach", is_flag=True, help="Do not wait: the fit goes on by itself.")


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


@cli.command()
@click.argument("file")
@options.fitting
@options.reading
@click.option("-o", "--output", metavar="FILE", help="Instead of NAME.clusters.csv; - is stdout.")
@click.option("--plot", is_flag=True, help="A picture in the terminal (the extra `plot`).")
@DETACH
@options.service
def cluster(
    file: str, output: str | None, plot: bool, detach: bool, as_json: bool, **given: Any
) -> None:
    """Everything in one go: upload, look, fit, show, write. What `kmeans FILE` does."""
    params = options.model_params(given)
    target = output or ("-" if file == "-" else f"{Path(file).stem}.clusters.csv")
    if as_json and target == "-":
        raise click.UsageError("--json and the rows cannot both go to stdout: give -o FILE.")
    with options.chosen_service().client() as client:
        job = work.uploaded(client, file, options.how_it_is_read(given))
        table = work.show_columns(client, job["job_id"])
        if detach:
            _detached(client, job["job_id"], params, options.preprocessing(given), as_json)
            return
        job = work.fitted(client, job, params, options.preprocessing(given))
        clusters = client.get_clusters(job["job_id"])
        screen.write(client.get_rows(job["job_id"]), target)
        page = None if file == "-" else f"{Path(file).stem}.report.html"
        if page:
            screen.write(client.get_report(job["job_id"]).encode(), page)
        work.show_warnings(job)
        if as_json:
            files = {"rows": target, "report": page}
            screen.answer({"job": job, "table": table, **clusters, "files": files})
        elif target != "-":
            if not isinstance(params["n_clusters"], int):
                work.show_choice(client.get_choice(job["job_id"]))
            work.show_clusters(clusters)
            screen.say(f"Job {job['job_id']}; each row with its cluster: {target}; report: {page}")
        if plot:
            from kmeans_client.command.picture import draw

            draw(client, job["job_id"])


def _detached(client: Any, job_id: int, params: Any, prepared: Any, as_json: bool) -> None:
    job = client.start_fit(job_id, params, prepared)
    if as_json:
        screen.answer(job)
    else:
        click.echo(f"{job_id}")
        screen.say(f"The fit of job {job_id} goes on by itself: kmeans show {job_id}")


@cli.command()
@GIVEN
@options.fitting
@options.reading
@OUTPUT
@DETACH
@options.service
def fit(given: str, output: str, detach: bool, as_json: bool, **asked: Any) -> None:
    """Fits a file or a job, and answers a label for each row."""
    params, prepared = options.model_params(asked), options.preprocessing(asked)
    with options.chosen_service().client() as client:
        job = work.job_of(client, given, options.how_it_is_read(asked))
        if detach:
            _detached(client, job["job_id"], params, prepared, as_json)
            return
        job = work.fitted(client, job, params, prepared)
        work.show_warnings(job)
        if as_json:
            screen.answer(job)
            return
        work.write_labels(client.get_labels(job["job_id"]), output)
        screen.say(f"Job {job['job_id']}, inertia {job['scores']['inertia']:.6g}")


@cli.command()
@JOB
@click.argument("points")
@click.option("--rows", "as_rows", is_flag=True, help="The points with cluster, distance and more.")
@OUTPUT
@options.service
def predict(job: int, points: str, as_rows: bool, output: str, as_json: bool) -> None:
    """The cluster of each point of a file, by a job's model."""
    if as_rows and as_json:
        raise click.UsageError("--rows and --json exclude each other.")
    with options.chosen_service().client() as client:
        if as_rows:
            screen.write(client.predict_rows(job, work.source(points)), output)
            return
        with screen.going("Predicting") as progress:
            labels = client.predict(job, work.source(points), progress=progress)
        if as_json:
            screen.answer({"job_id": job, "labels": list(labels)})
        else:
            work.write_labels(labels, output)


@cli.command()
@GIVEN
@options.reading
@options.service
def columns(given: str, as_json: bool, **how: Any) -> None:
    """What a file holds, column by column, and what a fit makes of it."""
    with options.chosen_service().client() as client:
        job = work.job_of(client, given, options.how_it_is_read(how))
        table: Any = client.get_columns(job["job_id"])
    if as_json:
        screen.answer(table)
        return
    names = ["number", "name", "kind", "missing", "distinct", "least", "largest", "role", "reason"]
    screen.rows(names, [[column.get(name) for name in names] for column in table["columns"]])
    for warning in [*table.get("warnings", []), *filter(None, [table.get("refused")])]:
        screen.say(f"Note: {warning}")


@cli.command()
@JOB
@click.option(
    "--outlier-quantile", type=float, metavar="Q", help="Beyond which a row is an outlier."
)
@OUTPUT
@options.service
def rows(job: int, outlier_quantile: float | None, output: str, as_json: bool) -> None:
    """The file's rows, each with its cluster, distance, margin and whether it is an outlier."""
    with options.chosen_service().client() as client, screen.waiting(f"Rows of job {job}"):
        content = client.get_rows(job, outlier_quantile=outlier_quantile)
    if as_json and output == "-":
        raise click.UsageError("Rows are CSV; with --json give -o FILE.")
    screen.write(content, output)
    if as_json:
        screen.answer({"job_id": job, "rows": output})


@cli.command()
@JOB
@options.service
def choice(job: int, as_json: bool) -> None:
    """Why a fit has so many clusters, of one with -k auto or a range."""
    with options.chosen_service().client() as client:
        found: Any = client.get_choice(job)
    if as_json:
        screen.answer(found)
        return
    names = ["n_clusters", "inertia", "silhouette", "calinski_harabasz", "stability", "gap"]
    screen.rows(names, [[tried.get(name) for name in names] for tried in found["candidates"]])
    work.show_choice(found)


@cli.command()
@JOB
@OUTPUT
@options.service
def report(job: int, output: str, as_json: bool) -> None:
    """A job's fit as one HTML page, to be read, mailed and printed."""
    if as_json and output == "-":
        raise click.UsageError("The report is HTML; with --json give -o FILE.")
    with options.chosen_service().client() as client, screen.waiting(f"Report of job {job}"):
        page = client.get_report(job)
    screen.write(page.encode(), output)
    if as_json:
        screen.answer({"job_id": job, "report": output})


@cli.command()
@click.option("--status", metavar="STATUS", help="Only jobs in this state.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@options.service
def jobs(status: str | None, limit: int, as_json: bool) -> None:
    """Jobs, newest first."""
    from itertools import islice

    with options.chosen_service().client() as client:
        listed = client.list_jobs(status.upper() if status else None, page=min(limit, 100))
        found: list[Any] = list(islice(listed, limit))
    if as_json:
        screen.answer(found)
        return
    names = ["job_id", "status", "filename", "name", "n_samples", "n_features", "created_at"]
    screen.rows(names, [[job.get(name) for name in names] for job in found])


@cli.command()
@JOB
@click.option("--plot", is_flag=True, help="A picture in the terminal (the extra `plot`).")
@options.service
def show(job: int, plot: bool, as_json: bool) -> None:
    """A job: its state, and the clusters that its fit found."""
    with options.chosen_service().client() as client:
        found: Any = client.get_job(job)
        clusters = client.get_clusters(job) if "scores" in found else None
        if as_json:
            screen.answer({**found, "found": clusters} if clusters else found)
            return
        simple = {n: v for n, v in found.items() if isinstance(v, str | int | float)}
        screen.rows(["", "value"], list(simple.items()))
        if clusters:
            work.show_clusters(clusters)
        work.show_warnings(found)
        if "error" in found:
            screen.say(f"Failed: {found['error'].get('detail', found['error'])}")
        if plot:
            from kmeans_client.command.picture import draw

            draw(client, job)


@cli.command()
@JOB
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


@cli.command()
@click.argument("job", type=click.IntRange(min=0), nargs=-1, required=True)
@options.service
def delete(job: tuple[int, ...], as_json: bool) -> None:
    """Deletes jobs with everything stored for them."""
    with options.chosen_service().client() as client:
        for job_id in job:
            client.delete_job(job_id)
    if as_json:
        screen.answer({"deleted": list(job)})


@cli.command()
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
        secret = said.get("token") or click.prompt("Token", hide_input=True, err=True)
        url = said.get("url") or profiles.read(name).get("url") or profiles.LOCAL
        profiles.keep(name, url=url, token=secret.strip())
    kept = profiles.read(name)
    if as_json:
        screen.answer({"profile": name, "url": kept.get("url"), "file": str(profiles.file())})
    else:
        screen.say(f"Profile {name} of {profiles.file()}: {kept.get('url') or 'empty'}")


@cli.command("open")
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


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """The script that completes commands: `eval "$(kmeans completion bash)"`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # the choice has those that there are  # noqa: S101
    click.echo(kind(cli, {}, "kmeans", "_KMEANS_COMPLETE").source())
