"""What a run does, and what came of it as `result.json`, written last."""

import json

from distributed import described, fit, prediction
from distributed.fleet import Fleet
from distributed.job import Fit, Prediction, Rows
from kmeans_service.errors import ServiceError
from kmeans_service.media_types import JSON
from kmeans_service.problems import problem_document
from kmeans_service.storage import data_bucket


def do(run: Fit | Prediction, fleet: Fleet, range_bytes: int) -> None:
    """Writes the result, a refusal too; whatever else is raised has no result."""
    try:
        if isinstance(run, Fit):
            result = fit.fitted(run, fleet, range_bytes)
        elif isinstance(run, Rows):
            result = described.described(run, fleet, range_bytes)
        else:
            result = prediction.predicted(run, fleet, range_bytes)
    except ServiceError as error:
        result = {"status": "refused", "problem": problem_document(error)}
    text = json.dumps(result, allow_nan=False)
    data_bucket().put(f"{run.prefix}result.json", text.encode(), JSON)
