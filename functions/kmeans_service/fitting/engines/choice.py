"""Which engine computes a fit: the first one that the worker has the room for.

Decided by the worker's size alone, wherever the fit then runs: the same request, the same bits.
"""

from kmeans_service import config
from kmeans_service.fitting.engines.engine import Engine
from kmeans_service.fitting.engines.in_memory import InMemory
from kmeans_service.fitting.engines.out_of_core import OutOfCore
from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.recipes.engines import not_taken
from kmeans_service.recipes.recipe import Recipe

ENGINES: tuple[Engine, ...] = (InMemory(), OutOfCore())


def is_elsewhere(claimed: Job) -> bool:
    """Whether it is Spark's: asked for, of many files, or beyond the worker where there is Spark.

    Beyond it is what there is no room for, and what there was not time enough for.
    """
    given, recipe = _asked(claimed)
    if recipe.engine == "spark" or given.dataset:
        return True
    return may_be_elsewhere(claimed) and (claimed.is_long or not _with_room(given, recipe))


def may_be_elsewhere(claimed: Job) -> bool:
    return config.distributed() is not None and not not_taken(_asked(claimed)[1])


def engine_of(claimed: Job) -> Engine:
    """The last one, which says what it lacks, where there is room for none."""
    return (_with_room(*_asked(claimed)) or ENGINES[-1:])[0]


def _asked(claimed: Job) -> tuple[Input, Recipe]:
    if claimed.input is None or claimed.recipe is None:
        raise ValueError("a claimed job has an input and a recipe")
    return claimed.input, claimed.recipe


def _with_room(given: Input, recipe: Recipe) -> tuple[Engine, ...]:
    """Those that the worker has the memory and the disk for."""
    memory = config.settings().worker_memory_bytes
    needed = [(engine, engine.estimate(given, recipe)) for engine in ENGINES]
    return tuple(
        engine
        for engine, each in needed
        if each.memory <= memory and each.scratch <= config.SCRATCH_BYTES
    )
