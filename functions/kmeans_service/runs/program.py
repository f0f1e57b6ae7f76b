"""The code of a run: it comes with the functions, in a layer, and lies in the bucket once.

Its key holds its digest: a run and the service that started it are of one build, always.
"""

import hashlib
import os
from functools import cache
from pathlib import Path

from kmeans_service import keys
from kmeans_service.media_types import BINARY
from kmeans_service.storage import data_bucket

PREFIX = f"{keys.ENGINE}/"


@cache
def stored() -> tuple[str, str]:
    """s3:// of the module that Spark submits, and Spark's parameters, which name the archive."""
    folder = Path(os.environ.get("SPARK_PROGRAM", "/opt/spark"))
    module, archive = (_store(folder / name) for name in ("run.py", "engine.tar.gz"))
    lines = (folder / "submit.txt").read_text().split("\n")
    return module, " ".join(filter(None, lines)).replace("{archive}", archive)


def _store(path: Path) -> str:
    body = path.read_bytes()
    key = f"{PREFIX}{hashlib.sha256(body).hexdigest()}/{path.name}"
    if not data_bucket().is_there(key):
        data_bucket().put(key, body, BINARY)
    return data_bucket().uri(key)
