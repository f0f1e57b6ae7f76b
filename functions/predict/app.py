"""POST /kmeans/predict, /transform and /score: points in, labels, distances or a score out."""

from collections.abc import Callable

from kmeans_service import telemetry
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.answers import Answer
from kmeans_service.http.array_answers import distances_answer, predicted_answer, stored_centers
from kmeans_service.http.job_points import JobPoints
from kmeans_service.http.points import Points, read_points
from kmeans_service.http.request import Request
from kmeans_service.http.stored import read_answer
from kmeans_service.lifecycle import large_predictions, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, JSON

app = routing.resolver()


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
    media_type = request.accepted(CSV, JSON)
    points = _points(request)
    return predicted_answer(points.job, points.labels(), media_type, {})


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
    body = json_body.fields(request.json(), ("job_id",))
    job = reads.get(request.owner, json_body.job_id(body["job_id"]))
    reserved = large_predictions.reserve(job)
    result = f"{request.root}/kmeans/predictions/{reserved['prediction_id']}"
    return answers.json_answer(reserved | {"result": result}, 202, {"Location": result})


@app.route("/kmeans/jobs/<job_id>/centers", routing.READ)
def centers(job_id: str) -> Answer:
    """Here and not with the other reads of a job: this function has NumPy."""
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    job = reads.get(request.owner, json_body.job_id_text(job_id))
    return read_answer(request, stored_centers(job, media_type))


lambda_handler = routing.lambda_handler(app)
