"""POST /kmeans/upload and /kmeans/uploads: a table in, a job out. No NumPy here."""

import io
from typing import Any

from aws_lambda_powertools.event_handler import Response

from kmeans_service import config, telemetry
from kmeans_service.errors import InvalidParameter, NeedsConversion
from kmeans_service.http import answers, routing
from kmeans_service.http.job_answers import accepted
from kmeans_service.http.job_view import job_path
from kmeans_service.http.json_body import fields, job_id_text
from kmeans_service.http.multipart_form import check_names, csv_part
from kmeans_service.http.parts_view import parts_view
from kmeans_service.http.reading import how_read, reading_of
from kmeans_service.json_values import shown
from kmeans_service.lifecycle import parts, uploads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import JSON
from kmeans_service.recipes.request import parse_recipe
from kmeans_service.tables.dialect import READING, parse_reading
from kmeans_service.tables.table import read_table

# What of a request asks for the fit that begins when the file has come.
RECIPE = ("model_params", "preprocessing", "engine")

app = routing.resolver()


@app.post("/kmeans/upload")
@telemetry.timed("UploadDuration")
def upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    form = request.form()
    check_names(form, ("file", *READING))
    file, reading = csv_part(form, "file"), reading_of(form)
    filename, most = file.filename or "", config.limits().file_bytes
    try:
        table = read_table(lambda: io.BytesIO(file.body), reading, most_bytes=most)
    except NeedsConversion:
        job_id = uploads.store_to_convert(request.owner, filename, file.body, reading)
        telemetry.count("Uploads")
        return answers.json_answer({"filename": filename, "job_id": job_id})
    job_id = uploads.store(request.owner, filename, file.body, table, reading)
    telemetry.count("Uploads")
    telemetry.count("RowsUploaded", table.n_rows)
    return answers.json_answer({"filename": filename, "job_id": job_id} | how_read(table))


@app.post("/kmeans/uploads")
def create_upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    body = fields(request.json(), ("filename",), (*RECIPE, "align_to", "parts", "size", *READING))
    in_parts = _in_parts(body)
    _check_unaligned(body)
    filename = uploads.checked_filename(body["filename"])
    is_fitted = not body.keys().isdisjoint(RECIPE)
    recipe = parse_recipe(body) if is_fitted else None
    reading = parse_reading({name: body[name] for name in READING if name in body})
    if in_parts:
        job = uploads.reserve_parts(request.owner, filename, in_parts, recipe, reading)
        where = {"Location": f"{request.root}/kmeans/uploads/{job.job_id}"}
        return answers.json_answer(parts_view(job), 201, where)
    reserved = uploads.reserve(request.owner, filename, recipe, reading)
    return answers.json_answer(
        reserved, 201, {"Location": job_path(request.root, reserved["job_id"])}
    )


def _check_unaligned(body: dict[str, Any]) -> None:
    """What is continued is copied at a request, by who can read models."""
    if body.get("align_to") is not None:
        raise InvalidParameter(
            f"align_to is {shown(body['align_to'])}; allowed here is null, or to leave it out: "
            "send the file with no model_params, and align_to with POST /kmeans/fit once the job "
            "is UPLOADED",
            field="align_to",
        )


def _in_parts(body: dict[str, Any]) -> int:
    """The bytes of a file that is to come in parts; 0 for one that comes in one piece."""
    wanted = body.get("parts", False)
    if not isinstance(wanted, bool):
        raise InvalidParameter(f"parts is {shown(wanted)}; allowed is true or false", field="parts")
    if not wanted and "size" in body:
        raise InvalidParameter("size is said of a file in parts only", field="size")
    return parts.checked_size(body.get("size")) if wanted else 0


@app.route("/kmeans/uploads/<job_id>", routing.READ)
def get_upload(job_id: str) -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    return answers.json_answer(parts_view(parts.begin(_awaited(job_id))))


@app.post("/kmeans/uploads/<job_id>")
def complete_upload(job_id: str) -> answers.Answer:
    """Its body is not looked at: what has come is asked of S3."""
    request = routing.request(app)
    request.accepted(JSON)
    return accepted(request, parts.complete(parts.begin(_awaited(job_id))), {})


@app.delete("/kmeans/uploads/<job_id>")
def abort_upload(job_id: str) -> answers.Answer:
    parts.abort(_awaited(job_id))
    return Response(status_code=204, body="")


def _awaited(job_id: str) -> Job:
    return parts.find(routing.request(app).owner, job_id_text(job_id))


lambda_handler = routing.lambda_handler(app)
