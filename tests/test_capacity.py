"""What a fit takes of memory and disk is never more than was said before it began."""

import itertools
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from harness.api import MODEL_CSV, Client
from harness.limits import with_worker_memory
from harness.system import deliver, drop
from harness.template.reading import transformed
from kmeans_service import config
from kmeans_service.errors import TooLarge
from kmeans_service.fitting import capacity
from kmeans_service.models.labels_from_text import ROW_BYTES
from kmeans_service.recipes.recipe import Recipe
from local.settings import PROJECT

# As the template tells the functions.
ENVIRONMENT = {
    "PYTHONPATH": f"{PROJECT / 'functions'}:{PROJECT}",
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "8388608",
    "MALLOC_TRIM_THRESHOLD_": "33554432",
}
# As many rows as silhouette compares: what they take is part of what is fixed.
FEW: dict[str, Any] = {"n_samples": 2000, "n_features": 2, "params": {}}
# What measuring adds to the numbers: the blocks that the data is made of.
NOISE = 16 * 1024**2


def case(n_samples: int, n_features: int, kind: str = "blobs", **params: Any) -> dict[str, Any]:
    given = {"max_iter": 3, **params}
    if given.get("init") == "array":
        given["init"] = [[float(n)] * n_features for n in range(given["n_clusters"])]
    return {"n_samples": n_samples, "n_features": n_features, "params": given, "kind": kind}


def peaks(cases: list[dict[str, Any]]) -> list[dict[str, int]]:
    run = subprocess.run(
        [sys.executable, "-m", "harness.data.peaks"],
        cwd=PROJECT,
        input=json.dumps(cases),
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, int]] = json.loads(run.stdout)
    return found


def assert_bounded(cases: list[dict[str, Any]]) -> None:
    few, *found = peaks([FEW, *cases])
    assert few["peak"] < capacity.FIXED_BYTES * 0.6, "a function imports more than this test"
    for each, measured in zip(cases, found, strict=True):
        above = measured["peak"] - few["peak"]
        said = measured["needed"] - capacity.FIXED_BYTES
        assert above <= said + NOISE, (each, above / 1e6, said / 1e6)


SMALL = [
    case(200_000, 2, n_clusters=8),
    case(200_000, 2, "outliers", n_clusters=8, n_init=2),
    case(60_000, 40, n_clusters=20, n_init=2),
    case(100_000, 2, "outliers", n_clusters=40, init="random", n_init=3),
    case(100_000, 2, n_clusters=60, algorithm="elkan"),
    case(100_000, 2, "outliers", n_clusters=60, algorithm="elkan", init="random", n_init=2),
    case(200_000, 1, "alike", n_clusters=3),
    case(5_000, 2_000, "alike", n_clusters=2),
    case(200_000, 2, n_clusters=8, algorithm="swap"),
    case(18_000, 100, n_clusters=20, algorithm="swap"),
    case(1_000, 1_000, n_clusters=60, algorithm="swap"),
    case(30_000, 60, "outliers", n_clusters=20, init="array"),
    case(1_000, 1_000, n_clusters=500, init="random"),
    case(5_000, 2_000, init="random"),
    case(1_000_000, 1, n_clusters=8) | {"weighted": True},
    case(300_000, 2, "outliers", n_clusters=8, algorithm="swap") | {"weighted": True},
    case(200_000, 2, n_clusters=40, algorithm="elkan", init="random") | {"weighted": True},
]


@pytest.mark.thorough
def test_a_fit_in_memory_takes_no_more_than_was_estimated() -> None:
    assert_bounded(SMALL)


@pytest.mark.soak
def test_a_search_for_many_wide_clusters_takes_no_more_than_was_estimated() -> None:
    assert_bounded([case(1_000, 1_000, n_clusters=500, algorithm="swap")])


@pytest.mark.soak
def test_a_fit_in_memory_takes_no_more_than_was_estimated_over_a_grid() -> None:
    shapes = [(1_000_000, 1), (1_000_000, 2), (300_000, 10), (100_000, 100), (5_000, 2_000)]
    assert_bounded(
        [
            case(*shape, kind, n_clusters=k, algorithm=algorithm, init=init, n_init=n_init)
            for shape, kind, k, algorithm, (init, n_init) in itertools.product(
                shapes,
                ("blobs", "outliers", "alike"),
                (2, 40, 200),
                ("lloyd", "elkan"),
                (("k-means++", 1), ("random", 3), ("array", 1)),
            )
            if shape[0] * k * shape[1] <= 5e8 and k * shape[1] <= 10_000
        ]
    )


@pytest.mark.thorough
@pytest.mark.parametrize(("n_samples", "n_features", "k"), [(1_200_000, 2, 8), (30_000, 100, 20)])
def test_a_fit_out_of_core_takes_no_memory_that_grows_with_its_rows(
    n_samples: int, n_features: int, k: int
) -> None:
    whole = case(n_samples, n_features, n_clusters=k, max_iter=2) | {"method": "out_of_core"}
    [measured] = peaks([whole])
    assert measured["peak"] < 512 * 1024**2, "the least that a worker may have"


def test_elkan_without_room_for_its_bounds_is_computed_by_lloyd(
    aws: Any,  # noqa: ARG001 (settings are read anew)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elkan = Recipe(n_clusters=1000, algorithm="elkan")
    with_worker_memory(monkeypatch, 3008)
    assert capacity.algorithm_in_memory(10_000, 2, elkan) == "elkan"
    assert capacity.algorithm_in_memory(1_000_000, 2, elkan) == "lloyd"
    assert capacity.algorithm_in_memory(100_000_000, 2, elkan) is None


def test_swap_without_room_searches_a_sample_out_of_core(
    aws: Any,  # noqa: ARG001 (settings are read anew)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swap = Recipe(n_clusters=8, algorithm="swap")
    with_worker_memory(monkeypatch, 3008)
    assert capacity.algorithm_in_memory(1_000_000, 2, swap) == "swap"
    assert capacity.algorithm_in_memory(100_000_000, 2, swap) is None


def test_what_a_search_takes_is_that_of_a_sample() -> None:
    def searched(n_samples: int, n_clusters: int) -> int:
        recipe = Recipe(n_clusters=n_clusters, algorithm="swap")
        rows = n_samples * capacity.row_bytes(2, recipe)
        return capacity.needed_in_memory(n_samples, 2, recipe) - rows

    assert searched(10**6, 8) == searched(10**8, 8)
    assert searched(10**6, 8) - searched(20_000, 8) == 8 * 20_000 * 2  # copied, of more
    assert searched(10**6, 4000) > searched(10**6, 8) + 8 * 20_000 * (2 + 6)


def test_of_the_centers_of_many_wide_clusters_several_copies_are_reckoned_with() -> None:
    def needed(n_clusters: int) -> int:
        return capacity.needed_in_memory(2_000, 1_000, Recipe(n_clusters=n_clusters))

    assert needed(2_000) - needed(1_000) >= 8 * 8 * 1_000 * 1_000


def test_the_worker_has_the_disk_that_the_service_reckons_with() -> None:
    storage = transformed()["Resources"]["FitWorkerFunction"]["Properties"]["EphemeralStorage"]
    assert storage["Size"] * 1024**2 == config.SCRATCH_BYTES


def test_no_file_that_is_taken_is_too_large_for_the_disk(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of short numbers, the largest file that is taken has rows of twice the disk."""
    limits = config.Limits()
    shortest = 2  # a digit, and a comma or a line feed
    columns = limits.file_bytes // (shortest * limits.rows)
    assert capacity.scratch_needed(limits.rows, columns) > config.SCRATCH_BYTES
    with pytest.raises(TooLarge, match="100,000,000 rows of 26 numbers"):
        capacity.check_disk(limits.rows, columns)
    monkeypatch.setattr(config, "SCRATCH_BYTES", 6 * (2 * 8 + ROW_BYTES))
    body = MODEL_CSV + b"1, 1\n"
    assert deliver(drop("incoming/tester/a.csv", MODEL_CSV)) == 0
    assert deliver(drop("incoming/tester/b.csv", body)) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    refused = client.get("/kmeans/jobs/1").json()
    assert (refused["status"], refused["error"]["status"]) == ("FAILED", 413)
    assert "7 rows of 2 numbers" in refused["error"]["detail"]
    client.post_json("/kmeans/uploads", {"filename": "c.csv"})
    deliver(drop("pending/tester/2/input.csv", body))
    assert client.get("/kmeans/jobs/2").json()["status"] == "FAILED"


def test_what_the_disk_must_hold_is_the_rows_and_their_labels() -> None:
    assert capacity.scratch_needed(1, 1) == 8 + ROW_BYTES
    assert capacity.scratch_needed(1000, 10) == 1000 * (80 + ROW_BYTES)
