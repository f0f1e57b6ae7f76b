"""From a machine with nothing but Python to the first picture: the README's commands, timed.

    python -m bench.first_picture

Seconds are the wall's, for that is what somebody waits; the CPU time of all of it says how much is
work, and not a network, or a machine that has other work too.
"""

import tempfile
from pathlib import Path

from bench.goals import Found
from bench.report import Goal, Table
from bench.scale import Scale
from harness.empty_machine import measured

MOST = 3  # commands
NOTE = (
    "Of a fresh clone with an empty cache of packages, by the clock. Most of it is installing "
    "packages, so it is this machine's and this network's. All of it took {cpu:.0f} s of CPU."
)


def first_picture(scale: Scale, folder: Path) -> Found:
    if not scale.empty_machine:
        return [], []
    timed, cpu = measured(folder / "empty")
    total = sum(seconds for _, seconds in timed)
    what = "commands of README from an empty machine to the first picture"
    told = f"{len(timed)} in {total:.0f} s"
    rows = [(f"`{command}`", f"{seconds:.0f}") for command, seconds in [*timed, ("all", total)]]
    title, note = "From an empty machine to the first picture", NOTE.format(cpu=cpu)
    table = Table(title, ("command", "seconds"), rows, note)
    return [Goal(what, f"≤ {MOST}", told, len(timed) <= MOST)], [table]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        timed, cpu = measured(Path(name) / "empty")
    for said, seconds in timed:
        print(f"{seconds:6.1f} s  {said}")
    print(f"{cpu:6.1f} s  of CPU time, all of it")
