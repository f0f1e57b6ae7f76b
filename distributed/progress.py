"""How far a run is, as an object that it writes over and over."""

import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from distributed.job import Run
from kmeans_service import aws
from kmeans_service.media_types import JSON
from kmeans_service.runs import cost

SECONDS = 3.0
# What has been done of all work where a stage begins; iterations take the most of a fit's.
OF_A_FIT = {
    "CHECKING": 0,
    "READING": 15,
    "CHOOSING": 25,
    "FITTING": 30,
    "LABELLING": 85,
    "STORING": 97,
}
OF_A_PREDICTION = {"CHECKING": 0, "LABELLING": 40, "STORING": 95}
OF_ROWS = {"CHECKING": 0, "MEASURING": 25, "WRITING": 50, "STORING": 95}


class Telling:
    """Written every few seconds at most; a new stage at once.

    begins   the stages
    All of the run's processors are counted from the first moment on: `cents` are those at most.
    """

    def __init__(self, run: Run, begins: Mapping[str, int], max_iter: int = 0) -> None:
        self._bucket, self._key = run.bucket, f"{run.prefix}progress.json"
        self._begins, self._max_iter = begins, max_iter
        self._processors, self._began = run.processors, time.monotonic()
        self._said: dict[str, Any] = {"started_at": datetime.now(UTC).isoformat(timespec="seconds")}
        self._written = float("-inf")

    def __call__(self, progress: dict[str, Any]) -> None:
        """`done` is a percentage of the stage, where it is known."""
        stage, done = progress["stage"], progress.pop("done", 0)
        is_new = stage != self._said.get("stage")
        self._said |= progress | {"percent": self._percent(stage, progress, done)}
        if stage == "FITTING":
            self._said["max_iter"] = self._max_iter
        self._said["cents"] = math.ceil(
            cost.of_all(self._processors, time.monotonic() - self._began)
        )
        if is_new or time.monotonic() - self._written >= SECONDS:
            text = json.dumps(self._said).encode()
            aws.s3().put_object(Bucket=self._bucket, Key=self._key, Body=text, ContentType=JSON)
            self._written = time.monotonic()

    def _percent(self, stage: str, progress: dict[str, Any], done: float) -> int:
        """Most fits rest long before max_iter: half of what is left after 20 iterations."""
        stages = list(self._begins)
        begins = self._begins[stage]
        ends = [*self._begins.values(), 100][stages.index(stage) + 1]
        if stage == "FITTING":
            iterations = progress["iteration"] - 1
            done = 100 * iterations / (iterations + 20)
        return begins + round((ends - begins) * done / 100)
