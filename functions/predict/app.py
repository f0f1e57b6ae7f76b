"""Points in, labels, distances or a score out; also by the V2 inference protocol."""

from collections.abc import Callable
from typing import Any

from kmeans_service import config, telemetry
from kmeans_service.errors import InvalidParameter
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.answers import Answer
from kmeans_service.http.array_answers import distances_answer, predicted_answer, stored_centers
from kmeans_service.http.job_points import JobPoints
from kmeans_service.http.points import Points, read_points
from kmeans_service.http.request import Request
from kmeans_service.http.stored import read_answer
from kmeans_service.json_values import shown
from kmeans_service.lifecycle import large_predictions, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, JSON
from kmeans_service.recipes.engines import engine_of_points
from predict import inference

# What the prediction takes, after the rows of the fit are measured.
ANSWER_SECONDS = 8.0

V2 = routing.INFERENCE
HEALTH = [f"{V2}/health/live", f"{V2}/health/ready"]

app = routing.resolver(V2, *HEALTH)


def _points(request: Request, of: Callable[[Job, Points], JobPoints] = JobPoints.of) -> JobPoints:
    job_id, points = read_points(request)
    read = of(reads.get(request.owner, job_id), points)
    telemetry.count("Predictions")
    telemetry.count("RowsPredicted", read.n_samples)
    return read


@app.post("/kmeans/predict")
@telemetry.timed("PredictionDuration")
def predict() -> Answer:
    request = routing.request(app)
    query = request.query("answer", "outlier_quantile")
    if _are_rows_asked(query):
        return _rows(request, query)
    media_type = request.accepted(CSV, JSON)
    points = _points(request)
    return predicted_answer(points.job, points.labels(), media_type, {})


def _are_rows_asked(given: dict[str, Any]) -> bool:
    answer = given.get("answer", "labels")
    if answer not in ("labels", "rows"):
        raise InvalidParameter(
            f"answer is {shown(answer)}; allowed is labels or rows", field="answer"
        )
    if answer == "labels" and "outlier_quantile" in given:
        raise InvalidParameter(
            "outlier_quantile is of answer=rows alone, and labels are asked for",
            field="outlier_quantile",
        )
    return bool(answer == "rows")


def _rows(request: Request, query: dict[str, str]) -> Answer:
    from kmeans_service.http import predicted_rows  # with what most predictions do without

    is_json = request.media_type == JSON
    media_type = request.accepted(*((JSON,) if is_json else (CSV, JSON)))
    share = predicted_rows.share_of_query(query)
    job_id, points = read_points(request)
    job = reads.get(request.owner, job_id)
    telemetry.count("Predictions")
    seconds = min(config.SYNCHRONOUS_SECONDS, request.left(app.lambda_context) - ANSWER_SECONDS)
    return predicted_rows.rows_answer(job, points, share, media_type, seconds)


@app.post("/kmeans/transform")
@telemetry.timed("PredictionDuration")
def transform() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    points = _points(request)
    return distances_answer(points.job, points.distances(), media_type)


@app.post("/kmeans/score")
@telemetry.timed("PredictionDuration")
def score_points() -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    return answers.json_answer({"score": _points(request, JobPoints.weighted).score()})


@app.post("/kmeans/predictions")
def create_prediction() -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    body = json_body.fields(request.json(), ("job_id",), ("answer", "outlier_quantile", "engine"))
    job_id, share = json_body.job_id(body["job_id"]), None
    if _are_rows_asked(body):
        from kmeans_service.http import predicted_rows  # as above

        share = predicted_rows.share_of_json(body)
    engine = engine_of_points(body.get("engine", "auto"), as_rows=share is not None)
    reserved = large_predictions.reserve(reads.get(request.owner, job_id), share, engine)
    result = f"{request.root}/kmeans/predictions/{reserved['prediction_id']}"
    return answers.json_answer(reserved | {"result": result}, 202, {"Location": result})


@app.route("/kmeans/jobs/<job_id>/centers", routing.READ)
def centers(job_id: str) -> Answer:
    """Here and not with the other reads of a job: this function has NumPy."""
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    job = reads.get(request.owner, json_body.job_id_text(job_id))
    return read_answer(request, stored_centers(job, media_type))


@app.route(V2, routing.READ)
def server_metadata() -> Answer:
    routing.request(app).accepted(JSON)
    return answers.json_answer(inference.SERVER)


@app.route(f"{V2}/health/live", routing.READ)
def server_live() -> Answer:
    """It answers, and so it lives."""
    routing.request(app).accepted(JSON)
    return answers.json_answer({"live": True})


@app.route(f"{V2}/health/ready", routing.READ)
def server_ready() -> Answer:
    """Models are read when they are asked for: who answers here has all that it takes."""
    routing.request(app).accepted(JSON)
    return answers.json_answer({"ready": True})


@app.route(f"{V2}/models/<job_id>", routing.READ)
def model_metadata(job_id: str) -> Answer:
    return answers.json_answer(inference.metadata(_job(job_id)))


@app.route(f"{V2}/models/<job_id>/ready", routing.READ)
def model_ready(job_id: str) -> Answer:
    return answers.json_answer(inference.readiness(_job(job_id)))


def _job(job_id: str) -> Job:
    request = routing.request(app)
    request.accepted(JSON)
    return reads.get(request.owner, json_body.job_id_text(job_id))


@app.post(f"{V2}/models/<job_id>/infer")
@telemetry.timed("PredictionDuration")
def infer(job_id: str) -> Answer:
    return inference.infer(routing.request(app), json_body.job_id_text(job_id))


lambda_handler = routing.lambda_handler(app)
