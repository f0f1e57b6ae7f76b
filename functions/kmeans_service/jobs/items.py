"""Jobs to DynamoDB items and back."""

import json
from dataclasses import asdict
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from kmeans_service.jobs.job import Input, Job, Model, Status, StoredObject

TIMES = ("created_at", "uploaded_at", "queued_at", "started_at", "finished_at")
_serializer = TypeSerializer()


def marshal(values: dict[str, Any]) -> dict[str, Any]:
    """Plain values to DynamoDB's typed form; None is left out."""
    return {k: _serializer.serialize(v) for k, v in values.items() if v is not None}


def unmarshal(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(typed) for name, typed in item.items()}


def _plain(typed: dict[str, Any]) -> Any:
    """The value of one attribute; ours are texts, integers, booleans, and lists and maps of them.

    boto3's deserializer goes by way of Decimal, and takes three times as long.
    """
    [(kind, value)] = typed.items()
    match kind:
        case "N":
            return int(value)
        case "M":
            return unmarshal(value)
        case "L":
            return [_plain(inner) for inner in value]
    return value


def owner_key(owner: str) -> str:
    return f"O#{owner}"


def job_sort_key(job_id: int) -> str:
    return f"J#{job_id:010d}"


def job_key(owner: str, job_id: int) -> dict[str, Any]:
    return {"pk": {"S": owner_key(owner)}, "sk": {"S": job_sort_key(job_id)}}


def input_attribute(given: Input) -> dict[str, Any]:
    """Item form of an input, for marshalling."""
    values = asdict(given)
    if given.feature_names is not None:
        values["feature_names"] = list(given.feature_names)
    return {name: value for name, value in values.items() if value is not None}


def model_attribute(model: Model) -> dict[str, Any]:
    """Item form of a model; what holds floats travels as JSON, exactly."""
    values = asdict(model)
    for name in ("params", "scores", "versions"):
        values[name] = json.dumps(values[name], sort_keys=True)
    if model.feature_names is not None:
        values["feature_names"] = list(model.feature_names)
    return {name: value for name, value in values.items() if value is not None}


def _names(values: dict[str, Any]) -> tuple[str, ...] | None:
    names = values.get("feature_names")
    return None if names is None else tuple(names)


def _input(values: dict[str, Any]) -> Input:
    return Input(
        key=values["key"],
        version_id=values.get("version_id"),
        sha256=values["sha256"],
        size=values["size"],
        n_samples=values["n_samples"],
        n_features=values["n_features"],
        feature_names=_names(values),
    )


def _model(values: dict[str, Any]) -> Model:
    return Model(
        fit_id=values["fit_id"],
        params=json.loads(values["params"]),
        model=StoredObject(**values["model"]),
        centers=StoredObject(**values["centers"]),
        labels=StoredObject(**values["labels"]),
        n_features=values["n_features"],
        feature_names=_names(values),
        scores=json.loads(values["scores"]),
        versions=json.loads(values["versions"]),
    )


def job_from_item(item: dict[str, Any]) -> Job:
    values = unmarshal(item)
    return Job(
        owner=values["owner"],
        job_id=values["job_id"],
        status=Status(values["status"]),
        filename=values.get("filename", ""),
        times={name: values[name] for name in TIMES if name in values},
        input=_input(values["input"]) if "input" in values else None,
        fit_id=values.get("fit_id"),
        params=json.loads(values["params"]) if "params" in values else None,
        attempt=values.get("attempt", 0),
        fence=values.get("fence", 0),
        lease_until=values.get("lease_until", 0),
        due_at=values.get("due_at", 0),
        expires_at=values.get("expires_at", 0),
        progress=values.get("progress"),
        error=json.loads(values["error"]) if "error" in values else None,
        model=_model(values["model"]) if "model" in values else None,
    )
