"""Who may work at an item, and until when: one protocol for fits and for large predictions.

Whoever claims an item raises its fence, counts an attempt, and holds a lease of a minute, which is
renewed for as long as the work goes on. What is written after that is written under the condition
that the item still is in the hands of this fence: a worker that was thought dead, and is not, finds
it gone. An attempt that crashed is noticed when its lease is over.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.errors import Unavailable
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import Change, Condition, adds, has, sets
from kmeans_service.table.keys import Key
from kmeans_service.table.values import marshal
from kmeans_service.table.writes import Action, Item


class FenceLost(Exception):
    """Somebody else has taken over, or the item is gone: nothing of this attempt may be seen."""


class OutOfTime(Exception):
    """The work did not finish in time and was stopped."""


def is_live(lease_until: int) -> bool:
    return lease_until >= clock.seconds()


def is_over() -> Condition:
    return Attr("lease_until").lt(clock.seconds())


def renewed(*also: str) -> Change:
    """A lease from now on; with it, the other attributes say until when."""
    until = clock.seconds(config.LEASE_SECONDS)
    return sets(**dict.fromkeys(("lease_until", *also), until))


def claim(key: Key, change: Change, condition: Condition) -> Item:
    """The item after the change, in the hands of a new fence; raises ConditionFailed.

    change  with the lease (`renewed`), and the attempt counted
    """
    claimant = uuid.uuid4().hex
    try:
        return writes.update(key, change | sets(claimant=claimant) | adds(fence=1), condition)
    except writes.ConditionFailed as failed:
        if failed.item and failed.item.get("claimant") == {"S": claimant}:
            return failed.item  # ours: only the answer to the first try was lost
        raise


@dataclass(frozen=True)
class Lease:
    """What only the holder of an item's fence may do to it.

    held  the attributes that the item has for as long as it is in these hands; None: it lacks one
    """

    key: Key
    held: Mapping[str, Any]

    def write(self, change: Change) -> Item:
        """The item after the change, which is made once; raises FenceLost or ItemTooLarge."""
        try:
            return writes.update(self.key, change, has(self.held))
        except writes.ConditionFailed as failed:
            if failed.item is None or not self._is_in_hands(failed.item, change.sets):
                raise FenceLost from None
            return failed.item  # it was made: only the answer to the first try was lost

    def publish(
        self,
        change: Change,
        others: Sequence[Action],
        is_made: Callable[[Item], bool],
        before_again: Callable[[], Any],
    ) -> Item | None:
        """The change and other writes, all or none; the item if they had been made before.

        is_made       whether this is what an item shows after the change, whatever came then
        before_again  called before it is tried again, as the others may stand in the way
        Raises FenceLost, ItemTooLarge, and Unavailable where others change it beyond reason.
        """
        actions = [writes.updating(self.key, change, has(self.held)), *others]
        for _ in writes.tries():
            if not writes.transact(actions):
                return None
            item = queries.get_item(self.key)
            if item and is_made(item):
                return item
            if item is None or not self._is_in_hands(item):
                raise FenceLost
            before_again()
        raise Unavailable("The job is changing")

    def _is_in_hands(self, item: Item, changed: Mapping[Any, Any] | None = None) -> bool:
        """Whether the item is this fence's, as it was or with what was changed."""
        expected = {name: (changed or {}).get(name, value) for name, value in self.held.items()}
        return {name: item[name] for name in expected if name in item} == marshal(expected)
