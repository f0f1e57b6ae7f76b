"""What can go wrong: one tree, which below `Problem` mirrors the service's (RFC 9457)."""

from collections.abc import Iterator
from typing import Any

TYPE = "urn:kmeans-service:problem:"


class KMeansError(Exception):
    """Base of everything that this package raises about a service or what is sent to it."""


class InvalidInput(KMeansError, ValueError):
    """What was given cannot be sent: it is no table, or an option does not fit it."""


class NoService(KMeansError):
    """Nothing answers at the URL, or what answers is no k-means service."""


class ConnectionLost(KMeansError):
    """The connection broke, or an answer did not come in time, and trying again did not help."""


class TookTooLong(KMeansError):
    """What was waited for has not come within the time that the caller gave it."""


class Problem(KMeansError):
    """The service refused, and said why.

    status      HTTP status
    type        URN of the kind of problem, "" where the answer was no problem document
    title       the kind in words
    detail      the place, what was found, what is allowed
    request_id  of the call, as the service's log has it
    members     all members of the document: field, line, column, allowed, error …
    """

    def __init__(
        self, status: int, members: dict[str, Any], retry_after: float | None = None
    ) -> None:
        self.status = status
        self.members = members
        self.retry_after = retry_after
        super().__init__(self.detail or self.title)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.members, self.retry_after)

    @property
    def type(self) -> str:
        return str(self.members.get("type", ""))

    @property
    def title(self) -> str:
        return str(self.members.get("title", f"HTTP status {self.status}"))

    @property
    def detail(self) -> str:
        return str(self.members.get("detail", ""))

    @property
    def request_id(self) -> str | None:
        return self.members.get("request_id")


class MalformedRequest(Problem):
    """The body or a header cannot be read as what it claims to be."""


class Unauthenticated(Problem):
    """The call carries no credentials, or none that are known."""


class Forbidden(Problem):
    """These credentials do not open this path."""


class RouteNotFound(Problem):
    """No such path: the URL is not that of the service, or the service is older than the client."""


class MethodNotAllowed(Problem):
    """The path exists, but not with this method."""


class NotAcceptable(Problem):
    """None of the accepted media types can be produced."""


class UnsupportedMediaType(Problem):
    """The body's media type, charset or content coding is not one this path takes."""


class NeedsConversion(UnsupportedMediaType):
    """The file is of a format that is converted once, where there is time for that."""


class TooLarge(Problem):
    """The body, or something in it, is over a documented limit."""


class OverQuota(Problem):
    """The owner has as much as one may have."""


class TooManyJobs(OverQuota):
    """The owner has as many jobs as one may have."""


class StorageFull(OverQuota):
    """With this file, the owner's files would have more bytes than they may have."""


class TooManyRequests(Problem):
    """Too many requests; trying again did not help within the client's patience."""


class InvalidParameter(Problem):
    """A field is missing, of the wrong type or out of range."""


class InvalidCsv(Problem):
    """The file breaks the grammar; `members` names line and column, which count from 1."""


class FeatureMismatch(Problem):
    """The points do not have the features that the model was fitted with."""


class JobNotFound(Problem):
    """The owner has no job with this id."""


class PredictionNotFound(Problem):
    """The owner has no prediction with this id."""


class ChoiceNotFound(Problem):
    """The number of clusters of the job's fit was given, and not chosen."""


class JobGone(Problem):
    """The job was deleted or has expired; its id is never used again."""


class ModelDamaged(Problem):
    """A stored object no longer has the digest that was recorded for it."""


class Changed(Problem):
    """The job is not in the state any more that If-Match names."""


class NotFitted(Problem):
    """The job exists but has no fitted model yet."""


class NotUploaded(Problem):
    """The job was made for a file that has not arrived yet."""


class FileArrived(Problem):
    """The upload that is to be given up has become a job's file."""


class PartsMissing(Problem):
    """Not all parts of an upload have come as they should be."""


class BeingMade(Problem):
    """What is needed for the answer is still being made; trying again did not help."""


class NotMade(Problem):
    """What was asked for could not be made of the fit; `members["error"]` says why."""


class FitConflict(Problem):
    """Another fit of this job is active."""


class FitFailed(Problem):
    """The fit, or the arrival of the file, failed for a reason that `members["error"]` has."""


class PredictionFailed(Problem):
    """The points of a large prediction could not be predicted; `members["error"]` says why."""


class Unavailable(Problem):
    """A dependency or all capacity is busy; trying again did not help."""


class InternalError(Problem):
    """A defect of the service; its log has what happened, under the request id."""


class BadGateway(Problem):
    """The gateway did not reach the function, or got no answer of it."""


class InsufficientStorage(Problem):
    """The disk of the machine that the service runs on is full."""


def leaves() -> dict[str, type[Problem]]:
    """Each kind of problem by its type."""
    return {TYPE + _kebab(kind.__name__): kind for kind in _below(Problem)}


def problem(status: int, members: dict[str, Any], retry_after: float | None = None) -> Problem:
    """The exception of a problem document; of a kind that is newer than this client, a Problem."""
    kind = leaves().get(str(members.get("type", "")), Problem)
    return kind(status, members, retry_after)


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
