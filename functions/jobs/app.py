"""GET, PATCH and DELETE /kmeans/jobs…: the life of a job, and what a fit found."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import Response

from kmeans_service import config, telemetry
from kmeans_service.errors import Changed, InvalidParameter, PredictionFailed, TooLarge, quoted
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.answers import Answer
from kmeans_service.http.being_made import how_far, spent_on
from kmeans_service.http.columns_view import columns_view, first_column
from kmeans_service.http.job_answers import (
    stored_choice,
    stored_input,
    stored_labels,
    stored_prediction,
)
from kmeans_service.http.job_view import job_view
from kmeans_service.http.renaming import parse_renaming
from kmeans_service.http.request import Request
from kmeans_service.http.stored import etag, read_answer, stored_answer, unchanged
from kmeans_service.lifecycle import asides, deletion, inputs, large_predictions, names, reads
from kmeans_service.lifecycle.job import Input, Job, Status
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.indicators import Indicators, indicators_of
from kmeans_service.owners import quota
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT, Preprocessing
from kmeans_service.runs import orphans
from kmeans_service.runs.progress import progress_of

VISIBLE = [
    status.value
    for status in Status
    if status not in (Status.DELETING, Status.DELETED, Status.DAMAGED)
]
MAX_PAGE = 100

app = routing.resolver()


def _job(job_id: str) -> Job:
    return reads.get(routing.request(app).owner, json_body.job_id_text(job_id))


@app.route("/kmeans/jobs", routing.READ)
def list_jobs() -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    query = request.query("limit", "cursor", "status", "usage")
    limit = _limit(query.get("limit", "20"))
    status = query.get("status")
    if status is not None and status not in VISIBLE:
        raise InvalidParameter(
            f"status is {quoted(status)}; allowed is {', '.join(VISIBLE)}", field="status"
        )
    usage = f', "usage": {_usage(request.owner)}' if _flag("usage", query) else ""
    # One more than are shown, to know whether there is one.
    jobs = reads.newest(request.owner, limit + 1, query.get("cursor"), status)
    return answers.json_answer(f"{{{_page(jobs, limit, request.root)}{usage}}}")


def _flag(name: str, query: dict[str, str]) -> bool:
    given = query.get(name, "false")
    if given not in ("true", "false"):
        raise InvalidParameter(f"{name} is {quoted(given)}; allowed is true, false", field=name)
    return given == "true"


def _usage(owner: str) -> str:
    """What the owner holds of what is allowed."""
    held, limits = quota.read(owner), config.limits()
    return json.dumps(
        {
            "jobs": held.jobs,
            "max_jobs": limits.jobs,
            "stored_bytes": held.stored_bytes,
            "max_stored_bytes": limits.stored_bytes,
        }
    )


def _page(jobs: Iterable[Job], limit: int, root: str) -> str:
    """Members of the list: as many jobs as are asked for, or fewer if they fill an answer.

    The rest is behind a cursor. Counted as Lambda carries it: a JSON string, in which a control
    character has seven bytes.
    """
    views: list[str] = []
    size = 0
    last: Job | None = None
    for job in jobs:
        if job.status is Status.DAMAGED:
            telemetry.report_damage(job.owner, job.job_id)
        view = json.dumps(job_view(job, root), ensure_ascii=False)
        size += len(json.dumps(view))
        if last and (len(views) == limit or size > config.MAX_ANSWER_BYTES):
            return f'"jobs": [{", ".join(views)}], "next_cursor": "{reads.cursor_of(last)}"'
        views.append(view)
        last = job
    return f'"jobs": [{", ".join(views)}]'


def _limit(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidParameter(
            f"limit is {quoted(text)}; allowed is an integer from 1 to {MAX_PAGE}", field="limit"
        )
    return int(text)


@app.route("/kmeans/jobs/<job_id>", routing.READ)
def get_job(job_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    return _tagged(request, _whole_view(_job(job_id), request.root))


@app.patch("/kmeans/jobs/<job_id>")
def rename_job(job_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    renaming = parse_renaming(request.json())
    job = _job(job_id)

    def expect(job: Job) -> None:
        asked = request.header("If-Match")
        if asked and not request.expects(_etag(_whole_view(job, request.root))):
            raise Changed(f"Job {job.job_id} is not as If-Match says; look at it, then ask again")

    body = _whole_view(names.rename(job, renaming, expect), request.root)
    return answers.json_answer(body, headers={"ETag": _etag(body)})


def _whole_view(job: Job, root: str) -> str:
    if job.is_elsewhere:
        job = replace(job, progress=progress_of(job.fit_prefix) or job.progress)
    called = names.names_of(job)
    view = job_view(asides.whole(job), root)
    if called.clusters:
        view["clusters"] = {str(number): name for number, name in called.clusters.items()}
    if called.of_others:
        view["warnings"] = [*view.get("warnings", []), _of_others(job)]
    return json.dumps(view, ensure_ascii=False)


def _of_others(job: Job) -> str:
    return (
        "Clusters were named in an earlier fit, which this one does not continue: the names are "
        "kept for that one, and none is shown here. Name these clusters with PATCH; or ask for the "
        f'earlier fit again, and then for this one with "align_to": {job.job_id}, which carries '
        "the names on."
    )


def _tagged(request: Request, body: str) -> Answer:
    headers = {"ETag": _etag(body)}
    return unchanged(request, headers) or answers.json_answer(body, headers=headers)


def _etag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


@app.delete("/kmeans/jobs/<job_id>")
def delete_job(job_id: str) -> Answer:
    left = deletion.delete(routing.request(app).owner, json_body.job_id_text(job_id))
    orphans.end_runs_of(left)
    return Response(status_code=204, body="")


@app.route("/kmeans/jobs/<job_id>/labels", routing.READ)
def get_labels(job_id: str) -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    return read_answer(request, stored_labels(_job(job_id), media_type))


@app.route("/kmeans/jobs/<job_id>/scores", routing.READ)
def get_scores(job_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    model = _job(job_id).published
    # The same fit computed anew may have found other scores.
    headers = etag(model.manifest or model.pickle or model.labels)
    answer = unchanged(request, headers)
    return answer or answers.json_answer(model.scores.as_json(), headers=headers)


@app.route("/kmeans/jobs/<job_id>/choice", routing.READ)
def get_choice(job_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    return read_answer(request, stored_choice(_job(job_id)))


@app.route("/kmeans/jobs/<job_id>/input", routing.READ)
def get_input(job_id: str) -> Answer:
    request = routing.request(app)
    job = _job(job_id)
    is_dataset = job.input is not None and job.input.dataset is not None
    request.accepted(*((JSON,) if is_dataset else (CSV, BINARY)))
    return read_answer(request, stored_input(job))


@app.route("/kmeans/jobs/<job_id>/columns", routing.READ)
def get_columns(job_id: str) -> Answer:
    """What the file holds, and what a fit with the job's preprocessing makes of it."""
    request = routing.request(app)
    request.accepted(JSON)
    cursor = request.query("cursor").get("cursor")
    job = _job(job_id)
    table = inputs.table_of(_looked_at(job.checked_input))
    first = first_column(cursor, len(table.columns))
    return _tagged(request, columns_view(table, _preprocessing(job), first, _indicators(job)))


def _indicators(job: Job) -> Indicators:
    """Those of the job's fit, while no other one is asked for."""
    return indicators_of(job.model) if job.model and job.model.fit_id == job.fit_id else {}


def _looked_at(given: Input) -> Input:
    if given.profile is None and given.size > config.MAX_SYNCHRONOUS_BYTES:
        raise TooLarge(
            f"the file of {given.size:,} bytes was uploaded before the service looked at columns; "
            "upload it again to see them"
        )
    return given


def _preprocessing(job: Job) -> Preprocessing:
    """That of the last fit, or of the next that asks for nothing else."""
    asked = job.recipe.preprocessing if job.recipe else DEFAULT
    return DEFAULT if asked == STRICT else asked


@app.route("/kmeans/predictions/<prediction_id>", routing.READ)
def get_prediction(prediction_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(JSON, CSV)
    prediction = large_predictions.find(request.owner, prediction_id)
    job = reads.get(request.owner, prediction.job_id)
    if prediction.error is not None:
        spent = spent_on(prediction)
        raise PredictionFailed(prediction.error["detail"], error=prediction.error, spent=spent)
    if prediction.result is None:
        retry = {"Retry-After": str(config.RETRY_AFTER_SECONDS)}
        return answers.json_answer(_pending(prediction), 202, retry)
    return stored_answer(request, stored_prediction(prediction.result, job), {})


def _pending(prediction: Prediction) -> dict[str, Any]:
    asked = {"engine": prediction.engine} if prediction.engine != "auto" else {}
    return {
        "prediction_id": prediction.prediction_id,
        "job_id": prediction.job_id,
        "status": "PENDING",
        **asked,
        **how_far(prediction),
    }


lambda_handler = routing.lambda_handler(app)
