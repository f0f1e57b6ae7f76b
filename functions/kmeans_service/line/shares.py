"""Who may work next: no owner holds all workers while another one waits, and no long work does.

pk   sk        what
Q    #SHARES   version, of the last slot that was taken; slots, one for each piece of work that
               somebody is at; served, the version at which an owner's turn came last

A slot is a text: until when (epoch seconds), a mark of who took it that begins with L if the work
is long, and the owner's mark: names are too long for a thousand workers in one item. Taking one is
a compare-and-set of the whole, so that of two who see the same line each takes something else, and
no share is overdrawn. A slot that is not renewed in time is anybody's: its worker has died.
"""

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.line import waiting
from kmeans_service.line.waiting import Work
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import Change, Condition, has, removes, sets
from kmeans_service.table.keys import SHARES
from kmeans_service.table.values import unmarshal

# Of so many waiting owners it is remembered when their turn came last.
MOST_SERVED = 500


@dataclass(frozen=True)
class Shares:
    """The slots as they were read; `version` of 0: there never was one."""

    version: int
    slots: dict[str, str]
    served: dict[str, int]

    @property
    def live(self) -> dict[str, str]:
        now = time.time()
        return {name: slot for name, slot in self.slots.items() if _until(slot) >= now}

    @property
    def held(self) -> Counter[str]:
        """How many slots each owner holds, by the owner's mark."""
        return Counter(slot.split(" ", 2)[2] for slot in self.live.values())

    @property
    def long(self) -> int:
        """How many workers are at long work."""
        return sum(slot.split(" ", 2)[1].startswith("L") for slot in self.live.values())


class Slot:
    """A worker's right to do a piece of work, and nobody else's meanwhile."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.name = slot_name(work)
        self._mark = ("L" if is_long(work) else "S") + uuid.uuid4().hex[:6]
        self._renewed = time.time()
        self.text = self._text()

    def _text(self) -> str:
        return f"{clock.seconds(config.SLOT_SECONDS)} {self._mark} {mark_of(self.work.owner)}"

    def keep(self) -> None:
        """Renew it, if that has not been done for a while: to be called again and again."""
        if time.time() - self._renewed < config.REPORT_SECONDS:
            return
        text = self._text()
        # Nothing if it was taken back: what is done under it has fences itself.
        writes.is_updated(
            SHARES, Change(sets={_path(self.name): text}), _is_held(self.name, self.text)
        )
        self.text, self._renewed = text, time.time()

    def free(self) -> None:
        free_slot(self.name, self.text)


def free_slot(name: str, slot: str) -> None:
    """The slot of a worker that has ended; nothing if it is another's by now."""
    writes.is_updated(SHARES, removes(_path(name)), _is_held(name, slot))


def _path(name: str) -> tuple[str, str]:
    return "slots", name


def _is_held(name: str, slot: str) -> Condition:
    return Attr(f"slots.{name}").eq(slot)


def slot_name(work: Work) -> str:
    return mark_of(f"{work.owner}#{work.name}")


def mark_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read() -> Shares:
    values = unmarshal(queries.get_item(SHARES) or {})
    return Shares(values.get("version", 0), values.get("slots", {}), values.get("served", {}))


def take(seconds: float) -> Slot | Work | None:
    """The slot of what is next; None where nothing may begin now.

    Of those whose share allows it, the owner who holds fewest is next; of several, the one whose
    turn came last longest ago, or never; then the oldest work.

    seconds   the time there is: if what is next would take longer, it is only named, and not taken
    """
    for _ in writes.tries():
        shares = read()  # before the lines: work that ends leaves its line first, then its slot
        lines = _open_lines(shares.live)
        work = choose(lines, shares.held, shares.long, shares.served)
        if work is None or work.seconds > seconds:
            return work
        slot = Slot(work)
        if _occupy(shares, slot, {line[0].owner for line in lines if line}):
            return slot
    return None


def startable() -> int:
    """How many pieces of work could begin now, if there were workers for them."""
    shares = read()
    lines, held, long = _open_lines(shares.live), shares.held, shares.long
    room = config.settings().workers - len(shares.live)
    count = 0
    while count < room and (work := choose(lines, held, long, {})):
        held[mark_of(work.owner)] += 1
        long += is_long(work)
        lines = [[other for other in line if other is not work] for line in lines]
        count += 1
    return count


def _open_lines(taken: Collection[str]) -> list[list[Work]]:
    """The owners' lines without what somebody is at."""
    depth = config.settings().workers + 50
    return [
        [work for work in line if slot_name(work) not in taken] for line in waiting.lines(depth)
    ]


def choose(
    lines: list[list[Work]], held: Counter[str], long: int, served: dict[str, int]
) -> Work | None:
    """What is next of these lines, one for each owner and the oldest first in each."""
    workers = config.settings().workers
    share = max(1, workers - 1)
    lines = [line for line in lines if line]
    found: list[Work] = []
    for line in lines:
        holds = held[mark_of(line[0].owner)]
        if holds < share and long < share:
            found.append(line[0])
        elif holds < share or (holds < workers and len(lines) == 1):
            # The last worker is for what ends within a minute: whoever comes waits no longer.
            found += [work for work in line if not is_long(work)][:1]
    return min(
        found,
        key=lambda work: (held[mark := mark_of(work.owner)], served.get(mark, 0), work.since),
        default=None,
    )


def is_long(work: Work) -> bool:
    return work.seconds > config.LONG_SECONDS


def _occupy(shares: Shares, slot: Slot, waiting_owners: Collection[str]) -> bool:
    """Whether the slot was taken; False if somebody else took one meanwhile."""
    change = sets(version=shares.version + 1, served=_served(shares, slot, waiting_owners))
    if shares.version:
        dead = [name for name in shares.slots.keys() - shares.live if name != slot.name]
        change |= Change(sets={_path(slot.name): slot.text}) | removes(*map(_path, dead))
    else:
        change |= sets(slots={slot.name: slot.text})
    try:
        writes.update(SHARES, change, has({"version": shares.version or None}))
    except writes.ConditionFailed as failed:
        found = unmarshal(failed.item or {}).get("slots", {})
        return bool(found.get(slot.name) == slot.text)  # only the answer to the first try was lost
    return True


def _served(shares: Shares, slot: Slot, waiting_owners: Collection[str]) -> dict[str, int]:
    """Of who has nothing left to do nothing is remembered."""
    marks = set(map(mark_of, waiting_owners))
    kept = {mark: at for mark, at in shares.served.items() if mark in marks}
    kept[mark_of(slot.work.owner)] = shares.version + 1
    return dict(sorted(kept.items(), key=lambda entry: -entry[1])[:MOST_SERVED])


def _until(slot: str) -> int:
    """What cannot be read is nobody's slot."""
    until, _, owner = slot.partition(" ")
    return int(until) if until.isdecimal() and " " in owner else 0
