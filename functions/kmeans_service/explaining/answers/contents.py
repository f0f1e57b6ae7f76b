"""What a job's report says, gathered from what there is of the job."""

import json
import shlex
from typing import Any

from kmeans_service import __version__
from kmeans_service.explaining import making
from kmeans_service.explaining.answers import named
from kmeans_service.explaining.plans import fit_of, planned
from kmeans_service.explaining.report.content import Content
from kmeans_service.explaining.report.figures import short
from kmeans_service.lifecycle import asides
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models.scores import Scores
from kmeans_service.recipes.preprocessing import STRICT
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.streams import Keep

LONGEST_INIT = 2_000


def content_of(job: Job, keep: Keep) -> Content:
    """Raises NotFitted, JobGone or ModelDamaged."""
    job = asides.whole(job)
    given, published = job.checked_input, job.published
    recipe, versions = fit_of(job)
    return Content(
        job.name or job.filename,
        _facts(job, given, recipe),
        job.all_warnings,
        named.with_names(job, "described", "clusters", keep),
        named.with_names(job, "drawn", "centers", keep),
        _plan(job),
        _request(job, recipe),
        {"kmeans service": __version__, **versions},
        _document(published.choice),
        _document(making.made(job, "audit")),
    )


def _document(stored: StoredObject | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    document: dict[str, Any] = json.loads(data_bucket().get(stored))
    return document


def _facts(job: Job, given: Input, recipe: Recipe | None) -> list[tuple[str, str]]:
    scores = job.published.scores
    fitted = sum(scores.cluster_sizes)
    dropped = f", of which {given.n_samples - fitted:,} were dropped"
    facts = [
        ("Job", str(job.job_id)),
        ("File", job.filename),
        ("SHA-256 of the file", given.sha256),
        ("Rows", f"{given.n_samples:,}{dropped if fitted < given.n_samples else ''}"),
        ("Clusters", str(len(scores.cluster_sizes))),
        ("Fitted", job.times.get("finished_at", "") if job.fit_id == job.published.fit_id else ""),
        *_scores(scores),
    ]
    if recipe:
        facts += [("Algorithm", recipe.algorithm), ("Seed", str(recipe.random_state))]
    return [(name, value) for name, value in facts if value]


def _scores(scores: Scores) -> list[tuple[str, str]]:
    found = {
        "Inertia": scores.inertia,
        "Silhouette": scores.silhouette,
        "Calinski–Harabasz index": scores.calinski_harabasz,
        "Davies–Bouldin index": scores.davies_bouldin,
    }
    return [(name, short(value)) for name, value in found.items() if value is not None]


def _plan(job: Job) -> list[tuple[str, str, str]]:
    return [
        (
            found.column.name or f"column {found.column.number}",
            found.role.replace("_", " "),
            found.reason,
        )
        for found in planned(job)
    ]


def _request(job: Job, recipe: Recipe | None) -> str:
    """The command that makes the fit again."""
    body: dict[str, Any] = {"job_id": job.job_id}
    if recipe:
        body["model_params"] = _params(recipe)
        if recipe.preprocessing != STRICT:
            body["preprocessing"] = recipe.preprocessing.said()
        if recipe.align_to:
            body["align_to"] = recipe.align_to.job_id
        if recipe.engine != "auto":
            body["engine"] = recipe.engine
    text = shlex.quote(json.dumps(body, ensure_ascii=False))
    return (
        "# KMEANS is the address of the service\n"
        f"curl -s \"$KMEANS/kmeans/fit\" -H 'Content-Type: application/json' -d {text}"
    )


def _params(recipe: Recipe) -> dict[str, Any]:
    """Initial centers that are many stand in the job alone."""
    params = recipe.model_params
    if len(json.dumps(params["init"])) > LONGEST_INIT:
        params["init"] = "the initial centers of the job, which GET /kmeans/jobs/{job_id} shows"
    return params
