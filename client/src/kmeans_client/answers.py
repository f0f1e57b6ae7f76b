"""What the service answers as JSON, member by member; the contract says what they mean."""

from typing import Any, TypedDict


class Reading(TypedDict, total=False):
    """How a file was read."""

    header: str
    delimiter: str
    decimal: str
    encoding: str
    comments: int
    row_names: bool
    gzip: bool


class Uploaded(TypedDict, total=False):
    """The job that holds a file."""

    filename: str
    job_id: int
    reading: Reading
    warnings: list[str]


class Part(TypedDict, total=False):
    """One of the pieces that a large file comes in; one that has come has no `url`."""

    part: int
    size: int
    url: str


class Upload(TypedDict, total=False):
    """Where a large file goes."""

    job_id: int
    url: str
    fields: dict[str, str]
    expires_in: int
    max_bytes: int
    size: int
    received: int
    parts: list[Part]


class Scores(TypedDict, total=False):
    """How good a clustering is."""

    inertia: float
    n_iter: int
    stopped_by: str
    cluster_sizes: list[int]
    cluster_weights: list[float]
    silhouette: float
    sample_size: int
    calinski_harabasz: float
    davies_bouldin: float
    warnings: list[str]
    method: str


class Spent(TypedDict):
    """By runs on Spark that are over."""

    vcpu_hours: float
    memory_gb_hours: float
    cents: float


class Job(TypedDict, total=False):
    """A job's state."""

    job_id: int
    status: str
    filename: str
    name: str
    clusters: dict[str, str]
    size: int
    files: int
    n_samples: int
    n_features: int
    feature_names: list[str | None]
    reading: Reading
    preprocessing: dict[str, Any]
    engine: str
    model_params: dict[str, Any]
    seed_drawn: bool
    attempt: int
    progress: dict[str, Any]
    spent: Spent
    error: dict[str, Any]
    scores: Scores
    warnings: list[str]
    created_at: str
    uploaded_at: str
    queued_at: str
    started_at: str
    finished_at: str
    expires_at: str
    links: dict[str, str]


class Column(TypedDict, total=False):
    """One column of a file, and what a fit does with it."""

    number: int
    name: str | None
    kind: str
    numbers: int
    missing: int
    others: int
    distinct: int | str
    least: float | None
    largest: float | None
    mean: float | None
    sd: float | None
    first_missing: dict[str, Any]
    first_other: dict[str, Any]
    role: str
    rule: str
    reason: str


class Table(TypedDict, total=False):
    """What a file holds, column by column."""

    reading: Reading
    n_rows: int
    n_columns: int
    columns: list[Column]
    refused: str
    warnings: list[str]


class Choice(TypedDict, total=False):
    """Why a fit has so many clusters."""

    n_clusters: int
    verdict: str
    evidence: dict[str, Any]
    sample_size: int
    candidates: list[dict[str, Any]]


class Cluster(TypedDict, total=False):
    """What one cluster is."""

    label: int
    number: int
    name: str | None
    size: int
    share: float
    sentence: str
    center: list[dict[str, Any]]
    typical_row: dict[str, Any] | None
    sets_apart: list[dict[str, Any]]


class Clusters(TypedDict, total=False):
    """What the clusters of a fit are."""

    clusters: list[Cluster]
    tree: dict[str, Any]
    columns: list[dict[str, Any]]
    sample_size: int | None
    notes: list[str]


class Projection(TypedDict, total=False):
    """Rows of a fit in two dimensions."""

    axes: list[dict[str, Any]]
    points: list[dict[str, Any]]
    centers: list[dict[str, Any]]
    n_rows: int
    sample_size: int | None
    note: str


class PresignedPrediction(TypedDict, total=False):
    """Where the points of a large prediction go, and where the labels will be."""

    prediction_id: str
    job_id: int
    url: str
    fields: dict[str, str]
    expires_in: int
    max_bytes: int
    result: str


class Pending(TypedDict, total=False):
    """What is not there yet: a large prediction, or what is made of a fit."""

    prediction_id: str
    job_id: int
    status: str
    engine: str
    attempt: int
    progress: dict[str, Any]
    spent: Spent
    result: str


class Health(TypedDict):
    """That the service answers."""

    status: str
    version: str
