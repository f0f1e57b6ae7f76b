"""A large file on a Spark of this machine beside the fit out of core: `make soak` (SPARK_GB=2)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness import PROJECT, spark_submit
from harness.processes import Taken, watched
from harness.spark_runs import Runs, running

N_COLUMNS, N_CLUSTERS, PART = 8, 12, 20_000
MOST_MEMORY = 1536 * 1024**2


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    spark_submit.needed()
    with running(tmp_path, monkeypatch) as made:
        yield made


def write_blobs(path: Path, size: int) -> None:
    """Ten clusters, of which twelve are asked for; numbers of five decimals."""
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(10, N_COLUMNS)) * 6
    lines = (",".join(["%.5f"] * N_COLUMNS) + "\n") * PART
    with path.open("w") as file:
        file.write(",".join(f"c{column}" for column in range(N_COLUMNS)) + "\n")
        while file.tell() < size:
            X = centers[rng.integers(0, 10, PART)] + 2 * rng.normal(size=(PART, N_COLUMNS))
            file.write(lines % tuple(X.ravel().tolist()))


def run(command: list[str], log: Path) -> Taken:
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            env=spark_submit.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        taken = watched(process)
    assert process.returncode == 0, log.read_text()[-3000:]
    return taken


@pytest.mark.soak
def test_a_large_file_takes_no_more_memory_than_it_may_and_fits_as_well(
    runs: Runs, tmp_path: Path
) -> None:
    asked = {"model_params": {"n_clusters": N_CLUSTERS}}
    there, here = (runs.asked([b""], **asked) for _ in range(2))
    written = tmp_path / "large.csv"
    write_blobs(written, int(float(os.environ.get("SPARK_GB", "2")) * 1e9))
    for uri in (there, here):
        _point_at(runs, uri, written)
    log = tmp_path / "log.txt"
    alone = run([sys.executable, str(PROJECT / "harness/out_of_core_alone.py"), here], log)
    expected = json.loads(log.read_text().splitlines()[-1])
    spread = run(spark_submit.command(PROJECT / "distributed/run.py", there), log)
    found = runs.result_of(there).scores
    print(
        f"\n{written.stat().st_size / 1e9:.1f} GB, {found['n_iter']} iterations; CPU seconds: "
        f"out of core {alone.cpu:.1f}, Spark {spread.cpu:.1f} ({spread.cpu / alone.cpu:.2f} "
        f"times); Spark's processes: {spread.memory / 1024**2:.0f} MB together"
    )
    assert found["inertia"] <= 1.001 * expected["inertia"]
    assert found["cluster_sizes"] == expected["cluster_sizes"]
    assert spread.memory <= MOST_MEMORY


def _point_at(runs: Runs, uri: str, written: Path) -> None:
    """The run's one file is this one."""
    path = runs.folder / uri.removeprefix("s3://")
    document = json.loads(path.read_text())
    [part] = document["input"]["parts"]
    (runs.folder / "bucket" / part["key"]).unlink()
    (runs.folder / "bucket" / part["key"]).hardlink_to(written)
    part["size"] = written.stat().st_size
    path.write_text(json.dumps(document))
