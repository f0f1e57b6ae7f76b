"""A step on one file after the other, whose process has imported its packages once.

python -m bench.each STEP CSV …: prints a list of CPU seconds, as steps.py measures them.
"""

import json
import sys
from pathlib import Path

from bench import steps


def main() -> None:
    step, *files = sys.argv[1:]
    print(json.dumps([getattr(steps, step)(Path(file)) for file in files]))


if __name__ == "__main__":
    main()
