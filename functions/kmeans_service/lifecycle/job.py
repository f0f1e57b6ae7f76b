"""A job: what it is, whatever it is stored in."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from kmeans_service import keys
from kmeans_service.errors import FitFailed, NotFitted, NotUploaded
from kmeans_service.models.published import Published
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import live


class Status(StrEnum):
    """PENDING → UPLOADED → QUEUED → RUNNING → SUCCEEDED | FAILED; any → DELETING → DELETED.

    DAMAGED is no state but what is shown of a job whose record cannot be read.
    """

    PENDING = "PENDING"
    UPLOADED = "UPLOADED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DELETING = "DELETING"
    DELETED = "DELETED"
    DAMAGED = "DAMAGED"


ACTIVE = (Status.QUEUED, Status.RUNNING)
FITTABLE = (Status.UPLOADED, Status.SUCCEEDED, Status.FAILED)
# The progress of a PENDING job whose file is there.
CONVERTING = {"stage": "CONVERTING"}
# That of a run that has not begun yet.
WAITING = {"stage": "WAITING"}
GONE = tuple(map(Status, live.GONE))


@dataclass(frozen=True)
class Input:
    """The file of a job, read: where it lies in the bucket, its digest and its shape.

    version_id  of the object in the versioned bucket, where the key is not ours alone
    sha256      hexadecimal, of the file's bytes
    size        bytes
    feature_names  None without a header; a column without a name has None
    names       where feature_names are, if they are too long for the job's item
    profile     where its table is, columns and counts; None of a plain matrix,
                and of a file older than tables are, which has numbers alone
    reading     what its owner said of how it is to be read, and is part of what it is
    converted   where its rows are, as CSV, if the file itself is of another format
    dataset     which files it has, where many are one table: `key` is that of the mark that all are
                there, `size` and `files` are of all; it has no shape before a fit has read them
    """

    key: str
    version_id: str | None
    sha256: str
    size: int
    n_samples: int
    n_features: int
    feature_names: tuple[str | None, ...] | None
    names: StoredObject | None = None
    profile: StoredObject | None = None
    reading: dict[str, str] = field(default_factory=dict)
    converted: StoredObject | None = None
    dataset: StoredObject | None = None
    files: int | None = None

    @property
    def is_read(self) -> bool:
        return self.n_samples > 0

    @property
    def is_known(self) -> bool:
        """Whether it can be fitted: it was read, or will be by the fit."""
        return self.is_read or self.dataset is not None

    @property
    def rows(self) -> StoredObject:
        """What is read: the file itself, or what it was converted to."""
        return self.converted or StoredObject(self.key, self.sha256, self.size)

    @property
    def asides(self) -> tuple[StoredObject, ...]:
        """What is kept of it beside the item and beside the file."""
        kept = (self.names, self.profile, self.converted, self.dataset)
        return tuple(each for each in kept if each)

    @property
    def stored_bytes(self) -> int:
        return self.size + sum(each.size for each in self.asides)


@dataclass(frozen=True)
class PartedUpload:
    """A file that is on its way in parts.

    upload_id   S3's, once it knows of the upload
    completed   whether the parts have been made a file
    """

    key: str
    size: int
    part_bytes: int
    upload_id: str = ""
    completed: bool = False

    def sizes(self) -> list[tuple[int, int]]:
        """Number and bytes of each part, from 1."""
        starts = range(0, self.size, self.part_bytes)
        return [
            (number, min(self.part_bytes, self.size - start))
            for number, start in enumerate(starts, start=1)
        ]

    def as_item(self) -> dict[str, Any]:
        """Its bytes are counted: an item's maps with a key and a size are what its owner has."""
        return asdict(self)


@dataclass(frozen=True)
class Run:
    """A fit's run elsewhere, and until when it must be over, in epoch seconds."""

    run_id: str
    fence: int
    until: int


@dataclass(frozen=True)
class Spent:
    """What the runs of a fit have used that are over."""

    vcpu_seconds: int = 0
    gb_seconds: int = 0
    disk_gb_seconds: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.vcpu_seconds + other.vcpu_seconds,
            self.gb_seconds + other.gb_seconds,
            self.disk_gb_seconds + other.disk_gb_seconds,
        )


@dataclass(frozen=True)
class Job:
    """One job as it was read; `times` are ISO 8601 in UTC, the other times epoch seconds.

    recipe   of the fit that was asked for last, or that its file's arrival starts
    crash    how the last attempt crashed
    warnings about its file
    audited  what an audit of its model has found to warn of
    init     where the recipe's initial centers are, if they are too long for the item, or the
             clusters that it continues: these are found by a search, which takes no such centers
    reading  what its owner said of a file that had yet to come
    parts    the upload of a file that is sent in parts
    name     what its owner calls it; empty: nothing
    names    where the names of its clusters are
    run      of its fit, which goes on by itself
    is_long  whether its fit was tried here, and there was not time enough
    spent    by the runs of its fit that was asked for last
    """

    owner: str
    job_id: int
    status: Status
    filename: str
    times: dict[str, str]
    input: Input | None = None
    fit_id: str | None = None
    recipe: Recipe | None = None
    attempt: int = 0
    fence: int = 0
    lease_until: int = 0
    due_at: int = 0
    expires_at: int = 0
    progress: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    crash: str | None = None
    model: Published | None = None
    warnings: tuple[str, ...] = ()
    audited: tuple[str, ...] = ()
    init: StoredObject | None = None
    reading: dict[str, str] = field(default_factory=dict)
    parts: PartedUpload | None = None
    name: str = ""
    names: StoredObject | None = None
    run: Run | None = None
    is_long: bool = False
    spent: Spent | None = None

    @property
    def published(self) -> Published:
        """The model, also while a newer fit is under way; raises NotFitted."""
        if self.model is None:
            raise NotFitted(
                f"Job {self.job_id} is {self.status} and has no model; fit it with POST /kmeans/fit"
            )
        return self.model

    @property
    def all_warnings(self) -> list[str]:
        """About the file, about the fit, and about what came out when that was audited."""
        of_fit = self.model.scores.warnings if self.model else ()
        return [*self.warnings, *of_fit, *self.audited]

    @property
    def checked_input(self) -> Input:
        """The file that a fit is of; raises FitFailed if it was refused, or NotUploaded."""
        if self.input is not None and self.input.is_known:
            return self.input
        if self.status is Status.FAILED:
            raise FitFailed(f"The file of job {self.job_id} was refused", error=self.error)
        missing = "is being converted" if self.is_converting else "has not arrived"
        raise NotUploaded(f"The file of job {self.job_id} {missing}")

    @property
    def is_converting(self) -> bool:
        """Whether its file is there, and waits for being made into CSV."""
        return self.status is Status.PENDING and self.progress == CONVERTING

    @property
    def stored_bytes(self) -> int:
        """What counts as the owner's for this job: its file, its model, and its clusters' names."""
        model = self.model.stored_bytes if self.model else 0
        return model + self.file_bytes + (self.names.size if self.names else 0)

    @property
    def file_bytes(self) -> int:
        """What counts for its file, which may still be on its way."""
        on_its_way = self.parts.size if self.parts else 0
        return on_its_way + (self.input.stored_bytes if self.input else 0)

    @property
    def is_elsewhere(self) -> bool:
        """Whether its fit goes on in a run of its own, under this very fence."""
        run = self.run
        return self.status is Status.RUNNING and run is not None and run.fence == self.fence

    @property
    def fit_prefix(self) -> str:
        """Where the claim's attempt at the fit writes; no other attempt ever does."""
        return keys.attempt(self.owner, self.job_id, self.fit_id or "", self.fence)

    def is_fitted_with(self, fit_id: str) -> bool:
        """Whether this very fit is published and nothing newer was asked for."""
        return (
            self.status is Status.SUCCEEDED
            and self.model is not None
            and (self.model.fit_id == fit_id)
        )

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def is_active_with(self, fit_id: str) -> bool:
        return self.is_active and self.fit_id == fit_id


def fit_id_of(given: Input, recipe: Recipe) -> str:
    """The identity of a fit: the same data, read alike, and recipe are the same fit."""
    said = f"\n{json.dumps(given.reading, sort_keys=True)}" if given.reading else ""
    text = f"{given.sha256}\n{recipe.canonical()}{said}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def upload_id_of(filename: str, given: Input) -> str:
    """The identity of an upload: the same name and bytes, to be read alike, are the same upload."""
    name = filename.encode(errors="surrogatepass")
    said = f"\0{json.dumps(given.reading, sort_keys=True)}" if given.reading else ""
    return hashlib.sha256(name + f"\0{given.sha256}{said}".encode()).hexdigest()
