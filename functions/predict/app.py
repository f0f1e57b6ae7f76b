"""POST /kmeans/predict, /transform and /score: points in, labels, distances or a score out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kmeans_service import telemetry
from kmeans_service.arrays import Array
from kmeans_service.http import answers, json_body, routing
from kmeans_service.http.job_answers import elsewhere
from kmeans_service.http.predicted_labels import predicted_answer
from kmeans_service.http.request import Request
from kmeans_service.lifecycle import asides, large_predictions, reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.loading import centers_of, check_features, predictor_of
from kmeans_service.models.predictor import Predictor
from predict.points import read_points

app = routing.resolver()


@dataclass(frozen=True)
class Call:
    """A request's job, points of shape (n_samples, n_features) and what predicts."""

    job: Job
    points: Array
    predictor: Predictor


def _call(request: Request) -> Call:
    job_id, points = read_points(request)
    job = reads.get(request.owner, job_id)
    model = asides.whole_model(job.published)
    check_features(model, points.X.shape[1], points.feature_names)
    telemetry.count("Predictions")
    telemetry.count("RowsPredicted", len(points.X))
    return Call(job, points.X, predictor_of(model))


@app.post("/kmeans/predict")
@telemetry.timed("PredictionDuration")
def predict() -> answers.Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    call = _call(request)
    return predicted_answer(call.job, call.predictor.predict(call.points), media_type, {})


@app.post("/kmeans/transform")
@telemetry.timed("PredictionDuration")
def transform() -> answers.Answer:
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    call = _call(request)
    answers.check_numbers(len(call.points) * len(call.predictor.centers))
    rows = call.predictor.distances(call.points)
    if media_type == JSON:
        return answers.json_answer({"distances": rows.tolist()})
    return answers.csv_answer(_rows_csv(rows), f"{call.job.filename}.distances.csv")


@app.post("/kmeans/score")
@telemetry.timed("PredictionDuration")
def score_points() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    call = _call(request)
    return answers.json_answer({"score": call.predictor.score(call.points)})


@app.post("/kmeans/predictions")
def create_prediction() -> answers.Answer:
    request = routing.request(app)
    request.accepted(JSON)
    body = json_body.fields(request.json(), ("job_id",))
    job = reads.get(request.owner, json_body.job_id(body["job_id"]))
    reserved = large_predictions.reserve(job)
    result = f"{request.root}/kmeans/predictions/{reserved['prediction_id']}"
    return answers.json_answer(reserved | {"result": result}, 202, {"Location": result})


@app.route("/kmeans/jobs/<job_id>/centers", routing.READ)
def centers(job_id: str) -> answers.Answer:
    """Here and not with the other reads of a job: this function has NumPy and the centers."""
    request = routing.request(app)
    media_type = request.accepted(CSV, JSON)
    job = reads.get(request.owner, json_body.job_id_text(job_id))
    model = job.published
    etag = f'"{model.centers.sha256[:32]}-{media_type.rpartition("/")[2]}"'
    if request.has(etag):
        return answers.unchanged(etag)
    if not answers.fits_numbers(model.centers.size // 8):
        filename = f"{job.filename}.centers.npy"
        return elsewhere(request, model.centers.key, filename, BINARY, {"ETag": etag})
    rows = centers_of(model.centers)
    if media_type == CSV:
        return answers.csv_answer(
            _rows_csv(rows), f"{job.filename}.centers.csv", headers={"ETag": etag}
        )
    feature_names = asides.whole_model(model).feature_names
    names = {"feature_names": list(feature_names)} if feature_names else {}
    return answers.json_answer({"centers": rows.tolist(), **names}, headers={"ETag": etag})


def _rows_csv(rows: np.ndarray[Any, Any]) -> str:
    """Numbers in their shortest form that reads back as the same float64."""
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())


lambda_handler = routing.lambda_handler(app)
