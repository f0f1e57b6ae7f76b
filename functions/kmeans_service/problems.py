"""Refusals as RFC 9457 problem documents: the one table from our errors to HTTP statuses."""

from http import HTTPStatus
from typing import Any

from kmeans_service import errors
from kmeans_service.errors import ServiceError

STATUS: dict[type[ServiceError], HTTPStatus] = {
    errors.MalformedRequest: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.RouteNotFound: HTTPStatus.NOT_FOUND,
    errors.JobNotFound: HTTPStatus.NOT_FOUND,
    errors.PredictionNotFound: HTTPStatus.NOT_FOUND,
    errors.ChoiceNotFound: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    errors.NotFitted: HTTPStatus.CONFLICT,
    errors.NotUploaded: HTTPStatus.CONFLICT,
    errors.FileArrived: HTTPStatus.CONFLICT,
    errors.PartsMissing: HTTPStatus.CONFLICT,
    errors.FitConflict: HTTPStatus.CONFLICT,
    errors.JobGone: HTTPStatus.GONE,
    errors.ModelDamaged: HTTPStatus.GONE,
    errors.Changed: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.StorageFull: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NeedsConversion: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.InvalidParameter: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidCsv: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FeatureMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FitFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PredictionFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    # No 5xx: nothing is wrong, and alarms count those.
    errors.BeingMade: HTTPStatus.CONFLICT,
    errors.NotMade: HTTPStatus.UNPROCESSABLE_ENTITY,
    # Not 429, which clients try again by themselves: here only deleting a job helps.
    errors.TooManyJobs: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def problem_document(error: ServiceError) -> dict[str, Any]:
    """`type` is a URN made of the class's name; the error's members are extension members."""
    name = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__)
    return {
        "type": f"urn:kmeans-service:problem:{name.lstrip('-')}",
        "title": error.title,
        "status": STATUS[type(error)].value,
        "detail": error.detail,
        **error.members,
    }
