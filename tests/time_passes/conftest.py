"""What these tests share."""

import pytest

from harness.api import ASYNC, Client
from harness.system import take_messages
from harness.timing import Clock


@pytest.fixture
def queued(clock: Clock, client: Client) -> Client:  # noqa: ARG001 (time stands still from here)
    """Job 0 waits for its fit, and its message is lost."""
    client.upload()
    assert client.fit(0, **ASYNC).status == 202
    take_messages()
    return client


@pytest.fixture
def fitted(clock: Clock, client: Client) -> Client:  # noqa: ARG001 (as above)
    client.upload()
    assert client.fit(0).status == 200
    return client
