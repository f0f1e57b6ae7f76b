"""POST /kmeans/upload and /kmeans/uploads: a table in, a job out. No NumPy here."""

import io

from kmeans_service import config, telemetry
from kmeans_service.http import answers, routing
from kmeans_service.http.job_view import job_path
from kmeans_service.http.json_body import fields
from kmeans_service.http.multipart_form import check_names, csv_part
from kmeans_service.http.reading import how_read, reading_of
from kmeans_service.lifecycle import uploads
from kmeans_service.media_types import JSON
from kmeans_service.recipes.request import parse_recipe
from kmeans_service.tables.dialect import READING, parse_reading
from kmeans_service.tables.table import read_table

app = routing.resolver()


@app.post("/kmeans/upload")
@telemetry.timed("UploadDuration")
def upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    parts = request.form()
    check_names(parts, ("file", *READING))
    file, reading = csv_part(parts, "file"), reading_of(parts)
    table = read_table(
        lambda: io.BytesIO(file.body), reading, most_bytes=config.limits().file_bytes
    )
    job_id = uploads.store(request.owner, file.filename or "", file.body, table, reading)
    telemetry.count("Uploads")
    telemetry.count("RowsUploaded", table.n_rows)
    return answers.json_answer({"filename": file.filename, "job_id": job_id} | how_read(table))


@app.post("/kmeans/uploads")
def create_upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    body = fields(request.json(), ("filename",), ("model_params", "preprocessing", *READING))
    filename = uploads.checked_filename(body["filename"])
    is_fitted = "model_params" in body or "preprocessing" in body
    recipe = parse_recipe(body) if is_fitted else None
    reading = parse_reading({name: body[name] for name in READING if name in body})
    reserved = uploads.reserve(request.owner, filename, recipe, reading)
    return answers.json_answer(
        reserved, 201, {"Location": job_path(request.root, reserved["job_id"])}
    )


lambda_handler = routing.lambda_handler(app)
