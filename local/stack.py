"""`make run`: emulator, deployment and front door, from the first line printed to the last."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from local import deployment, exports, locks, resume, saved_state
from local.contract import GATEWAY
from local.disk import expect_room
from local.gateway import FIRST, Gateway, gateway_for
from local.http_server import serving
from local.settings import LOOPBACK, PROJECT, REGION, STAGE, Settings, StartRefused
from local.spark import engine
from local.template import load_yaml
from local.welcome import say, shown, welcome

START_LIMIT = 30.0  # seconds for the emulator to answer
STOP_LIMIT = 30.0  # seconds for it to save and end


def run(settings: Settings) -> None:
    """Serves until SIGINT or SIGTERM; raises StartRefused if it cannot."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with _only_run(settings):
        settings.exports.unlink(missing_ok=True)
        _end_leftovers(settings)
        shutil.rmtree(settings.scratch, ignore_errors=True)  # it may be what fills the disk
        expect_room(settings)
        saved_state.check(settings)
        listeners = listen(settings.port)
        expect_free(settings.emulator_port)
        _keep_copy(settings)
        asyncio.run(_run(settings, listeners))
        shutil.rmtree(settings.scratch, ignore_errors=True)
        _keep_copy(settings)
    say(f"Stopped. The data is in {shown(settings.home)}/ and is there at the next start.")


def _keep_copy(settings: Settings) -> None:
    try:
        saved_state.keep_copy(settings)
    except OSError as error:
        say(f"The state could not be copied ({error.strerror}); the copy of before is kept.")


async def _run(settings: Settings, listeners: list[socket.socket]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    emulator = start_emulator(settings)
    try:
        say(f"Started the AWS emulator (its log: {shown(settings.emulator_log)})")
        ended = asyncio.create_task(asyncio.to_thread(emulator.wait))
        stopping = asyncio.create_task(stop.wait())
        serving = asyncio.create_task(_serve(settings, listeners, emulator))
        await asyncio.wait({ended, stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            say("\nStopping: requests in flight first, then the emulator saves its state")
        elif ended.done():
            raise StartRefused(
                f"The AWS emulator ended by itself; {shown(settings.emulator_log)} says why."
            )
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
    finally:
        settings.exports.unlink(missing_ok=True)
        stop_emulator(emulator)
    resume.note_stop(settings)


async def _serve(
    settings: Settings, listeners: list[socket.socket], emulator: subprocess.Popen[bytes]
) -> None:
    began = time.monotonic()
    await asyncio.to_thread(wait_until_healthy, settings, emulator)
    say("Deploying template.yaml to it")
    with engine.running(settings) as told:
        deployed = await asyncio.to_thread(deployment.deploy, settings, told)
        gateway = front_door(settings, deployed)
        await _answer(settings, listeners, gateway, deployed, began)


async def _answer(
    settings: Settings,
    listeners: list[socket.socket],
    gateway: Gateway,
    deployed: deployment.Deployed,
    began: float,
) -> None:
    async with serving(gateway.application(), listeners):
        settings.exports.write_text(exports.lines(settings, deployed))
        say(welcome(settings, time.monotonic() - began))
        gateway.start_ahead(FIRST)
        await asyncio.to_thread(resume.hand_back_fits, settings)
        await asyncio.Event().wait()


def front_door(settings: Settings, deployed: deployment.Deployed) -> Gateway:
    target = f"{settings.endpoint}/restapis/{deployed.api_id}/{STAGE}/_user_request_"
    openapi = load_yaml(GATEWAY)
    concurrency = {"": settings.concurrency, "FitFunction": settings.fit_concurrency}
    return gateway_for(
        target, openapi, settings.port, settings.home, concurrency, settings.queue_limit
    )


# --- other commands ---------------------------------------------------------------


def show_exports(settings: Settings) -> None:
    """Prints the running service's exports; raises StartRefused if none is running."""
    print(exports.of_running(settings), end="")


def show_recovery(settings: Settings) -> None:
    """Puts a copy in the place of what is damaged, and says so; raises StartRefused."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with _only_run(settings):
        _end_leftovers(settings)
        for line in saved_state.recover(settings):
            say(line)


# --- the ports --------------------------------------------------------------------


def listen(port: int) -> list[socket.socket]:
    """Listening sockets on 127.0.0.1 and, if there is one, ::1: `localhost` may be either."""
    listeners = [_bound(socket.AF_INET, LOOPBACK, port, "PORT")]
    with suppress(OSError):
        probe = socket.socket(socket.AF_INET6)
        with closing(probe):
            probe.bind(("::1", 0))
        listeners.append(_bound(socket.AF_INET6, "::1", port, "PORT"))
    return listeners


def expect_free(port: int) -> None:
    """Raises StartRefused if the emulator would find its port taken."""
    _bound(socket.AF_INET, LOOPBACK, port, "EMULATOR_PORT").close()


def _bound(family: int, host: str, port: int, name: str) -> socket.socket:
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"Port {port} cannot be had ({error.strerror}); "
            f"end what uses it or choose another: make run {name}={port + 1010}"
        ) from None
    listener.listen(256)
    return listener


# --- the emulator's process -------------------------------------------------------


def start_emulator(settings: Settings) -> subprocess.Popen[bytes]:
    """The emulator in a session of its own, so that a terminal's Ctrl-C does not reach it."""
    settings.scratch.mkdir()
    settings.state.mkdir(exist_ok=True)
    with settings.emulator_log.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "local.emulator"],
            cwd=PROJECT,
            env=emulator_environment(settings),
            stdin=subprocess.PIPE,  # its end tells the emulator that we are gone
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def emulator_environment(settings: Settings) -> dict[str, str]:
    """Nothing of the caller's AWS or Docker settings: functions inherit what the emulator has."""
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ
    }
    return inherited | {
        "EMULATOR_PORT": str(settings.emulator_port),
        "LOCAL_HOME": str(settings.home),
        "GATEWAY_PORT": str(settings.emulator_port),
        "MINISTACK_REGION": REGION,
        "MINISTACK_HOST": LOOPBACK,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(settings.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.objects),
        "TMPDIR": str(settings.scratch),
        # Functions are plain processes, and a Docker daemon on the machine is left alone.
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        # No listeners beside the one on loopback.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
    }


def wait_until_healthy(settings: Settings, emulator: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and emulator.poll() is None:
        with (
            suppress(URLError, ConnectionError, TimeoutError),
            urlopen(f"{settings.endpoint}/_ministack/health", timeout=2),  # noqa: S310 (ours)
        ):
            return
        time.sleep(0.05)
    raise StartRefused(f"The AWS emulator did not start; {settings.emulator_log} says why.")


def stop_emulator(emulator: subprocess.Popen[bytes]) -> None:
    """Lets it save and end by itself; what is left of its process group then goes at once."""
    emulator.terminate()
    try:
        emulator.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        say("The emulator did not end in time and was killed; its last saved state is kept.")
    with suppress(ProcessLookupError):
        os.killpg(emulator.pid, signal.SIGKILL)
    emulator.wait()


# --- runs before this one ---------------------------------------------------------


def _only_run(settings: Settings) -> IO[str]:
    try:
        return locks.hold(settings.run_lock)
    except locks.HeldError as held:
        raise StartRefused(
            f"The service is already running here (process {held.pid}); "
            "stop it first, or give the second one a LOCAL_HOME of its own."
        ) from None


def _end_leftovers(settings: Settings) -> None:
    """What a killed run left behind: its emulator ends by itself, its functions are ended here."""
    deadline = time.monotonic() + STOP_LIMIT
    if locks.is_held(settings.emulator_lock):
        say("Waiting for the emulator of a run that was killed to save and end")
    while locks.is_held(settings.emulator_lock):
        if time.monotonic() > deadline:
            os.kill(locks.last_holder(settings.emulator_lock), signal.SIGKILL)
        time.sleep(0.1)
    for process in _processes_mentioning(settings.scratch):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _processes_mentioning(folder: Path) -> list[int]:
    """Processes run from the folder; without /proc none, they then end with their call."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            arguments = entry.read_bytes().split(b"\0")
            if any(argument.startswith(os.fsencode(folder) + b"/") for argument in arguments[1:2]):
                found.append(int(entry.parent.name))
    return found
