"""scikit-learn's own tests of KMeans, run as they are with the kernel's in its place."""

import importlib.util
from collections.abc import Iterator
from types import FunctionType, ModuleType
from unittest import mock

import pytest
from threadpoolctl import threadpool_limits

from harness.sklearn_kmeans.adapter import KernelKMeans
from harness.sklearn_kmeans.cases import LEFT_OUT, RUN

UPSTREAM = "sklearn.cluster.tests.test_k_means"


def _upstream() -> ModuleType:
    """A copy of the module, for which sklearn.cluster.KMeans is the kernel's."""
    spec = importlib.util.find_spec(UPSTREAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with mock.patch("sklearn.cluster.KMeans", KernelKMeans):
        spec.loader.exec_module(module)
    return module


THEIRS = {
    name: value
    for name, value in vars(_upstream()).items()
    if isinstance(value, FunctionType) and name.startswith("test_")
}
globals().update({name: THEIRS[name] for name in sorted(RUN & THEIRS.keys())})


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def test_every_test_of_theirs_is_run_or_has_its_reason() -> None:
    assert not RUN & LEFT_OUT.keys()
    assert THEIRS.keys() == RUN | LEFT_OUT.keys()
