"""Which engine computes a fit: the first one that the worker has the room for.

Decided by the worker's size alone, wherever the fit then runs: the same request, the same bits.
"""

from kmeans_service import config
from kmeans_service.fitting.engines.engine import Engine
from kmeans_service.fitting.engines.in_memory import InMemory
from kmeans_service.fitting.engines.out_of_core import OutOfCore
from kmeans_service.lifecycle.job import Job

ENGINES: tuple[Engine, ...] = (InMemory(), OutOfCore())


def engine_of(claimed: Job) -> Engine:
    """The last one, which says what it lacks, where there is room for none."""
    given, recipe = claimed.input, claimed.recipe
    if given is None or recipe is None:
        raise ValueError("a claimed job has an input and a recipe")
    for engine in ENGINES:
        needed = engine.estimate(given, recipe)
        memory = needed.memory <= config.settings().worker_memory_bytes
        if memory and needed.scratch <= config.SCRATCH_BYTES:
            return engine
    return ENGINES[-1]
