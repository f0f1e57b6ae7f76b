"""What all processes of a session take together: processor time, and memory at its most."""

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Taken:
    """cpu: seconds; memory: bytes, what processes share counted once."""

    seconds: dict[int, float] = field(default_factory=dict)
    memory: int = 0

    @property
    def cpu(self) -> float:
        return sum(self.seconds.values())


def watched(process: "subprocess.Popen[str]", every: float = 0.5) -> Taken:
    """Of a process that leads a session, and of all that it starts, until it has ended."""
    taken = Taken()
    while process.poll() is None:
        memory = 0
        for pid in _session(process.pid):
            try:
                taken.seconds[pid] = _seconds(pid)
                memory += _memory(pid)
            except (OSError, ValueError):  # it has ended
                continue
        taken.memory = max(taken.memory, memory)
        time.sleep(every)
    return taken


def _session(leader: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[3]) == leader:
            found.append(int(path.name))
    return found


def _seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def seconds_of_sessions(leaders: set[int]) -> float:
    """CPU seconds of all processes of sessions, and of those of their children that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile, and its parent has its time
            continue
        if int(fields[3]) in leaders:
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS
