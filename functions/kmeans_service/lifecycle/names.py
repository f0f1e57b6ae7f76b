"""What an owner calls a job and its clusters.

The job's name stands in its item, for the list. Names of clusters belong to their numbers in one
line of fits, of which each continues the one before; a fit that is aligned inherits those of the
clusters that it continues. A fit of another line has other clusters: it shows none of these names,
and they are kept for the line that they were given in.
They lie in the bucket, in an object that is written once, and the item names it. A change writes a
new one, and points the item at it if that still names the one before: of two changes at once none
is lost.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service import keys
from kmeans_service.errors import InvalidParameter, JobGone, TooLarge, Unavailable
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import JSON
from kmeans_service.owners import quota
from kmeans_service.storage import LOST_RESULT, data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import live, writes
from kmeans_service.table.expressions import THERE, Condition, has, removes, sets
from kmeans_service.table.keys import job_key

type Given = dict[int, str | None]
"""Names by the clusters' numbers; None where one that would be inherited was removed."""

type Lines = dict[str, Given]
"""By the line of fits that they were given in."""

MAX_BYTES = 32_768
ANY = ""  # of a fit's names, and of what a version stored that knew no lines
LOST = (
    "The names of the job's clusters were deleted from the bucket; "
    'PATCH /kmeans/jobs/{job_id} with {"clusters": null} forgets them'
)


@dataclass(frozen=True)
class Names:
    """job       empty: none
    clusters  by number, in their order; those alone that have a name
    of_others whether names were given to clusters of other fits alone
    """

    job: str = ""
    clusters: Mapping[int, str] = field(default_factory=dict)
    of_others: bool = False

    @property
    def version(self) -> str:
        """For keys and ETags of what is made of them; empty where nothing has a name."""
        if not self.job and not self.clusters:
            return ""
        text = json.dumps([self.job, list(self.clusters.items())])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Renaming:
    """What becomes of some names.

    job       None: it stays; empty: it goes
    clusters  by number, None: that name goes
    afresh    whether all names of clusters go first
    """

    job: str | None = None
    clusters: Mapping[int, str | None] = field(default_factory=dict)
    afresh: bool = False


def names_of(job: Job) -> Names:
    """Those that were given, and those of clusters that are continued.

    Raises JobGone or ModelDamaged.
    """
    for _ in range(3):
        try:
            called = _inherited(job) | _given(job)
            names = {number: name for number, name in sorted(called.items()) if name}
            return Names(job.name, names, _are_of_others(job))
        except JobGone:
            found = reads.get(job.owner, job.job_id)
            if found.names == job.names:
                raise
            job = found  # renamed since it was read
    raise Unavailable(f"Job {job.job_id} is changing")


def packed(clusters: Mapping[int, str | None]) -> bytes:
    """As a fit stores those that it has continued."""
    return _packed({ANY: dict(clusters)})


def _packed(lines: Lines) -> bytes:
    return json.dumps({"lines": lines}, ensure_ascii=False).encode()


def rename(job: Job, renaming: Renaming, expect: Callable[[Job], None]) -> Job:
    """The job with its new names.

    expect   raises for a job that is not in the state that the change is for
    Raises what `expect` does, NotFitted, InvalidParameter, TooLarge, JobGone or ModelDamaged.
    """
    for _ in writes.tries():
        expect(job)
        held = dict.fromkeys(_inherited(job)) if renaming.afresh else _given(job)
        others = {} if renaming.afresh else _lines(job)
        wanted = _renamed(held, renaming, job)
        name = job.name if renaming.job is None else renaming.job
        if (name, wanted) == (job.name, held) and not renaming.afresh:
            return job
        if _is_written(job, name, _with(others, _line(job), wanted)):
            return reads.get(job.owner, job.job_id)
        job = reads.get(job.owner, job.job_id)
    raise Unavailable(f"Job {job.job_id} is changing")


def as_named(job: Job) -> Condition:
    """The item still has these names."""
    name = has({"name": job.name or None})
    if job.names is None:
        return name & has({"names": None})
    return name & Attr("names.key").eq(job.names.key)


def _with(lines: Lines, line: str, wanted: Given) -> Lines:
    kept = {other: given for other, given in lines.items() if other not in (line, ANY)}
    return kept | {line: wanted} if wanted else kept


def _renamed(held: Given, renaming: Renaming, job: Job) -> Given:
    """A name that is removed is remembered where one is inherited under its number."""
    inherited = _inherited(job)
    if renaming.clusters:
        _check_numbers(renaming.clusters, {*job.published.numbers, *held, *inherited})
    called = sorted((held | dict(renaming.clusters)).items())
    return {number: name for number, name in called if name is not None or number in inherited}


def _check_numbers(asked: Mapping[int, Any], known: set[int]) -> None:
    for number in asked:
        if number not in known:
            shown = ", ".join(map(str, sorted(known)[:20])) + (", …" if len(known) > 20 else "")
            raise InvalidParameter(
                f"clusters has the number {number}; allowed are those of the job's clusters: "
                f"{shown}",
                field=f"clusters.{number}",
            )


def _is_written(job: Job, name: str, wanted: Lines) -> bool:
    """False if the job or its owner's counters are changing."""
    stored = _put(job, wanted)
    _ = quota.read(job.owner)  # which makes sure that there are counters
    change = sets(name=name) if name else removes("name")
    change |= sets(names=asdict(stored)) if stored else removes("names")
    as_read = THERE & live.is_there() & as_named(job)
    more = (stored.size if stored else 0) - (job.names.size if job.names else 0)
    actions = [
        writes.updating(job_key(job.owner, job.job_id), change, as_read),
        quota.more(job.owner, more),
    ]
    written = not writes.transact(actions)
    needless = job.names if written else stored
    if needless:
        data_bucket().delete(needless.key)
    return written


def _put(job: Job, wanted: Lines) -> StoredObject | None:
    """None where there is nothing to remember; raises TooLarge."""
    if not wanted:
        return None
    text = _packed(wanted)
    if len(text) > MAX_BYTES:
        raise TooLarge(
            f"the names of the job's clusters would have {len(text):,} bytes; "
            f"at most {MAX_BYTES:,} are kept, those of earlier fits included, which "
            '{"clusters": null} forgets',
            field="clusters",
            max_bytes=MAX_BYTES,
        )
    return data_bucket().put(keys.new_names(job.owner, job.job_id), text, JSON)


def _given(job: Job) -> Given:
    """In the line of the job's fit."""
    lines = _lines(job)
    return dict(lines.get(_line(job)) or lines.get(ANY, {}))


def _lines(job: Job) -> Lines:
    return dict(_read(job.names, LOST)) if job.names else {}


def _are_of_others(job: Job) -> bool:
    """None of them is of this line, nor was inherited."""
    return (
        job.names is not None and not {_line(job), ANY} & _lines(job).keys() and not _inherited(job)
    )


def _line(job: Job) -> str:
    return job.model.numbering.line if job.model else ANY


def _inherited(job: Job) -> Given:
    """Of the clusters that the job's model continues."""
    names = job.model.names if job.model else None
    return dict(_read(names, LOST_RESULT)[ANY]) if names else {}


@lru_cache(maxsize=64)
def _read(stored: StoredObject, lost: str) -> Mapping[str, Given]:
    """Once, as the object never changes."""
    document = json.loads(data_bucket().checked(stored.key, None, stored.sha256, lost))
    lines = document["lines"] if "lines" in document else {ANY: document["clusters"]}
    return {
        line: {int(number): name for number, name in given.items()} for line, given in lines.items()
    }
