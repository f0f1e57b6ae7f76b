"""What several commands do: a file becomes a job, a job is fitted and waited for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from kmeans_client.command import options, screen
from kmeans_client.command.options import Asked
from kmeans_client.problems import ConnectionLost, KMeansError

if TYPE_CHECKING:
    from kmeans_client.answers import Choice, Clusters, Job
    from kmeans_client.client import Client
    from kmeans_client.results import Labels

PRESENT = "wait=3"


def source(name: str) -> Any:
    """A path, or what comes through standard input under the name `-`."""
    return sys.stdin.buffer if name == "-" else name


def uploaded(client: "Client", name: str, how: dict[str, Any]) -> "Job":
    """The job of a file, once the file is there."""
    filename = "stdin.csv" if name == "-" else None
    with screen.going(f"Uploading {filename or name}") as shown:
        found = client.upload(source(name), filename, progress=shown.progress, **how)
    for warning in found.get("warnings", []):
        screen.say(f"  {warning}")
    return client.wait_for_file(found["job_id"])


def job_of(client: "Client", given: str, how: dict[str, str]) -> "Job":
    """Of a job's number, or of a file that becomes one."""
    return client.get_job(int(given)) if given.isdigit() else uploaded(client, given, how)


def fitted(client: "Client", job: "Job", asked: Asked) -> "Job":
    """The job once it is fitted. Who interrupts it leaves no fit running."""
    job_id = job["job_id"]
    with _stopped_if_interrupted(job), screen.waiting(f"Fitting job {job_id}") as watch:
        client.start_fit(job_id, asked.params, asked.prepared, prefer=PRESENT, **asked.more)
        return client.wait_for_fit(job_id, watch=watch)


@contextmanager
def _stopped_if_interrupted(job: "Job") -> Iterator[None]:
    """The service ends a fit when its job goes. A job with a model is not given up for that."""
    try:
        yield
    except ConnectionLost:
        screen.say(f"The fit goes on where the service does: kmeans show {job['job_id']}")
        raise
    except KeyboardInterrupt:
        if "queued_at" in job:
            screen.say(
                f"The fit goes on: job {job['job_id']} was fitted before, and stopping it would "
                f"delete that model, too. `kmeans delete {job['job_id']}` does."
            )
        else:
            _delete_at_once(job["job_id"])
        raise


def _delete_at_once(job_id: int) -> None:
    """Who has interrupted us does not wait for a service that does not answer."""
    try:
        with options.chosen_service().client(patience=5) as client:
            client.delete_job(job_id)
    except KMeansError as error:
        screen.say(f"{error}\nIts fit may go on; `kmeans delete {job_id}` ends it.")
    else:
        screen.say(f"Job {job_id} and its fit are deleted.")


def show_warnings(job: "Job") -> None:
    for warning in job.get("warnings", []):
        screen.say(f"Note: {warning}")


def show_columns(client: "Client", job_id: int) -> dict[str, Any]:
    """Which columns are clustered, and which are not, in two lines."""
    table: Any = client.get_columns(job_id)
    roles: dict[str, list[str]] = {}
    for column in table["columns"]:
        roles.setdefault(column["role"], []).append(str(column["name"] or column["number"]))
    used = roles.get("used", []) + roles.get("levels", [])
    screen.say(f"{table['n_rows']:,} rows; clustered: {_some(used)}")
    if "left_out" in roles:
        screen.say(f"  left out: {_some(roles['left_out'])} (why: kmeans columns {job_id})")
    return dict(table)


def _some(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def show_clusters(found: "Clusters") -> None:
    """Each cluster: how many rows it has, its name, and its sentence."""
    bold = None if "NO_COLOR" in os.environ else True
    for cluster in found["clusters"]:
        name = f" “{cluster['name']}”" if cluster.get("name") else ""
        head = f"Cluster {cluster['label']}{name}: {cluster['size']:,} rows, {cluster['share']:.1%}"
        click.echo(f"{click.style(head, bold=bold)}\n  {cluster['sentence']}")
    for note in found["notes"]:
        screen.say(f"Note: {note}")


def show_sizes(sizes: list[int]) -> None:
    """Of a dataset of many files, whose clusters are not described."""
    for label, size in enumerate(sizes):
        click.echo(f"Cluster {label}: {size:,} rows")


def show_choice(choice: "Choice") -> None:
    """How many clusters there are, and whether there are any."""
    means = {
        "clear": "the data has them",
        "unstable": "but halves of the rows do not agree on them",
        "none": "but data without clusters, drawn like this data, looks the same",
    }
    verdict = choice["verdict"]
    click.echo(f"{choice['n_clusters']} clusters; verdict: {verdict}, {means.get(verdict, '')}")


def sureness(audit: dict[str, Any]) -> str:
    """An audit in a sentence or two."""
    gap = audit["gap"]
    more = "no inertia is left to compare with" if gap is None else f"{gap:.2%} more than the least"
    return (
        f"Inertia {audit['inertia']:.6g}, {more} of {audit['n_starts']} starts and a search: "
        f"{audit['best_inertia']:.6g}.\n{audit['reached']:.0%} of the starts come to the least, "
        f"{audit['within_one_percent']:.0%} within 1 %, in {audit['distinct_optima']} different "
        f"optima; agreement with the best clusters: {audit['agreement']:.3f}"
    )


def called(cluster: dict[str, Any]) -> str:
    """A cluster's number, and its name where it has one."""
    name = cluster.get("name")
    return f"{cluster['number']} {name}" if name else str(cluster["number"])


def write_labels(labels: "Labels", target: str) -> None:
    """A line for each row, empty where a row was dropped."""
    lines = ("" if label is None else str(label) for label in labels)
    screen.write("".join(f"{line}\n" for line in lines).encode(), target)
