"""python -m bench [full|small] [REPORT], `make bench`."""

import os
import sys
from pathlib import Path

from bench.measure import ROOT
from bench.threads import of_functions


def main() -> None:
    size = sys.argv[1] if len(sys.argv) > 1 else "full"
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "benchmarks.md"
    environ = os.environ | of_functions()
    if environ != os.environ:  # malloc looks at it when a process starts
        os.execve(sys.executable, [sys.executable, "-m", "bench", *sys.argv[1:]], environ)  # noqa: S606
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the handlers' log
    from bench import rows  # only now: it imports NumPy, which reads the environment

    rows.measure(size, path)


if __name__ == "__main__":
    main()
