"""MiniStack, the AWS emulator, as a process of its own that loses nothing.

It differs from the `ministack` command in four ways. It listens on loopback only. Items and objects
are on the disk before they are acknowledged, or refused; everything else (queues and what is
deployed) is saved a second after it changed, not only at the end. And it stops, saving, when the
process that started it is gone, which it sees from the end of its standard input.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack  # type: ignore[import-untyped]
from ministack.core import persistence  # type: ignore[import-untyped]

from local import items, locks, objects, other_port, settings, states

SAVE_INTERVAL = 1.0  # seconds; a save takes about 60 ms, most of it to copy what is deployed
GRACE = 3.0  # seconds that requests in flight have to end at a stop

# Telemetry grows with every call; it is saved at a clean stop only.
TELEMETRY = {"cloudwatch", "cloudwatch_logs", "cloudtrail", "xray"}

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Autosave:
    """MiniStack's ASGI application, with an eye on whether there is something new to save."""

    def __init__(self, store: items.ItemStore) -> None:
        self.changed = asyncio.Event()
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await ministack.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            self.changed.set()

    async def run(self) -> None:
        while True:
            await self.changed.wait()
            await asyncio.sleep(SAVE_INTERVAL)
            self.changed.clear()
            await self.save()

    async def save(self) -> None:
        """Copies on the loop, between requests, so that they are whole; writes off it."""
        sources = ministack._build_persistence_save_dict()
        copies = {name: state() for name, state in sources.items() if name not in TELEMETRY}
        if _is_deploying(copies):
            self.changed.set()  # half a deployment could not be taken up again; next time then
        else:
            await asyncio.to_thread(_write, copies)
            await asyncio.to_thread(self._store.sync)


def _is_deploying(states: dict[str, Any]) -> bool:
    stacks = states["cloudformation"]["stacks"].all_items() if "cloudformation" in states else ()
    return any(stack["StackStatus"].endswith("IN_PROGRESS") for _, stack in stacks)


def _write(states: dict[str, Any]) -> None:
    persistence.save_all({name: lambda state=state: state for name, state in states.items()})


async def serve_until_told(port: int, store: items.ItemStore) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_reader(sys.stdin.fileno(), stop.set)

    config = Config()
    config.bind = [f"{settings.LOOPBACK}:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = GRACE
    config.loglevel = "WARNING"

    application = Autosave(store)
    saving = asyncio.create_task(application.run())
    await serve(application, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    saving.cancel()
    end_workers()


def end_workers() -> None:
    """SIGTERM to all others of the own process group, which are the functions' processes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


def main() -> None:
    chosen = settings.from_environment()
    logging.getLogger("persistence").setLevel(logging.WARNING)  # a line for each service and save
    items.expect_tested_version()
    lock = locks.hold(chosen.emulator_lock)
    with closing(items.opened(chosen.items)) as store:
        items.keep_items_in(store)
        objects.refuse_what_cannot_be_saved(chosen.home)
        objects.answer_ranges_of_versions()
        other_port.move(chosen.state, chosen.emulator_port)
        states.write_changes_only(chosen.state)
        asyncio.run(serve_until_told(chosen.emulator_port, store))
    lock.close()


if __name__ == "__main__":
    main()
