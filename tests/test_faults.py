"""A fault at every single call to AWS, from upload to deletion: nothing is lost or half there."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from harness.api import MODEL_CSV, Answer, Client
from harness.faults import EVERY, Died, Fault, Faults, injected
from harness.system import (
    deliver,
    drop,
    items,
    job,
    keys,
    let_leases_run_out,
    sweep,
    take_messages,
    work_off,
)
from kmeans_service.models import loading
from kmeans_service.storage import data_bucket

MOST_TRIES = 4


class Life:
    """One job of an owner of its own, and those who do something about it."""

    def __init__(self, client: Client, faults: Faults, owner: str) -> None:
        self._client = Client(client._route, owner)
        self._faults = faults
        self._owner = owner
        self._messages: list[str] = []

    def upload(self) -> None:
        assert self._persist(self._client.upload).json()["job_id"] == 0

    def fit(self) -> None:
        assert self._persist(self._client.fit).status in (200, 202)

    def fit_later(self) -> None:
        later = self._persist(lambda: self._client.fit(0, Prefer="respond-async"))
        assert later.status in (200, 202)

    def work(self) -> None:
        """A message is gone only once it was handled."""
        self._messages += take_messages()
        for message in self._messages:
            self._persist(partial(deliver, message))

    def drop(self) -> None:
        self._messages = [drop(f"incoming/{self._owner}/model.csv", MODEL_CSV)]
        self.work()

    def predict(self) -> None:
        """A fit that was cut off may have to be finished first."""
        loading.forget()
        answer = self._persist(self._client.predict)
        if answer.status == 409:
            self.settle()
            answer = self._persist(self._client.predict)
        assert sorted(answer.labels()) == [0, 1]

    def delete(self) -> None:
        gone = self._persist(lambda: self._client.call("DELETE", "/kmeans/jobs/0"))
        assert gone.status in (204, 410)

    def sweep(self) -> None:
        self._persist(sweep)

    def _persist(self, act: Callable[[], Any]) -> Any:
        """Do it as somebody would who does not give up; time passes between the tries."""
        for _ in range(MOST_TRIES):
            try:
                with self._faults.watch():
                    answer = act()
            except Died:
                let_leases_run_out(self._owner)
            else:
                if served(answer):
                    self.assert_whole()
                    return answer
        raise AssertionError(f"it did not succeed in {MOST_TRIES} tries")

    def settle(self) -> None:
        """What the system does by itself, given time."""
        for _ in range(2):
            let_leases_run_out(self._owner)
            sweep()
            work_off()

    def assert_whole(self) -> None:
        """One job at most, and if its model can be seen, all of it is there."""
        found = items(self._owner)
        assert len(found) <= 1
        if found and found[0]["status"] not in ("DELETING", "DELETED") and "model" in found[0]:
            model = job(0, self._owner).published
            assert model.manifest is not None
            for stored in model.objects:
                assert len(data_bucket().get(stored)) == stored.size

    def assert_over(self) -> None:
        """Gone for good, and with it all that was ever stored for it."""
        self.settle()
        assert self._client.get("/kmeans/jobs/0").status == 410
        assert [found["status"] for found in items(self._owner)] == ["DELETED"]
        left = [key for key in keys() if f"/{self._owner}/" in key]
        # The object of an upload that died before any job knew it is left to the bucket's expiry.
        assert len(left) <= 1
        assert all(key.startswith("inputs/") for key in left)


def served(answer: Any) -> bool:
    """What the client, or the queue, would not try again."""
    if isinstance(answer, Answer):
        return answer.status < 500
    return bool(answer != 1)


type Act = Callable[[Life], None]
LIVES: dict[str, tuple[Act, ...]] = {
    "fitted within the request": (Life.upload, Life.fit, Life.predict, Life.delete, Life.sweep),
    "fitted by the worker": (Life.fit_later, Life.work, Life.sweep),
    "dropped into the bucket": (Life.drop, Life.sweep),
}


@pytest.fixture
def faults(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:  # noqa: ARG001
    with injected(monkeypatch) as found:
        yield found


def begun(client: Client, faults: Faults, owner: str, acts: tuple[Act, ...]) -> Life:
    life = Life(client, faults, owner)
    faults.arm(Fault.BEFORE, target=0)
    if Life.fit_later in acts:
        life.upload()
    return life


def last_calls(client: Client, faults: Faults, acts: tuple[Act, ...]) -> list[int]:
    life = begun(client, faults, "owner-0", acts)
    faults.arm(Fault.BEFORE, target=0)
    for act in acts:
        act(life)
    return faults.last_calls()


def survive(life: Life, faults: Faults, fault: Fault, target: int, acts: tuple[Act, ...]) -> int:
    """At which call the fault was, 0 if there were less than that many."""
    faults.arm(fault, target)
    for act in acts:
        act(life)
    struck = faults.struck
    faults.arm(fault, target=0)
    if Life.delete not in acts:
        life.predict()
        life.delete()
    life.assert_over()
    return struck


@pytest.mark.thorough
@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.LOST])
@pytest.mark.parametrize("name", LIVES)
def test_a_job_survives(client: Client, faults: Faults, name: str, fault: Fault) -> None:
    acts = LIVES[name]
    after = fault is Fault.AFTER
    for target in last_calls(client, faults, acts) if after else itertools.count(1):
        life = begun(client, faults, f"owner-{target}", acts)
        struck = survive(life, faults, fault, target, acts)
        if not struck:
            break
    assert bool(struck) is after
    assert target > len(acts) * 2, "there were calls, and each was struck"


@pytest.mark.thorough
@pytest.mark.parametrize("name", LIVES)
def test_a_job_survives_an_aws_that_is_busy_once_at_every_call(
    client: Client, faults: Faults, name: str
) -> None:
    """What is asked again has not been done: one life shows as much as one for each call."""
    acts = LIVES[name]
    life = begun(client, faults, "owner", acts)
    assert survive(life, faults, Fault.THROTTLED, EVERY, acts) > len(acts) * 2
