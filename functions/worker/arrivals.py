"""Files that arrive in the bucket: incoming/ and datasets/ make a job, pending/ completes one.

S3 delivers a notification at least once and in any order; what is done here twice is done once.
"""

import hashlib
import re
import time
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import IO, Any, cast
from urllib.parse import unquote_plus

from kmeans_service import keys, telemetry
from kmeans_service.errors import (
    FitConflict,
    FitFailed,
    JobGone,
    JobNotFound,
    OverQuota,
    PredictionNotFound,
    ServiceError,
    StorageFull,
    TooManyJobs,
)
from kmeans_service.fitting.aligning import aligned
from kmeans_service.keys import Awaited, Dropped
from kmeans_service.lifecycle import asides, creation, deletion, large_predictions, reads
from kmeans_service.lifecycle.job import Input, Job, Status
from kmeans_service.line import estimates, fit_requests
from kmeans_service.line.waiting import Work
from kmeans_service.problems import problem_document
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import ObjectMissing, OpenObject, data_bucket
from kmeans_service.streams import Keep, Kept
from kmeans_service.tables.dialect import Reading
from worker import conversion, metadata, predicting
from worker.checked import checked, checked_dataset
from worker.conversion import Converted

# What programs leave beside files, and nobody means to be fitted: the marks of folders, of finished
# jobs and of desktops, checksums, and locks of sheets that are open.
_LEFT_BY_PROGRAMS = re.compile(
    r"(.*/)?(\.DS_Store|\._[^/]*|\.(git)?keep|Thumbs\.db|desktop\.ini|\.[^/]*\.crc|\.~lock\.[^/]*#"
    r"|~\$[^/]*|_SUCCESS|_(started|committed)_[0-9]+|_temporary/.*|[^/]*_\$folder\$)?",
    re.S,
)


@dataclass(frozen=True)
class Arrival:
    """An object that S3 says has been created; the version is None in an unversioned bucket."""

    key: str
    version_id: str | None

    @property
    def event(self) -> str:
        """Its identity: the documents disagree on sequencers, so key and version it is."""
        return f"{self.key}\0{self.version_id}"

    @property
    def seed(self) -> int:
        """What a random_state of null comes to: delivered twice, it is the same fit."""
        digest = hashlib.sha256(self.event.encode(errors="surrogatepass")).digest()
        return int.from_bytes(digest[:4])


def arrival_of(record: dict[str, Any]) -> Arrival:
    """The object of an S3 notification record; keys come percent-encoded, spaces as plus signs."""
    found = record["s3"]["object"]
    return Arrival(unquote_plus(found["key"]), found.get("versionId"))


def work_of(arrival: Arrival, record: dict[str, Any]) -> Work | None:
    """The work that a notification is about, in its owner's line; None for what is nobody's."""
    found = keys.arrived(arrival.key)
    if found is None:
        return None
    size = record["s3"]["object"].get("size", 0)
    estimate = estimates.prediction_seconds if is_points(arrival) else estimates.check_seconds
    came = record.get("eventTime")
    since = datetime.fromisoformat(came).timestamp() if came else time.time()
    name = hashlib.sha256(arrival.event.encode(errors="surrogatepass")).hexdigest()[:32]
    what = {"key": arrival.key, "version_id": arrival.version_id}
    return Work(found.owner, int(since * 1000), name, int(estimate(size)), what=what)


def is_points(arrival: Arrival) -> bool:
    """Whether it is for a prediction, which counts its attempts itself."""
    found = keys.arrived(arrival.key)
    return isinstance(found, Awaited) and found.prediction is not None


def give_up(arrival: Arrival, tries: int) -> None:
    """Say in the job, as far as there is one, that its file could not be worked off."""
    telemetry.logger().error("gave up an object whose handling crashes", key=arrival.key)
    telemetry.count("ArrivalsGivenUp")
    refusal = problem_document(
        FitFailed(f"The file could not be checked: that crashed {tries} times")
    )
    found = keys.arrived(arrival.key)
    try:
        if found:
            conversion.forget(arrival.key, arrival.version_id, found.owner)
        if isinstance(found, Dropped):
            job_id = creation.create(found.owner, found.filename, None)
            creation.refuse(reads.get(found.owner, job_id), refusal)
            creation.remember(found.owner, arrival.event)
        elif found and found.prediction is None:
            creation.refuse(reads.get(found.owner, found.job_id), refusal)
    except (OverQuota, JobGone, JobNotFound) as reason:
        telemetry.logger().warning("no job can say so", reason=str(reason))


def handle(arrival: Arrival, seconds: float, keep: Keep) -> None:
    """Put the fit that this arrival asks for in line, if there is one (still) to do.

    Points to predict are predicted here and now, within `seconds`.

    keep   called again and again while something is read
    """
    found = keys.arrived(arrival.key)
    is_dataset = isinstance(found, Dropped) and found.is_dataset
    if not is_dataset and _LEFT_BY_PROGRAMS.fullmatch(arrival.key):
        telemetry.logger().info("ignored what a program left")
        return
    try:
        if isinstance(found, Dropped):
            _dropped(arrival, found, keep)
        elif found:
            _awaited(arrival, found, seconds, keep)
    except (PredictionNotFound, ObjectMissing, JobGone, JobNotFound) as gone:
        telemetry.logger().info("ignored an object that is gone", reason=str(gone))


def _awaited(arrival: Arrival, found: Awaited, seconds: float, keep: Keep) -> None:
    """pending/: a job's file, or points to predict."""
    try:
        job = reads.get(found.owner, found.job_id)
        opened = _opened(arrival, keep)
        if found.prediction is None:
            _complete(arrival, job, opened, keep)
            return
        prediction = large_predictions.find(found.owner, f"{found.job_id}-{found.prediction}")
        predicting.run(job, prediction, opened, seconds, keep)
        data_bucket().delete(arrival.key, arrival.version_id)  # taken, or sent twice
    except JobGone:
        deletion.remove_objects(found.owner, found.job_id)  # those that came after its deletion
        conversion.forget(arrival.key, arrival.version_id, found.owner)
        raise


def _opened(arrival: Arrival, keep: Keep) -> OpenObject:
    opened = data_bucket().open(arrival.key, arrival.version_id)

    def kept(stream: IO[bytes]) -> IO[bytes]:
        return cast(IO[bytes], Kept(stream, keep))

    return replace(opened, stream=kept(opened.stream), again=lambda: kept(opened.again()))


def _dropped(arrival: Arrival, found: Dropped, keep: Keep) -> None:
    """incoming/: the file makes a job, and is fitted with the parameters of its metadata.

    datasets/: so do the files that its mark says are all there.
    Raises FitConflict while another fit of the job is active: its next delivery comes later.
    """
    owner = found.owner
    if arrival.version_id and creation.is_handled(owner, arrival.event):
        return
    opened = _opened(arrival, keep)
    try:
        _fit_dropped(arrival, found, opened, keep)
    except OverQuota as refusal:  # the file stays where it is; no job can say why
        _turned_away(owner, refusal)
    creation.remember(owner, arrival.event)


def _fit_dropped(arrival: Arrival, dropped: Dropped, opened: OpenObject, keep: Keep) -> None:
    owner, filename = dropped.owner, dropped.filename
    reading, misread = metadata.reading_of(opened.metadata)
    if dropped.is_dataset:
        found = checked_dataset(arrival.key, arrival.version_id, owner, reading, keep)
    else:
        convert = partial(conversion.convert, arrival.key, arrival.version_id, owner, reading, keep)
        found = checked(arrival.key, arrival.version_id, owner, opened, reading, convert)
    given, refusal = found.given, misread or found.refusal
    warnings = metadata.warnings_of(opened.metadata) + found.warnings
    try:
        job_id = creation.create(owner, filename, given, warnings=warnings)
    except TooManyJobs:
        if given:
            asides.forget(given)
        raise
    except StorageFull as full:
        _turned_away(owner, full)
        refusal = full
        if given:
            asides.forget(given)
        # Without the file: it says why.
        job_id = creation.create(owner, filename, None, warnings=warnings)
    job = reads.get(owner, job_id)
    if given and job.input and not {each.key for each in given.asides} & _keys_aside(job.input):
        asides.forget(given)  # the job is that of an upload before
    try:
        if refusal:
            raise refusal
        _ask(arrival, job, metadata.asked_recipe(opened.metadata))
    except FitConflict:
        raise
    except ServiceError as error:
        creation.refuse(job, problem_document(error))


def _keys_aside(given: Input) -> set[str]:
    return {each.key for each in given.asides}


def _turned_away(owner: str, refusal: OverQuota) -> None:
    telemetry.logger().warning("turned a file away", owner=owner, reason=refusal.detail)
    telemetry.count("FilesTurnedAway")


def _complete(arrival: Arrival, job: Job, opened: OpenObject, keep: Keep) -> None:
    """The file of a job that was made for it."""
    if job.status is Status.PENDING:
        _take(arrival, job, opened, keep)
        job = reads.get(job.owner, job.job_id)
    if job.input is None or job.input.version_id != arrival.version_id:
        # Refused, or one too many for the same form: no job's file, and in no counter.
        data_bucket().delete(arrival.key, arrival.version_id)
        return
    if job.recipe is None or job.fit_id is not None or job.status is not Status.UPLOADED:
        if job.is_active:
            fit_requests.resume(job, wake=False)
        return
    try:
        _ask(arrival, job, asides.whole_recipe(job.recipe, job.init))
    except ServiceError as error:
        creation.refuse(job, problem_document(error))


def _take(arrival: Arrival, job: Job, opened: OpenObject, keep: Keep) -> None:
    """PENDING → UPLOADED, or FAILED where the file cannot be used or there is no room for it."""
    reading = Reading(**job.reading)

    def convert() -> Converted:
        creation.converting(job)
        return conversion.convert(arrival.key, arrival.version_id, job.owner, reading, keep)

    found = checked(arrival.key, arrival.version_id, job.owner, opened, reading, convert)
    given, refusal = found.given, found.refusal
    if given is not None and refusal is None:
        try:
            creation.arrive(job, given, found.warnings)
            return
        except StorageFull as full:
            _turned_away(job.owner, full)
            asides.forget(given)
            refusal = full
        except JobGone:
            asides.forget(given)
            raise
    if refusal is not None:
        kept = job.input and replace(job.input, version_id=arrival.version_id)
        creation.refuse(job, problem_document(refusal), kept)


def _ask(arrival: Arrival, job: Job, recipe: Recipe) -> None:
    """Ask for the fit, once; no worker is woken, as this one looks what is next."""
    recipe = aligned(job, recipe)
    fit_requests.request(job, recipe.seeded(arrival.seed), once=True, wake=False)
