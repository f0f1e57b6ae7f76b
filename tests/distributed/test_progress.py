"""What a run says of itself while it goes on, as its owner reads it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distributed import job
from distributed.progress import OF_A_FIT, Telling
from harness.spark_runs import BUCKET, Runs, running

KEY = "models/o/0/fit/1/progress.json"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    with running(tmp_path, monkeypatch) as made:
        yield made


def test_it_tells_stage_percent_iteration_and_what_it_has_cost_at_most(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    say = Telling(job.load(runs.asked([b"1,2\n"])), OF_A_FIT, max_iter=300)

    def said(**progress: Any) -> dict[str, Any]:
        say(progress)
        found: dict[str, Any] = json.loads((runs.folder / BUCKET / KEY).read_text())
        return found

    first = said(stage="CHECKING", done=50)
    assert (first["stage"], first["percent"], first["cents"]) == ("CHECKING", 8, 0)
    now += 3600
    later = said(stage="FITTING", iteration=21)
    # Sixteen vCPU-hours with 4 GB of memory and 20 of disk each, at $0.077958 an hour.
    assert later["cents"] == 125
    assert (later["percent"], later["iteration"], later["max_iter"]) == (58, 21, 300)
    now += 1
    assert said(stage="FITTING", iteration=22) == later  # not every second
