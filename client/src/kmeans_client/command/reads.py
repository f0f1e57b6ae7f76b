"""The commands that read: files, jobs, and what a fit found."""

from typing import Any

import click

from kmeans_client.command import options, screen, work


@click.command()
@options.given
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


@click.command()
@options.job
@click.option(
    "--outlier-quantile", type=float, metavar="Q", help="Beyond which a row is an outlier."
)
@options.output
@options.service
def rows(job: int, outlier_quantile: float | None, output: str, as_json: bool) -> None:
    """The file's rows, each with its cluster, distance, margin and whether it is an outlier."""
    what = f"Rows of job {job}"
    with options.chosen_service().client() as client, screen.waiting(what) as watch:
        content = client.get_rows(job, outlier_quantile=outlier_quantile, watch=watch)
    if as_json and output == "-":
        raise click.UsageError("Rows are CSV; with --json give -o FILE.")
    screen.write(content, output)
    if as_json:
        screen.answer({"job_id": job, "rows": output})


@click.command()
@options.job
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


@click.command()
@options.job
@options.service
def audit(job: int, as_json: bool) -> None:
    """How sure a fit is: what many starts and a search come to on the same rows."""
    with options.chosen_service().client() as client, screen.waiting(f"Audit of job {job}"):
        found: Any = client.get_audit(job)
    if as_json:
        screen.answer(found)
        return
    click.echo(work.sureness(found))
    for warning in found["warnings"]:
        screen.say(f"Note: {warning}")


@click.command()
@options.job
@click.argument("other", metavar="OTHER_JOB", type=click.IntRange(min=0))
@click.option("--key", metavar="NAME", help="A column by which rows are found; else their place.")
@options.service
def compare(job: int, other: int, key: str | None, as_json: bool) -> None:
    """Which rows went from which cluster of OTHER_JOB's fit to which of JOB's."""
    with options.chosen_service().client() as client, screen.waiting(f"Job {other} to {job}"):
        found: Any = client.get_migration(job, other, key=key)
    if as_json:
        screen.answer(found)
        return
    columns = [work.called(cluster) for cluster in found["clusters"]]
    lines = [
        [work.called(before), *row, gone]
        for before, row, gone in zip(
            found["clusters_from"], found["matrix"], found["left"], strict=True
        )
    ]
    screen.rows(["from", *columns, "gone"], [*lines, ["new", *found["arrived"], None]])
    click.echo(f"{found['n_stayed']:,} of {found['n_both']:,} rows have stayed in their cluster")


@click.command()
@options.job
@options.output
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


@click.command()
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


@click.command()
@options.job
@click.option("--plot", is_flag=True, help="A picture in the terminal (the extra `plot`).")
@options.service
def show(job: int, plot: bool, as_json: bool) -> None:
    """A job: its state, and the clusters that its fit found."""
    if as_json and plot:
        raise click.UsageError("--json and --plot cannot both go to stdout.")
    with options.chosen_service().client() as client:
        found: Any = client.get_job(job)
        clusters = client.get_clusters(job) if "clusters" in found["links"] else None
        if as_json:
            screen.answer({**found, "found": clusters} if clusters else found)
            return
        simple = {n: v for n, v in found.items() if isinstance(v, str | int | float)}
        screen.rows(["", "value"], list(simple.items()))
        if clusters:
            work.show_clusters(clusters)
        elif "scores" in found:
            work.show_sizes(found["scores"]["cluster_sizes"])
        work.show_warnings(found)
        if "error" in found:
            screen.say(f"Failed: {found['error'].get('detail', found['error'])}")
        if plot:
            from kmeans_client.command.picture import draw

            draw(client, job)
