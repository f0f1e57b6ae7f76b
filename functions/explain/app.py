"""GET …/rows and what else is made of a fit when somebody asks for it."""

from functools import partial

from kmeans_service import config
from kmeans_service.errors import NotMade
from kmeans_service.explaining import making
from kmeans_service.explaining.makers import Maker, maker
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.being_made import how_far, spent_on
from kmeans_service.http.job_view import job_path
from kmeans_service.http.request import Request
from kmeans_service.http.stored import Stored, etag, read_answer
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, HTML, JSON

# What the answer itself takes, after the making.
ANSWER_SECONDS = 3.0

app = routing.resolver()


@app.route("/kmeans/jobs/<job_id>/rows", routing.READ)
def get_rows(job_id: str) -> Answer:
    return _answer("rows", job_id, CSV)


@app.route("/kmeans/jobs/<job_id>/audit", routing.READ)
def get_audit(job_id: str) -> Answer:
    return _answer("audit", job_id, JSON)


@app.route("/kmeans/jobs/<job_id>/clusters", routing.READ)
def get_clusters(job_id: str) -> Answer:
    return _answer("clusters", job_id, JSON)


@app.route("/kmeans/jobs/<job_id>/migration", routing.READ)
def get_migration(job_id: str) -> Answer:
    return _answer("migration", job_id, JSON)


@app.route("/kmeans/jobs/<job_id>/projection", routing.READ)
def get_projection(job_id: str) -> Answer:
    return _answer("projection", job_id, JSON)


@app.route("/kmeans/jobs/<job_id>/report", routing.READ)
def get_report(job_id: str) -> Answer:
    return _answer("report", job_id, HTML)


def _answer(name: str, job_id: str, *media_types: str) -> Answer:
    """What the maker of this name makes: as it was made, 202 until it is, or why it is not."""
    request = routing.request(app)
    request.accepted(*media_types)
    making_it = maker(name)
    query = request.query(*making_it.QUERY)
    job = reads.get(request.owner, json_body.job_id_text(job_id))
    _ = job.published  # raises NotFitted
    found = making.answered(job, name, making_it.asked(job, query), _seconds(request))
    if found.error is not None:
        raise NotMade(found.error["detail"], error=found.error, spent=spent_on(found))
    if found.result is None:
        return _pending(request, found)
    return read_answer(request, _stored(job, found, making_it))


def _seconds(request: Request) -> float:
    left = request.left(app.lambda_context)
    return min(config.SYNCHRONOUS_SECONDS, left - ANSWER_SECONDS)


def _pending(request: Request, asked: Explanation) -> Answer:
    path = f"{job_path(request.root, asked.job_id)}/{asked.maker}"
    result = path + request.query_text
    view = {"job_id": asked.job_id, "status": "PENDING", "result": result, **how_far(asked)}
    headers = {"Location": result, "Retry-After": str(config.RETRY_AFTER_SECONDS)}
    return answers.json_answer(view, 202, headers)


def _stored(job: Job, found: Explanation, making_it: Maker) -> Stored:
    stored = found.result
    if stored is None:
        raise ValueError("what is answered was made")
    media_type = making_it.media_type(job)
    filename = f"{job.filename}.{found.maker}{making_it.SUFFIX}"
    return Stored(
        stored,
        filename,
        media_type,
        carried=stored.size * (2 if media_type == JSON else 11 / 8),
        encode=partial(_encoded, media_type, filename),
        headers=etag(stored),
    )


def _encoded(media_type: str, filename: str, body: bytes, headers: Headers) -> Answer:
    if media_type == JSON:
        return answers.json_answer(body.decode(), headers=headers)
    if media_type.startswith(HTML):
        return answers.page_answer(body.decode(), media_type, headers)
    return answers.binary_answer(media_type, filename, body, headers)


lambda_handler = routing.lambda_handler(app)
