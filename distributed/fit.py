"""A fit: check, plan, fit, label, store."""

from dataclasses import asdict
from typing import Any

from distributed.data import FilesData
from distributed.fleet import Fleet
from distributed.given import given_of
from distributed.job import Fit
from distributed.parts import Parts
from distributed.progress import OF_A_FIT, Telling
from distributed.tables import Files, read_files
from kmeans_service.errors import ServiceError
from kmeans_service.fitting import passes
from kmeans_service.fitting.computation import arranging, entered, store_fit
from kmeans_service.lifecycle.job import Input
from kmeans_service.media_types import CSV
from kmeans_service.models.published import Published
from kmeans_service.recipes.params import check_against_data
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.settled import settled
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.tables.stored import packed
from kmeans_service.tables.table import Table

METHOD = "spark"


def fitted(run: Fit, fleet: Fleet, range_bytes: int) -> dict[str, Any]:
    """The result; raises the ServiceError that says why there is none."""
    say = Telling(run, OF_A_FIT, run.recipe.max_iter)
    say({"stage": "CHECKING"})
    files = read_files(
        given_of(run, range_bytes), fleet, lambda done: say({"stage": "CHECKING", "done": done})
    )
    try:
        recipe = _recipe(run, files.table)
    except ServiceError as error:
        raise files.placed(error) from None
    said = [*(files.table.guesses if run.is_dataset else ()), *_of_ranges(files)]
    data = FilesData(_input(run, files.table), recipe, files, fleet, said)
    say({"stage": "READING", "rows": files.table.n_rows})
    labels = Parts(run.bucket, f"{run.prefix}labels.csv", CSV)
    over_rows = data.passes(labels)
    found = passes.fit(over_rows, entered(data), say, METHOD, arranging(data))
    say({"stage": "STORING"})
    published = store_fit(run.prefix, run.fit_id, data, found, labels.stored())
    return {"status": "fitted", "model": _model(published), "input": _read(run, files.table, data)}


def _recipe(run: Fit, table: Table) -> Recipe:
    """As it is for this table; raises InvalidParameter where the table cannot be fitted so."""
    if run.is_settled:
        return run.recipe
    recipe, plan = settled(table, run.recipe)
    check_against_data(recipe, table.n_rows, plan.n_features)
    return recipe


def _input(run: Fit, table: Table) -> Input:
    return Input(
        key=run.files[0].key,
        version_id=run.files[0].version_id,
        sha256=run.sha256,
        size=run.size,
        n_samples=table.n_rows,
        n_features=len(table.columns),
        feature_names=table.names,
        reading=run.reading.said(),
    )


def _read(run: Fit, table: Table, data: FilesData) -> dict[str, Any]:
    profile = data_bucket().put(f"{run.prefix}profile.json.gz", packed(table), "application/gzip")
    return {
        "n_samples": table.n_rows,
        "n_features": len(table.columns),
        "n_dropped": data.n_dropped,
        "feature_names": table.names,
        "profile": asdict(profile),
    }


def _of_ranges(files: Files) -> list[str]:
    n_whole, n_files = sum(files.written.wholes), len(files.written.wholes)
    if not n_whole or files.written.is_parquet:
        return []
    those = f"{n_whole:,} of {n_files:,} files were" if n_files > 1 else "The file was"
    return [
        f"{those} read in one piece, by one machine: what is packed, or in UTF-16, or has line "
        "breaks of a carriage return alone, cannot be read by ranges."
    ]


def _model(published: Published) -> dict[str, Any]:
    found: dict[str, StoredObject | None] = {
        "manifest": published.manifest,
        "arrays": published.arrays,
        "centers": published.centers,
        "labels": published.labels,
        "choice": published.choice,
    }
    objects = {name: asdict(each) for name, each in found.items() if each}
    return {"fit_id": published.fit_id, "scores": published.scores.as_json(), **objects}
