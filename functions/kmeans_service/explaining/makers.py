"""What can be made of a model: the table of makers, and what a maker is.

A maker is a module. It is imported when somebody asks, so that nobody else pays for its imports.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from kmeans_service.lifecycle.job import Job
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep

MAKERS = {
    "audit": "kmeans_service.explaining.answers.audit",
    "clusters": "kmeans_service.explaining.answers.clusters",
    "described": "kmeans_service.explaining.answers.described",
    "distances": "kmeans_service.explaining.distances",
    "drawn": "kmeans_service.explaining.answers.drawn",
    "migration": "kmeans_service.explaining.migration",
    "projection": "kmeans_service.explaining.answers.projection",
    "report": "kmeans_service.explaining.answers.report",
    "rows": "kmeans_service.explaining.rows",
}


class Maker(Protocol):
    """What a maker's module has.

    VERSION   of what it makes: what another one has made is made anew
    QUERY     the query parameters that it takes
    SUFFIX    of the name that it is saved under

    One that a run elsewhere may make, of what is beyond the worker, has `todo`, too: of the job and
    the claim a `runs.orders.Todo`. One that knows what whoever looks at the job should be told,
    whether they ask for what it makes or not, has `warnings`.
    """

    VERSION: int
    QUERY: tuple[str, ...]
    SUFFIX: str

    def media_type(self, job: Job, /) -> str:
        """Of what is made of this job."""

    def asked(self, job: Job, query: Mapping[str, str], /) -> dict[str, Any]:
        """What is asked for, every default filled in: what differs in it is another object.

        Raises InvalidParameter and the like; it also names what else the object depends on, such
        as the version of the clusters' names.
        """

    def seconds(self, job: Job, asked: Mapping[str, Any], /) -> float:
        """An estimate of what it takes one processor, on the slow side."""

    def make(self, job: Job, asked: Mapping[str, Any], keep: Keep, /) -> Iterator[bytes]:
        """The object's bytes, piece by piece, of a file of any size in bounded memory.

        keep   called every few seconds of work: the lease is renewed, or the time is over
        Raises the ServiceError that says why it cannot be made.
        """


def maker(name: str) -> Maker:
    return cast(Maker, import_module(MAKERS[name]))


def warnings_of(name: str, stored: StoredObject) -> tuple[str, ...]:
    """What is to be said of a job once this was made of its model; few and short sentences."""
    warnings = getattr(maker(name), "warnings", None)
    return warnings(stored) if warnings else ()
