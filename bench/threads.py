"""How the threads of BLAS and OpenMP are told to behave: environment variables, read at import."""

import os

PREFIXES = ("OPENBLAS_", "OMP_", "GOMP_")


def of_functions() -> dict[str, str]:
    """What the template tells all functions."""
    from local.deployment import load_template

    variables = load_template()["Globals"]["Function"]["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items() if name.startswith(PREFIXES)}


def of_others() -> dict[str, str]:
    """The environment of whoever is none of our functions."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
