"""What these tests share."""

import pytest

from harness.api import Client


@pytest.fixture
def fitted(client: Client) -> Client:
    """Job 0, of two clusters."""
    client.upload()
    assert client.fit(0).status == 200
    return client
