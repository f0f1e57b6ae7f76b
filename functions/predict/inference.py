"""The V2 inference protocol: a job's model by the calls that other model servers answer.

A model is named by its job's id. Outputs are called as those of MLServer's scikit-learn models.
"""

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response

from kmeans_service import __version__, config, telemetry
from kmeans_service.arrays import Array
from kmeans_service.errors import TooLarge
from kmeans_service.http import answers
from kmeans_service.http.answers import Answer
from kmeans_service.http.job_points import JobPoints
from kmeans_service.http.points import refused
from kmeans_service.http.request import Request
from kmeans_service.json_values import shown
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, JSON
from kmeans_service.models.loading import model_of
from predict.infer_request import LENGTH, InferRequest, read_request
from predict.tensor_points import TensorPoints, inputs_of

SERVER = {
    "name": "kmeans-service",
    "version": __version__,
    "extensions": ["binary_tensor_data"],
}
_DATATYPES = {"predict": ("INT32", "<i4"), "transform": ("FP64", "<f8")}


def metadata(job: Job) -> dict[str, Any]:
    """What the job's model takes and gives; raises NotFitted."""
    model = model_of(job.published)
    shapes = {"predict": [-1], "transform": [-1, model.n_clusters]}
    return {
        "name": str(job.job_id),
        "platform": "kmeans_service",
        "inputs": inputs_of(model.columns),
        "outputs": [
            {"name": name, "datatype": datatype, "shape": shapes[name]}
            for name, (datatype, _) in _DATATYPES.items()
        ],
    }


def readiness(job: Job) -> dict[str, Any]:
    """That its model is at hand; raises NotFitted, or what else keeps it from being loaded."""
    model_of(job.published)
    return {"name": str(job.job_id), "ready": True}


def infer(request: Request, job_id: int) -> Answer:
    """Labels and distances of the request's points; raises the ServiceError that says why not."""
    if request.media_type:  # clients of Triton send none
        request.expect(JSON, BINARY)
    asked = read_request(request.body(), request.header(LENGTH))
    if asked.model_name not in (None, str(job_id)):
        raise refused("model_name", shown(asked.model_name), f'"{job_id}", as in the path')
    request.accepted(BINARY if any(asked.outputs.values()) else JSON)
    points = JobPoints.of(reads.get(request.owner, job_id), TensorPoints(asked.tensors))
    telemetry.count("Predictions")
    telemetry.count("RowsPredicted", points.n_samples)
    _check_size(asked, points)
    arrays = {name: _output(name, points) for name in asked.outputs}
    return _answer(points.job, asked, arrays)


def _output(name: str, points: JobPoints) -> Array:
    return points.labels() if name == "predict" else points.model.distances(points.X)


def _check_size(asked: InferRequest, points: JobPoints) -> None:
    """Raises TooLarge before anything is computed that no answer carries."""
    counts = {"predict": points.n_samples, "transform": points.n_samples * points.model.n_clusters}
    answers.check_numbers(sum(counts[name] for name, binary in asked.outputs.items() if not binary))
    size = sum(8 * counts[name] for name, binary in asked.outputs.items() if binary)
    if size > config.MAX_INLINE_BYTES:
        raise TooLarge(
            f"the outputs would have {size} bytes; at most {config.MAX_INLINE_BYTES} are carried. "
            "Send fewer points, or ask for the output predict alone.",
            max_bytes=config.MAX_INLINE_BYTES,
        )


def _answer(job: Job, asked: InferRequest, arrays: dict[str, Array]) -> Answer:
    outputs, rest = [], b""
    for name, array in arrays.items():
        datatype, kind = _DATATYPES[name]
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(array.shape)}
        if asked.outputs[name]:
            content = array.astype(kind).tobytes()
            output["parameters"] = {"binary_data_size": len(content)}
            rest += content
        else:
            output["data"] = [None if x != x else x for x in array.ravel().tolist()]
        outputs.append(output)
    named = {"id": asked.request_id} if asked.request_id is not None else {}
    head = json.dumps({"model_name": str(job.job_id), **named, "outputs": outputs})
    if not any(asked.outputs.values()):
        return answers.json_answer(head)
    body: Any = head.encode() + rest  # as in answers.binary_answer
    headers: dict[str, Any] = {LENGTH: str(len(head))}
    return Response(status_code=200, content_type=BINARY, body=body, headers=headers)
