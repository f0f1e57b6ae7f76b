"""An owner who names jobs and clusters."""

import json
from typing import Any

from harness.api import JSON_TYPE, Answer, Client


def rename(client: Client, value: Any, job_id: int = 0, **headers: str) -> Answer:
    named = JSON_TYPE | {name.replace("_", "-"): text for name, text in headers.items()}
    return client.call("PATCH", f"/kmeans/jobs/{job_id}", json.dumps(value).encode(), named)


def shown(client: Client, path: str = "/kmeans/jobs/0") -> tuple[str | None, Any]:
    view = client.get(path).json()
    return view.get("name"), view.get("clusters")
