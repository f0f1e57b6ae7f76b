"""scikit-learn's own tests of KMeans, run as they are with the kernel's in its place."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from harness.sklearn_kmeans.adapter import KernelKMeans
from harness.sklearn_kmeans.cases import LEFT_OUT, RUN
from harness.sklearn_kmeans.upstream import functions_of, module_with

pytestmark = pytest.mark.thorough
THEIRS = functions_of(module_with(KernelKMeans))
globals().update({name: THEIRS[name] for name in sorted(RUN & THEIRS.keys())})


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def test_every_test_of_theirs_is_run_or_has_its_reason() -> None:
    assert not RUN & LEFT_OUT.keys()
    assert THEIRS.keys() == RUN | LEFT_OUT.keys()
