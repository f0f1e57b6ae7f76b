"""POST /kmeans/fit and /kmeans/fit_predict: points in, labels out, or the job to follow.

And GET …/model: this function has scikit-learn, and may write models.
"""

import time

from kmeans_service import config, telemetry
from kmeans_service.fitting import synchronous
from kmeans_service.fitting.pickles import with_pickle
from kmeans_service.fitting.synchronous import Outcome
from kmeans_service.http import json_body, routing
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.array_answers import predicted_answer
from kmeans_service.http.job_answers import accepted, stored_labels, stored_model
from kmeans_service.http.multipart_form import Part, check_names, csv_part
from kmeans_service.http.prefer import Preference, parse_prefer
from kmeans_service.http.request import Request
from kmeans_service.http.stored import read_answer, stored_answer
from kmeans_service.lifecycle import reads, uploads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.columns import Columns
from kmeans_service.models.loading import model_of
from kmeans_service.recipes.params import check_against_data, parse_params
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.tables.csv_grammar import CsvShape
from kmeans_service.tables.dataset import Dataset, parse_csv, shape_of

# What the answer itself takes, after the fit.
ANSWER_SECONDS = 3.0

app = routing.resolver()


@app.post("/kmeans/fit")
def fit() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    body = json_body.fields(request.json(), ("job_id",), ("model_params",))
    job_id = json_body.job_id(body["job_id"])
    recipe = parse_params(body.get("model_params", {}))
    prefer = parse_prefer(request.header("Prefer"))
    outcome = _fit(request, job_id, recipe, prefer)
    if outcome.job.is_active:
        return accepted(request, outcome.job, _applied(prefer))
    return _labels(request, outcome, media_type, _applied(prefer))


@app.post("/kmeans/fit_predict")
def fit_predict() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    parts = request.form()
    check_names(parts, ("file", "model_params", "predict"))
    file, recipe = csv_part(parts, "file"), _recipe(parts)
    points = parse_csv(csv_part(parts, "predict").body) if "predict" in parts else None
    prefer = parse_prefer(request.header("Prefer"))
    shape = _checked(file.body, recipe, points)
    job_id = uploads.store(request.owner, file.filename or "", file.body, shape)
    outcome = _fit(request, job_id, recipe, prefer)
    headers = {"X-Job-Id": str(job_id)} | _applied(prefer)
    if outcome.job.is_active:
        return accepted(request, outcome.job, headers)
    if points is None:
        return _labels(request, outcome, media_type, headers)
    return _predicted(outcome.job, points, media_type, headers)


@app.route("/kmeans/jobs/<job_id>/model", routing.READ)
def get_model(job_id: str) -> Answer:
    request = routing.request(app)
    request.accepted(BINARY)
    job = reads.get(request.owner, json_body.job_id_text(job_id))
    return read_answer(request, stored_model(with_pickle(job)))


def _checked(body: bytes, recipe: Recipe, points: Dataset | None) -> CsvShape:
    """The file's shape; raises what its fit or prediction would be refused for, before any job."""
    shape = shape_of(body)
    check_against_data(recipe, shape.n_samples, shape.n_features)
    if points is not None:
        columns = Columns(shape.n_features, shape.feature_names)
        columns.check(points.X.shape[1], points.feature_names)
    return shape


def _recipe(parts: dict[str, Part]) -> Recipe:
    if "model_params" not in parts:
        return parse_params({})
    return parse_params(json_body.loads(parts["model_params"].text(), "model_params"))


def _fit(request: Request, job_id: int, recipe: Recipe, prefer: Preference) -> Outcome:
    seconds = min(config.SYNCHRONOUS_SECONDS, prefer.wait, _remaining(request) - ANSWER_SECONDS)
    start = time.monotonic()
    outcome = synchronous.fit(request.owner, job_id, recipe, seconds, request.arrived)
    if outcome.labels_csv is not None and outcome.job.input is not None:
        telemetry.took("FitDuration", start)
        telemetry.count("Fits")
        telemetry.count("RowsFitted", outcome.job.input.n_samples)
    return outcome


def _remaining(request: Request) -> float:
    """Seconds until the function ends or the gateway gives up; a late start has few, or none."""
    of_function = float(app.lambda_context.get_remaining_time_in_millis()) / 1000
    return min(of_function, request.received + config.gateway_seconds() - time.time())


def _applied(prefer: Preference) -> dict[str, str]:
    return {"Preference-Applied": prefer.applied} if prefer.applied else {}


def _labels(request: Request, outcome: Outcome, media_type: str, headers: Headers) -> Answer:
    return stored_answer(
        request, stored_labels(outcome.job, media_type), headers, outcome.labels_csv
    )


def _predicted(job: Job, points: Dataset, media_type: str, headers: Headers) -> Answer:
    labels = model_of(job.published).predict(points.X)
    return predicted_answer(job, labels, media_type, headers)


lambda_handler = routing.lambda_handler(app)
