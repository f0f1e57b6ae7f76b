"""All rows in the memory of this function: KMeans itself."""

from dataclasses import replace
from functools import partial
from typing import IO

from kmeans_service import aws, config
from kmeans_service.fitting import capacity, clustering, runs
from kmeans_service.fitting.clustering import Clustering
from kmeans_service.fitting.computation import arranging, compute, entered
from kmeans_service.fitting.data import Data, Placed
from kmeans_service.fitting.engines.child import Child
from kmeans_service.fitting.engines.engine import Estimate, Work
from kmeans_service.fitting.engines.here import Here
from kmeans_service.fitting.engines.outcome import Say
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.models.labels_to_text import csv_chunks
from kmeans_service.recipes.recipe import Recipe


class InMemory:
    def estimate(self, given: Input, recipe: Recipe) -> Estimate:
        computed = replace(recipe, algorithm=_algorithm(given, recipe))
        n_features = recipe.n_clustered(given.n_features)
        return Estimate(capacity.needed_in_memory(given.n_samples, n_features, computed), scratch=0)

    def start(self, claimed: Job) -> Work:
        # Before the fork: the next process need not do it again.
        aws.s3()
        work = partial(compute, claimed, _cluster)
        if claimed.recipe is None or claimed.input is None:
            raise ValueError("a claimed job has an input and a recipe")
        runs.prepare(claimed.recipe)
        return Here(work) if _is_brief(claimed.input, claimed.recipe) else Child(work)


def _is_brief(given: Input, recipe: Recipe) -> bool:
    """Whether the fit takes well under a second, at worst, and hardly any memory.

    By the kernel's lloyd alone, which runs no OpenMP; from given centers it may not be its.
    """
    iterations = recipe.restarts * recipe.max_iter
    n_features = recipe.n_clustered(given.n_features)
    work = recipe.iteration_work(given.n_samples, n_features) * recipe.max_iter
    brief = iterations <= config.BRIEF_ITERATIONS and work <= config.BRIEF_WORK
    lloyd = recipe.algorithm == "lloyd" and isinstance(recipe.init, str)
    by_kernel = lloyd and runs.may_be_the_kernels(recipe)
    return brief and by_kernel and not recipe.choice and given.size <= config.BRIEF_BYTES


def _algorithm(given: Input, recipe: Recipe) -> str:
    """The one that there is room for; the one that is asked for if there is room for none."""
    n_features = recipe.n_clustered(given.n_features)
    found = capacity.algorithm_in_memory(given.n_samples, n_features, recipe)
    return found or recipe.algorithm


def _cluster(data: Data, labels_file: IO[bytes], say: Say) -> Clustering:
    say({"stage": "READING"})
    X = data.in_memory()
    say({"stage": "FITTING"})
    algorithm = _algorithm(data.given, data.recipe)
    found = clustering.fit(X, entered(data), algorithm, data.weights, arranging(data), say)
    labels_file.writelines(csv_chunks(Placed(data.kept)(found.labels)))
    return found
