"""Rows on the disk of this function, a chunk of them at a time in its memory."""

import tempfile
from dataclasses import replace
from functools import partial
from typing import IO

from kmeans_service import aws
from kmeans_service.fitting import capacity, out_of_core, passes
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.fitting.computation import arranging, compute, entered
from kmeans_service.fitting.data import Data, Placed
from kmeans_service.fitting.engines.child import Child
from kmeans_service.fitting.engines.engine import Estimate, Work
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.recipes.recipe import Recipe


class OutOfCore:
    def estimate(self, given: Input, recipe: Recipe) -> Estimate:
        """However many rows there are, a sample of them is in memory."""
        n_features = recipe.n_clustered(given.n_features)
        sample = passes.sample_size(n_features, recipe)
        return Estimate(
            capacity.needed_in_memory(sample, n_features, replace(recipe, algorithm="lloyd")),
            capacity.scratch_needed(given.n_samples, n_features + recipe.is_weighted),
        )

    def start(self, claimed: Job) -> Work:
        aws.s3()  # made before the fork: the next process need not make it again
        return Child(partial(compute, claimed, _cluster))


def _cluster(data: Data, labels_file: IO[bytes], say: Say) -> Clustering:
    n_features = data.recipe.n_clustered(data.given.n_features)
    capacity.check_scratch(data.given.n_samples, n_features + data.recipe.is_weighted)
    with tempfile.TemporaryFile() as file:
        say({"stage": "READING"})
        rows = data.spilled(file)
        recipe, place = entered(data), Placed(data.kept)
        return out_of_core.fit(rows, recipe, labels_file, say, place=place, arrange=arranging(data))
