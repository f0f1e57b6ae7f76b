"""Two weeks of one table."""

import pytest

from harness.api import Client
from harness.weeks import WEEK_1, WEEK_2, centers, fit, rename, upload


@pytest.fixture
def weeks(client: Client) -> Client:
    """Job 0 is fitted and its clusters have names; job 1 is the week after."""
    upload(client, WEEK_1, "1.csv")
    assert fit(client, 0).status == 200
    assert centers(client, 0) == [0, 10, 20]
    rename(client, 0, {"0": "few", "1": "some", "2": "many"})
    upload(client, WEEK_2, "2.csv")
    return client
