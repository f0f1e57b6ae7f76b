"""Runs and their states, as EMR Serverless has them.

    SUBMITTED → SCHEDULED | QUEUED → RUNNING → SUCCESS | FAILED
    any of them → CANCELLED

Source: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/job-states.html
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

OVER = ("SUCCESS", "FAILED", "CANCELLED")
# Of this machine, which nobody is billed for: what a run of two workers of EMR's least size has.
PROCESSORS, GIGABYTES = 2, 8


class Process(Protocol):
    def poll(self) -> int | None: ...

    def kill(self) -> None: ...


type Launch = Callable[[dict[str, Any]], Process]
"""Begins what a StartJobRun asks for."""


@dataclass
class Run:
    run_id: str
    asked: dict[str, Any]
    state: str = "SUBMITTED"
    detail: str = ""
    created: float = field(default_factory=time.time)
    started: float = 0.0
    ended: float = 0.0
    process: Process | None = None

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def hours(self) -> float:
        return ((self.ended or time.time()) - self.started) / 3600 if self.started else 0.0


class Runs:
    """All runs of one application.

    at_once   so many run, the others are QUEUED
    changed   told of every change of state
    """

    def __init__(self, launch: Launch, changed: Callable[[Run], None], at_once: int = 1) -> None:
        self._launch, self._changed, self._at_once = launch, changed, at_once
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._by_token: dict[str, str] = {}
        self._ids = itertools.count(1)

    def start(self, asked: dict[str, Any]) -> Run:
        """The same run for the same client token."""
        with self._lock:
            token = asked["clientToken"]
            if token not in self._by_token:
                run = Run(f"{next(self._ids):016x}", asked)
                self._by_token[token], self._runs[run.run_id] = run.run_id, run
            return self._runs[self._by_token[token]]

    def get(self, run_id: str) -> Run:
        """Raises KeyError."""
        return self._runs[run_id]

    def cancel(self, run_id: str) -> Run:
        """Raises KeyError, or ValueError for one that is over."""
        with self._lock:
            run = self._runs[run_id]
            if run.is_over:
                raise ValueError(f"the job run is {run.state}")
            if run.process:
                run.process.kill()
            self._become(run, "CANCELLED", "cancelled")
            return run

    def in_states(self, states: Iterable[str]) -> list[Run]:
        wanted = set(states)
        return [run for run in self._runs.values() if not wanted or run.state in wanted]

    def step(self) -> None:
        """Every run becomes what it is next."""
        with self._lock:
            for run in list(self._runs.values()):
                if not run.is_over:
                    self._step(run)

    def _step(self, run: Run) -> None:
        if run.state == "RUNNING":
            code = run.process.poll() if run.process else 1
            minutes = run.asked.get("executionTimeoutMinutes", 720)
            if code is not None:
                detail = "" if code == 0 else f"the process ended with exit code {code}"
                self._become(run, "SUCCESS" if code == 0 else "FAILED", detail)
            elif run.hours * 60 > minutes:
                self.cancel(run.run_id)
            return
        if sum(other.state == "RUNNING" for other in self._runs.values()) >= self._at_once:
            self._become(run, "QUEUED", "")
        elif run.state in ("SUBMITTED", "QUEUED"):
            self._become(run, "SCHEDULED", "")
        else:
            run.started, run.process = time.time(), self._launch(run.asked)
            self._become(run, "RUNNING", "")

    def _become(self, run: Run, state: str, detail: str) -> None:
        if run.state == state:
            return
        run.state, run.detail = state, detail
        if run.is_over:
            run.ended = time.time()
        self._changed(run)

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            for run in self._runs.values():
                if not run.is_over and run.process:
                    run.process.kill()
