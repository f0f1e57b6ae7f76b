"""What every engine can do, wherever it computes.

    estimate  what a fit takes
    start     begin a claimed job's fit
    poll      how far it is; whoever looks renews the lease, so that it may take hours
    collect   what it found and stored, once it is over

An attempt starts, polls and collects in one go. Of the engine that runs elsewhere (`spark.py`),
whoever looks next does so, by what the job's item notes of it.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models.published import Published
from kmeans_service.recipes.recipe import Recipe

type Progress = dict[str, Any]


@dataclass(frozen=True)
class Fitted:
    """A stored fit.

    labels_csv   only where an answer may carry them
    read         the job's input, where this fit is the first to have read it
    """

    published: Published
    labels_csv: bytes | None
    read: Input | None = None


@dataclass(frozen=True)
class Estimate:
    """Bytes that a fit takes of a function's memory and of its disk, at most."""

    memory: int
    scratch: int


class Work(Protocol):
    """A fit that goes on by itself."""

    def poll(self, seconds: float) -> Progress | None:
        """How far it is, after so many seconds at most; None once it is over."""

    def collect(self) -> Fitted:
        """What it found; raises the ServiceError that it failed with, or AttemptCrashed."""

    def close(self) -> None:
        """Stop it, if it is not over."""


class Engine(Protocol):
    def estimate(self, given: Input, recipe: Recipe) -> Estimate: ...

    def start(self, claimed: Job) -> Work: ...
