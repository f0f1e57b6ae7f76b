"""What a run is given: `run.json`, beside which it writes what it finds."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from distributed.files import File, Files
from kmeans_service import aws
from kmeans_service.config import Limits
from kmeans_service.recipes.recipe import Recipe, recipe_of
from kmeans_service.stored_object import StoredObject
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dialect import Reading

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """Work on some files.

    prefix     what all keys begin with that it writes
    """

    bucket: str
    prefix: str
    files: tuple[File, ...]
    reading: Reading
    processors: int
    limits: Limits

    @property
    def source(self) -> Files:
        return Files(self.bucket, self.files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def csv_limits(self) -> CsvLimits:
        given = self.limits
        return CsvLimits(
            cell_length=given.cell_length,
            line_length=given.line_length,
            columns=given.columns,
            rows=given.rows,
        )


@dataclass(frozen=True, kw_only=True)
class Fit(Run):
    """is_dataset whether nobody has read the files before
    is_settled whether the recipe is made for the files
    """

    fit_id: str
    sha256: str
    recipe: Recipe
    is_dataset: bool
    is_settled: bool


@dataclass(frozen=True, kw_only=True)
class Prediction(Run):
    """manifest   of the model that labels the files' rows"""

    manifest: StoredObject


@dataclass(frozen=True, kw_only=True)
class Rows(Prediction):
    """outlier_quantile   beyond which a row of a cluster is an outlier
    names              of the clusters
    """

    outlier_quantile: float
    names: tuple[str, ...]


def load(uri: str) -> Fit | Prediction:
    """The run that an s3:// address names."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return run_of(json.loads(aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read()))


def run_of(document: Mapping[str, Any]) -> Fit | Prediction:
    if document["version"] != VERSION:
        raise ValueError(f"run.json has version {document['version']}; this run reads {VERSION}")
    given = document["input"]
    common: dict[str, Any] = {
        "bucket": document["bucket"],
        "prefix": document["prefix"],
        "files": _files(given["parts"]),
        "reading": Reading(**given["reading"]),
        "processors": document["processors"],
        "limits": Limits(**document["limits"]),
    }
    if "manifest" in document:
        common["manifest"] = StoredObject(**document["manifest"])
        return Rows(**common, **_of_rows(document)) if "rows" in document else Prediction(**common)
    return Fit(
        **common,
        fit_id=document["fit_id"],
        sha256=given["sha256"],
        recipe=recipe_of(document["recipe"], n_features=document["n_features"]),
        is_dataset=given.get("is_dataset", False),
        is_settled=given["n_samples"] > 0 and not given.get("is_dataset"),
    )


def _of_rows(document: Mapping[str, Any]) -> dict[str, Any]:
    given = document["rows"]
    share = float(given["outlier_quantile"])
    return {"outlier_quantile": share, "names": tuple(given["names"])}


def _files(parts: Sequence[Mapping[str, Any]]) -> tuple[File, ...]:
    """Without the empty ones that Spark and Hadoop leave, unless there is no other."""
    files = [
        File(part["key"], part["size"], part.get("version_id"), part.get("etag")) for part in parts
    ]
    return tuple(file for file in files if file.size) or tuple(files[:1])


def set_environment(run: Run) -> None:
    """What the service's modules read of it; there is no table, and nothing asks for one."""
    os.environ |= {"DATA_BUCKET": run.bucket, "JOBS_TABLE": ""}
    limits = asdict(run.limits)
    os.environ |= {f"MAX_{name.upper()}": str(most) for name, most in limits.items()}
