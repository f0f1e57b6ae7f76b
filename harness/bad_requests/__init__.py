"""Requests that must be refused, and what each refusal must say.

They are sent to a service with these jobs: 0 fitted on two columns without names, 1 fitted on the
columns x and y, 2 not fitted, 3 deleted, 4 waiting for its file.
"""

from dataclasses import dataclass, field
from typing import Any

FITTED, NAMED, UNFITTED, DELETED, PENDING, UNKNOWN = range(6)


@dataclass(frozen=True)
class Case:
    """A bad request; `words` must all stand in the problem's detail.

    event  members that replace those of the proxy event
    """

    name: str
    status: int
    words: tuple[str, ...]
    method: str = "POST"
    path: str = "/kmeans/fit"
    body: bytes = b""
    headers: dict[str, str] | None = None
    event: dict[str, Any] = field(default_factory=dict)
