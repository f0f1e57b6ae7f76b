"""POST /kmeans/upload and /kmeans/uploads: a CSV in, a job out. No NumPy here."""

from kmeans_service import http, uploads
from kmeans_service.csv_grammar import check
from kmeans_service.job_view import job_path
from kmeans_service.json_body import fields
from kmeans_service.multipart_form import check_names, csv_part
from kmeans_service.params import parse_params

app = http.resolver()


@app.post("/kmeans/upload")
@http.timed("UploadDuration")
def upload() -> http.Answer:
    request = http.request(app)
    request.accepted(http.JSON)
    parts = request.form()
    check_names(parts, ("file",))
    file = csv_part(parts, "file")
    shape = check(file.body)
    job_id = uploads.store(request.owner, file.filename or "", file.body, shape)
    http.count("Uploads")
    http.count("RowsUploaded", shape.n_samples)
    return http.json_answer({"filename": file.filename, "job_id": job_id})


@app.post("/kmeans/uploads")
def create_upload() -> http.Answer:
    request = http.request(app)
    request.accepted(http.JSON)
    body = fields(request.json(), ("filename",), ("model_params",))
    filename = uploads.checked_filename(body["filename"])
    params = parse_params(body["model_params"]) if "model_params" in body else None
    reserved = uploads.reserve(request.owner, filename, params)
    return http.json_answer(reserved, 201, {"Location": job_path(request.root, reserved["job_id"])})


lambda_handler = http.lambda_handler(app)
