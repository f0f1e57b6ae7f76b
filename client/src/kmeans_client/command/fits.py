"""The commands that fit and predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kmeans_client.command import options, screen, work
from kmeans_client.command.options import Asked

if TYPE_CHECKING:
    from kmeans_client.answers import Job
    from kmeans_client.client import Client


@click.command()
@click.argument("file")
@options.fitting
@options.reading
@click.option("-o", "--output", metavar="FILE", help="Instead of NAME.clusters.csv; - is stdout.")
@click.option("--plot", is_flag=True, help="A picture in the terminal (the extra `plot`).")
@options.detach
@options.service
def cluster(
    file: str, output: str | None, plot: bool, detach: bool, as_json: bool, **given: Any
) -> None:
    """Everything in one go: upload, look, fit, show, write. What `kmeans FILE` does."""
    asked = Asked.of(given)
    target = output or ("-" if file == "-" else f"{Path(file).stem}.clusters.csv")
    if as_json and target == "-":
        raise click.UsageError("--json and the rows cannot both go to stdout: give -o FILE.")
    if plot and (as_json or target == "-"):
        raise click.UsageError("--plot and something else cannot both go to stdout.")
    with options.chosen_service().client() as client:
        job = work.uploaded(client, file, options.how_it_is_read(given))
        table = work.show_columns(client, job["job_id"])
        if detach:
            _detached(client, job["job_id"], asked, as_json)
            return
        job = work.fitted(client, job, asked)
        files = _written(client, job["job_id"], file, target)
        work.show_warnings(job)
        if as_json:
            clusters = client.get_clusters(job["job_id"])
            screen.answer({"job": job, "table": table, **clusters, "files": files})
        elif target != "-":
            _shown(client, job, asked, files)
        if plot:
            from kmeans_client.command.picture import draw

            draw(client, job["job_id"])


def _written(client: "Client", job_id: int, file: str, target: str) -> dict[str, str | None]:
    screen.write(client.get_rows(job_id), target)
    page = None if file == "-" else f"{Path(file).stem}.report.html"
    if page:
        screen.write(client.get_report(job_id).encode(), page)
    return {"rows": target, "report": page}


def _shown(client: "Client", job: "Job", asked: Asked, files: dict[str, str | None]) -> None:
    job_id = job["job_id"]
    if not isinstance(asked.params["n_clusters"], int):
        work.show_choice(client.get_choice(job_id))
    work.show_clusters(client.get_clusters(job_id))
    page = f"; report: {files['report']}" if files["report"] else ""
    screen.say(f"Job {job_id}; each row with its cluster: {files['rows']}{page}")


def _detached(client: "Client", job_id: int, asked: Asked, as_json: bool) -> None:
    job = client.start_fit(job_id, asked.params, asked.prepared, **asked.more)
    if as_json:
        screen.answer(job)
    else:
        click.echo(f"{job_id}")
        screen.say(f"The fit of job {job_id} goes on by itself: kmeans show {job_id}")


@click.command()
@options.given
@options.fitting
@options.reading
@options.output
@options.detach
@options.service
def fit(given: str, output: str, detach: bool, as_json: bool, **said: Any) -> None:
    """Fits a file or a job, and answers a label for each row."""
    asked = Asked.of(said)
    with options.chosen_service().client() as client:
        job = work.job_of(client, given, options.how_it_is_read(said))
        if detach:
            _detached(client, job["job_id"], asked, as_json)
            return
        job = work.fitted(client, job, asked)
        work.show_warnings(job)
        if output != "-" or not as_json:
            work.write_labels(client.get_labels(job["job_id"]), output)
        if as_json:
            screen.answer(job)
        else:
            screen.say(f"Job {job['job_id']}, inertia {job['scores']['inertia']:.6g}")


@click.command()
@options.job
@click.argument("points")
@click.option("--rows", "as_rows", is_flag=True, help="The points with cluster, distance and more.")
@click.option("--engine", type=click.Choice(["auto", "spark"]), help="What labels the points.")
@options.output
@options.service
def predict(
    job: int, points: str, as_rows: bool, engine: str | None, output: str, as_json: bool
) -> None:
    """The cluster of each point of a file, by a job's model."""
    if as_rows and as_json and output == "-":
        raise click.UsageError("Rows are CSV; with --json give -o FILE.")
    if as_rows and engine == "spark":
        raise click.UsageError("--engine spark gives labels; leave it out, or --rows.")
    with options.chosen_service().client() as client, screen.going("Predicting") as shown:
        given, how = work.source(points), shown._asdict()
        if as_rows:
            found = client.predict_rows(job, given, **how)
        else:
            labels = client.predict(job, given, engine=engine, **how)
    if as_rows:
        screen.write(found, output)
    elif output != "-" or not as_json:
        work.write_labels(labels, output)
    else:
        screen.answer({"job_id": job, "labels": list(labels)})
        return
    if as_json:
        screen.answer({"job_id": job, "rows" if as_rows else "labels": output})
