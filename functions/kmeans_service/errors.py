"""Everything a request can be refused for: one tree, which knows the domain and not HTTP.

`problems.py` holds the one table from these classes to HTTP statuses.
"""

from collections.abc import Collection
from typing import Any, Self

QUOTED_LENGTH = 40


def quoted(text: str) -> str:
    """The text as a message may show it: in quotes, escaped, shortened to a glance."""
    shown = text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"
    return ascii(shown) if not shown.isprintable() else f"'{shown}'"


class ServiceError(Exception):
    """Base of every refusal; `members` become extension members of the problem document."""

    title = "The request could not be served"

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = {name: value for name, value in members.items() if value is not None}


class MalformedRequest(ServiceError):
    """The body or a header cannot be read as what it claims to be."""

    title = "Malformed request"


class Unauthenticated(ServiceError):
    """The call carries no credentials that name an owner."""

    title = "Not authenticated"


class Forbidden(ServiceError):
    """The caller is known, and is none that can own jobs."""

    title = "Not allowed"


class RouteNotFound(ServiceError):
    """No such path."""

    title = "No such path"


class MethodNotAllowed(ServiceError):
    """The path exists, but not with this method."""

    title = "Method not allowed"

    def __init__(self, detail: str, allow: Collection[str]) -> None:
        super().__init__(detail)
        self.allow = tuple(sorted(allow))


class NotAcceptable(ServiceError):
    """None of the media types in Accept can be produced."""

    title = "Not acceptable"


class UnsupportedMediaType(ServiceError):
    """The body's media type, charset or content coding is not one this path takes."""

    title = "Unsupported media type"


class NeedsConversion(UnsupportedMediaType):
    """The file is of a format that is converted once, where there is time for that."""


class TooLarge(ServiceError):
    """The body, or something in it, is over a documented limit."""

    title = "Too large"


class OverQuota(ServiceError):
    """The owner has as much as one may have."""


class TooManyJobs(OverQuota):
    """The owner has as many jobs as one may have."""

    title = "Too many jobs"


class StorageFull(OverQuota):
    """With this file, the owner's files would have more bytes than one's may have."""

    title = "Storage full"


class TooManyRequests(ServiceError):
    """The owner's requests of this minute are used up; the next one begins in `retry_after` s."""

    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InvalidParameter(ServiceError):
    """A field is missing, of the wrong type or out of range."""

    title = "Invalid parameter"


class InvalidCsv(ServiceError):
    """The CSV breaks the grammar; members `line` and `column` count from 1."""

    title = "Invalid CSV"


class FeatureMismatch(ServiceError):
    """The points do not have the features that the model was fitted with."""

    title = "Features do not match the model"

    def of_field(self, field: str) -> Self:
        """The same, of the request's field that holds the points."""
        return type(self)(self.detail, **self.members | {"field": field})


class JobNotFound(ServiceError):
    """The owner has no job with this id."""

    title = "No such job"


class ChoiceNotFound(ServiceError):
    """The job was fitted with a number of clusters that was given."""

    title = "Nothing was chosen"


class PredictionNotFound(ServiceError):
    """The owner has no prediction with this id."""

    title = "No such prediction"


class JobGone(ServiceError):
    """The job was deleted or has expired; its id is never used again."""

    title = "Job gone"


class ModelDamaged(ServiceError):
    """A stored object no longer has the digest that was recorded for it; it is not loaded."""

    title = "Stored object damaged"


class Changed(ServiceError):
    """What is to be changed is not in the state any more that If-Match names."""

    title = "Changed meanwhile"


class NotFitted(ServiceError):
    """The job exists but has no fitted model yet."""

    title = "Not fitted yet"


class NotUploaded(ServiceError):
    """The job was made for a file that has not arrived yet."""

    title = "File not arrived yet"


class FileArrived(ServiceError):
    """The upload that is to be given up has become a job's file."""

    title = "File has arrived"


class PartsMissing(ServiceError):
    """Not all parts of an upload have come as they should be."""

    title = "Parts are missing"


class FitConflict(ServiceError):
    """Another fit of this job is active."""

    title = "Another fit is active"


class FitFailed(ServiceError):
    """The fit ran and failed for a reason that lies in the data or the parameters."""

    title = "Fit failed"


class PredictionFailed(ServiceError):
    """The points of a large prediction arrived and could not be predicted; `error` says why."""

    title = "Prediction failed"


class BeingMade(ServiceError):
    """What the request needs is being made of the model; a little later, the same one succeeds."""

    title = "Being made"


class NotMade(ServiceError):
    """What was asked of a model could not be made of it; `error` says why."""

    title = "Could not be made"


class Unavailable(ServiceError):
    """A dependency or all capacity is busy; the same request may succeed later."""

    title = "Try again later"


class InternalError(ServiceError):
    """A defect of ours; the log has what happened, under the request id."""

    title = "Internal error"
