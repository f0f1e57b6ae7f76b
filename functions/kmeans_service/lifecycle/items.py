"""Jobs to DynamoDB items and back."""

import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from kmeans_service.errors import ModelDamaged
from kmeans_service.lifecycle.job import Input, Job, PartedUpload, Run, Spent, Status
from kmeans_service.models.columns import Columns
from kmeans_service.models.numbers import numbers_of
from kmeans_service.models.published import BeforeManifests, Published
from kmeans_service.models.scores import scores_of
from kmeans_service.problems import problem_document
from kmeans_service.recipes.recipe import Recipe, recipe_of
from kmeans_service.stored_object import StoredObject
from kmeans_service.table.keys import job_key, job_of, key_of
from kmeans_service.table.values import UNREADABLE, plain, unmarshal

TIMES = ("created_at", "uploaded_at", "queued_at", "started_at", "finished_at")


def input_attribute(given: Input) -> dict[str, Any]:
    """Item form of an input, for marshalling."""
    values = asdict(given)
    if given.feature_names is not None:
        values["feature_names"] = [name or "" for name in given.feature_names]
    values["reading"] = given.reading or None
    return {name: value for name, value in values.items() if value is not None}


def model_attribute(model: Published) -> dict[str, Any]:
    """Item form of a model; what holds floats travels as JSON, exactly."""
    objects = {
        "names": model.names,
        "manifest": model.manifest,
        "arrays": model.arrays,
        "choice": model.choice,
        "model": model.pickle,
        "centers": model.centers,
        "labels": model.labels,
    }
    return {
        "fit_id": model.fit_id,
        "scores": json.dumps(model.scores.as_json()),
        **({"versions": as_text(model.versions)} if model.versions else {}),
        **({"numbers": json.dumps(model.continued.as_json())} if model.continued else {}),
        **{name: asdict(stored) for name, stored in objects.items() if stored},
    }


def as_text(versions: dict[str, str]) -> str:
    """Versions of libraries, as an item has them."""
    return json.dumps(versions, sort_keys=True)


def init_attribute(init: StoredObject | None) -> str | None:
    """A text, not a map: a fit's parameters are counted with its model, not before."""
    return json.dumps(asdict(init)) if init else None


def audited_attribute(of_model: str, warnings: tuple[str, ...]) -> dict[str, Any]:
    """What an audit of the model with its centers under this key has to say."""
    return {"of": of_model, "warnings": list(warnings)}


def _audited(values: dict[str, Any]) -> tuple[str, ...]:
    """Nothing, where that model was replaced."""
    audited, model = values.get("audited"), values.get("model")
    if not audited or not model or audited["of"] != model["centers"]["key"]:
        return ()
    return tuple(audited["warnings"])


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
        feature_names=_names_of_columns(values),
        names=_object(values.get("names")),
        profile=_object(values.get("profile")),
        reading=values.get("reading", {}),
        converted=_object(values.get("converted")),
        dataset=_object(values.get("dataset")),
        files=values.get("files"),
    )


def _names_of_columns(values: dict[str, Any]) -> tuple[str | None, ...] | None:
    names = _names(values)
    return names and tuple(name or None for name in names)


def _object(values: dict[str, Any] | None) -> StoredObject | None:
    return StoredObject(**values) if values else None


def _model(values: dict[str, Any]) -> Published:
    return Published(
        fit_id=values["fit_id"],
        pickle=_object(values.get("model")),
        centers=StoredObject(**values["centers"]),
        labels=StoredObject(**values["labels"]),
        scores=scores_of(json.loads(values["scores"])),
        versions=json.loads(values.get("versions", "{}")),
        manifest=_object(values.get("manifest")),
        arrays=_object(values.get("arrays")),
        choice=_object(values.get("choice")),
        before=None if "manifest" in values else _before_manifests(values),
        continued=numbers_of(json.loads(values["numbers"])) if "numbers" in values else None,
        names=_object(values.get("names")) if "manifest" in values else None,
    )


def _before_manifests(values: dict[str, Any]) -> BeforeManifests:
    return BeforeManifests(
        Columns(values["n_features"], _names(values)),
        predictor=_object(values.get("predictor")),
        names=_object(values.get("names")),
        init=_object(values.get("init")),
    )


def recipe_attributes(recipe: Recipe) -> dict[str, Any]:
    """Item form of what a job's next fit is, and apart what is not of the fit's identity."""
    return {
        "params": recipe.canonical(),
        "drawn": recipe.drawn,
        "n_features": recipe.n_features or 0,
    }


def _recipe(values: dict[str, Any]) -> Recipe:
    return recipe_of(
        json.loads(values["params"]),
        drawn=values.get("drawn", False),
        n_features=values.get("n_features") or None,
    )


def job_from_item(item: dict[str, Any]) -> Job:
    """The job; raises ModelDamaged for what none of us can have written."""
    try:
        job = _job(unmarshal(item))
        if job_key(job.owner, job.job_id) != key_of(item):
            raise ValueError("the record lies under the key of another job")
    except UNREADABLE as error:
        raise _damage(item) from error
    return job


def job_or_damaged(item: dict[str, Any]) -> Job:
    """As `job_from_item`; of an item that cannot be read, what still can be: a DAMAGED job."""
    try:
        return job_from_item(item)
    except ModelDamaged as damage:
        return _what_is_left(item, damage)


def _damage(item: dict[str, Any]) -> ModelDamaged:
    _, number = job_of(item)
    return ModelDamaged(
        f"The record of job {number} cannot be read; its file and its model are not lost yet. "
        "Whoever runs the service may repair it; DELETE removes it."
    )


def _what_is_left(item: dict[str, Any], damage: ModelDamaged) -> Job:
    """A deletion goes on; everything else is DAMAGED."""
    values: dict[str, Any] = {}
    for name in item:
        with suppress(*UNREADABLE):
            values[name] = plain(item[name])
    given = None
    with suppress(*UNREADABLE):
        given = _input(values["input"])
    deleting = values.get("status") == Status.DELETING
    owner, job_id = job_of(item)
    lease = values.get("lease_until")
    return Job(
        owner=owner,
        job_id=job_id,
        status=Status.DELETING if deleting else Status.DAMAGED,
        filename=str(values.get("filename", "")),
        times={name: values[name] for name in TIMES if isinstance(values.get(name), str)},
        input=given,
        lease_until=lease if isinstance(lease, int) else 0,
        error=problem_document(damage),
    )


def _job(values: dict[str, Any]) -> Job:
    numbers = ("attempt", "fence", "lease_until", "due_at", "expires_at")
    if not all(isinstance(values.get(name, 0), int) for name in numbers):
        raise TypeError("a number is none")
    return Job(
        owner=values["owner"],
        job_id=values["job_id"],
        status=Status(values["status"]),
        filename=values.get("filename", ""),
        times={name: values[name] for name in TIMES if name in values},
        input=_input(values["input"]) if "input" in values else None,
        fit_id=values.get("fit_id"),
        recipe=_recipe(values) if "params" in values else None,
        attempt=values.get("attempt", 0),
        fence=values.get("fence", 0),
        lease_until=values.get("lease_until", 0),
        due_at=values.get("due_at", 0),
        expires_at=values.get("expires_at", 0),
        progress=values.get("progress"),
        error=json.loads(values["error"]) if "error" in values else None,
        crash=values.get("crash"),
        model=_model(values["model"]) if "model" in values else None,
        init=_object(json.loads(values["init"])) if "init" in values else None,
        warnings=tuple(values.get("warnings", ())),
        audited=_audited(values),
        parts=PartedUpload(**values["parts"]) if "parts" in values else None,
        reading=values.get("reading", {}),
        name=values.get("name", ""),
        is_long=values.get("is_long", False),
        run=Run(**values["run"]) if "run" in values else None,
        spent=Spent(**values["spent"]) if "spent" in values else None,
        names=_object(values.get("names")),
    )
