"""Where the local service lives and how much it does at once: everything that can be set."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STACK_NAME = "kmeans"
REGION = "us-east-1"
STAGE = "local"
OWNER = "public"  # of everything, where access is open
ACCESS = ("OPEN", "TOKEN", "IAM")
ENGINES = ("", "spark")  # beyond the worker
LOOPBACK = "127.0.0.1"


class StartRefused(Exception):
    """The service cannot run here and now; the message is the one sentence the user sees."""


@dataclass(frozen=True)
class Settings:
    """Ports, folders and limits of one local service; `parameters` are the template's."""

    port: int = 8080
    emulator_port: int = 14566  # outside 5000-9000, which `sam local` takes its ports from
    home: Path = PROJECT / ".local"
    fit_concurrency: int = 2
    concurrency: int = 4
    queue_limit: int = 256
    worker_timeout: int = 300
    access: str = ACCESS[0]
    engine: str = ENGINES[0]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.emulator_port}"

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def state_copy(self) -> Path:
        return self.home / "state.copy"

    @property
    def items(self) -> Path:
        return self.state / "items.sqlite"

    @property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def scratch(self) -> Path:
        return self.home / "tmp"

    @property
    def code(self) -> Path:
        """What the functions run, as they were at the start."""
        return self.home / "code"

    @property
    def emulator_log(self) -> Path:
        return self.home / "emulator.log"

    @property
    def run_lock(self) -> Path:
        return self.home / "run.lock"

    @property
    def emulator_lock(self) -> Path:
        return self.home / "emulator.lock"

    @property
    def stopped(self) -> Path:
        return self.home / "stopped"

    @property
    def spark(self) -> Path:
        """What runs on Spark are given, and what they say."""
        return self.home / "spark"

    @property
    def exports(self) -> Path:
        return self.home / "exports.sh"


def from_environment() -> Settings:
    """Settings with what PORT, EMULATOR_PORT, LOCAL_HOME… say; raises StartRefused on nonsense."""
    default = Settings()
    return Settings(
        port=_port("PORT", default.port),
        emulator_port=_port("EMULATOR_PORT", default.emulator_port),
        home=Path(os.environ.get("LOCAL_HOME") or default.home).resolve(),
        fit_concurrency=_number("FIT_CONCURRENCY", default.fit_concurrency, 1, 64),
        concurrency=_number("CONCURRENCY", default.concurrency, 1, 64),
        queue_limit=_number("QUEUE_LIMIT", default.queue_limit, 0, 10_000),
        worker_timeout=_number("WORKER_TIMEOUT", default.worker_timeout, 1, 900),
        access=_one_of(ACCESS, "ACCESS", default.access),
        engine=_one_of(ENGINES, "ENGINE", default.engine),
        parameters=_pairs("PARAMETERS"),
    )


def _pairs(name: str) -> dict[str, str]:
    """What `make deploy` takes too: Name=value Name=value."""
    pairs = {}
    for word in shlex.split(os.environ.get(name, "")):
        key, equals, value = word.partition("=")
        if not equals:
            raise StartRefused(f"{name} holds {word}; it should be Name=value, as often as needed.")
        pairs[key] = value
    return pairs


def _one_of(words: tuple[str, ...], name: str, default: str) -> str:
    text = os.environ.get(name) or default
    if text not in words:
        allowed = ", ".join(filter(None, words))
        raise StartRefused(f"{name}={text} should be {'one of ' * (words[0] != '')}{allowed}.")
    return text


def _port(name: str, default: int) -> int:
    return _number(name, default, 1, 65535)


def _number(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise StartRefused(f"{name}={text} should be a whole number from {low} to {high}.")
    return int(text)
