"""A year of weekly refits: no cluster changes its label, its number or its name by itself."""

import json

import numpy as np
import pytest

from harness.api import JSON_TYPE, Client

WEEKS, PLANTED = 52, 26
SEGMENTS = np.array([[0, 0], [8, 0], [0, 9], [9, 8], [4, 4]], dtype=float)
NEW = np.array([16.0, 2.0])
NAMES = ["far", "near", "high", "both", "between"]
ROWS = 200


class Customers:
    """Rows of known segments, of which a twentieth are exchanged each week."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        # The sizes are alike: by size alone, clusters would be numbered anew nearly every week.
        self.segments = np.arange(ROWS) % len(SEGMENTS)
        self.X = self._drawn(self.segments)

    def next_week(self) -> None:
        changed = self.random.choice(ROWS, ROWS // 20, replace=False)
        self.segments[changed] = self.random.permutation(self.segments[changed])
        self.X[changed] = self._drawn(self.segments[changed])

    def plant(self) -> None:
        """A tenth of the rows are of a new segment from now on."""
        self.segments[::10] = len(SEGMENTS)
        planted = self.segments == len(SEGMENTS)
        self.X[planted] = self._drawn(self.segments[planted])

    def _drawn(self, segments: np.ndarray) -> np.ndarray:
        places = np.vstack([SEGMENTS, NEW])[segments]
        return places + self.random.normal(size=places.shape)

    def csv(self) -> bytes:
        return b"".join(b"%.6f,%.6f\n" % tuple(row) for row in self.X)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(1))
def test_in_52_weeks_no_label_number_or_name_changes_and_what_is_new_is_new(
    client: Client, seed: int
) -> None:
    customers = Customers(seed)
    segment_of: dict[int, int] = {}  # by the number of the cluster
    for week in range(WEEKS):
        if week == PLANTED:
            customers.plant()
        job_id = client.upload(customers.csv(), f"{week}.csv").json()["job_id"]
        n_clusters = 5 if week < PLANTED else 6
        params = {"n_clusters": n_clusters, "algorithm": "swap", "random_state": week}
        asked = {"job_id": job_id, "model_params": params} | (
            {"align_to": job_id - 1} if week else {}
        )
        labels = np.array(client.post_json("/kmeans/fit", asked).labels())
        if not week:
            segment_of = {label: segment(customers, labels, label) for label in range(5)}
            called = {str(label): NAMES[found] for label, found in segment_of.items()}
            rename(client, called)
        elif week == PLANTED:
            segment_of[5] = len(SEGMENTS)
        view = client.get(f"/kmeans/jobs/{job_id}").json()
        assert view.get("numbers", [0, 1, 2, 3, 4]) == list(range(n_clusters)), week
        assert view["clusters"] == called, week
        for label in range(n_clusters):
            assert segment(customers, labels, label) == segment_of[label], week
        if week % 13 == 0 and week:
            check_migration(client, job_id, week)
        customers.next_week()


def check_migration(client: Client, job_id: int, week: int) -> None:
    """All rows are counted, and nearly all have stayed where they were."""
    found = client.get(f"/kmeans/jobs/{job_id}/migration?from={job_id - 1}").json()
    assert np.sum(found["matrix"]) + sum(found["arrived"]) == ROWS
    planted = ROWS // 10 if week == PLANTED else 0
    assert found["n_stayed"] >= ROWS * 0.9 - planted


def segment(customers: Customers, labels: np.ndarray, label: int) -> int:
    """The one that most of a cluster's rows are of."""
    return int(np.bincount(customers.segments[labels == label]).argmax())


def rename(client: Client, clusters: dict[str, str]) -> None:
    body = json.dumps({"clusters": clusters}).encode()
    assert client.call("PATCH", "/kmeans/jobs/0", body, JSON_TYPE).status == 200
