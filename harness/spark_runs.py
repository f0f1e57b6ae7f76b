"""Runs of fits beyond one machine, over a bucket that is a folder."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from distributed import job, work
from distributed.fleet import Fleet
from harness import files_as_s3
from harness.alone import Alone
from kmeans_service import aws, config, storage
from kmeans_service.config import Limits
from kmeans_service.models import manifest
from kmeans_service.models.manifest import Manifest
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.request import parse_recipe
from kmeans_service.stored_object import StoredObject

BUCKET = "bucket"


@dataclass(frozen=True)
class Result:
    """What a run has written."""

    folder: Path
    document: dict[str, Any]

    @property
    def scores(self) -> dict[str, Any]:
        assert self.document["status"] == "fitted", self.document
        found: dict[str, Any] = self.document["model"]["scores"]
        return found

    @property
    def problem(self) -> dict[str, Any]:
        assert self.document["status"] == "refused"
        found: dict[str, Any] = self.document["problem"]
        return found

    def body(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def manifest(self) -> Manifest:
        return manifest.load(StoredObject(**self.document["model"]["manifest"]))


@dataclass
class Runs:
    """Files that are put, and runs over them."""

    folder: Path
    fence: int = 0

    def put(self, key: str, body: bytes) -> None:
        path = self.folder / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def asked(self, bodies: Sequence[bytes], limits: Limits | None = None, **asked: Any) -> str:
        """The address of a run.json; `asked` as POST fit takes it, and `reading`."""
        given = {"sha256": "0", "reading": asked.pop("reading", {}), "n_samples": 0}
        return self._asked(
            "models/o/0/fit",
            bodies,
            limits,
            given,
            fit_id="fit",
            recipe=recipe(**asked).as_json(),
            n_features=None,
        )

    def points(self, body: bytes, of: Result, limits: Limits | None = None, **asked: Any) -> str:
        """The address of a run.json of a prediction of these points by a model."""
        return self._of_model([body], of, limits, **asked)

    def rows(self, bodies: Sequence[bytes], of: Result, share: float, names: Sequence[str]) -> str:
        """The address of a run.json of the rows of these files with what a model says of them."""
        asked = {"outlier_quantile": repr(share), "names": list(names)}
        return self._of_model(bodies, of, None, rows=asked)

    def _of_model(
        self, bodies: Sequence[bytes], of: Result, limits: Limits | None, **asked: Any
    ) -> str:
        manifest = of.document["model"]["manifest"]
        given: dict[str, Any] = {"reading": {}}
        return self._asked("results/o/0/p", bodies, limits, given, manifest=manifest, **asked)

    def _asked(
        self,
        folder: str,
        bodies: Sequence[bytes],
        limits: Limits | None,
        given: dict[str, Any],
        **asked: Any,
    ) -> str:
        self.fence += 1
        parts = []
        for number, body in enumerate(bodies):
            key = f"incoming/o/{self.fence}/part-{number}.csv"
            self.put(key, body)
            parts.append({"key": key, "version_id": None, "size": len(body)})
        prefix = f"{folder}/{self.fence}/"
        document = asked | {
            "version": job.VERSION,
            "bucket": BUCKET,
            "prefix": prefix,
            "input": given | {"parts": parts},
            "processors": 16,
            "limits": asdict(limits or Limits()),
        }
        self.put(f"{prefix}run.json", json.dumps(document).encode())
        return f"s3://{BUCKET}/{prefix}run.json"

    def result_of(self, uri: str) -> Result:
        folder = (self.folder / uri.removeprefix("s3://")).parent
        return Result(folder, json.loads((folder / "result.json").read_text()))

    def run(
        self,
        bodies: Sequence[bytes],
        range_bytes: int = 1000,
        fleet: Fleet | None = None,
        **asked: Any,
    ) -> Result:
        uri = self.asked(bodies, **asked)
        work.do(job.load(uri), fleet or Alone(), range_bytes)
        return self.result_of(uri)


def recipe(**asked: Any) -> Recipe:
    return parse_recipe(asked)


@contextmanager
def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """In an environment as a run has it."""
    with files_as_s3.serving(folder) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("DATA_BUCKET", BUCKET)
        for made in (aws.s3, config.settings, config.limits, storage.data_bucket):
            made.cache_clear()
        yield Runs(folder)
    for made in (aws.s3, config.settings, config.limits, storage.data_bucket):
        made.cache_clear()


def written(found: Result) -> dict[str, Any]:
    """All that does not name where it lies."""
    manifest = found.manifest()
    names = ("centers.npy", "labels.csv")
    return {name: found.body(name) for name in names} | {
        "space": (
            manifest.model.predictor.space.shift.tolist(),
            manifest.model.predictor.space.scale,
        ),
        "scores": found.scores,
        "transform": manifest.model.transform and manifest.model.transform.as_json(),
    }
