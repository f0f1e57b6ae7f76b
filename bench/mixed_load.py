"""`make load`: good and bad requests at a fixed rate, whatever becomes of them.

    python -m bench.mixed_load [RATE] [SECONDS]     PORT and TOKEN are in the environment

The rate is the clock's and not the answers': nobody waits with the next request for the last one.
A service that cannot keep up says so (503, Retry-After); it may neither fall silent, nor answer
anything else than it would have alone, nor forget what it said that it has done.
"""

import asyncio
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.traffic import MIX, World, judged, patiently, schedule, settle

SERVED = ("right", "gone")
LATER = ("503", "429")
FIT_SECONDS = 300.0  # for the fits that go on in the background
ATTEMPTS = 400
SHOWN = 20  # of what went wrong


@dataclass
class Outcome:
    """What became of the calls, and of what they were promised.

    said      how often what was said, by kind of call
    seconds   of the calls that were served
    lost      sentences, one for each promise that was not kept
    recovery  seconds that one call alone takes right after the last answer
    """

    said: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    uploads: int = 0
    fits: int = 0
    elapsed: float = 0.0
    recovery: float = 0.0

    @property
    def wrong(self) -> list[str]:
        return [
            f"{count} x {kind}: {what}"
            for kind, counted in self.said.items()
            for what, count in counted.items()
            if what not in SERVED + LATER
        ]

    def __str__(self) -> str:
        total = sum(self.said.values(), Counter[str]())
        rows = [f"{'':26}{'sent':>7}{'served':>8}{'503':>7}{'429':>7}{'wrong':>7}"]
        for name, counted in [*((kind, self.said[kind]) for kind in MIX), ("all", total)]:
            served, later = sum(counted[what] for what in SERVED), [counted[x] for x in LATER]
            numbers = "".join(f"{number:7}" for number in later)
            wrong = counted.total() - served - sum(later)
            rows.append(f"{name:26}{counted.total():7}{served:8}{numbers}{wrong:7}")
        times = sorted(self.seconds) or [0.0]
        rows += [
            f"{served / self.elapsed:.0f} served a second over {self.elapsed:.0f} s; of these half "
            f"within {times[len(times) // 2]:.2f} s, 99 of 100 within "
            f"{times[len(times) * 99 // 100]:.2f} s",
            f"alone again, it answers within {self.recovery:.2f} s",
            f"{self.uploads} uploads and {self.fits} fits acknowledged, {len(self.lost)} lost",
            *self.wrong[:SHOWN],
            *self.lost[:SHOWN],
        ]
        return "\n".join(rows)


async def storm(world: World, rate: float, seconds: float, seed: int = 1) -> Outcome:
    """Calls by the clock; then whether everything acknowledged is there."""
    outcome = Outcome()

    async def call(kind: str, number: int) -> None:
        began = time.monotonic()
        said = await MIX[kind][1](world, number)
        outcome.said[kind][said] += 1
        if said == "right":
            outcome.seconds.append(time.monotonic() - began)

    began = time.monotonic()
    async with asyncio.TaskGroup() as calls:
        for number, kind in enumerate(schedule(int(rate * seconds), seed)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            calls.create_task(call(kind, number))
    outcome.elapsed = time.monotonic() - began
    alone = time.monotonic()
    await patiently(world, ATTEMPTS, "GET", "/kmeans/health")
    outcome.recovery = time.monotonic() - alone
    await _look_after(world, outcome)
    return outcome


async def _look_after(world: World, outcome: Outcome) -> None:
    outcome.uploads, outcome.fits = len(world.files), len(world.fits)
    turns = asyncio.Semaphore(8)

    async def look(what: Callable[[World, int], object], job_id: int) -> None:
        async with turns:
            if fault := await what(world, job_id):  # type: ignore[misc]
                outcome.lost.append(f"job {job_id}: {fault}")

    async with asyncio.TaskGroup() as looks:
        for job_id in world.files:
            looks.create_task(look(_upload_fault, job_id))
        for job_id in world.fits:
            looks.create_task(look(_fit_fault, job_id))


async def _upload_fault(world: World, job_id: int) -> str:
    """What is wrong with an acknowledged upload; empty if nothing is."""
    reply = await patiently(world, ATTEMPTS, "GET", f"/kmeans/jobs/{job_id}/input")
    return "" if reply.body == world.files[job_id] else f"its file is {reply.body[:100]!r}"


async def _fit_fault(world: World, job_id: int) -> str:
    """What is wrong with an acknowledged fit; empty if nothing is."""
    deadline = time.monotonic() + FIT_SECONDS
    while True:
        reply = await patiently(world, ATTEMPTS, "GET", f"/kmeans/jobs/{job_id}")
        job = reply.json()
        if job["status"] in ("SUCCEEDED", "FAILED") or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    if job["status"] != "SUCCEEDED":
        return f"its fit is {job['status']}, {job.get('error')}"
    reply = await patiently(world, ATTEMPTS, "GET", f"/kmeans/jobs/{job_id}/labels")
    first, *others = reply.body.splitlines()
    halves = [line == first for line in others]
    return "" if halves == [True] * 2 + [False] * 3 else f"its labels are {reply.body!r}"


async def _main(rate: float = 500, seconds: float = 60) -> int:
    token = os.environ.get("TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    world = World(int(os.environ.get("PORT") or 8080), headers)
    reply = await world.call("GET", "/kmeans/health")
    if judged(reply, 200) != "right":
        print("The service does not answer; start it with `make run`.", file=sys.stderr)
        return 1
    await settle(world)
    outcome = await storm(world, rate, seconds)
    print(outcome)
    return 1 if outcome.wrong or outcome.lost else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(*map(float, sys.argv[1:]))))
