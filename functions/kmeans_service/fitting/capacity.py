"""What a fit takes of the worker's memory and disk, and how it is computed with what there is.

Decided by the worker's size alone, wherever the fit then runs: the same request, the same bits.
"""

import math
import shutil
import tempfile
from dataclasses import replace

from kmeans_service import config
from kmeans_service.errors import FitFailed, TooLarge
from kmeans_service.fitting.indices import SILHOUETTE_SAMPLE
from kmeans_service.fitting.kernel import swap
from kmeans_service.fitting.runs import may_be_the_kernels
from kmeans_service.models.labels_from_text import ROW_BYTES
from kmeans_service.recipes.recipe import Recipe

# What importing scikit-learn and the work itself take, whatever the data.
FIXED_BYTES = 320 * 1024**2
# Times n_clusters * n_features: the centers, while they are moved and when they are stored.
COPIES_OF_CENTERS = 8
# Numbers of a row that weighs something: its weight, and where it stands among such rows.
WEIGHT_OF_A_ROW = 2
# Numbers that a swap search keeps of a row, beside the row in float32: its norm, and twice its
# distance, bound and label.
KNOWN_OF_A_ROW = 6


def needed_in_memory(n_samples: int, n_features: int, recipe: Recipe) -> int:
    """Bytes that a fit in memory peaks at, at most."""
    n_clusters = recipe.n_clusters
    centers = COPIES_OF_CENTERS * 8 * n_clusters * n_features
    sample = 8 * min(n_samples, SILHOUETTE_SAMPLE) * n_features  # copied, to be judged
    rows = n_samples * row_bytes(n_features, recipe) + _searched(n_samples, n_features, recipe)
    return FIXED_BYTES + centers + sample + rows


def _searched(n_samples: int, n_features: int, recipe: Recipe) -> int:
    """The rows that a swap search looks at, copied where they are a sample, and what it knows of
    each; the centers are there three times by then, with what is known of them.
    """
    n_clusters = recipe.n_clusters
    if not may_be_the_kernels(recipe):
        return 0
    rows = min(n_samples, swap.sample_size(n_clusters))
    copied = n_features if rows < n_samples else 0
    kept = copied + n_features // 2 + 1 + KNOWN_OF_A_ROW
    return 8 * rows * kept + 24 * (n_clusters + 8) * (n_features + 3)


def row_bytes(n_features: int, recipe: Recipe) -> int:
    """What each row of a fit in memory adds to its peak, at most: the row, and some numbers."""
    if isinstance(recipe.init, str) and may_be_the_kernels(recipe):
        working = n_features // 2  # as float32: where k-means++ looks at it, or all rows are alike
    else:
        working = _of_scikit_learn(n_features, recipe)
    weight = WEIGHT_OF_A_ROW if recipe.is_weighted else 0
    return 8 * (n_features + working + weight + 8)


def _of_scikit_learn(n_features: int, recipe: Recipe) -> int:
    """The distances of k-means++ to all its candidates for a center, three times; or elkan's
    bounds, one for each center, and two more of the row where a center that nothing is near is
    moved.
    """
    n_clusters = recipe.n_clusters
    candidates = 2 + int(math.log(n_clusters)) if recipe.init == "k-means++" else 0
    bounds = n_clusters if recipe.algorithm == "elkan" else 0
    return max(3 * candidates, bounds + 2 * n_features)


def algorithm_in_memory(n_samples: int, n_features: int, recipe: Recipe) -> str | None:
    """What a fit in the worker's memory is computed with; None if it is one out of core.

    Where elkan's bounds have no room, lloyd comes to the same clusters without them.
    """
    memory = config.settings().worker_memory_bytes
    asked = recipe.algorithm
    for algorithm in (asked, "lloyd") if asked == "elkan" else (asked,):
        tried = replace(recipe, algorithm=algorithm)
        if needed_in_memory(n_samples, n_features, tried) <= memory:
            return algorithm
    return None


def fits_here(n_samples: int, n_features: int, recipe: Recipe) -> bool:
    """Whether this very function has the memory to compute the fit as the worker would."""
    algorithm = algorithm_in_memory(n_samples, n_features, recipe)
    if algorithm is None:
        return False
    needed = needed_in_memory(n_samples, n_features, replace(recipe, algorithm=algorithm))
    return needed <= config.settings().memory_bytes


def check_disk(n_samples: int, n_features: int) -> None:
    """Raise TooLarge for rows that no worker's disk holds, should its memory not hold them."""
    needed = scratch_needed(n_samples, n_features)
    if needed > config.SCRATCH_BYTES:
        raise TooLarge(
            f"the file has {n_samples:,} rows of {n_features:,} numbers, {needed:,} bytes while "
            f"they are fitted; there are {config.SCRATCH_BYTES:,}. Send fewer rows or columns; "
            "or whoever runs the service may deploy it with DistributedEngine=emr-serverless.",
            max_bytes=config.SCRATCH_BYTES,
        )


def check_scratch(n_samples: int, n_features: int) -> None:
    """Raise FitFailed if the rows and their labels do not fit the disk that is left."""
    needed = scratch_needed(n_samples, n_features)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if needed > free:
        raise FitFailed(
            f"The fit needs {needed:,} bytes of scratch space, and the function has {free:,}; "
            "deploy it with more ephemeral storage"
        )


def scratch_needed(n_samples: int, n_features: int) -> int:
    """Bytes on disk of the rows of a fit out of core, and of their labels."""
    return n_samples * (8 * n_features + ROW_BYTES)
