"""The kernel in each of its builds, for any test that asks for it."""

import pytest


@pytest.fixture(params=["kmeans", "kmeans_avx512"])
def each_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kernel as it is compiled for each kind of processor, if this one is of that kind."""
    from kmeans_service.fitting.kernel import library as libraries

    name: str = request.param
    if name not in ("kmeans", libraries.name_here()):
        pytest.skip("this processor has no AVX-512")
    monkeypatch.setattr(libraries, "name_here", lambda: name)
    return name
