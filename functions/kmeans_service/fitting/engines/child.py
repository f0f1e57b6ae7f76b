"""Work in a child process: it can be cut off for real, and takes its memory with it.

The parent never runs OpenMP itself: GNU OpenMP hangs in a child whose parent has used it.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator
from typing import Any

from kmeans_service import aws
from kmeans_service.errors import ServiceError

_FORK = multiprocessing.get_context("fork")
type Progress = dict[str, Any]
type Say = Callable[[Progress], None]


class OutOfTime(Exception):
    """The work did not finish in time and was stopped."""


class ChildDied(Exception):
    """The child crashed or was killed; `how`, in words for who asked for the work."""

    def __init__(self, how: str, detail: str) -> None:
        super().__init__(detail)
        self.how = how


class _EndOfChild(Exception):
    """The pipe ended before a result."""


def run[T](work: Callable[[Say], T], seconds: float, tick: float) -> Generator[Progress, None, T]:
    """Run `work` in a child; yield the progress it last told, at least every `tick` seconds.

    Returns what the work returns, raises the ServiceError that it raises, OutOfTime or ChildDied.
    """
    receiver, sender = _FORK.Pipe()
    child = _FORK.Process(target=_child, args=(work, sender, receiver), daemon=True)
    with warnings.catch_warnings():
        # OpenBLAS has threads from its import on, and handles a fork itself.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    sender.close()
    try:
        kind, value = yield from _listen(receiver, seconds, tick)
    except _EndOfChild:
        child.join(1)  # it is ending: how, is seen once it has
        raise _died(child.exitcode) from None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if kind == "refused":
        raise value
    if kind == "crashed":
        raise ChildDied(*value)
    result: T = value
    return result


def _listen(
    receiver: "multiprocessing.connection.Connection[Any, Any]", seconds: float, tick: float
) -> Generator[Progress, None, tuple[str, Any]]:
    deadline = time.monotonic() + seconds
    progress: Progress = {"stage": "STARTING"}
    next_tick = time.monotonic() + tick
    while (left := deadline - time.monotonic()) > 0:
        if receiver.poll(max(0.0, min(left, next_tick - time.monotonic()))):
            try:
                kind, value = receiver.recv()
            except (EOFError, OSError):  # between two messages, or in the middle of one
                raise _EndOfChild from None
            if kind != "progress":
                return kind, value
            progress = value
        if time.monotonic() >= next_tick:
            yield progress
            next_tick = time.monotonic() + tick
    raise OutOfTime


def _child(
    work: Callable[[Say], Any],
    sender: "multiprocessing.connection.Connection[Any, Any]",
    receiver: "multiprocessing.connection.Connection[Any, Any]",
) -> None:
    receiver.close()
    threading.Thread(target=_die_with_parent, args=(sender,), daemon=True).start()
    aws.close_connections()  # they are the parent's
    try:
        sender.send(("done", work(lambda progress: sender.send(("progress", progress)))))
    except ServiceError as error:
        sender.send(("refused", error))
    except BaseException as error:  # noqa: BLE001 (it is reported to the parent, whole)
        how = (
            f"it ended with an unexpected {type(error).__name__}, which our log has the details of"
        )
        sender.send(("crashed", (how, traceback.format_exc())))


def _died(exitcode: int | None) -> ChildDied:
    if exitcode == -signal.SIGKILL:
        how = "it was killed, as a process is that takes more memory than its function has"
    elif exitcode is not None and exitcode < 0:
        how = f"its process was ended by {signal.Signals(-exitcode).name}"
    else:
        how = "its process ended without a result"
    return ChildDied(how, f"the process ended without a result, exit code {exitcode}")


def _die_with_parent(sender: "multiprocessing.connection.Connection[Any, Any]") -> None:
    """The parent sends nothing: what there is to read is the end of its life."""
    sender.poll(None)
    os._exit(1)
