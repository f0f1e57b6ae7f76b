"""Numbers and names of clusters, put into what was made without them."""

import json
from collections.abc import Mapping
from typing import Any

from kmeans_service.explaining import making
from kmeans_service.explaining.makers import maker
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.names import names_of
from kmeans_service.storage import data_bucket
from kmeans_service.streams import Keep


def version(job: Job) -> dict[str, Any]:
    """What an answer with names is asked for with: another name makes it another answer."""
    return {"names": names_of(job).version}


def seconds(job: Job, name: str) -> float:
    """What it takes until this maker's document is there: next to nothing where it is."""
    return 0.0 if making.is_made(job, name) else maker(name).seconds(job, {})


def with_names(job: Job, name: str, members: str, keep: Keep) -> dict[str, Any]:
    """The document of this maker, whose `members` are the clusters in the order of their labels."""
    document: dict[str, Any] = json.loads(data_bucket().get(making.needed(job, name, keep)))
    names = names_of(job).clusters
    numbered = zip(document[members], job.published.numbers, strict=True)
    return document | {members: [_named(each, number, names) for each, number in numbered]}


def _named(cluster: Mapping[str, Any], number: int, names: Mapping[int, str]) -> dict[str, Any]:
    return {**cluster, "number": number, "name": names.get(number)}
