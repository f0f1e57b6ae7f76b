"""Peak memory of processes, as Linux counts it."""

import resource
from pathlib import Path


def peak_of_this_process() -> int:
    """Bytes; getrusage would count those of the process that started this one."""
    [line] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    ]
    return int(line.split()[1]) * 1024


def peak_of_children() -> int:
    """Bytes, of the largest child that has ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
