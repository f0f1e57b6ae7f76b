"""What lies in the bucket, answered: in the answer itself, or with a URL where it is too large."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kmeans_service import config
from kmeans_service.http import answers
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.request import Request
from kmeans_service.storage import LOST_RESULT, data_bucket
from kmeans_service.stored_object import StoredObject


@dataclass(frozen=True)
class Stored:
    """Something that lies in the bucket, as it is answered.

    kept        where it lies, and its digest
    media_type  of the object, which a URL leads to; it is saved under `filename`
    carried     bytes that it takes in an answer, as Lambda carries that
    encode      makes the answer of the object's bytes
    headers     of every answer with it, its ETag among them
    lost        what is said if the object is there no more
    """

    kept: StoredObject
    filename: str
    media_type: str
    carried: float
    encode: Callable[[bytes, Headers], Answer]
    headers: Headers = field(default_factory=dict)
    version_id: str | None = None
    lost: str = LOST_RESULT


def read_answer(request: Request, stored: Stored) -> Answer:
    """As `stored_answer`, with the headers of a read; 304 where the client has it already."""
    return unchanged(request, stored.headers) or stored_answer(request, stored, stored.headers)


def stored_answer(
    request: Request, stored: Stored, headers: Headers, body: bytes | None = None
) -> Answer:
    """The answer with it in it, or a 303 to the object where no answer can carry it.

    body   the object's bytes, where they are at hand

    Raises ModelDamaged, or JobGone if the object was deleted.
    """
    if stored.carried > config.MAX_ANSWER_BYTES:
        return answers.see_other(_url(request.method, stored), headers)
    if body is None:
        kept = stored.kept
        body = data_bucket().checked(kept.key, stored.version_id, kept.sha256, stored.lost)
    return stored.encode(body, headers)


def _url(method: str, stored: Stored) -> str:
    """Signed for the method that follows."""
    disposition = answers.content_disposition(stored.filename)
    return data_bucket().presigned(
        method, stored.kept.key, disposition, stored.media_type, stored.version_id
    )


def unchanged(request: Request, headers: Headers) -> Answer | None:
    """304 if the client has the very state that the ETag among the headers is of."""
    etag = headers["ETag"]
    return answers.unchanged(etag) if request.has(etag) else None


def etag(stored: StoredObject, media_type: str | None = None) -> Headers:
    """Of the object, or of one of its forms."""
    form = f"-{media_type.rpartition('/')[2]}" if media_type else ""
    return {"ETag": f'"{stored.sha256[:32]}{form}"'}
