"""POST /kmeans/fit and /kmeans/fit_predict: points in, labels out, or the job to follow.

And GET …/model: this function has scikit-learn, and may write models.
"""

import io
import time
from typing import Any

from kmeans_service import config, json_values, telemetry
from kmeans_service.errors import NeedsConversion
from kmeans_service.fitting import aligning, synchronous
from kmeans_service.fitting.pickles import with_pickle
from kmeans_service.fitting.synchronous import Outcome
from kmeans_service.http import json_body, routing
from kmeans_service.http.answers import Answer, Headers
from kmeans_service.http.array_answers import predicted_answer
from kmeans_service.http.job_answers import accepted, stored_labels, stored_model
from kmeans_service.http.job_points import JobPoints
from kmeans_service.http.multipart_form import Part, check_names, csv_part
from kmeans_service.http.points import Points, points_in
from kmeans_service.http.prefer import Preference, parse_prefer
from kmeans_service.http.reading import reading_of
from kmeans_service.http.request import Request
from kmeans_service.http.stored import read_answer, stored_answer
from kmeans_service.lifecycle import reads, uploads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.columns import planned_columns
from kmeans_service.recipes.params import check_against_data
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.request import parse_recipe
from kmeans_service.recipes.settled import changes_rows, settled
from kmeans_service.tables.dialect import READING, Reading
from kmeans_service.tables.table import Table, read_table

# What of a form asks for the fit.
RECIPE = ("model_params", "preprocessing", "align_to", "engine")
# What the answer itself takes, after the fit.
ANSWER_SECONDS = 3.0

app = routing.resolver()


@app.post("/kmeans/fit")
def fit() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    body = json_body.fields(request.json(), ("job_id",), RECIPE)
    job_id = json_body.job_id(body["job_id"])
    recipe = parse_recipe(body)
    prefer = parse_prefer(request.header("Prefer"))
    outcome = _fit(request, job_id, recipe, prefer)
    if not outcome.is_done:
        return accepted(request, outcome.job, _applied(prefer))
    return _labels(request, outcome, media_type, _applied(prefer))


@app.post("/kmeans/fit_predict")
def fit_predict() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    parts = request.form()
    check_names(parts, ("file", *RECIPE, "predict", *READING))
    file, recipe, reading = csv_part(parts, "file"), _recipe(parts), reading_of(parts)
    points = points_in(csv_part(parts, "predict").body, "predict") if "predict" in parts else None
    prefer = parse_prefer(request.header("Prefer"))
    job_id = _stored(request.owner, file, reading, recipe, points)
    outcome = _fit(request, job_id, recipe, prefer)
    headers = {"X-Job-Id": str(job_id)} | _applied(prefer)
    if not outcome.is_done:
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


def _stored(owner: str, file: Part, reading: Reading, recipe: Recipe, points: Points | None) -> int:
    """The file's job; raises what its fit or prediction would be refused for, before any job."""
    filename, most = file.filename or "", config.limits().file_bytes
    try:
        table = read_table(lambda: io.BytesIO(file.body), reading, most_bytes=most)
    except NeedsConversion:
        return uploads.store_to_convert(owner, filename, file.body, reading)
    _check(owner, table, recipe, points)
    return uploads.store(owner, filename, file.body, table, reading)


def _check(owner: str, table: Table, recipe: Recipe, points: Points | None) -> None:
    _, plan = settled(table, recipe)
    check_against_data(recipe, table.n_rows, plan.n_features)
    columns = planned_columns(table, plan)
    aligning.check(owner, recipe, columns)
    if points is not None:
        points(columns, complete=not changes_rows(plan, recipe))


def _recipe(parts: dict[str, Part]) -> Recipe:
    given: dict[str, Any] = {
        name: json_values.loads(parts[name].text(), name) for name in RECIPE[:-1] if name in parts
    }
    if "engine" in parts:  # a word, as those of the reading are
        given["engine"] = parts["engine"].text()
    return parse_recipe(given)


def _fit(request: Request, job_id: int, recipe: Recipe, prefer: Preference) -> Outcome:
    seconds = min(
        config.SYNCHRONOUS_SECONDS, prefer.wait, request.left(app.lambda_context) - ANSWER_SECONDS
    )
    start = time.monotonic()
    outcome = synchronous.fit(request.owner, job_id, recipe, seconds, request.arrived)
    if outcome.labels_csv is not None and outcome.job.input is not None:
        telemetry.took("FitDuration", start)
        telemetry.count("Fits")
        telemetry.count("RowsFitted", outcome.job.input.n_samples)
    return outcome


def _applied(prefer: Preference) -> dict[str, str]:
    return {"Preference-Applied": prefer.applied} if prefer.applied else {}


def _labels(request: Request, outcome: Outcome, media_type: str, headers: Headers) -> Answer:
    return stored_answer(
        request, stored_labels(outcome.job, media_type), headers, outcome.labels_csv
    )


def _predicted(job: Job, points: Points, media_type: str, headers: dict[str, str]) -> Answer:
    return predicted_answer(job, JobPoints.of(job, points).labels(), media_type, headers)


lambda_handler = routing.lambda_handler(app)
