"""POST /kmeans/predict, /transform and /score: points in, labels, distances or a score out."""

from dataclasses import dataclass

from kmeans_service import telemetry
from kmeans_service.arrays import Array
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.answers import Answer
from kmeans_service.http.array_answers import distances_answer, predicted_answer, stored_centers
from kmeans_service.http.points import read_points
from kmeans_service.http.request import Request
from kmeans_service.http.stored import read_answer
from kmeans_service.lifecycle import large_predictions, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import CSV, JSON
from kmeans_service.models.loading import model_of
from kmeans_service.models.model import Model

app = routing.resolver()


@dataclass(frozen=True)
class Call:
    """A request's job, points of shape (n_samples, n_features) and the model."""

    job: Job
    points: Array
    model: Model


def _call(request: Request) -> Call:
    job_id, points = read_points(request)
    job = reads.get(request.owner, job_id)
    model = model_of(job.published)
    X = points(model.columns, complete=model.is_complete)
    telemetry.count("Predictions")
    telemetry.count("RowsPredicted", len(X))
    return Call(job, X, model)


@app.post("/kmeans/predict")
@telemetry.timed("PredictionDuration")
def predict() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    call = _call(request)
    return predicted_answer(call.job, call.model.predict(call.points), media_type, {})


@app.post("/kmeans/transform")
@telemetry.timed("PredictionDuration")
def transform() -> Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    call = _call(request)
    answers.check_numbers(len(call.points) * call.model.n_clusters)
    return distances_answer(call.job, call.model.distances(call.points), media_type)


@app.post("/kmeans/score")
@telemetry.timed("PredictionDuration")
def score_points() -> Answer:
    request = routing.request(app)
    request.accepted(JSON)
    call = _call(request)
    return answers.json_answer({"score": call.model.score(call.points)})


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
