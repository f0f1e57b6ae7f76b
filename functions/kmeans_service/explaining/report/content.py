"""What a report says, before it is a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Content:
    """title     of the page: the job's name, or its file's
    facts     names and what they stand for, in order
    warnings  of the job, as it shows them
    clusters, projection   the answers of these, with the clusters' names
    choice, audit   the answers of these, where the job has them
    plan      of each column of the file its name, what became of it, and why
    request   the command that makes the fit again
    versions  of what has computed it
    """

    title: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    clusters: Mapping[str, Any]
    projection: Mapping[str, Any]
    plan: Sequence[tuple[str, str, str]]
    request: str
    versions: Mapping[str, str] = field(default_factory=dict)
    choice: Mapping[str, Any] | None = None
    audit: Mapping[str, Any] | None = None
