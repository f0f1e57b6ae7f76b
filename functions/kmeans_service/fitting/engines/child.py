"""Work in a child process: it can be cut off for real, and takes its memory with it.

The parent never runs OpenMP itself: GNU OpenMP hangs in a child whose parent has used it.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from kmeans_service import aws
from kmeans_service.fitting.engines.engine import Progress
from kmeans_service.fitting.engines.outcome import Outcome, Say, outcome_of, result_of
from kmeans_service.runs.running import AttemptCrashed

_FORK = multiprocessing.get_context("fork")


class Child[T]:
    """`work` in a child of this process, from here on."""

    def __init__(self, work: Callable[[Say], T]) -> None:
        self._receiver, sender = _FORK.Pipe()
        self._process = _FORK.Process(
            target=_child, args=(work, sender, self._receiver), daemon=True
        )
        with warnings.catch_warnings():
            # OpenBLAS has threads from its import on, and handles a fork itself.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        sender.close()
        self._progress: Progress = {"stage": "STARTING"}
        self._outcome: Outcome | None = None

    def poll(self, seconds: float) -> Progress | None:
        """What it last told, after so many seconds; None as soon as it has ended."""
        until = time.monotonic() + seconds
        while self._receiver.poll(max(0.0, until - time.monotonic())):
            try:
                kind, value = self._receiver.recv()
            except (EOFError, OSError):  # between two messages, or in the middle of one
                return None
            if kind != "progress":
                self._outcome = kind, value
                return None
            self._progress = value
            if time.monotonic() >= until:
                break
        return self._progress

    def collect(self) -> T:
        """What the work returned; raises the ServiceError that it raised, or AttemptCrashed."""
        if self._outcome is None:
            self._process.join(1)  # it is ending: how, is seen once it has
            raise _died(self._process.exitcode)
        result: T = result_of(self._outcome)
        return result

    def close(self) -> None:
        self._process.kill()
        self._process.join()
        self._receiver.close()


def _child(
    work: Callable[[Say], Any],
    sender: "multiprocessing.connection.Connection[Any, Any]",
    receiver: "multiprocessing.connection.Connection[Any, Any]",
) -> None:
    receiver.close()
    threading.Thread(target=_die_with_parent, args=(sender,), daemon=True).start()
    aws.close_connections()  # they are the parent's
    sender.send(outcome_of(work, lambda progress: sender.send(("progress", progress))))


def _died(exitcode: int | None) -> AttemptCrashed:
    if exitcode == -signal.SIGKILL:
        how = "it was killed, as a process is that takes more memory than its function has"
    elif exitcode is not None and exitcode < 0:
        how = f"its process was ended by {signal.Signals(-exitcode).name}"
    else:
        how = "its process ended without a result"
    return AttemptCrashed(how, f"the process ended without a result, exit code {exitcode}")


def _die_with_parent(sender: "multiprocessing.connection.Connection[Any, Any]") -> None:
    """The parent sends nothing: what there is to read is the end of its life."""
    sender.poll(None)
    os._exit(1)
