"""Who may work next: no owner holds all workers while another one waits.

pk   sk        what
Q    #SHARES   version; slots, one for each piece of work that somebody is at

A slot is a text: until when (epoch seconds), a mark of who took it, and the owner. Taking one is a
compare-and-set of the whole, so that of two who see the same line each takes something else, and
no share is overdrawn. A slot that is not renewed in time is anybody's: its worker has died.
"""

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kmeans_service import config
from kmeans_service.jobs import table, waiting
from kmeans_service.jobs.items import marshal, unmarshal
from kmeans_service.jobs.waiting import Work

KEY = marshal({"pk": waiting.LINE, "sk": "#SHARES"})


@dataclass(frozen=True)
class Shares:
    """The slots as they were read; `version` of 0: there never was one."""

    version: int
    slots: dict[str, str]

    @property
    def live(self) -> dict[str, str]:
        now = time.time()
        return {name: slot for name, slot in self.slots.items() if _until(slot) >= now}

    @property
    def held(self) -> Counter[str]:
        """How many slots each owner holds."""
        return Counter(slot.split(" ", 2)[2] for slot in self.live.values())


class Slot:
    """A worker's right to do a piece of work, and nobody else's meanwhile."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.name = slot_name(work)
        self._mark = uuid.uuid4().hex[:6]
        self._renewed = time.time()
        self.text = self._text()

    def _text(self) -> str:
        return f"{table.seconds(config.SLOT_SECONDS)} {self._mark} {self.work.owner}"

    def keep(self) -> None:
        """Renew it, if that has not been done for a while: to be called again and again."""
        if time.time() - self._renewed < config.REPORT_SECONDS:
            return
        text = self._text()
        with suppress(table.ConditionFailed):  # it was taken back: what is done has fences itself
            self._change("SET slots.#name = :new", {":new": text})
        self.text, self._renewed = text, time.time()

    def free(self) -> None:
        with suppress(table.ConditionFailed):
            self._change("REMOVE slots.#name", {})

    def _change(self, change: str, values: dict[str, Any]) -> None:
        held = "slots.#name = :text"
        table.update(KEY, change, held, {":text": self.text, **values}, {"#name": self.name})


def slot_name(work: Work) -> str:
    return hashlib.sha256(f"{work.owner}#{work.name}".encode()).hexdigest()[:12]


def read() -> Shares:
    values = unmarshal(table.get_item(KEY) or {})
    return Shares(values.get("version", 0), values.get("slots", {}))


def take(seconds: float) -> Slot | Work | None:
    """The slot of what is next; None where nothing may begin now.

    Of those whose share allows it, the owner who holds fewest is next, then the oldest work.

    seconds   the time there is: if what is next would take longer, it is only named, and not taken
    """
    for _ in table.tries():
        shares = read()  # before the lines: work that ends leaves its line first, then its slot
        work = choose(_open_lines(shares.live), shares.held)
        if work is None or work.seconds > seconds:
            return work
        slot = Slot(work)
        if _occupy(shares, slot):
            return slot
    return None


def startable() -> int:
    """How many pieces of work could begin now, if there were workers for them."""
    shares = read()
    lines, held = _open_lines(shares.live), shares.held
    room = config.settings().workers - len(shares.live)
    count = 0
    while count < room and (work := choose(lines, held)):
        held[work.owner] += 1
        lines = [[other for other in line if other is not work] for line in lines]
        count += 1
    return count


def _open_lines(taken: Collection[str]) -> list[list[Work]]:
    """The owners' lines without what somebody is at."""
    depth = config.settings().workers + 50
    return [
        [work for work in line if slot_name(work) not in taken] for line in waiting.lines(depth)
    ]


def choose(lines: list[list[Work]], held: Counter[str]) -> Work | None:
    """What is next of these lines, one for each owner and the oldest first in each."""
    workers = config.settings().workers
    share = max(1, workers - 1)
    lines = [line for line in lines if line]
    found: list[Work] = []
    for line in lines:
        holds = held[line[0].owner]
        if holds < share:
            found.append(line[0])
        elif holds < workers and len(lines) == 1:
            # Nobody else waits; whoever comes now does so for a minute at most.
            found += [work for work in line if work.seconds <= config.LONG_SECONDS][:1]
    return min(found, key=lambda work: (held[work.owner], work.since), default=None)


def _occupy(shares: Shares, slot: Slot) -> bool:
    """Whether the slot was taken; False if somebody else took one meanwhile."""
    values: dict[str, Any] = {":next": shares.version + 1}
    if not shares.version:
        change = "SET version = :next, slots = :slots"
        held = "attribute_not_exists(version)"
        values |= {":slots": {slot.name: slot.text}}
        names = {}
    else:
        dead = {f"#dead{n}": name for n, name in enumerate(shares.slots.keys() - shares.live)}
        dead = {alias: name for alias, name in dead.items() if name != slot.name}
        change = "SET version = :next, slots.#name = :text"
        if dead:
            change += " REMOVE " + ", ".join(f"slots.{alias}" for alias in dead)
        held = "version = :version"
        values |= {":version": shares.version, ":text": slot.text}
        names = {"#name": slot.name, **dead}
    try:
        table.update(KEY, change, held, values, names)
    except table.ConditionFailed as failed:
        found = unmarshal(failed.item or {}).get("slots", {})
        return bool(found.get(slot.name) == slot.text)  # only the answer to the first try was lost
    return True


def _until(slot: str) -> int:
    """What cannot be read is nobody's slot."""
    until, _, owner = slot.partition(" ")
    return int(until) if until.isdecimal() and " " in owner else 0
