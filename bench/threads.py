"""How BLAS, OpenMP and malloc are told to behave, by environment variables."""

import os

PREFIXES = ("OPENBLAS_", "OMP_", "GOMP_", "MALLOC_")


def of_functions() -> dict[str, str]:
    """What the template tells all functions, and the memory of FitFunction and the worker."""
    from local.template import load_template

    template = load_template()
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    told = {name: str(value) for name, value in variables.items() if name.startswith(PREFIXES)}
    memory = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "FitMemory",
        "WORKER_MEMORY": "WorkerMemory",
    }
    sizes = {name: template["Parameters"][size]["Default"] for name, size in memory.items()}
    return told | {name: str(size) for name, size in sizes.items()}


def of_others() -> dict[str, str]:
    """The environment of whoever is none of our functions."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
