"""Ports for services of tests."""

import os
import random
import socket
from contextlib import suppress


def free_port() -> int:
    """A port that nobody listens on, nor any other test that runs at the same time will.

    Below those that the system hands out, one of which could be taken before it is used here.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 10_000 + worker % 10 * 2_000
    for port in random.SystemRandom().sample(range(first, first + 2_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
