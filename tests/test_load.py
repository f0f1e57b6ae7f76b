"""A short form of `make load`: good and bad requests at a rate that nobody could serve."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.mixed_load import LATER, SERVED, Outcome, storm
from bench.traffic import MIX, World, judged, schedule, settle
from bench.wire import Reply
from harness.service.closed import Closed, running
from harness.timing import wait_until

RATE, SECONDS = 500, 5
NEVER_SENT = 10**6  # the first number that no call of the storm has
RESERVE = 12  # function processes beside those of the lanes: worker, sweeper, those about to end


@pytest.fixture(scope="module", params=["OPEN", "TOKEN"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Closed]:
    yield from running(tmp_path_factory.mktemp(f"load-{request.param}"), request.param)


def memory_of(process: int) -> int:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+([0-9]+) kB", status)[1]) // 1024  # type: ignore[index]


def served(outcome: Outcome, kind: str) -> int:
    return sum(outcome.said[kind][said] for said in SERVED)


async def patient(world: World, kind: str) -> str:
    """What is said of a call of this kind that comes back until it is served."""
    for number in range(NEVER_SENT, NEVER_SENT + 100):
        said = await MIX[kind][1](world, number)
        if said not in LATER:
            break
        await asyncio.sleep(0.2)
    return said


def test_a_storm_of_good_and_bad_requests_loses_nothing_and_answers_nothing_wrong(
    service: Closed,
) -> None:
    headers = {}
    if service.access == "TOKEN":
        headers = {"Authorization": f"Bearer {service.token('create --owner alice')}"}
    world = World(service.service.port, headers)

    async def load() -> Outcome:
        await settle(world)
        return await storm(world, RATE, SECONDS)

    outcome = asyncio.run(load())
    assert outcome.wrong == [], outcome
    assert outcome.lost == [], outcome
    assert outcome.recovery < 5, outcome
    for kind in MIX:
        if not served(outcome, kind):  # a machine that was too busy for any of them; now it is not
            outcome.said[kind][asyncio.run(patient(world, kind))] += 1
        assert served(outcome, kind), outcome
    assert service.service.process is not None
    assert memory_of(service.service.process.pid) < 400
    wait_until(lambda: len(service.service.processes()) <= 4 * 5 + RESERVE)
    assert "Traceback" not in service.service.said()


def test_every_kind_of_call_is_in_the_mix() -> None:
    assert sum(share for share, _ in MIX.values()) == 100
    assert set(schedule(5000, seed=1)) == set(MIX)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, {}, b"{}"), "right"),
        (Reply(0, {}, b"reset"), "0 b'reset'"),
        (Reply(500, {}, b"x"), "500 b'x'"),
        (Reply(503, {}, b"x"), "503 b'x'"),
        (Reply(503, {"retry-after": "2"}, b"x"), "503 b'x'"),
        (Reply(404, {}, b"x"), "404 without a problem document"),
    ],
)
def test_an_answer_is_judged_by_all_that_it_must_be(reply: Reply, said: str) -> None:
    assert judged(reply, 200, 404) == said


def test_a_right_status_with_a_wrong_body_is_wrong() -> None:
    assert "wrong body" in judged(Reply(200, {}, b"1"), 200, is_right=False)


def test_only_a_problem_document_that_names_a_time_asks_to_come_back() -> None:
    problem = b'{"status": 503, "detail": "busy"}'
    headers = {"content-type": "application/problem+json"}
    assert judged(Reply(503, headers | {"retry-after": "2"}, problem), 200) == "503"
    assert judged(Reply(503, headers, problem), 200).startswith("503 b'")
