"""What a run is to do, by what it is for: a fit, a prediction, or rows with their clusters."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kmeans_service import config
from kmeans_service.config import Limits
from kmeans_service.errors import FitFailed, NotMade, PredictionFailed, ServiceError
from kmeans_service.lifecycle import asides, datasets
from kmeans_service.lifecycle.explanations import Explanation
from kmeans_service.lifecycle.job import Input, Job, Spent
from kmeans_service.lifecycle.large_predictions import Prediction
from kmeans_service.versions import Version


@dataclass(frozen=True)
class Todo:
    """What a claim's run is to do.

    called    as sentences call it, and `failed` what is raised where it cannot be done
    spent     by the claim's runs before
    prefix    what all keys begin with that it writes
    document  what it goes by
    reads     the keys of what it reads, and a star behind each where all are meant that begin so
    """

    called: str
    failed: type[ServiceError]
    spent: Spent | None
    prefix: str
    document: Mapping[str, Any]
    limits: Limits
    reads: tuple[tuple[str, str], ...]


def of_fit(claimed: Job) -> Todo:
    claimed = asides.whole(claimed)
    given, recipe = claimed.input, claimed.recipe
    if given is None or recipe is None:
        raise ValueError("a claimed job has an input and a recipe")
    document = {
        "fit_id": claimed.fit_id,
        "input": _input(given),
        "recipe": recipe.seeded().as_json(),
        "n_features": recipe.n_features,
    }
    return Todo(
        "fit",
        FitFailed,
        claimed.spent,
        claimed.fit_prefix,
        document,
        _limits(given),
        _readable(given),
    )


def _limits(given: Input) -> Limits:
    """Those of many files are another tier's; what their fit takes is bounded by its cents."""
    limits = config.limits()
    if given.dataset is None:
        return limits
    return replace(limits, rows=limits.dataset_rows, work=sys.maxsize)


def _input(given: Input) -> dict[str, Any]:
    return {
        "parts": [each.as_json() for each in files_of(given)],
        "is_dataset": given.dataset is not None,
        "sha256": given.rows.sha256,
        "reading": given.reading,
        "profile": given.profile and asdict(given.profile),
        "n_samples": given.n_samples,
        "n_features": given.n_features,
    }


def files_of(given: Input) -> list[Version]:
    if given.dataset:
        return datasets.files_of(given)
    rows = given.rows
    version = None if given.converted else given.version_id
    return [Version(rows.key, version, rows.size, "")]


def _readable(given: Input) -> tuple[tuple[str, str], ...]:
    """Its file, or all below its folder."""
    if given.dataset:
        return ((given.key.removesuffix(datasets.MARK), "*"),)
    return tuple((each.key, "") for each in (given.rows, given.profile) if each)


def of_prediction(claimed: Prediction, job: Job, points: Version) -> Todo:
    """Labels of points by the job's model, which has a manifest."""
    model = job.published
    if model.manifest is None:
        raise ValueError("a model that runs use has a manifest")
    document = {
        "input": {"parts": [points.as_json()], "reading": {}},
        "manifest": asdict(model.manifest),
    }
    return Todo(
        "prediction",
        PredictionFailed,
        claimed.spent,
        claimed.run_prefix,
        document,
        config.limits(),
        tuple((each, "") for each in (points.key, *_of_model(job))),
    )


def of_rows(claimed: Explanation, job: Job, quantile: str, names: Sequence[str]) -> Todo:
    """The rows of the job's file, with what its model says of them."""
    model, given = job.published, asides.whole(job).checked_input
    if model.manifest is None:
        raise ValueError("a model that runs use has a manifest")
    document = {
        "input": _input(given),
        "manifest": asdict(model.manifest),
        "rows": {"outlier_quantile": quantile, "names": list(names)},
    }
    return Todo(
        "answer",
        NotMade,
        claimed.spent,
        claimed.run_prefix,
        document,
        _limits(given),
        (*_readable(given), *((each, "") for each in _of_model(job))),
    )


def _of_model(job: Job) -> list[str]:
    model = job.published
    return [each.key for each in (model.manifest, model.arrays) if each]
