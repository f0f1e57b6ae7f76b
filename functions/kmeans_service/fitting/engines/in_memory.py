"""All rows in the memory of this function: KMeans itself."""

from dataclasses import replace
from functools import partial
from typing import IO

from kmeans_service import aws
from kmeans_service.fitting import capacity, clustering
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.fitting.computation import compute, opened
from kmeans_service.fitting.engines.child import Child
from kmeans_service.fitting.engines.engine import Estimate, Work
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models.labels import csv_chunks
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.tables.dataset import read_csv


class InMemory:
    def estimate(self, given: Input, recipe: Recipe) -> Estimate:
        computed = replace(recipe, algorithm=_algorithm(given, recipe))
        return Estimate(
            capacity.needed_in_memory(given.n_samples, given.n_features, computed), scratch=0
        )

    def start(self, claimed: Job) -> Work:
        aws.s3()  # made before the fork: the next process need not make it again
        return Child(partial(compute, claimed, _cluster))


def _algorithm(given: Input, recipe: Recipe) -> str:
    """The one that there is room for; the one that is asked for if there is room for none."""
    found = capacity.algorithm_in_memory(given.n_samples, given.n_features, recipe)
    return found or recipe.algorithm


def _cluster(given: Input, recipe: Recipe, labels_file: IO[bytes], say: Say) -> Clustering:
    say({"stage": "READING"})
    with opened(given) as stream:
        X = read_csv(stream, given.n_samples).X
    say({"stage": "FITTING"})
    found = clustering.fit(X, recipe, _algorithm(given, recipe))
    labels_file.writelines(csv_chunks(found.labels))
    return found
