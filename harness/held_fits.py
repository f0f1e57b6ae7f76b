"""Fits that do something first, in their processes: wait, die, be slow."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from kmeans_service import config
from kmeans_service.fitting import clustering, estimator
from kmeans_service.recipes.recipe import Recipe


def before_fitting(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let every fit, in its child process however brief it is, do this first."""
    real = clustering.fit

    def fit(*arguments: Any) -> clustering.Clustering:
        act()
        return real(*arguments)

    monkeypatch.setattr(clustering, "fit", fit)
    monkeypatch.setattr(config, "BRIEF_WORK", 0)


class Held:
    """Fits that wait in their processes until they are let go on, if they are not killed before."""

    def __init__(self) -> None:
        self._end, self._begin = os.pipe()

    def wait(self) -> None:
        os.read(self._end, 1)

    def go_on(self) -> None:
        os.write(self._begin, b"!" * 100)


def sleep(seconds: float) -> Callable[[], None]:
    return partial(time.sleep, seconds)


def pickle_of(found: clustering.Clustering, recipe: Recipe) -> bytes:
    """What is downloaded of a model that was fitted by this recipe."""
    return estimator.pickled(recipe, found.centers, found.scores)
