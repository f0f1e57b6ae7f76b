"""How far a run is, as an object that it writes over and over."""

import json
import math
import time
from datetime import UTC, datetime
from typing import Any

from kmeans_service import aws
from kmeans_service.media_types import JSON
from kmeans_service.runs import cost

SECONDS = 3.0
# What has been done of all work where a stage begins; iterations take the most of it.
_BEGINS = {
    "CHECKING": 0,
    "READING": 15,
    "CHOOSING": 25,
    "FITTING": 30,
    "LABELLING": 85,
    "STORING": 97,
}


class Telling:
    """Written every few seconds at most; a new stage at once.

    processors   of which all are counted from the first moment on: `cents` are those at most
    """

    def __init__(self, bucket: str, key: str, max_iter: int, processors: int) -> None:
        self._bucket, self._key, self._max_iter = bucket, key, max_iter
        self._processors, self._began = processors, time.monotonic()
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
        stages = list(_BEGINS)
        begins = _BEGINS[stage]
        ends = [*_BEGINS.values(), 100][stages.index(stage) + 1]
        if stage == "FITTING":
            iterations = progress["iteration"] - 1
            done = 100 * iterations / (iterations + 20)
        return begins + round((ends - begins) * done / 100)
