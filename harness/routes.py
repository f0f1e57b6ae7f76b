"""Every route of the contract, and a body for each that takes one."""

import json

from docs import page
from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, PREDICT_CSV, form

PUBLIC = (
    "/kmeans",
    "/kmeans/health",
    "/kmeans/page/{version}/{asset}",
    "/kmeans/v2",
    "/kmeans/v2/health/live",
    "/kmeans/v2/health/ready",
)
POINTS = form(("job_id", None, b"0"), ("file", "points.csv", PREDICT_CSV))
_FILE = ("file", "model.csv", b"1, 2\n1, 4\n10, 2\n10, 4\n")
FILE = form(_FILE)
FILE_CHOSEN = form(_FILE, ("model_params", None, b'{"n_clusters": "auto"}'))
JOB_0 = json.dumps({"job_id": 0}).encode()
CHOSEN = json.dumps({"job_id": 0, "model_params": {"n_clusters": "auto"}}).encode()
TENSOR = {"name": "points", "datatype": "FP64", "shape": [2, 2], "data": [0, 0, 12, 3]}
CALLS: dict[str, tuple[bytes, dict[str, str]]] = {
    "upload": (FILE, FORM_TYPE),
    "createUpload": (b'{"filename": "later.csv"}', JSON_TYPE),
    "fit": (CHOSEN, JSON_TYPE),  # so that there is a choice to read
    "fitPredict": (FILE_CHOSEN, FORM_TYPE),
    "predict": (POINTS, FORM_TYPE),
    "transform": (POINTS, FORM_TYPE),
    "score": (POINTS, FORM_TYPE),
    "createPrediction": (JOB_0, JSON_TYPE),
    "renameJob": (b'{"name": "customers"}', JSON_TYPE),
    "infer": (json.dumps({"inputs": [TENSOR]}).encode(), JSON_TYPE),
}
ROUTES = [
    (method, path, operation["operationId"]) for method, path, operation in contract.operations()
]


def filled(path: str, **names: str) -> str:
    """The path of a route with these names, those of a file that is there, and what it must ask."""
    own = {"version": page.version(), "asset": "app.js"}
    asset = own if "{version}" in path else {"asset": "swagger-ui.css"}
    query = "?from=0" if path.endswith("/migration") else ""
    return path.format(**{**asset, **names}) + query
