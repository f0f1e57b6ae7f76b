"""scikit-learn's own tests of KMeans, of another estimator in its place."""

import importlib.util
from types import FunctionType, ModuleType
from unittest import mock

_TESTS = "sklearn.cluster.tests.test_k_means"


def module_with(estimator: type) -> ModuleType:
    """A copy of the module, for which sklearn.cluster.KMeans is this one."""
    spec = importlib.util.find_spec(_TESTS)
    if spec is None or spec.loader is None:
        raise ImportError(_TESTS)
    module = importlib.util.module_from_spec(spec)
    with mock.patch("sklearn.cluster.KMeans", estimator):
        spec.loader.exec_module(module)
    return module


def functions_of(module: ModuleType) -> dict[str, FunctionType]:
    """The tests, by their names."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and name.startswith("test_")
    }
