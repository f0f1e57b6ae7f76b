"""What engines in this very function share: points from the bucket in, a stored model out."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import IO

import numpy as np

from kmeans_service import config
from kmeans_service.fitting import clustering
from kmeans_service.fitting.aligning import source_of_fit
from kmeans_service.fitting.choosing import asked
from kmeans_service.fitting.choosing.choice import Choice
from kmeans_service.fitting.clustering import Arrange, Clustering
from kmeans_service.fitting.column_facts import warnings_of
from kmeans_service.fitting.data import Data, data_of
from kmeans_service.fitting.engines.engine import Fitted
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle import asides, names
from kmeans_service.lifecycle.job import Job
from kmeans_service.media_types import BINARY, CSV, JSON
from kmeans_service.models.continuing import continued
from kmeans_service.models.labels_from_text import ROW_BYTES
from kmeans_service.models.manifest import Manifest, npy, store
from kmeans_service.models.model import Model
from kmeans_service.models.numbers import Numbers
from kmeans_service.models.placing import placed
from kmeans_service.models.published import Published
from kmeans_service.models.source import Source
from kmeans_service.recipes.recipe import Recipe, centers_of
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject

type Cluster = Callable[[Data, IO[bytes], Say], Clustering]
"""Makes clusters of the data, their labels into a file, and tells of progress."""


def compute(claimed: Job, cluster: Cluster, say: Say) -> Fitted:
    """Fit a claimed job's points and store what is found; raises the ServiceError it fails with."""
    claimed = asides.whole(claimed)
    given, recipe = claimed.input, claimed.recipe
    if given is None or recipe is None:
        raise ValueError("a claimed job has an input and a recipe")
    recipe = recipe.seeded()  # of a job that an older version queued
    with _labels_file(given.n_samples) as labels_file:
        data = data_of(given, recipe)
        data.source = source_of_fit(recipe)
        found = cluster(data, labels_file, say)
        say({"stage": "STORING"})
        prefix = claimed.fit_prefix
        labels, labels_csv = _store_labels(f"{prefix}labels.csv", labels_file)
        return Fitted(store_fit(prefix, claimed.fit_id or "", data, found, labels), labels_csv)


def _labels_file(n_samples: int) -> IO[bytes]:
    """On disk where no answer can carry them."""
    if n_samples * ROW_BYTES <= config.MAX_ANSWER_BYTES:
        return io.BytesIO()
    return tempfile.TemporaryFile()


def entered(data: Data) -> Recipe:
    """The recipe, its initial centers as the transform makes rows and not in the user's units."""
    init = data.recipe.init
    if data.transform is None or isinstance(init, str):
        return data.recipe
    centers = data.transform.forward(np.array(init, dtype=np.float64))
    return replace(data.recipe, init=centers_of(centers.tolist()))


def arranging(data: Data) -> Arrange | None:
    """How the clusters of these data continue the source's, once the transform is there."""
    source = data.source
    if source is None:
        return None
    old = placed(source, data.columns, data.transform)
    return lambda space, centers: continued(space.enter(old), source.numbers, centers)


def store_fit(
    prefix: str, fit_id: str, data: Data, found: Clustering, labels: StoredObject
) -> Published:
    """Store what was found, whose labels are stored."""
    choice = found.choice
    recipe = data.recipe.of(choice.n_clusters) if choice else data.recipe
    in_units = data.transform.inverse(found.centers) if data.transform else found.centers
    centers = data_bucket().put(f"{prefix}centers.npy", npy(in_units), BINARY)
    manifest = Manifest(
        fit_id=fit_id,
        recipe=recipe,
        model=Model(data.columns, found.predictor, data.transform),
        scores=replace(found.scores, warnings=_warnings(found, data, recipe)),
        versions=clustering.VERSIONS,
        continued=found.continued,
    )
    stored, arrays = store(manifest, prefix)
    return Published(
        fit_id=manifest.fit_id,
        centers=centers,
        labels=labels,
        scores=manifest.scores,
        manifest=stored,
        arrays=arrays,
        continued=found.continued,
        choice=_store_choice(f"{prefix}choice.json", choice),
        names=_store_names(f"{prefix}names.json", data.source, found.continued),
    )


def _store_choice(key: str, choice: Choice | None) -> StoredObject | None:
    if choice is None:
        return None
    text = json.dumps(choice.as_json(), allow_nan=False)
    return data_bucket().put(key, text.encode(), JSON)


def _store_names(key: str, source: Source | None, numbers: Numbers | None) -> StoredObject | None:
    """Of the source's clusters, those that are continued."""
    known = source.names if source else {}
    kept = {number: known[number] for number in (numbers.of if numbers else ()) if number in known}
    return data_bucket().put(key, names.packed(kept), JSON) if kept else None


def _warnings(found: Clustering, data: Data, recipe: Recipe) -> tuple[str, ...]:
    space, scores = found.predictor.space, found.scores
    of_fit = warnings_of(
        found.columns, space, recipe, scores, found.distinct, found.gain, data.names
    )
    return (*asked.warnings_of(found.choice), *data.warnings(), *of_fit)


def _store_labels(key: str, labels_file: IO[bytes]) -> tuple[StoredObject, bytes | None]:
    """In one piece where an answer can carry them, as a stream where they are more."""
    size = labels_file.seek(0, os.SEEK_END)
    labels_file.seek(0)
    if size <= config.MAX_ANSWER_BYTES:
        labels_csv = labels_file.read()
        stored = data_bucket().put(key, labels_csv, CSV)
        return stored, labels_csv
    digest = hashlib.file_digest(labels_file, "sha256").hexdigest()  # type: ignore[arg-type]
    labels_file.seek(0)
    data_bucket().upload(key, labels_file, CSV)
    return StoredObject(key, digest, size), None
