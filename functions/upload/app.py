"""POST /kmeans/upload and /kmeans/uploads: a CSV in, a job out. No NumPy here."""

from kmeans_service import telemetry
from kmeans_service.http import answers, routing
from kmeans_service.http.job_view import job_path
from kmeans_service.http.json_body import fields
from kmeans_service.http.multipart_form import check_names, csv_part
from kmeans_service.lifecycle import uploads
from kmeans_service.media_types import JSON
from kmeans_service.recipes.params import parse_params
from kmeans_service.tables.csv_grammar import check

app = routing.resolver()


@app.post("/kmeans/upload")
@telemetry.timed("UploadDuration")
def upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    parts = request.form()
    check_names(parts, ("file",))
    file = csv_part(parts, "file")
    shape = check(file.body)
    job_id = uploads.store(request.owner, file.filename or "", file.body, shape)
    telemetry.count("Uploads")
    telemetry.count("RowsUploaded", shape.n_samples)
    return answers.json_answer({"filename": file.filename, "job_id": job_id})


@app.post("/kmeans/uploads")
def create_upload() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    body = fields(request.json(), ("filename",), ("model_params",))
    filename = uploads.checked_filename(body["filename"])
    recipe = parse_params(body["model_params"]) if "model_params" in body else None
    reserved = uploads.reserve(request.owner, filename, recipe)
    return answers.json_answer(
        reserved, 201, {"Location": job_path(request.root, reserved["job_id"])}
    )


lambda_handler = routing.lambda_handler(app)
