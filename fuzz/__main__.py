"""`make fuzz`: python -m fuzz [SECONDS]. What is found is kept under fuzz/found, and shown."""

import hashlib
import sys
import time
from collections import Counter
from pathlib import Path

from fuzz.mutation import inputs
from fuzz.targets import TARGETS, FaultError, run

FOUND = Path(__file__).parent / "found"
MOST = 20  # faults to keep
ROUND = 500  # inputs of one format, then the next one's turn


def main(seconds: float) -> int:
    seed = time.time_ns()
    print(f"seed {seed}", flush=True)  # a parser in C can end the whole process
    streams = {name: inputs(name, seed) for name in TARGETS}
    tried: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    faults: dict[bytes, str] = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name, target in TARGETS.items():
            for _, body in zip(range(ROUND), streams[name], strict=False):
                tried[name] += 1
                try:
                    taken[name] += run(target, body)
                except FaultError as fault:
                    if len(faults) < MOST:
                        faults[body] = _kept(name, body, fault)
    for name in TARGETS:
        print(f"{name}: {tried[name]:,} inputs, {taken[name]:,} taken, the others refused")
    print("\n".join(faults.values()) or "nothing found")
    return 1 if faults else 0


def _kept(name: str, body: bytes, fault: FaultError) -> str:
    FOUND.mkdir(exist_ok=True)
    path = FOUND / f"{name}-{hashlib.sha256(body).hexdigest()[:16]}"
    path.write_bytes(body)
    return f"{path}: {fault}"


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
